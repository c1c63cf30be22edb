"""S7: somebody who may be somebody else under another id is asked about before any contact."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from lorsync.config import loads
from lorsync.core.errors import UnavailableError
from lorsync.core.facts import Fact, Source
from lorsync.core.model import CONTACTS, Facts, Kind, Letter, LetterId, MentorId, Stage
from lorsync.core.ports import Href
from lorsync.core.settings import Settings
from lorsync.sync.marks import Said, mark
from lorsync.sync.plan import planned
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, ZONE, Desk, letter, name_of, settings

pytestmark = pytest.mark.slow

ASKED = Facts(asked_on=START)
IN = Facts(asked_on=START, submitted_on=START)


def handed(to: str, *, of: str, **kwargs: object) -> Letter:
    """Return the letter of one mentor as another one's."""
    return replace(letter(of, **kwargs), mentor=MentorId(to))


def questions(report: Report) -> list[str]:
    return [w.code for w in report.warnings if w.code in {"same-person", "same-letter"}]


def contacted(desk: Desk, mentor: str) -> set[Kind]:
    """Return the kinds of the events on the calendar that contact a mentor, by their titles."""
    return {
        entry.identity.kind
        for entry in desk.entries().values()
        if entry.href in desk.events()
        and entry.identity.kind in CONTACTS
        and f"Dr. {mentor}" in str(desk.events()[entry.href]["SUMMARY"])
    }


def test_s7_a_mentor_who_comes_a_pass_after_another_left_is_asked_about(desk: Desk) -> None:
    desk.change(letter("Alvarez", facts=ASKED), letter("Chen"))
    desk.sync()
    desk.sync(DUE - timedelta(days=15))
    assert desk.sync().plan.budgets[MentorId("Alvarez")].spent == 1
    desk.change(letter("Chen"))
    assert not questions(desk.sync())
    desk.change(letter("Novak"), letter("Chen"))
    for _ in range(2):
        report = desk.sync()
        assert questions(report) == ["same-person"]
        assert "Alvarez is gone" in report.warnings[-1].message or any(
            "Alvarez is gone" in warning.message for warning in report.warnings
        )
        assert not contacted(desk, "Novak")


def test_s7_the_same_letter_under_another_mentor_a_pass_later_is_asked_about(desk: Desk) -> None:
    desk.sync()
    desk.change(letter("Chen"))
    desk.sync()
    desk.change(handed("Novak", of="Alvarez"), letter("Chen"))
    assert questions(desk.sync()) == ["same-person"]
    assert not contacted(desk, "Novak")


def test_s7_the_same_letter_under_a_mentor_who_was_there_before_is_asked_about(
    desk: Desk,
) -> None:
    desk.sync()
    desk.change(letter("Chen", due=DUE + timedelta(days=90)), handed("Chen", of="Alvarez"))
    before = desk.events()
    report = desk.sync()
    assert questions(report) == ["same-letter"]
    kept = {href for href, event in before.items() if "Alvarez" in str(event["SUMMARY"])}
    assert kept <= desk.events().keys()


def test_s7_nothing_of_who_vanished_is_deleted_until_the_answer(desk: Desk) -> None:
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    dragged = desk.events()[check_in]["DTSTART"].dt + timedelta(days=2)
    desk.person_changes(check_in, dtstart=dragged, dtend=dragged + timedelta(days=1))
    thanks = desk.find(Kind.THANK_YOU)
    desk.person_changes(thanks, location="Ward 7")
    desk.sync()
    before = desk.events().keys()
    desk.settings = settings(letter("Alvares"), letter("Chen"))
    report = desk.sync()
    assert questions(report) == ["same-person"]
    assert not report.deleted
    assert before <= desk.events().keys()
    marry(desk, letter("Chen"), to="Alvares")
    report = desk.sync()
    assert not questions(report)
    assert desk.events()[check_in]["DTSTART"].dt == dragged
    assert desk.events()[thanks]["LOCATION"] == "Ward 7"
    assert len(before) == len(desk.events())
    assert not desk.sync().wrote


