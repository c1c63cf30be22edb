"""What whole commands cost, from their start to their end."""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from benchmarks.processes import CHECKOUT, LORSYNC, lorsync, median, run
from benchmarks.request_counts import account_at
from benchmarks.seasons import write_season
from benchmarks.table import Row, at_most, plain
from tests.servers.starting import radicale

EVENTS = 1000
LETTERS = 500


def measure(folder: Path) -> Iterator[Row]:
    """Yield a row per command."""
    yield from _version(folder)
    yield from _plan(folder)
    yield from _timeline(folder)
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


def _timeline(home: Path) -> Iterator[Row]:
    config = home / "letters.toml"
    config.write_text(_many_letters(LETTERS))
    for kind in ("svg", "html"):
        file = home / f"season.{kind}"
        drawing = ("timeline", "--as-of", "2026-07-20", "-o", str(file))
        cost = median(lorsync(config, home / "none", *drawing), home)
        what = f"lorsync timeline of {LETTERS} letters as {kind}, processor"
        size = f" (wall {cost.wall:.2f} s, {file.stat().st_size // 1000} kB)"
        yield at_most(what, cost.cpu, 1.0, " s", note=size)


def _many_letters(number: int) -> str:
    """Return a season of so many letters by 60 mentors, two of three asked for."""
    lines = ['[applicant]\nname = "Sam"\ntimezone = "UTC"\n[calendar]\nprovider = "local"\n']
    lines += [f'[[mentors]]\nid = "m{mentor}"\nname = "Dr. {mentor}"\n' for mentor in range(60)]
    for letter in range(number):
        due = date(2026, 9, 1) + timedelta(days=letter * 7 % 200)
        lines.append(
            f'[[letters]]\nid = "l{letter}"\nmentor = "m{letter % 60}"\ndeadline = {due}\n'
        )
        if letter % 3:
            lines.append(f"asked_on = {date(2026, 7, 1 + letter % 19)}\n")
    return "".join(lines)


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
