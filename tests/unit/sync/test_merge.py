"""Who wins, property by property: what the person did in their calendar stays (S2, S10, S11)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import icalendar
import pytest

from lorsync.core.errors import ConfigError
from lorsync.core.merge.entry import State
from lorsync.core.model import Facts, Kind
from lorsync.core.ports import Href
from tests.unit.sync.desk import DUE, START, Desk, letter

MOVED = date(2027, 8, 2)
LATER = DUE + timedelta(days=14)


def drag(desk: Desk, href: Href) -> None:
    desk.person_changes(href, dtstart=MOVED, dtend=MOVED + timedelta(days=1))


def retitle(desk: Desk, href: Href) -> None:
    desk.person_changes(href, summary="Ask her at the clinic")


def annotate(desk: Desk, href: Href) -> None:
    text = str(desk.events()[href]["DESCRIPTION"])
    desk.person_changes(href, description=f"Bring the CV.\n\n{text}\n\nRing twice.")


def rewrite_text(desk: Desk, href: Href) -> None:
    text = str(desk.events()[href]["DESCRIPTION"])
    desk.person_changes(href, description=text.replace("To send along", "Send this"))


def replace_text(desk: Desk, href: Href) -> None:
    desk.person_changes(href, description="All mine.")


def silence(desk: Desk, href: Href) -> None:
    edit_components(desk, href, lambda event: event.subcomponents.clear())


def add_alarm(desk: Desk, href: Href) -> None:
    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("TRIGGER", timedelta(days=-2))
    edit_components(desk, href, lambda event: event.add_component(alarm))


def place(desk: Desk, href: Href) -> None:
    desk.person_changes(href, location="Ward 4")


def colour(desk: Desk, href: Href) -> None:
    desk.person_changes(href, color="teal", categories=["Letters"])


def make_timed(desk: Desk, href: Href) -> None:
    start = datetime(2027, 8, 2, 19, 0, tzinfo=UTC)
    desk.person_changes(href, dtstart=start, dtend=start + timedelta(hours=1))


def repeat(desk: Desk, href: Href) -> None:
    desk.person_changes(href, rrule={"freq": "daily", "count": 3})


def edit_components(desk: Desk, href: Href, change: Callable[[icalendar.Event], object]) -> None:
    calendar = icalendar.Calendar.from_ical(desk.calendar.bodies[href])
    change(calendar.walk("VEVENT")[0])
    desk.calendar.edit(href, calendar.to_ical())


def date_of(event: icalendar.Event) -> object:
    return (event["DTSTART"].dt, event["DTEND"].dt, event.get("RRULE"))


def alarms_of(event: icalendar.Event) -> object:
    return sorted(c["TRIGGER"].dt for c in event.subcomponents if c.name == "VALARM")


SEEN: dict[str, Callable[[icalendar.Event], object]] = {
    "date": date_of,
    "title": lambda event: str(event["SUMMARY"]),
    "text": lambda event: str(event["DESCRIPTION"]),
    "alarms": alarms_of,
}

EDITS = [
    (drag, ("date",)),
    (retitle, ("title",)),
    (annotate, ("notes",)),
    (rewrite_text, ("text",)),
    (replace_text, ("text", "notes")),
    (silence, ("alarms",)),
    (add_alarm, ("alarms",)),
    (place, ("place",)),
    (colour, ("color", "categories")),
    (repeat, ("date",)),
]


@pytest.mark.parametrize(
    ("edit", "changed"), EDITS, ids=lambda value: getattr(value, "__name__", "")
)
def test_s2_what_the_person_changed_stays_and_the_plan_writes_the_rest(
    desk: Desk, edit: Callable[[Desk, Href], None], changed: tuple[str, ...]
) -> None:
    if edit is colour and desk.calendar.loses("COLOR"):
        changed = ()  # what the server lost is nobody's edit
    kept = [("request", changed)] if changed else []
    desk.sync()
    href = desk.find(Kind.REQUEST)
    untouched = desk.events()[href]
    edit(desk, href)
    theirs = desk.events()[href]
    report = desk.sync()
    assert [(c.kind, c.changed) for c in report.kept] == kept
    # The talk may follow a request that was moved; the request itself is not written, but for the
    # stamp of one that recurs from its planned day on, which is the person's then.
    assert {c.kind for c in report.updated} <= {"talk"} | ({"request"} if edit is repeat else set())
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    desk.sync()
    planned = Desk(folder=desk.folder / "other", settings=desk.settings)
    planned.sync()
    event, wanted = desk.events()[href], planned.events()[planned.find(Kind.REQUEST)]
    for name, see in SEEN.items():
        if name == "text" and changed == ("notes",):
            assert str(event["DESCRIPTION"]).startswith("Bring the CV.\n\n--- lorsync ---")
            assert str(event["DESCRIPTION"]).endswith("---\n\nRing twice.")
            assert str(wanted["DESCRIPTION"]) in str(event["DESCRIPTION"])
        elif name in changed:
            assert see(event) == see(theirs), name
        else:
            assert see(event) == see(wanted), name
    assert see_extras(event) == see_extras(theirs)
    assert date_of(wanted) != date_of(untouched), "the plan did not move"
    settled = desk.sync()
    assert not settled.wrote
    assert [(c.kind, c.changed) for c in settled.kept] == kept


def see_extras(event: icalendar.Event) -> object:
    return [str(event.get(name)) for name in ("LOCATION", "COLOR", "RRULE")]


@pytest.mark.parametrize("edit", [drag, retitle, silence, annotate])
def test_s2_an_edit_survives_many_moves_of_the_plan_and_a_lost_ledger(
    desk: Desk, edit: Callable[[Desk, Href], None]
) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    edit(desk, href)
    (kept,) = desk.sync().kept
    before = desk.events()[href]
    for days in (7, 14, 21):
        desk.change(letter("Alvarez", due=DUE + timedelta(days=days)), letter("Chen"))
        desk.sync()
        if edit is not silence:  # no stamp tells whose the alarms are
            desk.lose_ledger()
        assert [c.changed for c in desk.sync().kept] == [kept.changed]
    (name,) = kept.changed
    if name != "notes":
        assert SEEN[name](desk.events()[href]) == SEEN[name](before)


@pytest.mark.emulated("icloud")
def test_s10_a_moved_event_is_shown_as_pinned_with_what_the_plan_would_have_said(
    desk: Desk,
) -> None:
    first = desk.sync()
    drag(desk, desk.find(Kind.REQUEST))
    report = desk.sync()
    (event,) = [e for e in report.plan.events if e.pinned]
    (planned,) = [e for e in first.plan.events if e.uid == event.uid]
    assert (event.day, event.planned_day) == (MOVED, planned.day)
    assert "S10" in {reason.rule for reason in event.reasons}


@pytest.mark.in_memory
@pytest.mark.parametrize(
    ("day", "words"),
    [(DUE, "it is due on this very day"), (DUE + timedelta(days=9), "it was due 9 days before")],
)
def test_s10_a_request_moved_beyond_its_due_date_says_so(desk: Desk, day: date, words: str) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    desk.person_changes(href, dtstart=day, dtend=day + timedelta(days=1))
    desk.sync()
    assert words in str(desk.events()[href]["DESCRIPTION"])


def test_s10_an_event_made_timed_is_theirs_and_its_alarms_ring_on_the_wall_clock(
    desk: Desk,
) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    make_timed(desk, href)
    report = desk.sync()
    assert [c.changed for c in report.kept] == [("date",)]
    event = desk.events()[href]
    assert event["DTSTART"].dt == datetime(2027, 8, 2, 19, 0, tzinfo=UTC)
    # 09:00 in New York is six hours before 15:00 there.
    assert alarms_of(event) == [timedelta(hours=-6)]
    assert not desk.sync().wrote


@pytest.mark.parametrize(("edit", "stays"), [(drag, False), (retitle, True), (annotate, True)])
def test_s10_a_submission_takes_a_moved_follow_up_away_and_leaves_one_with_words(
    desk: Desk, edit: Callable[[Desk, Href], None], *, stays: bool
) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="2")
    title = str(desk.events()[href]["SUMMARY"])
    edit(desk, href)
    facts = Facts(asked_on=date(2027, 5, 1), submitted_on=date(2027, 5, 2))
    desk.change(letter("Alvarez", facts=facts), letter("Chen"))
    desk.sync()
    assert (href in desk.calendar.bodies) is stays
    if stays:
        event = desk.events()[href]
        mine = "Ask her at the clinic" if edit is retitle else title
        assert str(event["SUMMARY"]) == f"Not needed: {mine}"
        assert alarms_of(event) == []
        assert not desk.sync().wrote


@pytest.mark.emulated("google", "fastmail")
def test_s11_a_deletion_is_missing_first_and_certain_an_hour_later(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.calendar.remove(href)
    assert [c.kind for c in desk.sync().missing] == ["follow-up"]
    assert state_of(desk, href) is State.MISSING
    # Within the hour nothing is certain, however often one looks.
    desk.sync(at=time(12, 59), full=True)
    assert state_of(desk, href) is State.MISSING
    before = desk.calendar.requests
    desk.sync(at=time(13, 1))
    assert state_of(desk, href) is State.DISMISSED
    # The listing, and the memory, which keeps the deletion from now on.
    assert desk.calendar.requests - before == (2 if desk.calendar.echo_etags else 3)
    for days in range(1, 4):
        report = desk.sync(START + timedelta(days=days))
        assert not report.wrote
        assert not report.missing
    assert href not in desk.calendar.bodies


@pytest.mark.emulated("nextcloud")
def test_s11_what_was_dismissed_and_comes_back_is_live_again(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    body = desk.calendar.bodies[href]
    desk.calendar.remove(href)
    desk.sync()
    desk.sync(at=time(14))
    assert state_of(desk, href) is State.DISMISSED
    desk.calendar.put_foreign(href.rpartition("/")[2], body)
    desk.sync(at=time(15))
    assert state_of(desk, href) is State.LIVE


def test_s18_an_emptied_calendar_is_no_deletion_until_a_yes(desk: Desk) -> None:
    desk.sync()
    for href in list(desk.calendar.bodies):
        desk.calendar.remove(href)
    for hour in (12, 14, 16):
        report = desk.sync(at=time(hour), full=True)
        assert "emptied" in {warning.code for warning in report.warnings}
        assert not report.wrote
    assert {state_of(desk, Href(h)) for h in hrefs(desk)} == {State.MISSING}
    desk.sync(at=time(18), full=True, accept_deletions=True)
    assert {state_of(desk, Href(h)) for h in hrefs(desk)} == {State.DISMISSED}


@pytest.mark.in_memory
def test_s18_an_emptied_calendar_is_said_in_every_pass_and_a_yes_right_away_counts(
    desk: Desk,
) -> None:
    desk.sync()
    first, *others = list(desk.calendar.bodies)
    # One goes a little ahead of the rest, and the memory goes with them.
    desk.calendar.remove(first)
    desk.sync(at=time(12, 5))
    for href in others:
        desk.calendar.remove(href)
    for minute in (10, 20, 30):
        report = desk.sync(at=time(12, minute))
        assert "emptied" in {warning.code for warning in report.warnings}
        assert not report.wrote
    desk.sync(at=time(12, 40), accept_deletions=True)
    assert {e.state for e in desk.entries().values()} == {State.DISMISSED}


def test_s18_past_events_that_are_left_do_not_make_it_less_emptied(desk: Desk) -> None:
    desk.sync()
    desk.sync(date(2027, 8, 4))
    past = [h for h, event in desk.events().items() if event["DTSTART"].dt < desk.day]
    assert past
    for href in set(desk.events()) - set(past):
        desk.calendar.remove(href)
    for hour in (13, 15):
        report = desk.sync(at=time(hour), full=True)
        assert "emptied" in {warning.code for warning in report.warnings}
    assert State.DISMISSED not in {entry.state for entry in desk.entries().values()}


def test_s20_of_two_machines_with_different_configs_the_later_one_stands_by(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    other = Desk(folder=tmp_path / "other", settings=desk.settings, calendar=desk.calendar)
    assert not other.sync().wrote
    other.change(letter("Alvarez", due=LATER), letter("Chen"))
    assert other.sync().updated
    for _ in range(3):
        with pytest.raises(ConfigError, match="--take-over"):
            desk.sync()
        assert not other.sync().wrote
    assert desk.sync(take_over=True).updated
    assert not desk.sync().wrote
    with pytest.raises(ConfigError, match="Nothing was written"):
        other.sync()
    other.settings = desk.settings
    assert not other.sync().wrote


def test_s15_what_a_client_notes_in_an_alarm_is_no_edit(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)

    def acknowledge(event: icalendar.Event) -> None:
        for alarm in event.subcomponents:
            alarm.add("ACKNOWLEDGED", datetime(2027, 8, 1, tzinfo=UTC))
            alarm.add("UID", "an-alarm")

    edit_components(desk, href, acknowledge)
    report = desk.sync()
    assert not report.kept
    assert not report.wrote


def hrefs(desk: Desk) -> list[str]:
    return [entry.href for entry in desk.entries().values()]


def state_of(desk: Desk, href: Href) -> State:
    (entry,) = [e for e in desk.entries().values() if e.href == href]
    return entry.state
