"""S10, I1: what was left to the person as "Not needed", and is needed again, is the event again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import icalendar
import pytest

from lorsync.core.errors import UnavailableError
from lorsync.core.merge.entry import State
from lorsync.core.model import Budget, Facts, Kind, MentorId
from lorsync.core.ports import Href
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, Desk, letter
from tests.unit.sync.test_merge import add_alarm, alarms_of, annotate, drag, replace_text, silence

pytestmark = pytest.mark.slow

SUBMITTED = Facts(asked_on=date(2027, 5, 1), submitted_on=date(2027, 5, 2))
OURS = "Check in with Dr. Alvarez: letter due 10 Sep"
NINE = timedelta(hours=9)


def handed_in(desk: Desk) -> Report:
    """Say that Alvarez' letter is in, so that no follow-up is needed."""
    desk.change(letter("Alvarez", facts=SUBMITTED), letter("Chen"))
    return desk.sync()


def not_after_all(desk: Desk) -> Report:
    """Take that back."""
    desk.change(letter("Alvarez"), letter("Chen"))
    return desk.sync()


def taken_out(desk: Desk) -> Report:
    """Take Alvarez' letter out of the config."""
    desk.change(letter("Chen"))
    return desk.sync(accept_deletions=True)


def follow_ups(desk: Desk) -> dict[Href, icalendar.Event]:
    """Return all follow-ups of Alvarez, needed or not, in the order of their days."""
    events = {h: e for h, e in desk.events().items() if "Check in with Dr. Alvarez" in title_of(e)}
    return dict(sorted(events.items(), key=lambda pair: pair[1]["DTSTART"].dt))


def title_of(event: icalendar.Event) -> str:
    return str(event["SUMMARY"])


def budget(report: Report) -> Budget:
    return report.plan.budgets[MentorId("Alvarez")]


def requests_of_a_pass(desk: Desk) -> int:
    """Return how many requests a pass costs that finds nothing to do."""
    before = desk.calendar.requests
    assert not desk.sync().wrote
    return desk.calendar.requests - before


def annotate_both(desk: Desk) -> tuple[Href, Href]:
    """Write a note into both follow-ups, and let a pass see it."""
    desk.sync()
    first, last = follow_ups(desk)
    for href in (first, last):
        annotate(desk, href)
    desk.sync()
    return first, last


@pytest.mark.parametrize("away", [handed_in, taken_out])
@pytest.mark.parametrize("lost", [False, True])
def test_i1_there_are_two_follow_ups_however_often_they_are_not_needed_and_needed(
    desk: Desk, away: Callable[[Desk], Report], *, lost: bool
) -> None:
    both = annotate_both(desk)
    for _ in range(3):
        away(desk)
        assert [title_of(e) for e in follow_ups(desk).values()] == [f"Not needed: {OURS}"] * 2
        assert not [alarm for e in follow_ups(desk).values() for alarm in alarms_of(e)]
        if lost:
            desk.lose_ledger()
            desk.sync()
        report = not_after_all(desk)
        assert tuple(follow_ups(desk)) == both
        for event in follow_ups(desk).values():
            assert title_of(event) == OURS
            assert alarms_of(event) == [NINE]
            assert "Bring the CV." in event["DESCRIPTION"]
            assert "not needed" not in event["DESCRIPTION"]
        assert budget(report) == Budget(cap=2, spent=0, planned=2)
        assert not desk.sync().wrote


def test_i1_a_due_date_that_moves_to_and_fro_makes_no_third_follow_up(desk: Desk) -> None:
    both = annotate_both(desk)
    near, far = START + timedelta(days=9), DUE + timedelta(days=40)
    for due in (near, far, near, DUE):
        desk.change(letter("Alvarez", due=due), letter("Chen"))
        desk.sync()
        assert tuple(sorted(follow_ups(desk))) == tuple(sorted(both))
    assert [title_of(event) for event in follow_ups(desk).values()] == [OURS] * 2
    assert [e["DTSTART"].dt for e in follow_ups(desk).values()] == [
        DUE - timedelta(days=21),
        DUE - timedelta(days=7),
    ]


def test_s10_what_was_moved_is_needed_again_on_the_persons_day(desk: Desk) -> None:
    first, last = annotate_both(desk)
    drag(desk, first)
    day = follow_ups(desk)[first]["DTSTART"].dt
    for _ in range(2):
        handed_in(desk)
        report = not_after_all(desk)
        assert set(follow_ups(desk)) == {first, last}
        assert follow_ups(desk)[first]["DTSTART"].dt == day
        assert [e.day for e in report.plan.events if e.pinned] == [day]
        assert not desk.sync().wrote


@pytest.mark.parametrize("lost", [False, True])
def test_s10_a_title_of_the_persons_own_comes_back(desk: Desk, *, lost: bool) -> None:
    desk.sync()
    last = desk.find(Kind.FOLLOW_UP, slot="2")
    desk.person_changes(last, summary="Ask her at the clinic")
    handed_in(desk)
    assert title_of(desk.events()[last]) == "Not needed: Ask her at the clinic"
    if lost:
        desk.lose_ledger()
        desk.sync()
    not_after_all(desk)
    assert title_of(desk.events()[last]) == "Ask her at the clinic"
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    desk.sync()
    assert title_of(desk.events()[last]) == "Ask her at the clinic"


