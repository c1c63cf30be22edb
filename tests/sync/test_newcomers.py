"""S7: somebody who may be somebody else under another id is asked about before any contact."""

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from lorsync.config import loads
from lorsync.core.facts import Fact, Source
from lorsync.core.model import CONTACTS, Facts, Kind, Letter, LetterId, MentorId
from lorsync.report import Report
from lorsync.settings import Settings
from tests.sync.desk import DUE, START, Desk, letter, name_of, settings

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
    own = replace(letter("Alvares"), formerly=("Alvarez-letter",))
    new = settings(own, letter("Chen"))
    renamed = replace(new.season.mentors[own.mentor], formerly=("Alvarez",))
    desk.settings = replace(
        new, season=replace(new.season, mentors={**new.season.mentors, own.mentor: renamed})
    )
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


def test_s17_a_yes_to_what_a_backup_took_is_none_to_held_deletions(desk: Desk) -> None:
    desk.change(*many("Alvarez", "Chen", "Okoye"))
    desk.sync()
    backup = dict(desk.calendar.bodies)
    desk.change(*many("Alvarez", "Chen", "Okoye"), letter("Novak"))
    desk.sync()
    added = desk.calendar.bodies.keys() - backup.keys()
    for href in added:
        desk.calendar.remove(href)
    for href, body in backup.items():
        if desk.calendar.bodies[href] != body:
            desk.calendar.edit(href, body)
    desk.change(letter("Alvarez"), letter("Novak"))
    report = desk.sync(at=time(13))
    codes = {warning.code for warning in report.warnings}
    assert ({"restored", "held"} <= codes, len(report.held)) == (True, 12)
    report = desk.sync(at=time(14), accept_deletions=True)
    assert {change.uid for change in report.dismissed} == {name_of(href) for href in added}
    assert (report.deleted, len(report.held)) == ((), 12)
    report = desk.sync(at=time(14, 5), accept_deletions=True)
    assert (len(report.deleted), report.held) == (12, ())


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
