"""S22: a server that answers 412 to every precondition: a look before each write, said once."""

from datetime import date, timedelta

import pytest

from lorsync.core.errors import TryAgainError
from lorsync.core.model import Facts, Kind
from lorsync.core.ports import PreconditionFailedError
from tests.unit.sync.desk import DUE, Desk, letter
from tests.unit.sync.test_careless import before_the_look, second_device
from tests.unit.sync.test_merge import drag, retitle

pytestmark = [pytest.mark.in_memory, pytest.mark.slow]

LATER = DUE + timedelta(days=14)


def warned(report) -> list[str]:
    return [w.message for w in report.warnings if w.code == "unguarded"]


def test_s22_a_412_to_each_change_though_nothing_changed_is_said_once(desk: Desk) -> None:
    desk.sync()
    desk.calendar.refuses_conditions = True
    desk.change(letter("Alvarez", due=LATER), letter("Chen"), letter("Novak"))
    report = desk.sync()
    assert report.updated
    assert len(report.created) == 6
    (said,) = warned(report)
    assert "refuses every guarded change" in said
    assert not desk.sync().wrote
    desk.change(letter("Alvarez"), letter("Chen"))
    before = desk.calendar.requests
    report = desk.sync(accept_deletions=True)
    assert report.updated
    assert len(report.deleted) == 6
    assert not warned(report)
    # The listing, a look and a write for the memory, a look, the writes, the echoes.
    writes = len(report.updated) + len(report.deleted)
    assert desk.calendar.requests - before == writes + 2 + 3
    assert not desk.sync().wrote


def test_s22_a_first_write_that_is_refused_for_its_condition_is_made_all_the_same(
    desk: Desk,
) -> None:
    desk.calendar.refuses_conditions = True
    report = desk.sync()
    assert len(report.created) == len(desk.events()) == 12
    assert len(warned(report)) == 1
    assert not desk.sync().wrote


@pytest.mark.parametrize("edit", [drag, retitle])
def test_s22_what_the_person_does_before_the_look_stays(desk: Desk, edit) -> None:
    desk.sync()
    desk.calendar.refuses_conditions = True
    desk.change(letter("Alvarez", facts=Facts(asked_on=date(2027, 5, 1))), letter("Chen"))
    assert warned(desk.sync(accept_deletions=True))
    href = desk.find(Kind.DEADLINE)
    desk.change(
        letter("Alvarez", due=LATER, facts=Facts(asked_on=date(2027, 5, 1))), letter("Chen")
    )
    # The first look is for the memory, where that has to say more, the last one for the events.
    before_the_look(desk, lambda: edit(desk, href))
    desk.sync()
    theirs = desk.events()[href]
    desk.sync()
    name = "DTSTART" if edit is drag else "SUMMARY"
    assert desk.events()[href][name] == theirs[name]
    assert desk.sync().kept


def test_s22_another_lorsyncs_memory_is_still_read_first(desk: Desk) -> None:
    desk.sync()
    other = second_device(desk)
    other()
    desk.calendar.refuses_conditions = True
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"), letter("Okoye"))
    memory = next(href for href in desk.calendar.bodies if "memory" in href)
    held = desk.calendar.bodies[memory]
    before_the_look(
        desk, lambda: desk.calendar.edit(memory, held.replace(b"2028 Match", b"2029 Match"))
    )
    with pytest.raises(TryAgainError):
        desk.sync()


@pytest.mark.parametrize("what", ["create", "update", "delete"])
def test_s22_one_412_to_what_nobody_changed_is_a_slip_and_takes_no_guard_away(
    desk: Desk, what: str
) -> None:
    desk.sync()
    desk.change(letter("Alvarez", due=LATER), letter("Novak"))

    def once(operation: str, moment: str, href: object) -> None:
        if (operation, moment) == (what, "before") and "memory" not in str(href):
            desk.calendar.faults = None
            raise PreconditionFailedError("no")

    desk.calendar.faults = once
    report = desk.sync(accept_deletions=True, accept_newcomers=True)
    assert desk.calendar.faults is None
    assert report.created
    assert report.updated
    assert report.deleted
    assert not warned(report)
    assert not desk.sync().wrote