def test_s10_our_title_says_what_is_true_when_it_is_needed_again(desk: Desk) -> None:
    _, last = annotate_both(desk)
    handed_in(desk)
    desk.lose_ledger()
    desk.sync()
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    desk.sync()
    assert title_of(desk.events()[last]) == "Check in with Dr. Alvarez: letter due 17 Sep"


def test_s10_alarms_of_the_persons_own_come_back(desk: Desk) -> None:
    first, last = annotate_both(desk)
    add_alarm(desk, first)
    silence(desk, last)
    desk.sync()
    for _ in range(2):
        handed_in(desk)
        assert alarms_of(desk.events()[first]) == []
        assert requests_of_a_pass(desk) == 1
        not_after_all(desk)
        assert alarms_of(desk.events()[first]) == [timedelta(days=-2), NINE]
        assert alarms_of(desk.events()[last]) == []
        assert requests_of_a_pass(desk) == 1


def test_s10_without_the_ledger_what_was_silenced_stays_silent_and_the_rest_rings(
    desk: Desk,
) -> None:
    first, last = annotate_both(desk)
    add_alarm(desk, first)
    silence(desk, last)
    desk.sync()
    handed_in(desk)
    desk.lose_ledger()
    desk.sync()
    not_after_all(desk)
    assert alarms_of(desk.events()[first]) == [NINE]
    assert alarms_of(desk.events()[last]) == []