@pytest.mark.parametrize("fact", ["submitted_on", "declined_on"])
def test_s7_nobody_is_asked_about_whose_letters_were_all_in_or_declined(
    desk: Desk, fact: str
) -> None:
    done = replace(ASKED, **{fact: START})
    desk.change(letter("Alvarez", facts=done), letter("Chen"))
    desk.sync()
    desk.change(letter("Novak"), letter("Chen"))
    assert not questions(desk.sync())
    assert contacted(desk, "Novak")


def test_s7_one_yes_to_newcomers_is_remembered(desk: Desk) -> None:
    desk.sync()
    desk.change(letter("Novak"), letter("Chen"))
    assert questions(desk.sync()) == ["same-person"]
    assert not questions(desk.sync(accept_newcomers=True))
    assert contacted(desk, "Novak") == {Kind.TALK, Kind.REQUEST, Kind.FOLLOW_UP}
    assert not questions(desk.sync())
    assert not desk.sync().wrote


def test_s7_a_refusal_that_was_ticked_since_the_last_pass_is_an_ordinary_change(
    desk: Desk,
) -> None:
    desk.sync()
    request = desk.find(Kind.REQUEST)
    desk.person_changes(request, summary=f"✓ declined – {desk.events()[request]['SUMMARY']}")
    desk.change(letter("Novak"), letter("Chen"))
    assert not questions(desk.sync())
    # It was one in each later pass, and for a ledger that knows no more than the calendar.
    desk.lose_ledger()
    desk.change(letter("Okoye"), letter("Novak"), letter("Chen"))
    assert not questions(desk.sync(take_over=True))


def many(*names: str) -> list[Letter]:
    return [letter(name, due=DUE + timedelta(days=index)) for index, name in enumerate(names)]


def test_s7_a_yes_to_newcomers_is_none_to_held_deletions(desk: Desk) -> None:
    desk.change(*many("Alvarez", "Chen", "Novak", "Okoye"))
    desk.sync()
    # Three leave and one comes: eighteen deletions, and a question.
    desk.change(letter("Alvarez"), letter("Ruiz"))
    report = desk.sync()
    assert (questions(report), report.held) == (["same-person"], ())
    report = desk.sync(accept_newcomers=True)
    assert not questions(report)
    assert (len(report.held), report.deleted) == (18, ())
    assert contacted(desk, "Ruiz")
    report = desk.sync(accept_deletions=True)
    assert len(report.deleted) == 18


def test_s18_a_yes_to_deletions_is_none_to_newcomers(desk: Desk) -> None:
    desk.change(*many("Alvarez", "Chen", "Novak", "Okoye"))
    desk.sync()
    desk.change(letter("Alvarez"), letter("Ruiz"))
    report = desk.sync(accept_deletions=True)
    assert questions(report) == ["same-person"]
    assert not report.deleted
    assert not contacted(desk, "Ruiz")


SEASON = """
[applicant]
name = "Maya Okafor"
timezone = "America/New_York"
[calendar]
provider = "caldav"
url = "https://fake.example/"
username = "maya"
[cycle]
name = "2028 Match"
[[programs]]
id = "state"
deadline = 2027-09-10
[[programs]]
id = "late"
deadline = 2027-09-20
[[letters]]
mentor = "Dr. Alvarez"
"""


def read(rest: str) -> Settings:
    return loads((SEASON + rest).encode(), Path("config.toml"))


def with_id(settings: Settings, own: str) -> Settings:
    """Return settings in which the letter has the id that an earlier lorsync made."""
    letters = tuple(
        replace(each, id=LetterId(own), formerly=()) for each in settings.season.letters
    )
    return replace(settings, season=replace(settings.season, letters=letters))


