"""S22 at every step of a pass: a server that keeps no guards loses and overwrites nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.errors import TryAgainError, UnavailableError
from lorsync.core.merge.entry import State
from lorsync.core.model import Kind
from lorsync.sync.write import HonouredPreconditions, honoured_by, remember_ignored
from tests.fakes import FakeCalendar
from tests.unit.sync.desk import Desk, letter, settings
from tests.unit.sync.test_crashes import (
    Bomb,
    Killed,
    bombed,
    disarmed,
    first_write,
    new_desk,
    one_left,
    state_of,
)
from tests.unit.sync.test_merge import annotate, drag, retitle

pytestmark = [pytest.mark.in_memory, pytest.mark.slow]


@pytest.fixture
def careless(desk: Desk) -> Desk:
    """A desk before a server that is known to ignore both preconditions."""
    desk.calendar.careless = True
    desk.calendar.guards_creation = desk.calendar.guards_deletion = False
    return desk


def before_the_look(desk: Desk, act: Callable[[], object], *, number: int = 1) -> None:
    """Let somebody act between the listing and a look, just before it."""
    looks = [0]

    def once(what: str, moment: str, _: object) -> None:
        looks[0] += (what, moment) == ("fetch", "before")
        if looks[0] == number:
            desk.calendar.faults = None
            act()

    desk.calendar.faults = once


def second_device(desk: Desk) -> Callable[[], object]:
    other = Desk(
        folder=desk.folder.with_name("second"), settings=desk.settings, calendar=desk.calendar
    )
    return other.sync


def test_s22_two_devices_at_once_make_each_event_once(careless: Desk) -> None:
    before_the_look(careless, second_device(careless), number=2)  # the first is for the memory
    report = careless.sync()
    assert len(report.adopted) == len(report.plan.events) == len(careless.events())
    writes = [what for what, _ in careless.calendar.operations if what == "create"]
    assert len(writes) == len(careless.calendar.bodies)


def test_s22_a_memory_that_is_there_already_is_read_before_it_is_written(careless: Desk) -> None:
    before_the_look(careless, second_device(careless))
    with pytest.raises(TryAgainError):
        careless.sync()
    report = careless.sync()
    assert len(report.adopted) == len(report.plan.events)
    writes = [what for what, _ in careless.calendar.operations if what == "create"]
    assert len(writes) == len(careless.calendar.bodies)


@pytest.mark.parametrize("edit", [drag, retitle, annotate])
def test_s22_an_edit_right_before_a_deletion_is_not_deleted(careless: Desk, edit) -> None:
    careless.sync()
    href = careless.find(Kind.REQUEST)
    careless.change(letter("Chen"))
    before_the_look(careless, lambda: edit(careless, href))
    careless.sync(accept_deletions=True)
    assert href in careless.calendar.bodies
    careless.sync(accept_deletions=True)
    # A mere move says when, not whether (S10).
    assert (href in careless.calendar.bodies) is (edit is not drag)


def test_s22_what_is_gone_before_its_deletion_is_no_dismissal(careless: Desk) -> None:
    careless.sync()
    href = careless.find(Kind.REQUEST)
    careless.change(letter("Chen"))
    before_the_look(careless, lambda: careless.calendar.remove(href))
    report = careless.sync(accept_deletions=True)
    assert ("delete", href) not in careless.calendar.operations
    assert len(report.deleted) > 3
    assert {entry.state for entry in careless.entries().values()} == {State.LIVE}
    assert not careless.sync().wrote


def test_s22_a_look_that_fails_leaves_nothing_written_and_the_next_pass_goes_on(
    careless: Desk,
) -> None:
    def fail(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("fetch", "before"):
            raise UnavailableError("boom")

    careless.calendar.faults = fail
    with pytest.raises(UnavailableError):
        careless.sync()
    assert careless.calendar.bodies == {}
    careless.calendar.faults = None
    assert len(careless.sync().created) == len(careless.events())


def test_s22_the_look_costs_one_request_where_it_is_needed_and_none_elsewhere(
    desk: Desk,
) -> None:
    first = desk.sync()
    assert first.requests == len(desk.calendar.bodies) + 2
    other = Desk(folder=desk.folder.with_name("other"), settings=settings(letter("Alvarez")))
    other.calendar.careless = True
    other.calendar.guards_creation = False
    second = other.sync()
    # One look for the memory, which comes first, and one for all events.
    assert second.requests == len(other.calendar.bodies) + 2 + 2
    other.change()
    before = other.calendar.requests
    third = other.sync(accept_deletions=True)
    assert third.requests - before == len(third.deleted) + 1 + 1


def test_s22_what_a_careless_server_did_is_remembered_for_its_collection(desk: Desk) -> None:
    desk.calendar.careless = True
    met = second_device(desk)

    def once(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("create", "before"):
            desk.calendar.faults = None
            met()

    desk.calendar.faults = once
    desk.sync()
    assert not desk.calendar.guards_creation
    desk.calendar.guards_creation = desk.calendar.guards_deletion = True  # as a new process has it
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    before = desk.calendar.requests
    report = desk.sync()
    # The listing, the memory, the look, the echoes.
    assert report.requests - before == len(report.created) + 4


def test_s22_what_is_remembered_belongs_to_one_collection(tmp_path: Path) -> None:
    ledger, seen = SqliteLedger(tmp_path), FakeCalendar()
    before = honoured_by(seen, ledger)
    assert before == HonouredPreconditions(creation=True, deletion=True)
    seen.guards_creation = False
    remember_ignored(before, seen, ledger)
    assert honoured_by(FakeCalendar(), ledger) == HonouredPreconditions(
        creation=False, deletion=False
    )
    assert honoured_by(FakeCalendar("/user/elsewhere/"), ledger) == before
    ledger.close()


def test_s22_what_was_learned_survives_a_pass_that_breaks_off(desk: Desk) -> None:
    desk.calendar.careless = True
    desk.calendar._connections = 1
    met = second_device(desk)

    def faults(what: str, moment: str, _: object) -> None:
        if what == "create" and moment == "before":
            desk.calendar.faults = lambda *_: None
            met()
            desk.calendar.faults = breaking

    def breaking(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("create", "after"):
            raise UnavailableError("boom")

    desk.calendar.faults = faults
    with pytest.raises(UnavailableError):
        desk.sync()
    desk.calendar.faults = None
    desk.calendar.guards_creation = desk.calendar.guards_deletion = True
    desk.sync()
    desk.change(letter("Chen"))
    before = desk.calendar.requests
    report = desk.sync(accept_deletions=True)
    # The listing, the memory, the look.
    assert report.requests - before == len(report.deleted) + 3


@pytest.mark.parametrize("situation", [first_write, one_left])
def test_s22_a_pass_with_looks_that_dies_at_any_boundary_is_made_good_by_the_next(
    tmp_path: Path, situation: Callable[[Desk], None]
) -> None:
    before = new_desk(tmp_path / "before")
    before.calendar.careless = True
    before.calendar.guards_creation = before.calendar.guards_deletion = False
    situation(before)
    calm = before.copied(tmp_path / "calm")
    counter = Bomb(None, Killed)
    bombed(calm, counter)
    calm.sync(accept_deletions=True)
    for at in range(1, counter.count + 1):
        desk = before.copied(tmp_path / f"{at}")
        bombed(desk, Bomb(at, Killed))
        with pytest.raises(Killed):
            desk.sync(accept_deletions=True)
        disarmed(desk)
        desk.sync(accept_deletions=True)
        assert state_of(desk) == state_of(calm), f"boundary {at}"
        assert not desk.sync(accept_deletions=True).wrote, f"boundary {at}"
