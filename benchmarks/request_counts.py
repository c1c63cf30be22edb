"""How many requests a pass makes, as lorsync counts them and as a relay before the server does."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.client import Client
from benchmarks.processes import sync
from benchmarks.relay import Relay, relayed
from benchmarks.seasons import EVENTS_PER_MENTOR, Account, write_season
from benchmarks.table import Row, at_most, exactly
from tests.servers.starting import Server, radicale, xandikos

SIZES = (50, 300)
CHANGED = 10
COLLECTIONS = {"Radicale": "/user/letters/", "Xandikos": "/user/calendars/letters/"}

_Starter = Callable[[Path], AbstractContextManager[Server]]
_STARTERS: dict[str, _Starter] = {"Radicale": radicale, "Xandikos": xandikos}


def measure(folder: Path) -> Iterator[Row]:
    """Yield a row per promise, server and size."""
    for name in _STARTERS:
        for size in SIZES:
            yield from _passes(folder / f"{name}-{size}", name, size)
        yield _new_collection(folder / f"{name}-new", name, SIZES[0])


def account_at(url: str, server: Server) -> Account:
    """Return the account of a server, reached at ``url``."""
    return Account(provider="caldav", url=url, username=server.username, password=server.password)


@contextlib.contextmanager
def _watched(folder: Path, name: str) -> Iterator[tuple[Server, Relay]]:
    with _STARTERS[name](folder / "server") as server, relayed(server.url) as relay:
        yield server, relay


def _passes(folder: Path, name: str, size: int) -> Iterator[Row]:
    """Take one collection through its life: first write, idle, changed here, changed there."""
    with _watched(folder, name) as (server, relay):
        client, path = Client(server), COLLECTIONS[name]
        client.make_collection(path, "Letters")
        # The collection's own address, so that finding it costs nothing but the look at it.
        account = account_at(relay.url.rstrip("/") + path, server)
        config, state = write_season(folder / "config.toml", account, size), folder / "state"

        first = _pass(config, state, folder, relay)
        held = len(client.hrefs(path))
        assert held >= size, f"{held} of {size} events are on {name}"
        what = f"{name}, first write of {size} events"
        yield first.row(what, held + 2, why=f"{held} + 2")

        second = _pass(config, state, folder, relay)
        yield second.row(f"{name}, nothing changed of {size}", 1, done=0)

        write_season(config, account, size, renamed=range(CHANGED // EVENTS_PER_MENTOR))
        third = _pass(config, state, folder, relay)
        what = f"{name}, {CHANGED} of {size} changed here"
        # The config changed, and with it what the memory says of it.
        yield third.row(what, CHANGED + 3, why=f"{CHANGED} + 2 + the memory", done=CHANGED)

        # Whatever the pass before left undone is not to be counted here.
        sync(config, state, folder)
        events = [href for href in client.hrefs(path) if "/lorsync-memory-" not in href]
        client.retitle(events[-CHANGED:])
        fourth = _pass(config, state, folder, relay)
        yield fourth.row(f"{name}, {CHANGED} of {size} changed there", 2, why="1 + 1", done=0)


def _new_collection(folder: Path, name: str, size: int) -> Row:
    """Write into a collection that has to be found missing, and made, from the bare address."""
    with _watched(folder, name) as (server, relay):
        config = write_season(folder / "config.toml", account_at(relay.url, server), size)
        only = _pass(config, folder / "state", folder, relay)
        return at_most(
            f"{name}, first write of {size} into a new collection",
            only.seen,
            size + 1 + 2 + 5,  # the memory is one more (S4)
            note=only.difference,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One pass: its requests as lorsync says, and as the relay saw; and what it updated."""

    said: int
    seen: int
    updated: int
    warnings: int

    @property
    def difference(self) -> str:
        """Say where the two counts differ."""
        if self.said == self.seen:
            return ""
        return f" (lorsync says {self.said}, the server saw {self.seen})"

    def row(self, what: str, promised: int, *, why: str = "", done: int | None = None) -> Row:
        """Return the row of its requests, which holds only if it updated what it should."""
        note = self.difference
        complete = done is None or done == self.updated
        if not complete:
            note += f" (updated {self.updated} of {done}, {self.warnings} warnings)"
        row = exactly(what, self.seen, promised, why=why, note=note)
        return replace(row, kept=bool(row.kept) and complete and self.said == self.seen)


def _pass(config: Path, state: Path, home: Path, relay: Relay) -> _Pass:
    """Run one pass and count."""
    relay.taken()
    document, said, _ = sync(config, state, home)
    return _Pass(
        said=said,
        seen=relay.taken().total(),
        updated=len(document["updated"]),
        warnings=len(document["warnings"]),
    )
