"""``mark``: facts beside the config, on top of whole passes on the fake calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import UsageError
from lorsync.core.facts import Fact, Mark, Source
from lorsync.core.model import Facts, Kind, LetterId
from lorsync.sync.marks import Said, mark, take_back
from lorsync.sync.plan import facts_of, planned
from tests.unit.sync.desk import START, Desk, letter, settings

pytestmark = pytest.mark.slow

NOW = datetime(2027, 5, 3, 16, tzinfo=UTC)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """One mentor with one letter."""
    desk.settings = settings(letter("Alvarez"))
    return desk


def say(desk: Desk, fact: Fact, day: date | None = None, *, after: int = 0) -> tuple[Mark, ...]:
    said = Said(mentor="Alvarez", fact=fact, day=day)
    now = NOW + timedelta(minutes=after)
    return mark(desk.settings, desk.folder, said, now=now, today=START)


def test_a_mark_changes_the_plan_and_can_be_taken_back(desk: Desk) -> None:
    desk.sync()
    say(desk, Fact.ASKED, date(2027, 5, 1))
    report = desk.sync()
    assert [each.asked for each in report.plan.letters] == [date(2027, 5, 1)]
    assert Kind.REQUEST not in {event.kind for event in report.plan.events}
    take_back(desk.settings, desk.folder, Said(mentor="Dr. Alvarez", fact=Fact.ASKED), now=NOW)
    report = desk.sync()
    assert [each.asked for each in report.plan.letters] == [None]
    assert Kind.REQUEST in {event.kind for event in report.plan.events}


def test_a_mark_before_the_first_pass_counts(desk: Desk) -> None:
    say(desk, Fact.SUBMITTED)
    assert {event.kind for event in desk.sync().plan.events} == {Kind.THANK_YOU}


def test_what_was_said_last_counts_and_follow_ups_add_up(desk: Desk) -> None:
    say(desk, Fact.ASKED, date(2027, 4, 1))
    say(desk, Fact.ASKED, date(2027, 4, 20), after=1)
    say(desk, Fact.FOLLOWED_UP, date(2027, 4, 28))
    say(desk, Fact.FOLLOWED_UP, date(2027, 5, 2))
    assert desk.facts()[Fact.ASKED] == (date(2027, 4, 20), Source.MARK)
    budget = desk.sync().plan.budgets["Alvarez"]
    assert (budget.spent, budget.planned) == (2, 0)


def test_the_config_wins_and_mark_says_so(desk: Desk) -> None:
    desk.change(letter("Alvarez", facts=Facts(asked_on=date(2027, 4, 1))))
    with pytest.raises(UsageError, match=r"asked_on = 2027-04-01; the config wins"):
        say(desk, Fact.ASKED, date(2027, 4, 2))
    with pytest.raises(UsageError, match="nothing more is needed"):
        say(desk, Fact.ASKED, date(2027, 4, 1))
    assert desk.facts()[Fact.ASKED] == (date(2027, 4, 1), Source.CONFIG)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Said(mentor="alvares", fact=Fact.ASKED), "did you mean 'Alvarez'"),
        (Said(mentor="Alvarez", fact=Fact.ASKED, letter="x"), "there are Alvarez-letter"),
        (Said(mentor="Alvarez", fact=Fact.ASKED, day=date(2027, 5, 4)), "still ahead"),
    ],
)
def test_what_cannot_be_stated_is_refused(desk: Desk, said: Said, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mark(desk.settings, desk.folder, said, now=NOW, today=START)
    with pytest.raises(UsageError):
        take_back(desk.settings, desk.folder, said, now=NOW)


def test_a_mark_goes_before_a_tick(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    desk.person_changes(href, summary=f"✓ {desk.events()[href]['SUMMARY']}")
    desk.sync()
    say(desk, Fact.ASKED, date(2027, 4, 30))
    assert desk.facts()[Fact.ASKED] == (date(2027, 4, 30), Source.MARK)


def rename_letter(desk: Desk) -> None:
    desk.change(replace(letter("Alvarez"), id=LetterId("narrative"), formerly=("Alvarez-letter",)))


def test_s7_a_mark_follows_its_letter_to_another_id(desk: Desk, tmp_path: Path) -> None:
    desk.sync()
    say(desk, Fact.SUBMITTED)
    desk.sync()
    rename_letter(desk)
    assert desk.facts() == {Fact.SUBMITTED: (START, Source.MARK)}
    planned_now = planned(desk.settings, desk.folder, START)
    assert {event.kind for event in planned_now.events} == {Kind.THANK_YOU}
    report = desk.sync()
    assert not report.created
    assert not report.deleted
    assert {each.letter for each in desk.memory().marks} == {"narrative"}
    joined = replace(desk, folder=tmp_path / "other")
    assert not joined.sync().wrote
    assert joined.facts() == {Fact.SUBMITTED: (START, Source.MEMORY)}


def test_s7_a_mark_under_a_former_id_is_replaced_and_taken_back_under_the_new_one(
    desk: Desk,
) -> None:
    say(desk, Fact.ASKED, date(2027, 4, 20))
    say(desk, Fact.TALKED, date(2027, 4, 2))
    rename_letter(desk)
    say(desk, Fact.TALKED, date(2027, 4, 1), after=1)
    later = NOW + timedelta(minutes=2)
    take_back(desk.settings, desk.folder, Said(mentor="Alvarez", fact=Fact.ASKED), now=later)
    assert desk.facts() == {Fact.TALKED: (date(2027, 4, 1), Source.MARK)}
    assert [each.asked for each in desk.sync().plan.letters] == [None]


def test_s7_a_mark_is_not_said_of_a_new_letter_that_takes_the_former_id(desk: Desk) -> None:
    say(desk, Fact.SUBMITTED)
    rename_letter(desk)
    desk.sync()
    (renamed,) = desk.settings.season.letters
    desk.change(replace(renamed, formerly=()), letter("Alvarez"))
    desk.sync()
    assert {each.letter for each in facts_of(desk.settings, desk.folder)} == {"narrative"}
