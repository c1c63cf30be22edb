"""Explain events and warnings: what an event is there for, and what is said of the plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from lorsync.core.model import (
    Event,
    Kind,
    LetterId,
    LetterStanding,
    PlanWarning,
    Program,
    ProgramId,
    Stage,
)
from lorsync.core.phrases import count, short_day

_BY_REASON = frozenset({Kind.RESULTS, Kind.ASSIGN, Kind.REPLACE})
"""The kinds that no due date drives; their first reason says what does."""


def driver_of(
    event: Event,
    letters: Mapping[LetterId, LetterStanding],
    programs: Mapping[ProgramId, Program],
) -> str:
    """Return what drives an event, such as ``target 10 Sep, Home Hospital``."""
    own = [letters[letter] for letter in event.letters if letter in letters]
    if event.kind in _BY_REASON or not own:
        return event.reasons[0].text if event.reasons else ""
    if event.kind is Kind.THANK_YOU and own[0].stage in (Stage.SUBMITTED, Stage.DECLINED):
        return f"{own[0].id} {own[0].stage}"
    first = min(own, key=lambda letter: (letter.due or date.max, letter.id))
    if first.due is None:
        return ""
    if event.kind is Kind.DEADLINE:
        return _which(first, letters) + _whose(first, programs)
    if event.kind is Kind.THANK_YOU:
        return f"{_which(first, letters)}if it is in, due {short_day(first.due)}"
    if len(own) > 1:
        return f"{count(len(own), 'letter')}, {_due(first)}, {_whose(first, programs)}"
    return f"{_due(first)}, {_whose(first, programs)}"


def _due(letter: LetterStanding) -> str:
    day = short_day(letter.due) if letter.due is not None else ""
    return f"{'target' if letter.by_target else 'due'} {day}"


def _which(letter: LetterStanding, letters: Mapping[LetterId, LetterStanding]) -> str:
    """Name a letter where its mentor writes several."""
    several = sum(1 for other in letters.values() if other.mentor == letter.mentor) > 1
    return f"{letter.id}: " if several else ""


def _whose(letter: LetterStanding, programs: Mapping[ProgramId, Program]) -> str:
    return "its own deadline" if letter.program is None else programs[letter.program].name


_NOT_ASKED = "not-asked"


def gathered(warnings: Sequence[PlanWarning]) -> list[PlanWarning]:
    """Return warnings in their order, but those of letters not asked for as the first one.

    An advice that several share is left to the last of them.
    """
    return list(reversed([*_advised_once(reversed(_together(warnings)))]))


def _advised_once(backwards: Iterable[PlanWarning]) -> Iterator[PlanWarning]:
    given: set[str] = set()
    for warning in backwards:
        yield replace(warning, advice="") if warning.advice in given else warning
        given.add(warning.advice)


def _together(warnings: Sequence[PlanWarning]) -> list[PlanWarning]:
    waiting = [warning for warning in warnings if warning.code == _NOT_ASKED]
    if len(waiting) < 2:
        return list(warnings)
    ids = ", ".join(warning.subject for warning in waiting)
    together = PlanWarning(
        code=_NOT_ASKED,
        subject=ids,
        message=f"Not asked for yet: {ids}.",
        advice="Asked already? Say so: lorsync mark MENTOR asked --letter ID",
    )
    return [together, *(warning for warning in warnings if warning.code != _NOT_ASKED)]
