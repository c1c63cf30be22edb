"""lorsync beside vdirsyncer and the bare caldav library: same events, same server, same run.

Each runs as a whole process, on a collection of its own on one Radicale, through a relay that
counts the requests; it costs all of them the same.
"""

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.client import Client
from benchmarks.processes import BIN, CommandError, lorsync, run, sync
from benchmarks.relay import Relay, relayed
from benchmarks.request_counts import CHANGED, account_at
from benchmarks.seasons import EVENTS_PER_MENTOR, Account, write_season
from benchmarks.slow_link import EVENTS as SLOW_EVENTS
from benchmarks.slow_link import ROUND_TRIP
from benchmarks.table import Row, at_most, exactly, plain
from tests.servers.starting import Server, radicale

FIRST_EVENTS = 300
IDLE_EVENTS = 1000
MANY_EVENTS = 5000
_IDLE_RUNS = 5
_CONNECTIONS = 8

_Command = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Where one tool works: a folder, a collection, the account, the events.

    ``filled``: whether the events are in the collection already.
    """

    folder: Path
    collection: str
    server: Server
    events: int
    bodies: Path
    filled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    """A program that writes events; ``prepared`` returns its command for one ground."""

    name: str
    prepared: Callable[[_Ground], _Command]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """What one tool took for one work."""

    wall: float
    cpu: float
    requests: int

    def __str__(self) -> str:
        return f"wall {self.wall:.2f} s, processor {self.cpu:.2f} s, {self.requests} requests"


def measure(folder: Path) -> Iterator[Row]:
    """Yield a row per work and tool, and what is promised of their ratios."""
    tools = [_Tool(name="lorsync", prepared=_our_command)]
    problem = _why_no_vdirsyncer(folder)
    if problem is None:
        tools.append(_Tool(name="vdirsyncer", prepared=_vdirsyncer_command))
    else:
        yield plain("vdirsyncer", problem)
    tools.append(_Tool(name="bare caldav", prepared=_bare_command))
    with radicale(folder / "server") as server:
        with relayed(server.url) as relay:
            yield from _works(folder, server, relay, tools)
        with relayed(server.url, delay=ROUND_TRIP) as relay:
            place = _place(folder, "slow")
            grounds = _grounds(place, server, relay, tools, SLOW_EVENTS)
            what = f"first write of {SLOW_EVENTS}, {ROUND_TRIP * 1000:.0f} ms a round trip"
            slow = {name: _run(command, relay, place) for name, command in grounds.items()}
            yield from _rows(what, slow, 1 / 6)
        yield from _few_of_many(_place(folder, "many"), server)


def _works(folder: Path, server: Server, relay: Relay, tools: Sequence[_Tool]) -> Iterator[Row]:
    """Compare what does not need a slow link."""
    place = _place(folder, "first")
    grounds = _grounds(place, server, relay, tools, FIRST_EVENTS)
    first = {name: _run(command, relay, place) for name, command in grounds.items()}
    yield from _rows(f"first write of {FIRST_EVENTS}", first, 1.0)

    place = _place(folder, "idle")
    grounds = _grounds(place, server, relay, tools, IDLE_EVENTS, filled=True)
    for command in grounds.values():
        # The first finds what is there, the second settles what the first wrote of it, if anything.
        run(command, place)
        run(command, place)
    idle = {name: _usual(command, relay, place) for name, command in grounds.items()}
    what = f"nothing changed of {IDLE_EVENTS}"
    yield from _rows(what, idle, 0.5)
    yield exactly(f"{what}: lorsync, requests", idle["lorsync"].requests, 1)


def _few_of_many(place: Path, server: Server) -> Iterator[Row]:
    """Change few events of a great many."""
    bodies = _bodies(place, MANY_EVENTS)
    with relayed(server.url) as relay:
        collection = _collection(server, relay, "many-lorsync", bodies)
        account = account_at(collection, server)
        config = write_season(place / "season.toml", account, MANY_EVENTS)
        state = place / "state"
        document, _, _ = sync(config, state, place)
        assert len(document["adopted"]) == MANY_EVENTS, f"{len(document['adopted'])} were adopted"
        sync(config, state, place)
        write_season(config, account, MANY_EVENTS, renamed=range(CHANGED // EVENTS_PER_MENTOR))
        relay.taken()
        document, _, cost = sync(config, state, place)
        what = f"{CHANGED} changed of {MANY_EVENTS}: lorsync"
        assert len(document["updated"]) == CHANGED, f"{len(document['updated'])} were updated"
        # One more when the memory changes.
        yield at_most(f"{what}, requests", relay.taken().total(), CHANGED + 3)
        yield at_most(f"{what}, wall", cost.wall, 1.0, " s", note=f" (processor {cost.cpu:.2f} s)")
        path = urlsplit(collection).path
        client = Client(server)
        bare = client.changes(path, client.hrefs(path)[:CHANGED], _CONNECTIONS)
        yield plain(f"{CHANGED} changed of {MANY_EVENTS}: the bare requests, wall", f"{bare:.2f} s")


def _rows(what: str, figures: Mapping[str, _Figures], promised: float) -> Iterator[Row]:
    """Yield what each took, and lorsync's wall time as a share of each other's."""
    for name, taken in figures.items():
        yield plain(f"{what}: {name}", str(taken))
    ours = figures["lorsync"]
    for name, taken in figures.items():
        ratio = ours.wall / taken.wall
        if name == "vdirsyncer":
            yield at_most(f"{what}: lorsync : {name}, wall", ratio, promised)
        elif name != "lorsync":
            yield plain(f"{what}: lorsync : {name}, wall", f"{ratio:.2f}")


def _run(command: _Command, relay: Relay, home: Path) -> _Figures:
    relay.taken()
    cost = run(command, home)
    return _Figures(wall=cost.wall, cpu=cost.cpu, requests=relay.taken().total())


def _usual(command: _Command, relay: Relay, home: Path) -> _Figures:
    """Run a command several times and return the medians."""
    runs = [_run(command, relay, home) for _ in range(_IDLE_RUNS)]
    return _Figures(
        wall=statistics.median(one.wall for one in runs),
        cpu=statistics.median(one.cpu for one in runs),
        requests=statistics.median_high([one.requests for one in runs]),
    )


def _grounds(
    place: Path,
    server: Server,
    relay: Relay,
    tools: Sequence[_Tool],
    events: int,
    *,
    filled: bool = False,
) -> dict[str, _Command]:
    """Give each tool a collection and the same events, and return its command."""
    bodies = _bodies(place, events)
    commands = {}
    for tool in tools:
        mark = tool.name.replace(" ", "-")
        ground = _Ground(
            folder=_place(place, mark),
            collection=_collection(
                server, relay, f"{place.name}-{mark}", bodies if filled else None
            ),
            server=server,
            events=events,
            bodies=bodies,
            filled=filled,
        )
        commands[tool.name] = tool.prepared(ground)
    return commands


def _place(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place


def _collection(server: Server, relay: Relay, name: str, bodies: Path | None) -> str:
    """Make a collection with these events, and return its address through the relay."""
    path = f"/{server.username}/{name}/"
    client = Client(server)
    client.make_collection(path, name)
    if bodies is not None:
        client.fill(path, bodies)
    return relay.url.rstrip("/") + path


def _bodies(place: Path, events: int) -> Path:
    """Have lorsync write the events as files, one each."""
    bodies = place / "bodies"
    account = Account(provider="folder", path=bodies)
    sync(write_season(place / "bodies.toml", account, events), place / "bodies-state", place)
    return bodies


def _our_command(ground: _Ground) -> _Command:
    account = account_at(ground.collection, ground.server)
    config = write_season(ground.folder / "season.toml", account, ground.events)
    return lorsync(config, ground.folder / "state", "sync", "--json")


def _vdirsyncer_command(ground: _Ground) -> _Command:
    source = ground.folder / "events"
    shutil.copytree(ground.bodies, source)
    config = ground.folder / "vdirsyncer.conf"
    config.write_text(
        f"""[general]
