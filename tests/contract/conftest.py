"""One collection of each kind, new for every test, with a second client that plays the world."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.folder import FolderCalendar, open_folder
from lorsync.core.ports import Calendar, Href
from lorsync.core.settings import CalendarSettings, Provider
from tests.emulators.internet import Internet
from tests.emulators.worlds import EMULATED, EmulatedCalendar, emulate
from tests.fakes import FakeCalendar
from tests.servers import starting

_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class World:
    """The calendar under test, and what another client does to the same collection."""

    kind: str
    calendar: Calendar
    put: Callable[[str, bytes], Href]
    edit: Callable[[Href, bytes], None]
    remove: Callable[[Href], None]

    @property
    def has_tokens(self) -> bool:
        return self.kind != "folder"


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[starting.Server]:
    with starting.radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[starting.Server]:
    with starting.xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(scope="session")
def emulated_internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """The emulated providers, each of which a test may put up anew."""
    internet = Internet(tmp_path_factory.mktemp("internet"))
    for provider in EMULATED:
        emulate(provider, internet)
    internet.clock = None  # tests have days of their own
    with internet.reached():
        yield internet


def _through_port(kind: str, calendar: Calendar, other: Calendar) -> World:
    """Let a second client write with the guards that it, too, has to keep."""

    def put(name: str, body: bytes) -> Href:
        href = Href(other.href_for("x").removesuffix("x.ics") + name)
        other.create(href, body)
        return href

    def edit(href: Href, body: bytes) -> None:
        etag = other.fetch([href])[href].etag
        assert etag is not None
        other.update(href, body, etag)

    def remove(href: Href) -> None:
        etag = other.fetch([href])[href].etag
        assert etag is not None
        other.delete(href, etag)

    return World(kind=kind, calendar=calendar, put=put, edit=edit, remove=remove)


def _on_server(kind: str, server: starting.Server) -> Iterator[World]:
    settings = CalendarSettings(
        provider=Provider.CALDAV,
        url=server.url,
        username=server.username,
        name=f"Contract {next(_NUMBERS)}",
    )
    calendar = open_collection(settings, server.password, remembered=None)
    other = open_collection(settings, server.password, remembered=calendar.address)
    yield _through_port(kind, calendar, other)
    calendar.close()
    other.close()


def _in_folder(folder: Path) -> World:
    settings = CalendarSettings(provider=Provider.FOLDER, path=str(folder))
    calendar = open_folder(settings, remembered=None)
    assert isinstance(calendar, FolderCalendar)

    def put(name: str, body: bytes) -> Href:
        (folder / name).write_bytes(body)
        return Href(str(folder / name))

    return World(
        kind="folder",
        calendar=calendar,
        put=put,
        edit=lambda href, body: put(Path(href).name, body) and None,
        remove=lambda href: Path(href).unlink(),
    )


KINDS = ("fake", "folder", "radicale", "xandikos")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        on_every_calendar(metafunc, "world", KINDS)


def on_every_calendar(metafunc: pytest.Metafunc, fixture: str, kinds: Iterable[str]) -> None:
    """Run a test on these kinds of calendar, and on the emulated providers.

    There it is marked as long, unless it is marked as ``emulated``, with the names of the providers
    where not all of them are meant, and then as ``once``: what it adds is of the wire. One that is
    marked as ``in_memory`` does not run there at all.
    """
    if metafunc.definition.get_closest_marker("in_memory") is not None:
        metafunc.parametrize(fixture, ["fake"], indirect=True)
        return
    chosen = metafunc.definition.get_closest_marker("emulated")
    short = () if chosen is None else chosen.args or EMULATED
    emulated = (
        pytest.param(provider, marks=pytest.mark.once if provider in short else pytest.mark.long)
        for provider in EMULATED
    )
    metafunc.parametrize(fixture, [*kinds, *emulated], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "fake":
        fake = FakeCalendar()
        yield World(
            kind="fake",
            calendar=fake,
            put=fake.put_foreign,
            edit=fake.edit,
            remove=fake.remove,
        )
    elif request.param == "folder":
        yield _in_folder(tmp_path / "calendar")
    elif request.param in EMULATED:
        internet: Internet = request.getfixturevalue("emulated_internet")
        emulated = EmulatedCalendar(emulate(request.param, internet))
        yield World(
            kind=request.param,
            calendar=emulated,
            put=emulated.put_foreign,
            edit=emulated.edit,
            remove=emulated.remove,
        )
        emulated.close()
    else:
        yield from _on_server(request.param, request.getfixturevalue(f"{request.param}_server"))
