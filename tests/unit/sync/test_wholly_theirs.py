"""S10: guests, a series with exceptions, or a cancellation make an event wholly the person's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import icalendar
import pytest

from lorsync.core.facts import Fact, Source
from lorsync.core.merge.entry import State
from lorsync.core.merge.memory import is_memory
from lorsync.core.model import Budget, Facts, Kind, LetterId, MentorId
from lorsync.core.ports import Href
from lorsync.sync.plan import planned
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, Desk, letter, name_of
from tests.unit.sync.test_merge import annotate

pytestmark = pytest.mark.slow

SUBMITTED = Facts(asked_on=date(2027, 5, 1), submitted_on=date(2027, 5, 2))
BROKEN = b'ATTENDEE;CN="Dr. \\"Bob\\" Alvarez":mailto:alvarez@example.edu'
OURS = "Check in with Dr. Alvarez: letter due 10 Sep"


def invite(desk: Desk, href: Href) -> None:
    desk.person_changes(
        href, organizer="mailto:maya@example.edu", attendee="mailto:alvarez@example.edu"
    )


def invite_unreadably(desk: Desk, href: Href) -> None:
    """Add a guest whose name some programs write, and no parser reads."""
    body = desk.calendar.bodies[href]
    desk.calendar.edit(href, body.replace(b"BEGIN:VALARM", BROKEN + b"\r\nBEGIN:VALARM", 1))


def cancel(desk: Desk, href: Href) -> None:
    desk.person_changes(href, status="CANCELLED")


def make_series(desk: Desk, href: Href, *titles: str) -> None:
    """Make an event a weekly series in which the second occurrence differs, by its title or day."""
    calendar = icalendar.Calendar.from_ical(desk.calendar.bodies[href])
    master = calendar.walk("VEVENT")[0]
    second = master["DTSTART"].dt + timedelta(days=7)
    other = icalendar.Event.from_ical(master.to_ical())
    master.add("RRULE", {"freq": "weekly", "count": 3})
    other.add("RECURRENCE-ID", second)
    for name, day in (("DTSTART", second), ("DTEND", second + timedelta(days=1))):
        other.pop(name)
        other.add(name, day + timedelta(days=1))
    for title in titles:
        other.pop("SUMMARY")
        other.add("SUMMARY", title)
    calendar.add_component(other)
    desk.calendar.edit(href, calendar.to_ical())


def budget(report: Report) -> Budget:
    return report.plan.budgets[MentorId("Alvarez")]


def moved_due_date(desk: Desk) -> None:
    desk.change(letter("Alvarez", due=DUE + timedelta(days=14)), letter("Chen"))


def handed_in(desk: Desk) -> None:
    desk.change(letter("Alvarez", facts=SUBMITTED), letter("Chen"))


def taken_out(desk: Desk) -> None:
    desk.change(letter("Chen"))


OWNING = [
    (invite, "guests"),
    (invite_unreadably, "guests"),
    (cancel, "cancelled"),
    (make_series, "series"),
]
ACTS = [moved_due_date, handed_in, taken_out]


@pytest.mark.emulated("google", "nextcloud")
@pytest.mark.parametrize(("own", "word"), OWNING, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("act", ACTS)
def test_s10_nothing_is_written_to_what_is_wholly_theirs(
    desk: Desk, own: Callable[[Desk, Href], None], word: str, act: Callable[[Desk], None]
) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="2")
    annotate(desk, href)
    desk.sync()
    own(desk, href)
    body = desk.calendar.bodies[href]
    act(desk)
    for _ in range(2):
        report = desk.sync(accept_deletions=True)
        assert desk.calendar.bodies[href] == body
        (change,) = [c for c in report.kept if c.uid == name_of(href)]
        assert word in change.changed
        (warning,) = [w for w in report.warnings if w.code == "wholly-yours"]
        assert "writes nothing" in warning.message
        assert f"on {DUE - timedelta(days=7)}" in warning.message
    assert not report.wrote
    assert "wholly-yours" in {
        w.code for w in planned(desk.settings, desk.folder, desk.day).warnings
    }
    desk.lose_ledger()
    desk.sync()
    assert desk.calendar.bodies[href] == body


@pytest.mark.parametrize("kind", [Kind.TALK, Kind.REQUEST, Kind.DEADLINE, Kind.THANK_YOU])
@pytest.mark.parametrize("act", ACTS)
def test_s10_events_of_every_kind_with_guests_are_left_alone(
    desk: Desk, kind: Kind, act: Callable[[Desk], None]
) -> None:
    desk.sync()
    href = desk.find(kind)
    invite(desk, href)
    body = desk.calendar.bodies[href]
    act(desk)
    for day in (START, START, DUE + timedelta(days=30)):
        desk.sync(day, accept_deletions=True)
        assert desk.calendar.bodies[href] == body
        identity = desk.entries()[LetterId(name_of(href))].identity
        standing = [e for e in desk.entries().values() if e.identity == identity and e.day >= day]
        assert len(standing) <= 1


@pytest.mark.parametrize("own", [invite, make_series])
def test_s13_a_tick_in_what_is_wholly_theirs_counts_and_is_not_put_in_form(
    desk: Desk, own: Callable[[Desk, Href], None]
) -> None:
    desk.change(letter("Alvarez"))
    desk.sync()
    href = desk.find(Kind.REQUEST)
    own(desk, href)
    event = next(iter(icalendar.Calendar.from_ical(desk.calendar.bodies[href]).walk("VEVENT")))
    text = desk.calendar.bodies[href].replace(b"SUMMARY:Ask", "SUMMARY:✓ Ask".encode(), 1)
    desk.calendar.edit(href, text)
    report = desk.sync()
    assert desk.facts() == {Fact.ASKED: (START, Source.TICK)}
    assert desk.calendar.bodies[href] == text
    assert str(event["SUMMARY"]) not in {e.summary for e in report.plan.events}
    desk.calendar.edit(href, text.replace("✓ ".encode(), b""))
    desk.sync()
    assert desk.facts() == {}


@pytest.mark.parametrize("lost", [False, True])
def test_s13_a_tick_on_one_occurrence_of_a_series_counts_until_it_is_taken_back(
    desk: Desk, *, lost: bool
) -> None:
    desk.change(letter("Alvarez"))
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    before = desk.calendar.bodies[href]
    make_series(desk, href, f"✓ {OURS}")
    for _ in range(2):
        assert budget(desk.sync()).spent == 1
        assert desk.facts()[Fact.FOLLOWED_UP] == (START, Source.TICK)
    if lost:
        desk.lose_ledger()
        assert budget(desk.sync()).spent == 1
    desk.calendar.edit(href, before)
    make_series(desk, href, OURS)
    assert budget(desk.sync()).spent == 0
    assert Fact.FOLLOWED_UP not in desk.facts()


def test_i1_a_follow_up_with_guests_holds_its_place_and_counts_once_it_has_passed(
    desk: Desk,
) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    invite(desk, final)
    other = replace(letter("Alvarez", due=DUE + timedelta(days=60)), id=LetterId("other"))
    asked = replace(other, facts=Facts(asked_on=START))
    desk.change(letter("Alvarez", facts=SUBMITTED), asked, letter("Chen"))
    report = desk.sync()
    follow_ups = [e for e in desk.events().values() if "Check in with Dr. Alv" in e["SUMMARY"]]
    assert len(follow_ups) == 2
    assert budget(report).spent == 0
    assert not desk.sync().wrote
    assert budget(desk.sync(DUE - timedelta(days=6))).spent == 1


def test_s10_the_plan_goes_round_a_follow_up_with_guests_where_it_stands(desk: Desk) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    day = DUE - timedelta(days=17)
    desk.person_changes(check_in, dtstart=day, dtend=day + timedelta(days=1))
    invite(desk, check_in)
    report = desk.sync()
    there, final = (
        e for e in report.plan.events if e.kind is Kind.FOLLOW_UP and "Alv" in e.summary
    )
    assert (there.day, there.pinned) == (day, False)
    assert (final.day - day).days >= 7
    assert "wholly yours" in there.reasons[-1].text
    assert not desk.sync().wrote


def test_s10_a_cancelled_event_is_none_that_happens_and_none_comes_in_its_place(
    desk: Desk,
) -> None:
    desk.change(letter("Alvarez"))
    desk.sync()
    request, final = desk.find(Kind.REQUEST), desk.find(Kind.FOLLOW_UP, slot="2")
    cancel(desk, request)
    cancel(desk, final)
    report = desk.sync()
    assert budget(report).spent == 1
    assert name_of(final) not in {e.uid for e in report.plan.events}
    assert len([e for e in desk.events().values() if str(e["SUMMARY"]).startswith("Ask ")]) == 1
    desk.person_changes(final, status="CONFIRMED")
    desk.person_changes(request, status=None)
    report = desk.sync()
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    assert {e.state for e in desk.entries().values()} == {State.LIVE}


def test_s10_an_event_whose_guests_were_taken_out_again_is_kept_true(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    invite(desk, href)
    moved_due_date(desk)
    desk.sync()
    desk.person_changes(href, attendee=None, organizer=None)
    desk.sync()
    assert desk.events()[href]["DTSTART"].dt == DUE + timedelta(days=14)


def test_s10_a_guest_who_comes_while_a_pass_is_at_work_is_not_written_to(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)

    def once(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("update", "before"):
            desk.calendar.faults = None
            invite(desk, href)

    moved_due_date(desk)
    desk.calendar.faults = once
    desk.sync()
    body = desk.calendar.bodies[href]
    assert b"ATTENDEE" in body
    assert not desk.sync().wrote
    assert desk.calendar.bodies[href] == body


def test_s10_a_note_that_is_not_needed_with_guests_is_left_alone_when_it_is_needed_again(
    desk: Desk,
) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="2")
    annotate(desk, href)
    handed_in(desk)
    desk.sync()
    invite(desk, href)
    body = desk.calendar.bodies[href]
    desk.change(letter("Alvarez"), letter("Chen"))
    report = desk.sync()
    assert desk.calendar.bodies[href] == body
    assert budget(report) == Budget(cap=2, spent=0, planned=2)
    assert not desk.sync().wrote


def test_s10_an_alarm_by_mail_is_no_guest(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    body = desk.calendar.bodies[href]
    mail = b"ACTION:EMAIL\r\nSUMMARY:Letter\r\nATTENDEE:mailto:maya@example.edu"
    desk.calendar.edit(href, body.replace(b"ACTION:DISPLAY", mail))
    moved_due_date(desk)
    desk.sync()
    assert desk.events()[href]["DTSTART"].dt == DUE + timedelta(days=14)


def test_s10_a_memory_with_guests_is_left_to_the_person_and_another_one_begins(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    (old,) = (href for href in desk.calendar.bodies if is_memory(name_of(href)))
    invite(desk, old)
    body = desk.calendar.bodies[old]
    desk.calendar.remove(desk.find(Kind.TALK, mentor="Chen"))
    desk.sync()
    (new,) = (h for h in desk.calendar.bodies if is_memory(name_of(h)) and h != old)
    assert desk.calendar.bodies[old] == body
    assert b"missing talk of Chen" in desk.calendar.bodies[new].replace(b"\r\n ", b"")
    other = replace(desk, folder=tmp_path / "other")
    other.sync()
    assert {e.state for e in other.entries().values()} == {State.LIVE, State.MISSING}
    assert not desk.sync().wrote
    assert desk.calendar.bodies[old] == body
