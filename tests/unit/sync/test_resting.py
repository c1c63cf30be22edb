"""A config is believed when it rests: what a half-saved one lacks is not deleted at once."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from lorsync.core.model import Facts, Kind, Letter
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, ZONE, Desk, letter, settings

ASKED = Facts(asked_on=START)
SECOND = timedelta(seconds=1)


def save(desk: Desk, *letters: Letter, ago: timedelta = SECOND) -> None:
    """Put other letters into the config, saved so long before the next pass."""
    now = datetime.combine(desk.day, desk.at, ZONE).astimezone(UTC)
    desk.settings = replace(settings(*letters), changed=now - ago)


def rests(report: Report) -> bool:
    """Tell whether something waits for the config to rest, which the report says in each way."""
    said = "resting" in {warning.code for warning in report.warnings}
    assert said == (report.again_at is not None)
    return said


def titles(desk: Desk) -> list[str]:
    return [str(event["SUMMARY"]) for event in desk.events().values()]


def test_a_config_that_is_saved_in_two_pieces_takes_nothing_off_the_calendar(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    before = desk.events().keys()
    save(desk, letter("Alvarez"))
    report = desk.sync()
    assert (report.deleted, rests(report)) == ((), True)
    save(desk, letter("Alvarez"), letter("Chen"), ago=SECOND * 0)
    report = desk.sync(at=time(12, 0, 1))
    assert (report.wrote, rests(report)) == (False, False)
    assert desk.events().keys() == before


def test_what_is_not_in_a_config_that_has_rested_for_a_minute_goes(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    save(desk, letter("Alvarez"))
    report = desk.sync()
    assert rests(report)
    assert report.again_at == desk.settings.changed + timedelta(minutes=1)
    (message,) = (w.message for w in report.warnings if w.code == "resting")
    assert "12:00:59" in message
    assert not desk.sync(at=time(12, 0, 58)).deleted
    report = desk.sync(at=time(12, 0, 59))
    assert (len(report.held), rests(report)) == (6, False)
    assert not rests(desk.sync(at=time(12, 1)))


def test_a_pass_in_which_something_waits_costs_one_request_and_is_not_spared(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    desk.sync()
    save(desk, letter("Alvarez"))
    desk.sync()
    before = desk.calendar.requests
    report = desk.sync()
    assert (report.requests - before, report.wrote, report.repeatable) == (1, False, False)


def test_what_a_stated_fact_makes_needless_goes_at_once(desk: Desk) -> None:
    save(desk, letter("Alvarez", facts=ASKED), letter("Chen"))
    desk.sync()
    save(desk, letter("Alvarez", facts=replace(ASKED, submitted_on=START)), letter("Chen"))
    report = desk.sync()
    assert not rests(report)
    assert {change.kind for change in report.deleted} >= {Kind.FOLLOW_UP}


def test_a_note_is_not_called_needless_by_half_a_config(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    talk = desk.find(Kind.TALK, mentor="Chen")
    desk.person_changes(talk, location="Ward 7")
    desk.sync()
    save(desk, letter("Alvarez"))
    assert rests(desk.sync())
    assert not [title for title in titles(desk) if title.startswith("Not needed")]
    desk.sync(at=time(12, 1))
    assert [title for title in titles(desk) if title.startswith("Not needed")]


def test_i2_what_replaces_an_event_waits_with_it_for_the_config_to_rest(desk: Desk) -> None:
    late = letter("Alvarez", due=DUE + timedelta(days=120))
    second = replace(late, id="second")
    save(desk, letter("Alvarez", facts=ASKED), replace(second, facts=ASKED))
    desk.sync()
    for slot in ("1", "2"):
        href = desk.find(Kind.FOLLOW_UP, slot=slot)
        day = desk.events()[href]["DTSTART"].dt + timedelta(days=2)
        desk.person_changes(href, dtstart=day, dtend=day + timedelta(days=1))
    desk.sync()
    save(desk, replace(second, facts=ASKED))
    report = desk.sync()
    assert rests(report)
    assert not [change for change in report.created if change.kind is Kind.FOLLOW_UP]
    assert not desk.sync().wrote


def test_i2_half_a_config_asks_nobody_anew_who_was_asked(desk: Desk) -> None:
    asked, second = letter("Alvarez", facts=ASKED), replace(letter("Alvarez"), id="second")
    save(desk, asked, second, letter("Chen"))
    desk.sync()
    before = desk.events().keys()
    # Without what was asked for, the other letter would want a talk and a whole request.
    save(desk, second, letter("Chen", due=DUE + timedelta(days=7)))
    report = desk.sync()
    assert rests(report)
    assert not report.created
    # Whose letters are all there need not wait.
    assert {change.mentor for change in report.updated} == {"Chen"}
    save(desk, asked, second, letter("Chen", due=DUE + timedelta(days=7)))
    desk.sync()
    assert desk.events().keys() == before


def test_r8_half_a_config_splits_no_request_that_asks_for_two_letters(desk: Desk) -> None:
    later = replace(letter("Alvarez", due=DUE + timedelta(days=14)), id="later")
    save(desk, letter("Alvarez"), later)
    desk.sync()
    request = desk.find(Kind.REQUEST)
    day = desk.events()[request]["DTSTART"].dt + timedelta(days=20)
    desk.person_changes(request, dtstart=day, dtend=day + timedelta(days=1))
    desk.sync()
    before = desk.events()
    save(desk, later)
    assert rests(desk.sync())
    assert desk.events() == before
    save(desk, letter("Alvarez"), later)
    assert not desk.sync().wrote
    assert desk.find(Kind.REQUEST) == request


def test_s18_what_a_fresh_config_lacks_is_asked_about_only_once_it_rests(desk: Desk) -> None:
    names = ("Alvarez", "Chen", "Novak", "Okoye")
    save(desk, *map(letter, names))
    desk.sync()
    save(desk, letter("Alvarez"))
    report = desk.sync()
    assert (report.held, rests(report)) == ((), True)
    report = desk.sync(at=time(12, 1))
    assert (len(report.held), rests(report)) == (18, False)
    # What waits for a yes does so, whatever is saved meanwhile.
    save(desk, letter("Alvarez", due=DUE + timedelta(days=1)))
    report = desk.sync()
    assert (len(report.held), rests(report)) == (18, False)
    assert len(desk.sync(accept_deletions=True).deleted) == 18


def test_s18_a_yes_to_deletions_is_one_to_a_fresh_config(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    save(desk, letter("Alvarez"))
    report = desk.sync(accept_deletions=True)
    assert (len(report.deleted), rests(report)) == (6, False)


def test_s21_a_config_of_the_future_is_believed(desk: Desk) -> None:
    save(desk, letter("Alvarez"), letter("Chen"))
    desk.sync()
    save(desk, letter("Alvarez", facts=ASKED), letter("Chen"), ago=-timedelta(hours=2))
    report = desk.sync()
    assert (bool(report.deleted), rests(report)) == (True, False)
