"""R13 and R14: programs against their letters, and whom to ask."""

import pytest

from lorsync.core.model import LetterType
from lorsync.core.planner.coverage import cover
from lorsync.core.planner.suggest import suggest
from tests.unit.core.seasons import DUE, before, codes, letter, mentor, planned, program, season

ASKED = before(DUE, 60)


def home(**kwargs):
    return program("home", DUE, **kwargs)


def letters(number: int, **kwargs):
    return [letter(f"l{n}", None, "home", asked_on=ASKED, **kwargs) for n in range(number)]


@pytest.mark.parametrize(
    ("number", "wants", "expected"),
    [
        (1, {}, {"coverage"}),
        (2, {}, set()),
        (5, {}, set()),
        (3, {"letters_max": 2}, {"surplus"}),
        (2, {"needs": (LetterType.CHAIR,)}, {"missing-type"}),
        (0, {"letters_min": 0}, set()),
    ],
)
def test_r13_gaps_and_surplus_are_warnings(number, wants, expected):
    of = season(*letters(number), programs=[home(**wants)])
    assert set(codes(planned(of, ASKED))) & {"coverage", "surplus", "missing-type"} == expected


def test_r13_a_letter_that_nobody_asked_for_yet_is_named():
    of = season(letter("a", DUE), *letters(1), programs=[home(letters_min=1)])
    found = planned(of, ASKED)
    assert [w.subject for w in found.warnings if w.code == "not-asked"] == ["a"]


def test_r13_a_declined_letter_does_not_count():
    of = season(*letters(2, declined_on=ASKED), *[letter("x", None, "home")], programs=[home()])
    coverage = cover(of, planned(of, ASKED).letters)["home"]
    assert (coverage.count, coverage.missing) == (1, 1)
    assert [cell.stage for cell in coverage.cells] == ["declined", "declined", "to ask"]


def test_r14_familiarity_weighs_more_than_standing():
    famous = mentor("famous", familiarity=2, alignment=3, standing=5)
    close = mentor("close", familiarity=5, alignment=3, standing=2)
    of = season(letter("a", DUE, mentor="close"), mentors=[famous, close], programs=[home()])
    found = suggest(of, of.programs["home"])
    assert [s.mentor.id for s in found] == ["close", "famous"]
    assert "knows your work well (familiarity 5 of 5)" in found[0].reasons


def test_r14_who_declined_for_this_program_comes_last():
    no = mentor("no", familiarity=5, alignment=5, standing=5)
    of = season(
        letter("a", None, "home", mentor="no", declined_on=ASKED),
        mentors=[no, mentor("other")],
        programs=[home()],
    )
    found = suggest(of, of.programs["home"])
    assert [s.mentor.id for s in found] == ["other", "no"]
    assert found[1].declined


def test_r14_specialty_and_a_type_that_is_missing_count():
    chair = mentor("chair", specialty="Cardiology")
    of = season(
        letter("a", DUE, mentor="chair", type=LetterType.CHAIR),
        mentors=[mentor("plain", specialty="Surgery"), chair],
        programs=[home(needs=(LetterType.CHAIR,), specialty="cardiology")],
    )
    first, second = suggest(of, of.programs["home"])
    assert (first.mentor.id, first.score - second.score) == ("chair", 10)
    assert "specialty: Surgery, not cardiology" in second.reasons


def test_r14_the_ranking_says_who_writes_already():
    of = season(letter("a", None, "home"), mentors=[mentor()], programs=[home()])
    (only_one,) = suggest(of, of.programs["home"])
    assert only_one.letter is not None
    assert "writes a narrative letter for it already" in only_one.reasons
