"""``unpin`` and ``restore``: what the person takes back (S10, S11)."""

from datetime import time, timedelta

import pytest

from lorsync.core.errors import UsageError
from lorsync.core.model import Kind
from lorsync.sync.overrides import away, listed, pinned, restore, unpin
from tests.unit.sync.desk import START, Desk, name_of
from tests.unit.sync.test_merge import drag


@pytest.mark.emulated("fastmail")
def test_s10_an_unpinned_event_goes_back_to_the_plan(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    planned = desk.events()[href]["DTSTART"].dt
    drag(desk, href)
    desk.sync()
    (moved,) = listed(desk.folder, pinned)
    assert unpin(desk.folder, moved.uid.removeprefix("lorsync-")[:8], START) == (moved,)
    assert listed(desk.folder, pinned) == ()
    report = desk.sync()
    assert {c.kind for c in report.updated} == {"request", "talk"}
    assert desk.events()[href]["DTSTART"].dt == planned
    assert not report.kept
    assert not desk.sync().wrote


@pytest.mark.parametrize("certain", [True, False])
def test_s11_a_restored_event_comes_back_once_under_a_new_uid(desk: Desk, *, certain: bool) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    old = desk.calendar.bodies[href]
    desk.calendar.remove(href)
    desk.sync()
    if certain:
        desk.sync(at=time(14))
    assert len(listed(desk.folder, away)) == 1
    restore(desk.folder, "Alvarez", START)
    report = desk.sync(START + timedelta(days=1))
    assert [c.kind for c in report.created] == ["follow-up"]
    assert href not in desk.calendar.bodies
    assert not desk.sync().wrote
    # The old one turns up after all: there is never a second one.
    desk.calendar.put_foreign(href.rpartition("/")[2], old)
    desk.sync(full=True)
    assert href not in desk.calendar.bodies
    assert report.plan.budgets["Alvarez"].planned == 2


def test_nothing_to_take_back_is_said(desk: Desk) -> None:
    with pytest.raises(UsageError, match="was moved by you"):
        unpin(desk.folder, "Alvarez", START)
    desk.sync()
    with pytest.raises(UsageError, match="was deleted by you"):
        restore(desk.folder, "Alvarez", START)


def test_r5_a_used_follow_up_that_was_deleted_is_not_restored(desk: Desk) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    desk.person_changes(final, summary=f"✓ {desk.events()[final]['SUMMARY']}")
    desk.sync()
    desk.calendar.remove(final)
    desk.sync()
    spent = desk.sync().plan.budgets["Alvarez"].spent
    with pytest.raises(UsageError, match="before its day"):
        restore(desk.folder, name_of(final), desk.day)
    assert desk.sync().plan.budgets["Alvarez"].spent == spent


def test_s10_a_follow_up_that_was_snoozed_and_deleted_is_restored(desk: Desk) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    day = desk.events()[final]["DTSTART"].dt
    desk.sync(day + timedelta(days=1))
    later = day + timedelta(days=3)
    desk.person_changes(final, dtstart=later, dtend=later + timedelta(days=1))
    desk.sync()
    desk.calendar.remove(final)
    desk.sync(at=time(12))
    assert desk.sync(at=time(14)).plan.budgets["Alvarez"].spent == 2
    restore(desk.folder, name_of(final), desk.day)
    assert desk.sync().plan.budgets["Alvarez"].spent == 1
