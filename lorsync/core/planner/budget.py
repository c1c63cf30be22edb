"""Count what is used up of a mentor's follow-ups: R5, S8, S11.

A follow-up is used up when its day has passed on the calendar, when the person stated or ticked
it, or when they deleted it. One that they moved and that is still ahead holds its slot and its day
(S10): it was not sent yet, and stays the check-in or the final that it was. All of it is derived
from days and facts, and nothing but a later day gives a used follow-up back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from lorsync.core.model import Identity, Kind, LetterId, Placed
from lorsync.core.planner.draft_event import MentorContext
from lorsync.core.planner.follow_up_days import OpenDue, ahead_days, check_in_span, fallback_span
from lorsync.core.planner.progress import Progress

FIRST, LAST = "1", "2"
"""The slots of follow-ups (S8). A check-in is always in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A follow-up that is used up or fixed: on which day, in which slot, for which letters.

    ``happened`` tells one that reached the mentor from one that was deleted, or is still to come;
    ``moved`` one whose day is the person's, and then ``planned`` is the plan's, where it is known.
    """

    day: date
    slot: str
    letters: frozenset[LetterId]
    happened: bool
    final: bool
    moved: bool = False
    planned: date | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A mentor's follow-ups that are no longer the plan's to place.

    ``spent`` are used up; ``pins`` stand on days of the person's. ``reminded`` are the letters
    whose final is among them, ``covered`` also those with a check-in that the person moved to where
    their final would be.
    """

    spent: tuple[Made, ...]
    pins: tuple[Made, ...]
    reminded: frozenset[LetterId]
    covered: frozenset[LetterId]

    @property
    def slots(self) -> frozenset[str]:
        """The slots that are taken."""
        return frozenset(made.slot for made in (*self.spent, *self.pins))

    @property
    def contacts(self) -> tuple[date, ...]:
        """The days on which these follow-ups reached the mentor, or will."""
        return tuple(made.day for made in self._real)

    @property
    def check_ins(self) -> tuple[date, ...]:
        """The days of check-ins, made or moved."""
        return tuple(made.day for made in self._real if not made.final)

    @property
    def finals_ahead(self) -> tuple[date, ...]:
        """The days of finals, moved or deleted, that a check-in would have to come before."""
        return tuple(m.day for m in (*self.spent, *self.pins) if m.final and not m.happened)

    @property
    def checked_in(self) -> bool:
        """Whether no check-in may come any more: there was one, or a final has been made."""
        return any(not m.final or m.happened for m in (*self.spent, *self.pins))

    @property
    def _real(self) -> tuple[Made, ...]:
        return (*(made for made in self.spent if made.happened), *self.pins)


def spending(context: MentorContext) -> Spending:
    """Return what is used up and what is fixed of a mentor's follow-ups."""
    placed = [p for p in context.placed if p.kind is Kind.FOLLOW_UP]
    stated = {day for letter in context.letters for day in letter.facts.followed_up_on}
    told, unmatched = _matched(placed, sorted(stated), context)
    spent = [
        _made(
            p,
            told.get(index, _day(p)),
            context,
            happened=not p.dismissed or _is_told(p, index, told),
        )
        for index, p in enumerate(placed)
        if _is_told(p, index, told) or p.dismissed or p.day < context.today
    ]
    pins = [
        _made(p, p.day, context, happened=False)
        for index, p in enumerate(placed)
        if p.pinned and p.day >= context.today and not p.dismissed
        if not _is_told(p, index, told)
        if p.fixed or _still_open(p, context)
    ]
    standing = {
        p.identity.slot
        for p in placed
        if p.day >= context.today and not p.dismissed and p.ticked is None
    }
    for day in unmatched:
        spent.append(_stated(day, context, {m.slot for m in (*spent, *pins)}, standing))
    finals = [made for made in (*spent, *pins) if made.final]
    moved = [made for made in (*spent, *pins) if made.moved]
    reminded = _served(finals, context)
    return Spending(
        spent=tuple(spent),
        pins=tuple(pins),
        reminded=reminded,
        covered=reminded | _served([m for m in moved if not _looks_early(m, context)], context),
    )


def outlived(context: MentorContext) -> frozenset[Identity]:
    """Return the follow-ups that the person moved and that nothing open is left of (S10).

    They come off the calendar. What is planned in their slot is another event, on its own day.
    """
    ahead = [
        p
        for p in context.placed
        if p.kind is Kind.FOLLOW_UP and p.day >= context.today and not p.dismissed
    ]
    left = {p.identity for p in ahead if p.pinned and not p.fixed and not _still_open(p, context)}
    return frozenset(left - {p.identity for p in ahead if not p.pinned})