@pytest.mark.parametrize("shift", [0, 2])
def test_i1_two_machines_have_the_same_two_follow_ups(
    desk: Desk, tmp_path: Path, shift: int
) -> None:
    both = annotate_both(desk)
    machines = [desk, replace(desk, folder=tmp_path / "other")]
    machines[1].sync()
    steps = [handed_in, not_after_all, taken_out, not_after_all]
    for number, step in enumerate(steps, start=shift):
        one, other = machines[number // 2 % 2], machines[1 - number // 2 % 2]
        step(one)
        other.settings = one.settings
        assert not other.sync().wrote
        assert not one.sync().wrote
        assert tuple(follow_ups(desk)) == both


def test_s10_a_note_without_its_block_is_the_event_again(desk: Desk) -> None:
    desk.sync()
    last = desk.find(Kind.FOLLOW_UP, slot="2")
    replace_text(desk, last)
    desk.sync()
    for lost in (False, True):
        handed_in(desk)
        assert title_of(desk.events()[last]) == f"Not needed: {OURS}"
        if lost:
            desk.lose_ledger()
            desk.sync()
        not_after_all(desk)
        assert title_of(desk.events()[last]) == OURS
        assert str(desk.events()[last]["DESCRIPTION"]) == "All mine."
        assert len(follow_ups(desk)) == 2


@pytest.mark.parametrize("kind", [Kind.TALK, Kind.REQUEST, Kind.DEADLINE, Kind.THANK_YOU])
def test_s10_every_kind_of_event_is_the_event_again(desk: Desk, kind: Kind) -> None:
    desk.sync()
    href = desk.find(kind)
    title = title_of(desk.events()[href])
    annotate(desk, href)
    number = len(desk.events())
    for _ in range(2):
        taken_out(desk)
        assert title_of(desk.events()[href]) == f"Not needed: {title}"
        not_after_all(desk)
        assert title_of(desk.events()[href]) == title
        assert len(desk.events()) == number


@pytest.mark.in_memory
@pytest.mark.parametrize("moment", ["before", "after"])
def test_i7_a_pass_that_dies_in_between_is_made_good(desk: Desk, moment: str) -> None:
    both = annotate_both(desk)

    def unavailable(what: str, when: str, _: object) -> None:
        if (what, when) == ("update", moment):
            raise UnavailableError("no")

    for step in (handed_in, not_after_all):
        desk.calendar.faults = unavailable
        with pytest.raises(UnavailableError):
            step(desk)
        desk.calendar.faults = None
        desk.sync()
    assert [title_of(event) for event in follow_ups(desk).values()] == [OURS] * 2
    assert tuple(follow_ups(desk)) == both


# What the person does to a note


def test_s10_deleting_what_is_not_needed_spends_nothing(desk: Desk) -> None:
    seen: set[Href] = set()
    for hour in (12, 15, 18):
        both = annotate_both(desk)
        handed_in(desk)
        for href in both:
            desk.calendar.remove(href)
        desk.sync(at=time(hour))
        report = desk.sync(at=time(hour + 2))
        assert budget(report).spent == 0
        assert not report.missing
        assert not follow_ups(desk)
        report = not_after_all(desk)
        assert budget(report) == Budget(cap=2, spent=0, planned=2)
        # Servers refuse a UID that was deleted (S8).
        assert not seen.intersection(follow_ups(desk))
        seen.update(follow_ups(desk))
    assert len(seen) == 6


@pytest.mark.parametrize("lost", [False, True])
def test_s10_what_was_deleted_as_not_needed_comes_back_by_an_undo(
    desk: Desk, *, lost: bool
) -> None:
    first, last = annotate_both(desk)
    handed_in(desk)
    body = desk.calendar.bodies[last]
    desk.calendar.remove(last)
    desk.sync()
    # Nothing comes in its place, for it may be back.
    not_after_all(desk)
    assert tuple(follow_ups(desk)) == (first,)
    desk.calendar.put_foreign(last.rpartition("/")[2], body)
    if lost:
        desk.lose_ledger()
    report = desk.sync()
    assert tuple(follow_ups(desk)) == (first, last)
    assert title_of(desk.events()[last]) == OURS
    assert budget(report) == Budget(cap=2, spent=0, planned=2)


def test_i4_not_needed_is_a_title_like_any_other_where_the_person_typed_it(
    desk: Desk, tmp_path: Path
) -> None:
    first, last = annotate_both(desk)
    other = replace(desk, folder=tmp_path / "other")
    other.sync()
    desk.person_changes(last, summary=f"Not needed: {OURS}")
    for machine in (desk, other):
        assert not machine.sync().wrote
    desk.lose_ledger()
    report = desk.sync()
    assert not report.wrote
    assert tuple(follow_ups(desk)) == (first, last)
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    handed_in(desk)
    assert title_of(desk.events()[last]) == f"Not needed: {OURS}"
    assert alarms_of(desk.events()[last]) == []


def test_s10_a_title_without_the_note_leaves_what_is_not_needed_to_the_person(desk: Desk) -> None:
    _, last = annotate_both(desk)
    handed_in(desk)
    desk.person_changes(last, summary="For my own use")
    for lost in (False, True):
        if lost:
            desk.lose_ledger()
        assert not desk.sync().wrote
        assert title_of(desk.events()[last]) == "For my own use"
        assert alarms_of(desk.events()[last]) == []


@pytest.mark.parametrize("lost", [False, True])
def test_s13_what_was_not_needed_and_is_ticked_as_sent_is_used_up(
    desk: Desk, *, lost: bool
) -> None:
    _, last = annotate_both(desk)
    handed_in(desk)
    desk.person_changes(last, summary=f"✓ Not needed: {OURS}")
    report = desk.sync()
    assert budget(report).spent == 1
    assert title_of(desk.events()[last]) == f"✓ followed up 3 May · {OURS}"
    if lost:
        desk.lose_ledger()
        desk.sync()
    report = not_after_all(desk)
    assert budget(report) == Budget(cap=2, spent=1, planned=0)
    assert title_of(desk.events()[last]) == f"✓ followed up 3 May · {OURS}"


def test_s10_a_note_of_a_day_that_has_passed_stays_and_spends_nothing(desk: Desk) -> None:
    first, last = annotate_both(desk)
    handed_in(desk)
    passed = DUE - timedelta(days=15)
    desk.sync(passed)
    body = desk.calendar.bodies[first]
    report = not_after_all(desk)
    assert desk.calendar.bodies[first] == body
    assert title_of(desk.events()[last]) == OURS
    assert budget(report).spent == 0
    desk.lose_ledger()
    assert budget(desk.sync()).spent == 0


def test_i1_notes_from_before_stay_notes_where_the_event_stands_already(desk: Desk) -> None:
    """An older lorsync made a new event beside each note."""
    annotate_both(desk)
    handed_in(desk)
    notes = dict(desk.events())
    bodies = {href: desk.calendar.bodies[href] for href in follow_ups(desk)}
    for href in bodies:
        desk.calendar.remove(href)
    desk.sync(at=time(12))
    desk.sync(at=time(14))
    not_after_all(desk)
    for href, body in bodies.items():
        desk.calendar.put_foreign(href.rpartition("/")[2], body)
    report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    titles = [title_of(event) for event in follow_ups(desk).values()]
    assert sorted(titles) == [OURS] * 2 + [f"Not needed: {OURS}"] * 2
    assert not desk.sync().wrote
    assert {h for h in bodies if title_of(desk.events()[h]) == title_of(notes[h])} == set(bodies)
    assert {e.state for e in desk.entries().values() if e.href in bodies} == {State.RELEASED}


@pytest.mark.in_memory
def test_i7_its_alarms_are_ours_though_it_was_edited_before_the_write_was_known(desk: Desk) -> None:
    first, _ = annotate_both(desk)
    handed_in(desk)
    assert not alarms_of(desk.events()[first])

    def lose_the_answer(operation: str, moment: str, href: Href | None) -> None:
        if (operation, moment, href) == ("update", "after", first):
            raise UnavailableError("no answer")

    desk.calendar.faults = lose_the_answer
    with pytest.raises(UnavailableError):
        not_after_all(desk)
    desk.calendar.faults = None
    assert alarms_of(desk.events()[first]) == [NINE]
    text = str(desk.events()[first]["DESCRIPTION"])
    desk.person_changes(first, description=text.replace("Still open", "Words of mine. Still open"))
    (kept,) = [
        change.changed for change in desk.sync().kept if desk.calendar.href_for(change.uid) == first
    ]
    assert "alarms" not in kept
    assert "text" in kept
