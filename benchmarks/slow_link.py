"""A first write over a link with a long round trip, where writing one at a time takes longest."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import sync
from benchmarks.relay import relayed
from benchmarks.request_counts import account_at
from benchmarks.seasons import write_season
from benchmarks.table import Row, plain
from tests.servers.starting import radicale, xandikos

EVENTS = 200
ROUND_TRIP = 0.08


def measure(folder: Path) -> Iterator[Row]:
    """Yield a row per server; Radicale opens a connection for each request, Xandikos keeps them."""
    for name, serve in (("Radicale", radicale), ("Xandikos", xandikos)):
        place = folder / name
        with (
            serve(place / "server") as server,
            relayed(server.url, delay=ROUND_TRIP) as relay,
        ):
            config = write_season(place / "season.toml", account_at(relay.url, server), EVENTS)
            _, requests, cost = sync(config, place / "state", place)
        yield plain(
            f"{name}, first write of {EVENTS} events, {ROUND_TRIP * 1000:.0f} ms a round trip",
            f"wall {cost.wall:.1f} s, processor {cost.cpu:.1f} s, {requests} requests",
        )