def test_r15_a_late_program_makes_no_other_letter(desk: Desk) -> None:
    desk.settings = read('programs = ["state"]')
    desk.sync()
    request = desk.find(Kind.REQUEST, mentor="dr-alvarez")
    desk.person_changes(request, summary=f"✓ {desk.events()[request]['SUMMARY']}")
    desk.sync()
    before = desk.events().keys()
    desk.settings = read('programs = ["state", "late"]')
    report = desk.sync()
    assert (report.created, report.deleted, questions(report)) == ((), (), [])
    assert desk.events().keys() == before
    assert desk.facts() == {Fact.ASKED: (START, Source.TICK)}


def test_s7_an_id_that_an_earlier_lorsync_made_is_the_same_letter(desk: Desk) -> None:
    desk.settings = with_id(read('programs = ["state"]'), "dr-alvarez-narrative-state")
    desk.sync()
    thanks = desk.find(Kind.THANK_YOU, mentor="dr-alvarez")
    desk.person_changes(thanks, location="Ward 7")
    desk.sync()
    before = desk.events().keys()
    desk.settings = read('programs = ["state"]')
    report = desk.sync()
    assert (report.created, report.deleted, questions(report)) == ((), (), [])
    assert desk.events().keys() == before
    # With a late program, and a ledger that is lost after it, the letter is the same still.
    desk.settings = read('programs = ["state", "late"]')
    assert not questions(desk.sync())
    assert desk.events().keys() == before
    desk.lose_ledger()
    report = desk.sync()
    assert (report.created, report.deleted, questions(report)) == ((), (), [])
    assert desk.events().keys() == before


def hand_over(desk: Desk, *, facts: Facts | None = None) -> None:
    """Give the letter of Alvarez to Chen, and say that another mentor writes it now."""
    own = letter("Chen", due=DUE + timedelta(days=60))
    desk.change(own, handed("Chen", of="Alvarez", facts=facts))
    desk.sync(accept_newcomers=True)


def test_s7_a_letter_that_changes_hands_takes_its_deadline_along(desk: Desk) -> None:
    desk.sync()
    hand_over(desk)
    (deadline,) = (
        Href(entry.href)
        for entry in desk.entries().values()
        if entry.identity.kind is Kind.DEADLINE and entry.identity.subject == "Alvarez-letter"
    )
    moved = DUE + timedelta(days=2)
    desk.person_changes(deadline, dtstart=moved, dtend=moved + timedelta(days=1))
    report = desk.sync()
    (event,) = (e for e in report.plan.events if e.uid == name_of(deadline))
    assert (event.day, event.mentor) == (moved, "Chen")
    assert planned(desk.settings, desk.folder, desk.day) == report.plan
    assert not desk.sync().wrote


def test_s7_a_deadline_that_was_dragged_before_its_letter_changed_hands_is_planned_there(
    desk: Desk,
) -> None:
    desk.sync()
    deadline, moved = desk.find(Kind.DEADLINE), DUE + timedelta(days=2)
    desk.person_changes(deadline, dtstart=moved, dtend=moved + timedelta(days=1))
    desk.sync()
    hand_over(desk)
    (event,) = (e for e in desk.sync().plan.events if e.uid == name_of(deadline))
    assert (event.day, desk.events()[deadline]["DTSTART"].dt) == (moved, moved)
    assert "Chen" in str(desk.events()[deadline]["SUMMARY"])


@pytest.mark.parametrize("how", ["ticked", "marked"])
def test_s7_what_one_mentor_answered_is_not_said_of_the_next(desk: Desk, how: str) -> None:
    desk.sync()
    if how == "ticked":
        request = desk.find(Kind.REQUEST)
        desk.person_changes(request, summary=f"✓ declined – {desk.events()[request]['SUMMARY']}")
    else:
        say(desk, "Alvarez", Fact.DECLINED)
    assert desk.sync().plan.letters[0].stage is Stage.DECLINED
    own = letter("Chen", due=DUE + timedelta(days=60))
    desk.change(own, handed("Chen", of="Alvarez"))
    # The refusal makes it an ordinary change.
    report = desk.sync()
    assert not questions(report)
    for _ in range(2):
        assert {each.stage for each in report.plan.letters} == {Stage.TO_ASK}
        requests = [e for e in report.plan.events if e.kind is Kind.REQUEST]
        assert {x for e in requests for x in e.letters} == {"Alvarez-letter", "Chen-letter"}
        # Nor is it for a ledger that knows no more than the calendar.
        desk.lose_ledger()
        report = desk.sync()


