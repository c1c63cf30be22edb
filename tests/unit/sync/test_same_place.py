"""S19, I12: two addresses may lead to one collection, and no move may take its events away."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import ConfigError, UnavailableError
from lorsync.core.ports import ETag, Href, Listing, Resource, SyncToken, WriteRefusedError
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.sync.engine import Options
from lorsync.sync.report import Report
from lorsync.sync.runner import pass_once
from tests.fakes import FakeCalendar
from tests.unit.sync.desk import letter, settings

pytestmark = pytest.mark.slow

NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)

OLD, NEW = "https://old.example/dav/", "https://new.example/dav/"


class Alias(FakeCalendar):
    """Another address of a collection.

    ``behind``: by how many of its writes it shows an earlier state, as behind a cache or a replica.
    """

    def __init__(self, real: FakeCalendar, path: str, *, behind: int = 0) -> None:
        super().__init__(path)
        self._real, self._behind = real, behind
        self._states: list[dict[str, bytes]] = [self._names()]
        store, remove = real._store, real.remove

        def stored(href: Href, body: bytes) -> ETag:
            etag = store(href, body)
            self._states.append(self._names())
            return etag

        def removed(href: Href) -> None:
            remove(href)
            self._states.append(self._names())

        real._store, real.remove = stored, removed  # type: ignore[method-assign]

    def listing(self, token: SyncToken | None) -> Listing:
        entries = {href: ETag(f'"{hash(body)}"') for href, body in self._shown().items()}
        return Listing(entries=entries, removed=frozenset(), complete=True, token=None)

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        shown = self._shown()
        return {
            href: Resource(href=href, etag=ETag(f'"{hash(shown[href])}"'), body=shown[href])
            for href in hrefs
            if href in shown
        }

    def create(self, href: Href, body: bytes) -> ETag | None:
        return self._real.create(self._there(href), body)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        return self._real.update(self._there(href), body, None)

    def delete(self, href: Href, etag: ETag | None) -> None:
        self._real.delete(self._there(href), None)

    def discard(self, href: Href) -> None:
        self._real.discard(self._there(href))

    def _names(self) -> dict[str, bytes]:
        return {href.rpartition("/")[2]: body for href, body in self._real.bodies.items()}

    def _shown(self) -> dict[Href, bytes]:
        state = self._states[max(len(self._states) - 1 - self._behind, 0)]
        return {Href(f"{self._path}{name}"): body for name, body in state.items()}

    def _there(self, href: Href) -> Href:
        return Href(self._real._path + href.rpartition("/")[2])


@dataclass(kw_only=True)
class Servers:
    """Calendars by the address in [calendar], and the passes of one person."""

    state: Path
    calendars: dict[str, FakeCalendar]
    shows_marks: bool = True

    def sync(self, url: str, *, hours: int = 0, **options: object) -> Report:
        account = CalendarSettings(provider=Provider.CALDAV, url=url, username="maya")
        season = replace(settings(letter("Alvarez"), letter("Chen")), calendar=account)
        return pass_once(
            season,
            self.state,
            now=NOW + timedelta(hours=hours),
            options=replace(Options(), **options),
        )

    @contextmanager
    def opened(self, account: CalendarSettings, state: Path, **_: object) -> Iterator[FakeCalendar]:
        assert account.url is not None
        yield self.calendars[account.url]

    def recognized(
        self, account: CalendarSettings, state: Path, *, marks: Sequence[str], **_: object
    ) -> str | None:
        assert account.url is not None
        calendar = self.calendars[account.url]
        names = {href.rpartition("/")[2] for href in calendar.listing(None).entries}
        return calendar.address if self.shows_marks and names & set(marks) else None


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """Everything is written to the old server, and nothing to the new one."""
    made = Servers(
        state=tmp_path / "state",
        calendars={OLD: FakeCalendar("/old/"), NEW: FakeCalendar("/new/")},
    )
    monkeypatch.setattr("lorsync.sync.runner.opened_calendar", made.opened)
    monkeypatch.setattr("lorsync.sync.move_account.opened_calendar", made.opened)
    monkeypatch.setattr("lorsync.sync.same_collection.opened_calendar", made.opened)
    monkeypatch.setattr("lorsync.sync.same_collection.recognized", made.recognized)
    made.sync(OLD)
    assert len(made.calendars[OLD].bodies) == 13
    return made


def names(calendar: FakeCalendar) -> set[str]:
    return {href.rpartition("/")[2] for href in calendar.bodies}


def told(report: Report) -> dict[str, str]:
    return {warning.code: warning.message for warning in report.warnings}


def test_s19_a_move_to_another_collection_reads_back_before_it_removes(servers: Servers) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]
    before = names(old)
    with pytest.raises(ConfigError, match=r"another account.*sync --move"):
        servers.sync(NEW)
    old.operations.clear()
    new.operations.clear()
    report = servers.sync(NEW, move=True)
    assert told(report)["moved"].startswith("13 events")
    assert (names(old), names(new)) == (set(), before)
    # Beside n writes and n removals there are three throwaways, and a few looks.
    asked = [operation for operation, _ in (*old.operations, *new.operations)]
    assert (asked.count("create"), asked.count("delete")) == (13 + 3, 13)
    assert len(asked) <= 2 * 13 + 20
    assert not servers.sync(NEW, hours=1).wrote


@pytest.mark.parametrize("move", [False, True])
def test_s19_the_same_collection_by_another_address_is_recognized(
    servers: Servers, move: bool
) -> None:
    old = servers.calendars[OLD]
    before = dict(old.bodies)
    servers.calendars[NEW] = Alias(old, "/alias/")
    report = servers.sync(NEW, move=move)
    assert old.bodies == before
    assert not report.wrote
    assert "goes on there" in told(report)["same-calendar"]
    assert [remark.partition(":")[0] for remark in report.idle] == (
        ["There was nothing to move"] if move else []
    )
    assert servers.sync(NEW, hours=1).requests == 0  # of its own: it is the other's
    assert not servers.sync(NEW, hours=25, full=True).missing


@pytest.mark.parametrize("behind", [0, 1, 2, 5, 14])
@pytest.mark.parametrize("careless", [False, True])
def test_i12_a_move_onto_itself_removes_nothing_though_no_mark_shows(
    servers: Servers, behind: int, careless: bool
) -> None:
    old = servers.calendars[OLD]
    before = dict(old.bodies)
    old.careless, servers.shows_marks = careless, False
    servers.calendars[NEW] = Alias(old, "/alias/", behind=behind)
    try:
        said = told(servers.sync(NEW, move=True))
    except UnavailableError as error:
        said = {"refused": str(error)}
    assert {"same-calendar", "refused"} & said.keys()
    assert old.bodies == before


def test_i12_an_undo_removes_nothing_of_a_move_onto_itself(servers: Servers) -> None:
    old = servers.calendars[OLD]
    before = dict(old.bodies)
    old.careless, servers.shows_marks = True, False
    alias = Alias(old, "/alias/", behind=14)
    alias._states[:] = [{}]  # a replica that has nothing yet
    servers.calendars[NEW] = alias
    create, room = alias.create, iter(range(6))

    def full(href: Href, body: bytes) -> ETag | None:
        if next(room, None) is None:
            raise WriteRefusedError("its storage is full")
        return create(href, body)

    alias.create = full  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="none was moved"):
        servers.sync(NEW, move=True)
    assert old.bodies == before


def test_i12_what_was_acknowledged_and_not_stored_is_not_removed(servers: Servers) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]
    before, create = dict(old.bodies), new.create
    lost = min(names(old))

    def loses(href: Href, body: bytes) -> ETag | None:
        return ETag('"1"') if href.endswith(lost) else create(href, body)

    new.create = loses  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match=r"none was moved.*1 of 13 were taken and are not"):
        servers.sync(NEW, move=True)
    assert (old.bodies, new.bodies) == (before, {})
    assert not servers.sync(OLD, hours=1).wrote


def test_s19_an_old_calendar_that_takes_no_write_keeps_its_events(servers: Servers) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]
    before = dict(old.bodies)

    def refuses(href: Href, body: bytes) -> ETag | None:
        raise WriteRefusedError("it is read-only")

    old.create = refuses  # type: ignore[method-assign]
    report = servers.sync(NEW, move=True)
    assert "13 of them could not be removed" in told(report)["moved"]
    assert old.bodies == before
    assert names(new) == names(old)


def test_i12_what_a_careless_server_would_delete_after_a_change_stays(servers: Servers) -> None:
    old = servers.calendars[OLD]
    old.careless, old.guards_creation, old.guards_deletion = True, False, False
    changed = next(href for href in old.bodies if "memory" not in href)
    discard = old.discard

    def meanwhile(href: Href) -> None:
        discard(href)
        old.edit(changed, old.bodies[changed].replace(b"SUMMARY:", b"SUMMARY:Mine "))

    old.discard = meanwhile  # type: ignore[method-assign]
    report = servers.sync(NEW, move=True)
    assert set(old.bodies) == {changed}
    assert "1 of them could not be removed" in told(report)["moved"]


class KilledError(BaseException):
    """What a kill is to the tests."""


@pytest.mark.parametrize("at", range(0, 104, 4))
def test_i7_a_move_that_is_killed_anywhere_is_finished_by_the_next(
    servers: Servers, at: int
) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]
    before, left = dict(old.bodies), iter(range(at))

    def kills(operation: str, moment: str, href: Href | None) -> None:
        if operation != "listing" and next(left, None) is None:
            raise KilledError

    old.faults = new.faults = kills
    try:
        servers.sync(NEW, move=True)
    except KilledError:
        # Never was an event in neither, and none is taken for deleted by the person.
        assert names(old) | names(new) >= {href.rpartition("/")[2] for href in before}
    old.faults = new.faults = None
    report = servers.sync(NEW, hours=1, move=True)
    assert (names(old), len(names(new))) == (set(), 13)
    assert not report.missing
    assert not servers.sync(NEW, hours=3, full=True).missing


def test_i4_an_edit_between_a_killed_move_and_the_next_goes_along(servers: Servers) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]
    request = next(href for href, body in old.bodies.items() if b"SUMMARY:Ask Dr. Alv" in body)
    left = iter(range(24))

    def kills(operation: str, moment: str, href: Href | None) -> None:
        if next(left, None) is None:
            raise KilledError

    new.faults = kills
    with pytest.raises(KilledError):
        servers.sync(NEW, move=True)
    new.faults = None
    assert Href(request.replace("/old/", "/new/")) in new.bodies
    old.edit(request, old.bodies[request].replace(b"DATE:20270730", b"DATE:20270802"))
    if servers.sync(OLD, hours=1).kept:
        servers.sync(NEW, hours=2, move=True)
    assert not old.bodies
    assert b"DATE:20270802" in new.bodies[Href(request.replace("/old/", "/new/"))]


def test_s19_a_copy_left_behind_is_not_the_calendar_again(servers: Servers) -> None:
    old, new = servers.calendars[OLD], servers.calendars[NEW]

    def refuses(href: Href, etag: ETag | None) -> None:
        raise WriteRefusedError("it is locked")

    delete: Callable[[Href, ETag | None], None] = old.delete
    old.delete = refuses  # type: ignore[method-assign]
    servers.sync(NEW, move=True)
    old.delete = delete  # type: ignore[method-assign]
    assert len(old.bodies) == 13
    with pytest.raises(ConfigError, match="another account"):
        servers.sync(OLD, hours=1)
    assert told(servers.sync(OLD, hours=2, move=True))["moved"]
    assert (len(old.bodies), new.bodies) == (13, {})


def test_s19_an_older_memory_is_a_copys(servers: Servers) -> None:
    old = servers.calendars[OLD]
    copy = FakeCalendar("/new/")
    for href, body in old.bodies.items():
        copy.put_foreign(href.rpartition("/")[2], body)
    servers.calendars[NEW] = copy
    old.remove(next(href for href, body in old.bodies.items() if b"SUMMARY:Ask Dr. Alv" in body))
    assert servers.sync(OLD, hours=1).missing  # which the memory notes
    with pytest.raises(ConfigError, match="another account"):
        servers.sync(NEW, hours=2)


def test_s19_without_a_memory_the_events_are_the_mark(servers: Servers) -> None:
    old = servers.calendars[OLD]
    old.remove(next(href for href in old.bodies if "memory" in href))
    servers.sync(OLD, hours=1)
    before = dict(old.bodies)
    servers.calendars[NEW] = Alias(old, "/alias/")
    assert "same-calendar" in told(servers.sync(NEW, hours=2, move=True))
    assert old.bodies == before
