"""What whole commands cost, from their start to their end."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import CHECKOUT, LORSYNC, lorsync, median, run
from benchmarks.request_counts import account_at
from benchmarks.seasons import write_season
from benchmarks.table import Row, at_most, plain
from tests.servers import radicale

EVENTS = 1000


def measure(folder: Path) -> Iterator[Row]:
    """Yield a row per command."""
    yield from _version(folder)
    yield from _plan(folder)
    yield from _idle_sync(folder)


def _version(home: Path) -> Iterator[Row]:
    # A version takes milliseconds, so a few more runs are cheap.
    bare = median([sys.executable, "-c", "pass"], home, runs=15)
    ours = median([LORSYNC, "--version"], home, runs=15)
    note = f" ({ours.wall * 1000:.0f} ms : {bare.wall * 1000:.0f} ms)"
    ratio = ours.wall / bare.wall
    yield at_most("lorsync --version : python -c pass, wall", ratio, 3, note=note)
    note = f" ({ours.cpu * 1000:.0f} ms : {bare.cpu * 1000:.0f} ms)"
    ratio = ours.cpu / bare.cpu
    yield at_most("lorsync --version : python -c pass, processor", ratio, 3, note=note)


def _plan(home: Path) -> Iterator[Row]:
    cost = median(lorsync(CHECKOUT / "config.example.toml", home / "none", "plan"), home)
    note = f" (wall {cost.wall:.2f} s)"
    what = "lorsync plan on config.example.toml, processor"
    yield at_most(what, cost.cpu, 0.4, " s", note=note)


def _idle_sync(folder: Path) -> Iterator[Row]:
    with radicale(folder / "server") as server:
        account = account_at(server.url, server)
        config = write_season(folder / "season.toml", account, EVENTS)
        command = lorsync(config, folder / "state", "sync", "--json")
        first = run(command, folder)
        yield plain(f"lorsync sync, first write of {EVENTS} events, wall", f"{first.wall:.1f} s")
        idle = median(command, folder)
        what = f"lorsync sync, nothing changed of {EVENTS} events"
        yield plain(what, f"wall {idle.wall:.2f} s, processor {idle.cpu:.2f} s")