def test_s7_what_is_said_of_the_next_mentor_counts_before_a_pass(desk: Desk) -> None:
    desk.sync()
    say(desk, "Alvarez", Fact.DECLINED)
    desk.sync()
    desk.change(letter("Chen"), handed("Chen", of="Alvarez"))
    say(desk, "Chen", Fact.AGREED)
    assert set(desk.facts()) == {Fact.AGREED}
    desk.sync()
    assert set(desk.facts()) == {Fact.AGREED}


@pytest.mark.parametrize("act", ["deleted", "moved", "passed"])
def test_s7_one_letter_more_of_a_mentor_is_asked_of_the_next_one_anew(desk: Desk, act: str) -> None:
    more = replace(letter("Alvarez", due=DUE + timedelta(days=90)), id=LetterId("more"))
    chen = letter("Chen", facts=ASKED)
    desk.change(letter("Alvarez", facts=ASKED), more, chen)
    desk.sync()
    addition = desk.find(Kind.ADD_LETTER)
    day = desk.events()[addition]["DTSTART"].dt
    if act == "deleted":
        desk.calendar.remove(addition)
        desk.sync(at=time(13))
        desk.sync(at=time(15))
    elif act == "moved":
        moved = day + timedelta(days=3)
        desk.person_changes(addition, dtstart=moved, dtend=moved + timedelta(days=1))
        desk.sync()
    else:
        desk.sync(day + timedelta(days=1))
    desk.change(letter("Alvarez", facts=ASKED), chen, replace(more, mentor=MentorId("Chen")))
    report = desk.sync(accept_newcomers=True)
    for _ in range(2):
        (event,) = (e for e in report.plan.events if e.kind is Kind.ADD_LETTER)
        assert (event.mentor, event.pinned) == ("Chen", False)
        there = desk.calendar.href_for(event.uid)
        assert there != addition
        assert desk.events()[there]["DTSTART"].dt == event.day
        desk.lose_ledger()
        report = desk.sync()
        assert not report.wrote


def say(desk: Desk, mentor: str, fact: Fact) -> None:
    now = datetime.combine(desk.day, desk.at, ZONE).astimezone(UTC)
    letter_id = None if mentor == "Alvarez" else "Alvarez-letter"
    said = Said(mentor=mentor, fact=fact, letter=letter_id)
    mark(desk.settings, desk.folder, said, now=now, today=desk.day)


# Detours


def test_s7_a_letter_that_was_renamed_and_put_back_is_the_same_when_it_is_renamed_once_more(
    desk: Desk,
) -> None:
    desk.sync()
    deadline, thanks = desk.find(Kind.DEADLINE), desk.find(Kind.THANK_YOU)
    desk.person_changes(thanks, location="Ward 7")
    desk.sync()
    before = desk.events().keys()
    desk.change(
        replace(letter("Alvarez"), id=LetterId("other"), formerly=("Alvarez-letter",)),
        letter("Chen"),
    )
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"))
    desk.sync()
    marry(desk, letter("Chen"))
    report = desk.sync()
    assert (report.created, report.deleted, questions(report)) == ((), (), [])
    assert desk.events().keys() == before
    assert "Not needed" not in str(desk.events()[thanks]["SUMMARY"])
    assert "Alvarez-Ruiz" in str(desk.events()[deadline]["SUMMARY"])
    desk.lose_ledger()
    assert not desk.sync().wrote


