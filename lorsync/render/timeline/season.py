"""Gather a season's marks: what happened, what is planned and what is due, one lane per mentor."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from lorsync.core.facts import FIELDS, OWN_FACT, ROWS, Fact
from lorsync.core.model import (
    Budget,
    Event,
    Facts,
    History,
    Kind,
    Letter,
    LetterId,
    LetterStanding,
    Mentor,
    MentorId,
    Placed,
    Plan,
    Season,
    Stage,
)
from lorsync.core.phrases import count, long_day, short_day
from lorsync.core.planner.progress import facts_until

Owned = TypeVar("Owned", Event, Letter, LetterStanding, Placed)

_ONE_DAY = timedelta(days=1)
_NO_MORE_THAN_A_MONTH = timedelta(days=30)


class Sign(StrEnum):
    """What a mark is about: a kind of event, or a fact that no event is for."""

    TALK = "talk"
    REQUEST = "request"
    ADD_LETTER = "add-letter"
    AGREED = "agreed"
    PACKET_SENT = "packet sent"
    FOLLOW_UP = "follow-up"
    DEADLINE = "deadline"
    SUBMITTED = "submitted"
    DECLINED = "declined"
    REPLACE = "replace"
    THANK_YOU = "thank-you"
    ASSIGN = "assign"
    RESULTS = "results"


class State(StrEnum):
    """What became of a mark, or will. ``PASSED``: its day is over and nobody said how it went."""

    DONE = "done"
    PLANNED = "planned"
    PASSED = "passed"
    OVERDUE = "overdue"
    DISMISSED = "deleted by you"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What stands on one day of a lane; several of one kind are one mark with several ``texts``."""

    day: date
    sign: Sign
    state: State
    texts: tuple[str, ...]
    letters: tuple[LetterId, ...]
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """Days without contact, both ends included."""

    first: date
    last: date
    why: str

    @property
    def words(self) -> str:
        """The reason with its days, where it has a beginning."""
        if self.first == date.min:
            return self.why
        return f"{self.why}, {long_day(self.first)} to {long_day(self.last)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One mentor's season. ``writing`` reaches from the request to the last day that counts."""

    mentor: Mentor
    letters: tuple[LetterStanding, ...]
    budget: Budget
    marks: tuple[Mark, ...]
    shades: tuple[Shade, ...]
    writing: tuple[date, date] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A season from ``first`` to ``last``, both included, seen on the day ``today``."""

    title: str
    applicant: str
    today: date
    first: date
    last: date
    lanes: tuple[Lane, ...]

    @property
    def days(self) -> int:
        """How many days it shows."""
        return (self.last - self.first).days + 1

    @property
    def shows_today(self) -> bool:
        """Whether today is among them."""
        return self.first <= self.today <= self.last

    @property
    def summary(self) -> str:
        """What it holds, in a sentence."""
        letters = [letter for lane in self.lanes for letter in lane.letters]
        stages = [letter.stage for letter in letters]
        told = [f"{stages.count(stage)} {stage}" for stage in Stage if stage in stages]
        of = f"{count(len(letters), 'letter')} by {count(len(self.lanes), 'mentor')}"
        return f"{of}: {', '.join(told)}" if told else of


def timeline(season: Season, plan: Plan, history: History) -> Timeline:
    """Return the season of a plan; ``season`` is the one that it was made from."""
    lanes = tuple(_lanes(season, plan, history))
    first, last = _range([m.day for lane in lanes for m in lane.marks], plan.as_of)
    return Timeline(
        title=season.cycle.name,
        applicant=season.applicant.name,
        today=plan.as_of,
        first=first,
        last=last,
        lanes=lanes,
    )


def _lanes(season: Season, plan: Plan, history: History) -> Iterator[Lane]:
    events, placed = _by_mentor(plan.events), _by_mentor(history.placed)
    standings = _by_mentor(plan.letters)
    letters = _by_mentor(season.letters)
    for mentor_id, budget in plan.budgets.items():
        facts = {x.id: facts_until(x.facts, plan.as_of) for x in letters[mentor_id]}
        own = standings[mentor_id]
        marks = [
            *(_planned(event) for event in events.get(mentor_id, ())),
            *_facts(facts),
            *_earlier(placed.get(mentor_id, ()), facts, season, plan.as_of),
            *_dues(own, events.get(mentor_id, ())),
        ]
        mentor = season.mentors[mentor_id]
        merged = tuple(_merged(marks))
        yield Lane(
            mentor=mentor,
            letters=tuple(own),
            budget=budget,
            marks=merged,
            shades=tuple(_shades(mentor)),
            writing=_writing(merged),
        )


def _by_mentor(
    listed: Iterable[Owned],
) -> dict[MentorId, list[Owned]]:
    found: dict[MentorId, list[Owned]] = {}
    for one in listed:
        found.setdefault(one.mentor, []).append(one)
    return found


def _planned(event: Event) -> Mark:
    return Mark(
        day=event.day,
        sign=Sign(event.kind),
        state=State.PLANNED,
        texts=(event.summary,),
        letters=event.letters,
        pinned=event.pinned,
    )


def _facts(by_letter: Mapping[LetterId, Facts]) -> Iterator[Mark]:
    for letter, facts in by_letter.items():
        for fact, row in ROWS.items():
            for day in _days(facts, fact):
                text = f"{letter}: {fact.words}"
                yield Mark(
                    day=day,
                    sign=Sign(row.sign),
                    state=State.DONE,
                    texts=(text,),
                    letters=(letter,),
                )


def _days(facts: Facts, fact: Fact) -> tuple[date, ...]:
    value = getattr(facts, FIELDS[fact])
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _earlier(
    placed: Iterable[Placed], facts: Mapping[LetterId, Facts], season: Season, today: date
) -> Iterator[Mark]:
    """Return the events of the ledger that are history, and that no fact and no due date tells."""
    gap = max(1, season.policy.min_gap_days)
    for event in placed:
        if not event.dismissed:
            is_ahead = event.ticked is None and event.day >= today
            if is_ahead or event.kind is Kind.DEADLINE or _is_told(event, facts, gap):
                continue
        happened = State.PASSED if event.ticked is None else State.DONE
        state = State.DISMISSED if event.dismissed else happened
        yield Mark(
            day=event.ticked or event.day,
            sign=Sign(event.kind),
            state=state,
            texts=(f"{event.kind} for {', '.join(event.letters)}",),
            letters=event.letters,
            pinned=event.pinned,
        )


def _is_told(event: Placed, facts: Mapping[LetterId, Facts], gap: int) -> bool:
    """Tell whether a stated fact says what became of an event."""
    fact = OWN_FACT[event.kind]
    if fact not in FIELDS:
        return False
    days = [
        day for letter in event.letters if letter in facts for day in _days(facts[letter], fact)
    ]
    if event.kind is Kind.FOLLOW_UP:
        return any(abs((day - event.day).days) < gap for day in days)
    return bool(days)


def _dues(letters: Iterable[LetterStanding], events: Iterable[Event]) -> Iterator[Mark]:
    """Return the due dates that no planned event stands for."""
    covered = {x for event in events if event.kind is Kind.DEADLINE for x in event.letters}
    states = {Stage.OVERDUE: State.OVERDUE, Stage.SUBMITTED: State.DONE}
    for letter in letters:
        if letter.due is None or letter.id in covered or letter.stage is Stage.DECLINED:
            continue
        yield Mark(
            day=letter.due,
            sign=Sign.DEADLINE,
            state=states.get(letter.stage, State.PLANNED),
            texts=(f"{letter.id} due",),
            letters=(letter.id,),
        )


def _merged(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Put what is alike on one day into one mark, and all in the order of time and of the signs."""
    together: dict[tuple[date, int, State, bool], list[Mark]] = {}
    order = list(Sign)
    for mark in marks:
        key = (mark.day, order.index(mark.sign), mark.state, mark.pinned)
        together.setdefault(key, []).append(mark)
    for (day, sign, state, pinned), alike in sorted(together.items()):
        yield Mark(
            day=day,
            sign=order[sign],
            state=state,
            texts=tuple(dict.fromkeys(text for mark in alike for text in mark.texts)),
            letters=tuple(dict.fromkeys(x for mark in alike for x in mark.letters)),
            pinned=pinned,
        )


