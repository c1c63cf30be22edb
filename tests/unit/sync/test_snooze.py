"""S10, R10: a follow-up dragged to a later day was not sent yet, and costs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from lorsync.core.model import Budget, Event, Facts, Kind, LetterId, MentorId
from lorsync.core.ports import Href
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, Desk, letter

pytestmark = pytest.mark.slow

CHECK_IN, FINAL = DUE - timedelta(days=21), DUE - timedelta(days=7)
OURS = "Check in with Dr. Alvarez: letter due 10 Sep"


def drag(desk: Desk, href: Href, day: date) -> None:
    desk.person_changes(href, dtstart=day, dtend=day + timedelta(days=1))


def budget(report: Report) -> Budget:
    return report.plan.budgets[MentorId("Alvarez")]


def planned(report: Report) -> Sequence[Event]:
    return [e for e in report.plan.events if e.kind is Kind.FOLLOW_UP and e.mentor == "Alvarez"]


@pytest.mark.emulated("google", "fastmail")
@pytest.mark.parametrize("today", [CHECK_IN - timedelta(days=2), CHECK_IN + timedelta(days=3)])
@pytest.mark.parametrize("before_due", [16, 14, 13, 12, 11])
def test_s10_a_snoozed_check_in_spends_nothing_and_costs_no_final(
    desk: Desk, today: date, before_due: int
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.sync(today)
    later = DUE - timedelta(days=before_due)
    drag(desk, check_in, later)
    report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    snoozed, final = planned(report)
    assert (snoozed.identity.slot, snoozed.day) == ("1", later)
    assert (final.identity.slot, final.day) >= ("2", FINAL)
    assert not desk.sync().wrote
    # Once its last day has passed it is spent, and the final still comes.
    report = desk.sync(later + timedelta(days=1))
    assert budget(report) == Budget(cap=2, spent=1, planned=1)
    assert [e.day for e in planned(report)] == [final.day]


def test_s10_a_check_in_may_be_snoozed_again_and_again(desk: Desk) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    for days in (1, 2, 5, 8):
        today = CHECK_IN + timedelta(days=days)
        desk.sync(today)
        drag(desk, check_in, today + timedelta(days=1))
        report = desk.sync()
        assert budget(report) == Budget(cap=2, spent=0, planned=2)
    assert "no-follow-up" not in {warning.code for warning in report.warnings}


def test_s10_a_check_in_that_was_snoozed_to_where_its_final_would_be_does_as_one(
    desk: Desk,
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.sync(CHECK_IN - timedelta(days=3))
    drag(desk, check_in, DUE - timedelta(days=9))
    report = desk.sync()
    # No day is left that is far enough from it (R7), and none before it is asked for instead.
    assert [e.day for e in planned(report)] == [DUE - timedelta(days=9)]
    assert "no-follow-up" not in {warning.code for warning in report.warnings}
    assert budget(report) == Budget(cap=2, spent=0, planned=1)


@pytest.mark.parametrize("lost", [False, True])
def test_s10_a_final_that_is_snoozed_after_its_day_is_not_spent_until_it_passes(
    desk: Desk, *, lost: bool
) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    assert budget(desk.sync(FINAL + timedelta(days=1))).spent == 2
    drag(desk, final, FINAL + timedelta(days=3))
    assert budget(desk.sync()) == Budget(cap=2, spent=1, planned=1)
    if lost:
        desk.lose_ledger()
        assert budget(desk.sync()) == Budget(cap=2, spent=1, planned=1)
    assert budget(desk.sync(FINAL + timedelta(days=4))) == Budget(cap=2, spent=2, planned=0)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("tidied", [False, True])
def test_s10_a_snoozed_check_in_that_has_passed_is_none_but_a_check_in(
    desk: Desk, *, lost: bool, tidied: bool
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    later = DUE - timedelta(days=13)
    drag(desk, check_in, later)
    desk.sync(later - timedelta(days=1))
    report = desk.sync(later + timedelta(days=1))
    if tidied:
        desk.calendar.remove(check_in)
        desk.sync(later + timedelta(days=2))
        report = desk.sync(later + timedelta(days=3))
    assert budget(report) == Budget(cap=2, spent=1, planned=1)
    if lost:
        desk.lose_ledger()
        report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=1, planned=1)


def test_s10_another_machine_sees_a_snooze_alike(desk: Desk, tmp_path: Path) -> None:
    desk.sync()
    other = replace(desk, folder=tmp_path / "other")
    other.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    later = DUE - timedelta(days=13)
    drag(desk, check_in, later)
    for machine in (desk, other, replace(desk, folder=tmp_path / "third")):
        for day in (CHECK_IN - timedelta(days=9), CHECK_IN + timedelta(days=7)):
            assert budget(machine.sync(day)) == Budget(cap=2, spent=0, planned=2)
    assert not desk.sync().wrote


def test_s10_a_final_of_two_stays_the_final_of_its_due_date_where_it_was_moved(desk: Desk) -> None:
    far = letter("Alvarez", due=DUE + timedelta(days=50))
    second = replace(far, id=LetterId("Alvarez-second"))
    asked = Facts(asked_on=START)
    letters = (letter("Alvarez", facts=asked), replace(second, facts=asked), letter("Chen"))
    desk.change(*letters)
    report = desk.sync()
    first, last = planned(report)
    assert (first.day, last.day) == (FINAL, DUE + timedelta(days=42))
    drag(desk, desk.find(Kind.FOLLOW_UP, slot=first.identity.slot), DUE - timedelta(days=18))
    report = desk.sync()
    assert [e.day for e in planned(report)] == [DUE - timedelta(days=18), last.day]
    assert not desk.sync().wrote


# A tick that says that none is needed


@pytest.mark.parametrize("words", ["submitted – …", "… – received", "declined: …"])
@pytest.mark.parametrize("lost", [False, True])
def test_r10_a_follow_up_ahead_that_says_the_letter_is_in_is_not_spent(
    desk: Desk, words: str, *, lost: bool
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.person_changes(check_in, summary=words.replace("…", OURS))
    report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=0, planned=0)
    if lost:
        desk.lose_ledger()
        assert budget(desk.sync()) == Budget(cap=2, spent=0, planned=0)
    # Nor when its day passes, or it is tidied away.
    assert budget(desk.sync(CHECK_IN + timedelta(days=1))).spent == 0
    desk.calendar.remove(check_in)
    desk.sync(CHECK_IN + timedelta(days=2))
    assert budget(desk.sync(CHECK_IN + timedelta(days=3))).spent == 0


def test_r10_a_mentors_other_letter_has_its_follow_ups_all_the_same(desk: Desk) -> None:
    desk.sync()
    first, last = (desk.find(Kind.FOLLOW_UP, slot=slot) for slot in "12")
    desk.person_changes(last, summary=f"submitted – {OURS}")
    far = letter("Alvarez", due=DUE + timedelta(days=60), facts=Facts(asked_on=START))
    second = replace(far, id=LetterId("Alvarez-second"))
    desk.change(letter("Alvarez"), second, letter("Chen"))
    report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    assert all(e.letters == ("Alvarez-second",) for e in planned(report))
    assert str(desk.events()[last]["SUMMARY"]) == f"✓ submitted 3 May · {OURS}"
    assert len([e for e in desk.events().values() if "Check in with Dr. Alv" in e["SUMMARY"]]) == 3
    assert first in desk.events()
    assert not desk.sync().wrote


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("words", ["submitted – …", "submitted 2027-08-19 – …"])
def test_i1_what_is_said_of_a_follow_up_after_its_day_gives_nothing_back(
    desk: Desk, words: str, *, lost: bool
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    assert budget(desk.sync(CHECK_IN + timedelta(days=2))).spent == 1
    desk.person_changes(check_in, summary=words.replace("…", OURS))
    assert budget(desk.sync()).spent == 1
    if lost:
        desk.lose_ledger()
        assert budget(desk.sync()).spent == 1


def test_s13_a_follow_up_that_was_ticked_as_sent_stays_spent_whatever_is_said_since(
    desk: Desk,
) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.person_changes(check_in, summary=f"✓ {OURS}")
    assert budget(desk.sync()).spent == 1
    desk.person_changes(check_in, summary=f"submitted – {OURS}")
    assert budget(desk.sync()).spent == 1
