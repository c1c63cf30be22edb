"""R9 to R12 and R15: thanks, refusals, results, and letters for programs that come late."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lorsync.core.model import Kind, Policy, Stage
from tests.unit.core.seasons import (
    DUE,
    as_placed,
    before,
    codes,
    days,
    letter,
    mentor,
    only,
    placed,
    planned,
    program,
    remembered,
    season,
)

ASKED = before(DUE, 60)
IN = before(DUE, 10)


def asked(name: str = "a", due: date | None = DUE, *programs: str, **kwargs):
    return letter(name, due, *programs, **{"asked_on": ASKED, **kwargs})


def test_r9_thanks_on_the_day_after_the_submission():
    found = planned(season(asked(submitted_on=IN)), IN)
    thanks = only(found, Kind.THANK_YOU)
    assert (thanks.day, thanks.identity.slot) == (IN + timedelta(days=1), "submitted")


@pytest.mark.parametrize("wait", range(8))
def test_r9_thanks_within_a_week_on_a_contact_day_where_there_is_one(wait):
    of = season(asked(submitted_on=IN), policy=Policy(thank_you_days=wait))
    day = only(planned(of, IN), Kind.THANK_YOU).day
    assert timedelta(0) <= day - IN <= timedelta(days=7)
    week = [IN + timedelta(days=n) for n in range(wait, 8)]
    assert day.weekday() < 5 or all(other.weekday() >= 5 for other in week)


def test_r9_before_the_submission_is_known_thanks_are_provisional():
    thanks = only(planned(season(asked()), ASKED), Kind.THANK_YOU)
    assert (thanks.day, thanks.identity.slot) == (DUE + timedelta(days=1), "provisional")
    assert thanks.summary.startswith("Letter in? Then thank")


def test_r9_a_submission_learned_later_brings_its_own_thanks_once():
    provisional = placed(Kind.THANK_YOU, DUE + timedelta(days=1), subject="a", slot="provisional")
    of = season(asked(submitted_on=DUE))
    today = DUE + timedelta(days=20)
    found = planned(of, today, provisional)
    thanks = only(found, Kind.THANK_YOU)
    assert (thanks.day, thanks.identity.slot) == (today, "submitted")
    history = remembered([provisional], found)
    assert not days(planned(of, today + timedelta(days=1), *history), Kind.THANK_YOU)


def test_r9_who_was_thanked_is_not_thanked_again():
    of = season(asked(submitted_on=IN, thanked_on=IN))
    assert not days(planned(of, IN), Kind.THANK_YOU)


def test_r9_provisional_thanks_stay_through_their_day_though_another_due_date_is_ahead():
    programs = [program("p", DUE), program("q", DUE + timedelta(days=20))]
    of = season(asked("a", None, "p", "q"), programs=programs)
    next_day = DUE + timedelta(days=1)
    first = planned(of, next_day)
    assert days(first, Kind.THANK_YOU) == [next_day]
    second = planned(of, next_day + timedelta(days=1), *remembered((), first))
    assert days(second, Kind.THANK_YOU) == [DUE + timedelta(days=21)]


def test_r11_a_refusal_ends_all_contact_about_the_letter_and_brings_thanks():
    found = planned(season(asked(declined_on=IN)), IN)
    assert [event.kind for event in found.events] == [Kind.THANK_YOU]
    assert found.events[0].identity.slot == "declined"
    assert found.letters[0].stage is Stage.DECLINED


def test_r11_who_declined_one_letter_still_writes_another():
    found = planned(season(asked(declined_on=IN), asked("b", DUE)), IN)
    assert {e.letters for e in found.events if e.kind is Kind.FOLLOW_UP} == {("b",)}


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        ({"declined_on": IN, "agreed_on": IN + timedelta(days=1)}, Stage.ASKED),
        ({"declined_on": IN, "agreed_on": before(IN, 1)}, Stage.DECLINED),
        ({"declined_on": IN, "agreed_on": IN}, Stage.DECLINED),
        ({"declined_on": IN, "submitted_on": IN}, Stage.SUBMITTED),
        ({"declined_on": IN, "submitted_on": before(IN, 1)}, Stage.DECLINED),
        ({"declined_on": IN, "submitted_on": IN + timedelta(days=1)}, Stage.SUBMITTED),
        ({"asked_on": None, "submitted_on": IN}, Stage.SUBMITTED),
    ],
)
def test_of_facts_that_contradict_the_latest_wins(facts, stage):
    found = planned(season(asked(**facts)), IN + timedelta(days=2))
    assert found.letters[0].stage is stage
    assert found.letters[0].asked is not None


def test_facts_after_the_day_of_the_plan_do_not_count_and_are_named():
    found = planned(season(asked(submitted_on=IN)), before(IN, 1))
    assert found.letters[0].stage is Stage.ASKED
    assert "future-fact" in codes(found)


def short_season(**facts):
    home = program("home", DUE, letters_min=1, lag_days=2)
    return season(asked("a", None, "home", **facts), programs=[home])


def test_r11_a_program_that_falls_short_needs_another_writer():
    found = planned(short_season(declined_on=before(DUE, 40)), before(DUE, 40))
    replacing = only(found, Kind.REPLACE)
    assert replacing.day == before(DUE, 39)
    assert "Home Hospital now misses a letter" in replacing.text()
    # 28 days before the deadline less the portal's 2 days.
    assert "early enough until 24 Aug 2026" in replacing.text()


def test_r11_several_programs_that_fall_short_are_counted_in_the_words():
    programs = [program(name, DUE, letters_min=1) for name in ("home", "away")]
    of = season(asked("a", None, "home", "away", declined_on=before(DUE, 40)), programs=programs)
    text = only(planned(of, before(DUE, 40)), Kind.REPLACE).text()
    assert "Home Hospital · Away Hospital now miss a letter." in text


def test_r11_a_missed_replacement_comes_once_on_the_next_day():
    of = short_season(declined_on=before(DUE, 40))
    first = planned(of, before(DUE, 20))
    assert only(first, Kind.REPLACE).day == before(DUE, 20)
    assert "ask today" in only(first, Kind.REPLACE).text()
    history = remembered((), first)
    assert not days(planned(of, before(DUE, 19), *history), Kind.REPLACE)


def test_r11_no_replacement_where_the_others_are_enough_or_the_deadline_is_past():
    of = short_season(declined_on=IN)
    enough = replace(of, letters=(*of.letters, asked("b", None, "home")))
    assert not days(planned(enough, IN), Kind.REPLACE)
    assert not days(planned(of, DUE), Kind.REPLACE)


def test_r11_a_type_that_only_the_declined_letter_had_is_missed_too():
    home = program("home", DUE, letters_min=1, needs=("chair",))
    of = season(
        asked("a", None, "home", type="chair", declined_on=IN),
        asked("b", None, "home"),
        programs=[home],
    )
    assert days(planned(of, IN), Kind.REPLACE) == [IN + timedelta(days=1)]


RESULTS = date(2027, 3, 19)


def test_r12_results_the_day_after_the_last_program_that_got_a_letter_decided():
    programs = [
        program("p", DUE, results_on=before(RESULTS, 5)),
        program("q", DUE, results_on=RESULTS),
        program("r", DUE, results_on=RESULTS + timedelta(days=9)),
    ]
    of = season(
        asked("a", None, "p", submitted_on=IN),
        asked("b", None, "q", submitted_on=IN),
        asked("c", None, "r", declined_on=IN),
        programs=programs,
    )
    note = only(planned(of, IN), Kind.RESULTS)
    assert (note.day, note.letters) == (RESULTS + timedelta(days=1), ("a", "b"))


def test_r12_no_results_without_a_submitted_letter_nor_twice():
    home = program("home", DUE, results_on=RESULTS)
    assert not days(planned(season(asked("a", None, "home"), programs=[home]), IN), Kind.RESULTS)
    told = asked("a", None, "home", submitted_on=IN, results_shared_on=RESULTS)
    assert not days(planned(season(told, programs=[home]), RESULTS), Kind.RESULTS)


def test_r12_results_move_later_only_and_come_within_a_week():
    home = program("home", DUE, results_on=RESULTS)  # a Friday
    of = season(asked("a", None, "home", submitted_on=IN), programs=[home], policy=Policy())
    assert days(planned(of, IN), Kind.RESULTS) == [date(2027, 3, 22)]
    assert not days(planned(of, RESULTS + timedelta(days=8)), Kind.RESULTS)


def portal_season(*programs: str, **kwargs):
    listed = [program(name, DUE, portal="ERAS") for name in ("p", "q", "late")]
    return season(asked("a", None, *programs, submitted_on=IN, **kwargs), programs=listed)


def test_r15_a_submitted_letter_is_assigned_to_all_its_programs_by_one_task():
    task = only(planned(portal_season("p", "q"), IN), Kind.ASSIGN)
    assert task.day == IN + timedelta(days=1)
    assert task.summary == "Assign the letter of Dr. Chen to 2 programs"
    assert "P Hospital (ERAS)" in task.text()


def test_r15_what_is_assigned_needs_no_task():
    assert not days(planned(portal_season("p", "q", assigned=("p", "q")), IN), Kind.ASSIGN)
    assert not days(planned(portal_season("p"), IN), Kind.ASSIGN)
    assert not days(planned(portal_season("p", "q"), DUE + timedelta(days=1)), Kind.ASSIGN)


def test_r15_a_late_program_brings_a_task_of_its_own():
    first = planned(portal_season("p", "q"), IN)
    history = remembered((), first)
    today = IN + timedelta(days=4)
    assert not days(planned(portal_season("p", "q"), today, *history), Kind.ASSIGN)
    late = only(planned(portal_season("p", "q", "late"), today, *history), Kind.ASSIGN)
    assert (late.day, late.identity.slot) == (today, "late")


def test_r15_a_task_stays_the_same_event_while_its_program_is_to_be_assigned():
    standing = as_placed(only(planned(portal_season("p", "q"), IN), Kind.ASSIGN))
    grown = only(planned(portal_season("p", "q", "late"), IN, standing), Kind.ASSIGN)
    assert grown.identity == standing.identity
    assert grown.summary.endswith("3 programs")


def test_r15_a_task_whose_day_passed_is_a_warning_for_who_keeps_assigned():
    done = placed(Kind.ASSIGN, IN + timedelta(days=1), subject="a", slot="q")
    today = IN + timedelta(days=3)
    assert "not-assigned" in codes(planned(portal_season("p", "q", assigned=("p",)), today, done))
    assert "not-assigned" not in codes(planned(portal_season("p", "q"), today, done))


@pytest.mark.parametrize(("left", "verdict"), [(40, "enough time"), (20, "short notice")])
def test_r15_a_letter_still_to_be_written_comes_with_a_verdict_on_the_time(left, verdict):
    programs = [program("p", DUE), program("late", DUE)]
    of = season(
        asked("a", None, "p", asked_on=before(DUE, 80)),
        letter("b", None, "late"),
        programs=programs,
    )
    added = only(planned(of, before(DUE, left)), Kind.ADD_LETTER)
    assert verdict in added.reasons[-1].text


def test_r15_a_program_that_wants_its_own_letter_does_not_count_a_shared_one():
    own = program("own", DUE, own_letter=True, letters_min=1)
    of = season(asked("a", None, "own", "p"), programs=[own, program("p", DUE, letters_min=1)])
    assert {"shared-letter", "coverage"} <= set(codes(planned(of, IN)))
    alone = season(asked("a", None, "own"), programs=[own])
    assert not {"shared-letter", "coverage"} & set(codes(planned(alone, IN)))


def test_i6_an_event_that_the_person_moved_into_the_past_has_happened():
    moved = placed(Kind.DEADLINE, before(IN, 1), subject="a", pinned=True)
    assert not days(planned(season(asked()), IN, moved), Kind.DEADLINE)


def test_s10_a_moved_deadline_stays_where_it_is():
    moved = placed(Kind.DEADLINE, before(DUE, 2), subject="a", pinned=True)
    found = only(planned(season(asked()), IN, moved), Kind.DEADLINE)
    assert (found.day, found.pinned) == (before(DUE, 2), True)
    assert f"planned for {DUE}" in found.reasons[-1].text


def test_s11_what_was_deleted_is_not_planned():
    gone = placed(Kind.DEADLINE, DUE, subject="a", dismissed=True)
    assert not days(planned(season(asked()), IN, gone), Kind.DEADLINE)


def test_a_low_familiarity_warns_while_somebody_else_can_still_be_asked():
    of = season(letter(due=DUE), mentors=[mentor(familiarity=2)])
    assert "plain-letter" in codes(planned(of, ASKED))
    asked_already = season(asked(), mentors=[mentor(familiarity=2)])
    assert "plain-letter" not in codes(planned(asked_already, ASKED))