def test_s7_what_was_made_under_a_name_that_was_put_back_stays(desk: Desk) -> None:
    desk.sync()
    marry(desk, letter("Chen"), facts=IN)
    desk.sync()
    thanks = desk.find(Kind.THANK_YOU, mentor="Alvarez-Ruiz")
    desk.person_changes(thanks, location="Ward 7")
    desk.sync()
    before = desk.events().keys()
    desk.change(letter("Alvarez", facts=IN), letter("Chen"))
    for _ in range(2):
        report = desk.sync()
        assert (report.created, report.deleted, questions(report)) == ((), (), [])
        assert desk.events().keys() == before
        assert desk.find(Kind.THANK_YOU) == thanks
        desk.lose_ledger()


def test_s11_what_was_deleted_before_a_detour_does_not_come_back_after_it(desk: Desk) -> None:
    desk.sync()
    deadline = desk.find(Kind.DEADLINE)
    marry(desk, letter("Chen"))
    desk.sync()
    desk.calendar.remove(deadline)
    desk.sync(at=time(13))
    desk.sync(at=time(15))
    desk.change(letter("Alvarez"), letter("Chen"))
    desk.sync()
    desk.change(
        replace(letter("Alvarez"), id=LetterId("other"), formerly=("Alvarez-letter",)),
        letter("Chen"),
    )
    assert not desk.sync().created
    assert not [e for e in desk.events().values() if "due: Dr. Alvarez" in str(e["SUMMARY"])]


def test_s7_an_id_that_is_somebody_elses_by_now_is_nobodys_former_one(desk: Desk) -> None:
    marry(desk, letter("Chen"))
    desk.sync()
    # Both are there, as two: what one was called once says nothing of the other any more.
    desk.change(letter("Alvarez-Ruiz"), letter("Alvarez"), letter("Chen"))
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"))
    desk.sync(accept_deletions=True)
    assert "Alvarez-Ruiz" in desk.memory().departed
    assert not desk.memory().renamed


def marry(
    desk: Desk, *others: Letter, to: str = "Alvarez-Ruiz", facts: Facts | None = None
) -> None:
    """Let Alvarez, and the letter of Alvarez, have another id, with the former one stated."""
    own = replace(letter(to, facts=facts), formerly=("Alvarez-letter",))
    new = settings(own, *others)
    renamed = replace(new.season.mentors[own.mentor], formerly=("Alvarez",))
    mentors = {**new.season.mentors, renamed.id: renamed}
    desk.settings = replace(new, season=replace(new.season, mentors=mentors))


def test_s7_nothing_goes_of_who_wrote_last_where_a_letter_is_handed_on_once_more(
    desk: Desk,
) -> None:
    later = letter("Chen", due=DUE + timedelta(days=90))
    desk.change(letter("Alvarez"), later, letter("Novak"))
    desk.sync()
    desk.change(
        letter("Alvarez"), handed("Alvarez", of="Chen", due=later.deadline), letter("Novak")
    )
    desk.sync(accept_newcomers=True)
    before = contacted(desk, "Alvarez")
    desk.change(handed("Novak", of="Chen", due=later.deadline), letter("Novak"))
    assert "same-letter" in questions(desk.sync(accept_deletions=True))
    # The talk was ahead of the letter that only went.
    assert contacted(desk, "Alvarez") == before - {Kind.TALK} != set()


def test_i7_a_creation_that_came_to_nothing_is_made_good_though_its_letter_changed_hands(
    desk: Desk,
) -> None:
    desk.sync()
    more = replace(letter("Alvarez", due=DUE + timedelta(days=60)), id=LetterId("second"))
    desk.change(letter("Alvarez"), more, letter("Chen"))
    desk.calendar.faults = only_creations_fail
    with pytest.raises(UnavailableError):
        desk.sync()
    desk.calendar.faults = None
    desk.change(letter("Alvarez"), letter("Chen"), replace(more, mentor=MentorId("Chen")))
    report = desk.sync(accept_newcomers=True)
    assert {event.uid for event in report.plan.events} <= desk.entries().keys()
    assert not desk.sync().wrote


def only_creations_fail(what: str, moment: str, _: object) -> None:
    if (what, moment) == ("create", "before"):
        raise UnavailableError("boom")