def _matched(
    placed: Sequence[Placed], stated: Sequence[date], context: MentorContext
) -> tuple[dict[int, date], list[date]]:
    """Tell which stated days are events of ours, told once more; the others come on top.

    Each event takes the nearest day that is less than ``min_gap_days`` from its own.
    """
    reach = max(1, context.season.policy.min_gap_days)
    told: dict[int, date] = {}
    left = list(stated)
    pairs = sorted(
        (abs((_day(p) - day).days), day, index)
        for index, p in enumerate(placed)
        for day in stated
        if abs((_day(p) - day).days) < reach
    )
    for _, day, index in pairs:
        if index not in told and day in left:
            told[index] = day
            left.remove(day)
    return told, left


def _day(placed: Placed) -> date:
    """Return the day of a follow-up: gaps count from the tick where there is one (S13)."""
    return placed.ticked or placed.day


def _is_told(placed: Placed, index: int, told: Mapping[int, date]) -> bool:
    """Tell whether the person said that a follow-up was made, with a fact or a tick."""
    return index in told or placed.ticked is not None


def _made(placed: Placed, day: date, context: MentorContext, *, happened: bool) -> Made:
    letters = frozenset(placed.letters)
    slot = placed.identity.slot
    return Made(
        day=day,
        slot=slot,
        letters=letters,
        happened=happened,
        # A check-in stays a check-in wherever the person moved it: a snooze costs no final.
        final=slot == LAST or not _is_early(placed.planned or placed.day, letters, context),
        # A person who ticks it ahead chose the day as well.
        moved=placed.pinned or placed.ticked is not None,
        planned=placed.planned,
        fixed=placed.fixed,
    )


def _stated(day: date, context: MentorContext, used: set[str], standing: set[str]) -> Made:
    letters = frozenset(p.id for p in context.letters if day in p.facts.followed_up_on)
    final = not _is_early(day, letters, context)
    free = [slot for slot in ((LAST, FIRST) if final else (FIRST, LAST)) if slot not in used]
    # A follow-up that stands keeps its slot where another one is free.
    slot = next((slot for slot in free if slot not in standing), free[0] if free else LAST)
    return Made(day=day, slot=slot, letters=letters, happened=True, final=final)


def _is_early(day: date, letters: Iterable[LetterId], context: MentorContext) -> bool:
    """Tell a check-in by its day: so far before the earliest of its due dates as R4 has it."""
    due = _earliest_due(day, letters, context)
    return due is not None and (due - day).days >= check_in_span(context.season.policy)[1]


def _looks_early(made: Made, context: MentorContext) -> bool:
    return _is_early(made.day, made.letters, context)


def _earliest_due(day: date, letters: Iterable[LetterId], context: MentorContext) -> date | None:
    dues = [p.due_on(day) for p in context.letters if p.id in letters]
    return min((due for due in dues if due is not None), default=None)


def _still_open(placed: Placed, context: MentorContext) -> bool:
    """Tell whether a moved follow-up has a letter left to be for (S10)."""
    return any(p.open for p in context.letters if p.id in placed.letters)


def _served(mades: Sequence[Made], context: MentorContext) -> frozenset[LetterId]:
    """Return the letters for whose due date one of these was the final, or may do as one (R8)."""
    return frozenset(
        letter.id
        for letter in context.letters
        for made in mades
        if letter.due is not None and _serves(made, letter.id, letter.due.day, context)
    )


def _serves(made: Made, letter: LetterId, due: date, context: MentorContext) -> bool:
    """Tell whether a final was the one for a letter's due date (R8)."""
    policy = context.season.policy
    before = (due - made.day).days
    if letter not in made.letters or before < 0:
        return False
    if before <= ahead_days(policy):
        return True
    own = due == _earliest_due(made.day, made.letters, context)
    return own and (made.moved or before <= fallback_span(policy)[0])


class Outstanding(NamedTuple):
    """A letter that was or will be asked for and is still to come."""

    progress: Progress
    due: OpenDue

    @property
    def id(self) -> LetterId:
        return self.progress.id


def outstanding(
    context: MentorContext, spent: Spending, asked: Mapping[LetterId, date]
) -> list[Outstanding]:
    """Return them; ``asked`` says when each was or will be asked for."""
    return [
        Outstanding(
            progress=p,
            due=OpenDue(day=p.due.day, asked=asked[p.id], reminded=p.id in spent.reminded),
        )
        for p in context.letters
        if p.open and p.due is not None and p.due.day >= context.today and p.id in asked
    ]
