"""Rank the mentors for a program, and say why: R14 (choice).

The ranking reads nothing but the config. How well a mentor knows the applicant's work counts most,
then how near the mentor's field is to the goal, then standing: a detailed letter by somebody who
watched the work is worth more than a plain one by a great name.
"""

from dataclasses import dataclass

from lorsync.core.model import Letter, LetterType, Mentor, MentorId, Program, Season

_WEIGHTS = {"familiarity": 3, "alignment": 2, "standing": 1}
_UNRATED = 3
_SAME_SPECIALTY, _NEEDED_TYPE = 5, 5

BEST_SCORE = 5 * sum(_WEIGHTS.values()) + _SAME_SPECIALTY + _NEEDED_TYPE
"""The score of a mentor for whom everything speaks."""

_WORDS = {
    "familiarity": ("hardly knows your work", "knows your work", "knows your work well"),
    "alignment": ("is far from your goal", "is near your goal", "is very near your goal"),
    "standing": ("is little known in the field", "is known in the field", "is well known"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One mentor for a program: a score of up to ``BEST_SCORE``, and what it is made of.

    ``letter`` is the one that the mentor writes for this program already. ``declined`` mentors come
    last: they have said no to this program.
    """

    mentor: Mentor
    score: int
    reasons: tuple[str, ...]
    letter: Letter | None
    declined: bool


def suggest(season: Season, program: Program) -> tuple[Suggestion, ...]:
    """Return all mentors, the best for this program first."""
    letters: dict[MentorId, list[Letter]] = {}
    for letter in season.letters:
        letters.setdefault(letter.mentor, []).append(letter)
    planned = {
        letter.type
        for letter in season.letters
        if program.id in letter.programs and not _declined(letter)
    }
    needed = [need for need in program.needs if need not in planned]
    found = [
        _suggestion(mentor, letters.get(mentor.id, []), program, needed)
        for mentor in season.mentors.values()
    ]
    return tuple(sorted(found, key=lambda s: (s.declined, -s.score, s.mentor.name, s.mentor.id)))


def _suggestion(
    mentor: Mentor, letters: list[Letter], program: Program, needed: list[LetterType]
) -> Suggestion:
    own = [letter for letter in letters if program.id in letter.programs]
    letter = next((letter for letter in own if not _declined(letter)), None)
    score, reasons = 0, []
    for name, weight in _WEIGHTS.items():
        rating = getattr(mentor, name)
        score += weight * (_UNRATED if rating is None else rating)
        if rating is None:
            reasons.append(f"{name} is not rated and counts as {_UNRATED} of 5")
        else:
            reasons.append(f"{_in_words(name, rating)} ({name} {rating} of 5)")
    if mentor.specialty and program.specialty:
        same = mentor.specialty.casefold() == program.specialty.casefold()
        score += _SAME_SPECIALTY if same else 0
        other = "" if same else f", not {program.specialty}"
        reasons.append(f"specialty: {mentor.specialty}{other}")
    types = sorted({letter.type for letter in letters if letter.type in needed})
    if types:
        score += _NEEDED_TYPE
        reasons.append(f"writes a {' and a '.join(types)} letter, which is still missing here")
    if letter is not None:
        needed_here = ", which it needs" if letter.type in program.needs else ""
        reasons.append(f"writes a {letter.type} letter for it already{needed_here}")
    declined = letter is None and any(map(_declined, own))
    if declined:
        reasons.append("declined a letter for it")
    return Suggestion(
        mentor=mentor, score=score, reasons=tuple(reasons), letter=letter, declined=declined
    )


def _declined(letter: Letter) -> bool:
    facts = letter.facts
    if facts.declined_on is None:
        return False
    later = (facts.submitted_on, facts.agreed_on)
    return not any(day is not None and day > facts.declined_on for day in later)


def _in_words(name: str, rating: int) -> str:
    low, middle, high = _WORDS[name]
    return low if rating <= 2 else middle if rating == 3 else high