status_path = "{ground.folder / "status"}"
[pair letters]
a = "here"
b = "there"
collections = null
conflict_resolution = "a wins"
[storage here]
type = "filesystem"
path = "{source}"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{ground.collection}"
username = "{ground.server.username}"
password = "{ground.server.password}"
""",
        encoding="utf-8",
    )
    base = [str(BIN / "vdirsyncer"), "--verbosity", "WARNING", "--config", str(config)]
    # It refuses to sync before it has discovered; that is once, so it is not counted.
    run([*base, "discover"], ground.folder)
    return [*base, "sync"]


def _bare_command(ground: _Ground) -> _Command:
    account = [ground.collection, ground.server.username, ground.server.password]
    # Where all is there already, it has nothing to write, and only begins to listen for changes.
    bodies = ground.folder / "nothing" if ground.filled else ground.bodies
    script = [sys.executable, "-m", "benchmarks.bare_library"]
    return [*script, *account, str(bodies), str(ground.folder / "token")]


def _why_no_vdirsyncer(home: Path) -> str | None:
    try:
        run([str(BIN / "vdirsyncer"), "--version"], home)
    except FileNotFoundError:
        return "not compared: it is not installed (`make bench` does that)"
    except CommandError as error:
        return f"not compared, since it does not run here: {error}"
    return None
