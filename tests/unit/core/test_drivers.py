"""What each event is there for, in a few words, and the warnings as a person reads them."""

from datetime import date

import pytest

from lorsync.core.model import Kind, PlanWarning, Season
from lorsync.core.planner.explain import driver_of, gathered
from tests.unit.core.seasons import DUE, before, letter, mentor, planned, program, season

TODAY = date(2026, 7, 1)
TARGETED = program("home", DUE, target=date(2026, 9, 10), results_on=date(2026, 10, 1))


@pytest.mark.parametrize(
    ("kind", "told", "driver"),
    [
        (Kind.REQUEST, season(letter("a", DUE)), "due 23 Sep, its own deadline"),
        (
            Kind.REQUEST,
            season(letter("a", None, "home"), programs=[TARGETED]),
            "target 10 Sep, Home Hospital",
        ),
        (
            Kind.REQUEST,
            season(letter("a", DUE), letter("b", date(2026, 9, 30))),
            "2 letters, due 23 Sep, its own deadline",
        ),
        (
            Kind.DEADLINE,
            season(letter("a", None, "home"), programs=[program("home", DUE)]),
            "Home Hospital",
        ),
        (
            Kind.DEADLINE,
            season(letter("a", DUE), letter("b", None)),
            "a: its own deadline",
        ),
        (Kind.THANK_YOU, season(letter("a", DUE)), "if it is in, due 23 Sep"),
        (Kind.THANK_YOU, season(letter("a", DUE, submitted_on=TODAY)), "a submitted"),
        (Kind.THANK_YOU, season(letter("a", DUE, declined_on=TODAY)), "a declined"),
        (
            Kind.RESULTS,
            season(letter("a", None, "home", submitted_on=TODAY), programs=[TARGETED]),
            "Home Hospital decides on 2026-10-01, the last of all",
        ),
    ],
)
def test_an_event_says_what_drives_it(kind: Kind, told: Season, driver: str):
    plan = planned(told, TODAY)
    event = next(event for event in plan.events if event.kind is kind)
    standings = {standing.id: standing for standing in plan.letters}
    assert driver_of(event, standings, told.programs) == driver


def test_letters_that_wait_for_their_request_are_one_note():
    told = season(letter("a", DUE), letter("b", DUE), mentors=[mentor(familiarity=1)])
    first, second = gathered(planned(told, TODAY).warnings)
    assert first.message == "Not asked for yet: a, b."
    assert second.code == "plain-letter"
    assert second.advice


def test_an_advice_that_notes_share_is_given_once():
    told = season(letter("a", before(TODAY, 9)), letter("b", before(TODAY, 3)))
    first, second = gathered(planned(told, TODAY).warnings)
    assert (first.code, first.advice) == ("past-due", "")
    assert second.advice.startswith("Is it in? Say so:")


@pytest.mark.parametrize("number", [0, 1])
def test_a_single_note_stays_as_it_is(number: int):
    warnings = [PlanWarning(code="not-asked", subject="a", message="Ask.")] * number
    assert gathered(warnings) == warnings