def _shades(mentor: Mentor) -> Iterator[Shade]:
    for absence in mentor.away:
        yield Shade(first=absence.first, last=absence.last, why=absence.why or "away")
    if mentor.not_before is not None:
        why = f"not before {short_day(mentor.not_before)}"
        yield Shade(first=date.min, last=mentor.not_before - _ONE_DAY, why=why)


def _writing(marks: Iterable[Mark]) -> tuple[date, date] | None:
    """Return from when to when a mentor has letters to write."""
    asked = [m.day for m in marks if m.sign in _ASKING and m.state is not State.DISMISSED]
    ended = [m.day for m in marks if m.sign in _ENDING and m.state is not State.DISMISSED]
    ended += [m.day for m in marks if m.sign is Sign.DEADLINE and m.state in _AWAITED]
    if not asked or not ended or max(ended) <= min(asked):
        return None
    return min(asked), max(ended)


_ASKING = frozenset({Sign.REQUEST, Sign.ADD_LETTER})
_ENDING = frozenset({Sign.SUBMITTED, Sign.DECLINED})
_AWAITED = frozenset({State.PLANNED, State.OVERDUE})


def _range(days: Iterable[date], today: date) -> tuple[date, date]:
    """Return the days to show: the marks', and today where it is near, with a little room."""
    listed = sorted(days)
    first, last = (listed[0], listed[-1]) if listed else (today, today)
    near = max(_NO_MORE_THAN_A_MONTH, (last - first) / 3)
    if first - near <= today <= last + near:
        first, last = min(first, today), max(last, today)
    room = max(timedelta(days=4), timedelta(days=round((last - first).days * 0.025)))
    return first - room, last + room
