"""Choose the days, at most two, on which a mentor is followed up (R4, R5, R7, R8).

The choice is exact: all days that can be a final are weighed, singly and in pairs, in the order of
the criteria (DESIGN, "Which two days?"):

1. the earliest due date that can have one gets its final,
2. then as many further due dates as possible,
3. with as few days as possible,
4. then, if a slot is left, a check-in,
5. as near as possible to the ideal days, the finals before the check-in, the earlier day on a tie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from lorsync.core.contact_days import ContactDays
from lorsync.core.model import Policy

WINDOW_DAYS = 3
"""A final falls ``final_days`` before the due date, give or take these (R4)."""

AHEAD_DAYS = 14
"""A final also serves later due dates up to so many days ahead of it (R8)."""

FALLBACK_DAYS = 14
"""Where the window has no contact day, how far before the ideal day a final may fall (R8)."""

CHECK_IN_FIRST_DAYS, CHECK_IN_LAST_DAYS = 28, 14
"""A check-in falls so many days before the earliest due date (R4)."""

CHECK_IN_AFTER_REQUEST_DAYS, CHECK_IN_BEFORE_FINAL_DAYS = 14, 10
"""How far a check-in stays from the request before it and the final behind it (R4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDue:
    """A due date with letters still to come, and the day on which these are asked for."""

    day: date
    asked: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One follow-up: its day, the ideal one before anything moved it, and what it serves."""

    day: date
    ideal: date
    final: bool
    serves: tuple[OpenDue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Final:
    """A day that can be a final, and the due dates that it serves, as bits of their indices.

    ``ideal`` is ``final_days`` before the earliest due date whose own day it is; ``deviation``
    counts the days from that ideal as R6 shifts it.
    """

    day: date
    serves: int
    ideal: date
    deviation: int


def choose_days(
    dues: Sequence[OpenDue],
    *,
    slots: int,
    days: ContactDays,
    policy: Policy,
    today: date,
    contacts: Sequence[date],
    reminded: frozenset[date] = frozenset(),
    checked_in: bool = False,
) -> tuple[Choice, ...]:
    """Return at most ``slots`` follow-ups in the order of their days.

    ``contacts`` are the other days on which the mentor is or was contacted (R7). ``reminded`` are
    the due dates whose final was made; ``checked_in`` says that the mentor's one check-in was.
    """
    if slots <= 0 or not dues:
        return ()
    ordered = sorted(dues, key=lambda due: (due.day, due.asked))
    unreminded = [due for due in ordered if due.day not in reminded]
    free = _FreeDays(days=days, policy=policy, today=today, contacts=tuple(sorted(contacts)))
    finals = _possible_finals(unreminded, free)
    check_ins = [] if checked_in else _possible_check_ins(ordered, free)
    coverable = 0
    for final in finals:
        coverable |= final.serves
    earliest = coverable & -coverable
    best = min(
        _sets_of_days(finals, check_ins, slots, policy),
        key=lambda chosen: _cost(chosen, earliest),
    )
    return _as_choices(best, unreminded, ordered, policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A candidate answer: finals in order, and a check-in or none."""

    finals: tuple[_Final, ...]
    check_in: date | None = None
    check_in_deviation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _FreeDays:
    """The days on which this mentor may be followed up: contact days, not past, not crowded."""

    days: ContactDays
    policy: Policy
    today: date
    contacts: tuple[date, ...]

    def between(self, first: date, last: date) -> list[date]:
        gap = self.policy.min_gap_days
        return [
            day
            for day in self.days.between(max(first, self.today), last)
            if all(abs((day - other).days) >= gap for other in self.contacts)
        ]

    def nearest(self, ideal: date, among: Sequence[date]) -> date:
        """Return the ideal day as R6 shifts it: the last one up to it, else the first after it."""
        before = [day for day in among if day <= ideal]
        return before[-1] if before else among[0]


def _window(due: OpenDue, policy: Policy) -> tuple[date, date]:
    ideal = due.day - timedelta(days=policy.final_days)
    first = ideal - timedelta(days=WINDOW_DAYS)
    last = min(
        ideal + timedelta(days=WINDOW_DAYS), due.day - timedelta(days=policy.last_useful_days)
    )
    return max(first, due.asked + timedelta(days=policy.min_gap_days)), last


def _own_days(due: OpenDue, free: _FreeDays) -> list[date]:
    """Return the days on which a due date can have its final: its window, else one before it."""
    first, last = _window(due, free.policy)
    in_window = free.between(first, last)
    if in_window:
        return in_window
    ideal = due.day - timedelta(days=free.policy.final_days)
    earliest = max(
        ideal - timedelta(days=FALLBACK_DAYS),
        due.asked + timedelta(days=free.policy.min_gap_days),
    )
    return free.between(earliest, ideal - timedelta(days=WINDOW_DAYS + 1))[-1:]


def _possible_finals(dues: Sequence[OpenDue], free: _FreeDays) -> list[_Final]:
    """Return every day that is some due date's own, with all due dates that it then serves."""
    policy = free.policy
    own = [_own_days(due, free) for due in dues]
    soonest = max(policy.final_days - WINDOW_DAYS, policy.last_useful_days)
    furthest = max(AHEAD_DAYS, policy.final_days + WINDOW_DAYS)
    measures: dict[date, tuple[date, date]] = {}
    for due, candidates in zip(dues, own, strict=True):
        ideal = due.day - timedelta(days=policy.final_days)
        for day in candidates:
            # The earliest due date of which this is an own day sets the measure.
            measures.setdefault(day, (ideal, free.nearest(ideal, candidates)))
    finals = []
    for day, (ideal, shifted) in sorted(measures.items()):
        serves = 0
        for index, due in enumerate(dues):
            ahead = soonest <= (due.day - day).days <= furthest
            asked = (day - due.asked).days >= policy.min_gap_days
            if day in own[index] or (ahead and asked):
                serves |= 1 << index
        deviation = abs((day - shifted).days)
        finals.append(_Final(day=day, serves=serves, ideal=ideal, deviation=deviation))
    return finals


def _possible_check_ins(dues: Sequence[OpenDue], free: _FreeDays) -> list[date]:
    earliest_due = dues[0]
    asked = min(due.asked for due in dues if due.day == earliest_due.day)
    first = max(
        earliest_due.day - timedelta(days=CHECK_IN_FIRST_DAYS),
        asked + timedelta(days=max(CHECK_IN_AFTER_REQUEST_DAYS, free.policy.min_gap_days)),
    )
    last = earliest_due.day - timedelta(days=max(CHECK_IN_LAST_DAYS, free.policy.last_useful_days))
    found = free.between(first, last)
    if not found:
        return []
    ideal = earliest_due.day - timedelta(days=free.policy.first_days)
    # Nearest to the shifted ideal first, the earlier on a tie, so that the first that fits wins.
    shifted = free.nearest(ideal, found)
    return sorted(found, key=lambda day: (abs((day - shifted).days), day))


def _sets_of_days(
    finals: Sequence[_Final], check_ins: Sequence[date], slots: int, policy: Policy
) -> list[_Chosen]:
    """Return the answers worth weighing: none, one final, two finals, each with its check-in."""
    before_final = max(CHECK_IN_BEFORE_FINAL_DAYS, policy.min_gap_days)
    answers = [_Chosen(finals=())]
    if check_ins:
        answers.append(_Chosen(finals=(), check_in=check_ins[0]))
    for final in finals:
        answers.append(_Chosen(finals=(final,)))
        fitting = next((d for d in check_ins if (final.day - d).days >= before_final), None)
        if slots >= 2 and fitting is not None:
            deviation = abs((fitting - check_ins[0]).days)
            answers.append(_Chosen(finals=(final,), check_in=fitting, check_in_deviation=deviation))
    if slots >= 2:
        answers += [
            _Chosen(finals=pair)
            for pair in combinations(finals, 2)
            if (pair[1].day - pair[0].day).days >= policy.min_gap_days
        ]
    return answers


def _cost(chosen: _Chosen, earliest: int) -> tuple[object, ...]:
    """Return a key that is the smaller the better an answer is, criterion by criterion."""
    served = 0
    for final in chosen.finals:
        served |= final.serves
    return (
        not served & earliest,
        -served.bit_count(),
        len(chosen.finals),
        chosen.check_in is None,
        sum(final.deviation for final in chosen.finals),
        chosen.check_in_deviation,
        tuple(final.day for final in chosen.finals),
        chosen.check_in or date.max,
    )


def _as_choices(
    best: _Chosen, unreminded: Sequence[OpenDue], dues: Sequence[OpenDue], policy: Policy
) -> tuple[Choice, ...]:
    choices = []
    if best.check_in is not None:
        choices.append(
            Choice(
                day=best.check_in,
                ideal=dues[0].day - timedelta(days=policy.first_days),
                final=False,
                serves=tuple(due for due in dues if due.asked < best.check_in),
            )
        )
    nearest: dict[date, list[OpenDue]] = {final.day: [] for final in best.finals}
    for index, due in enumerate(unreminded):
        serving = [final.day for final in best.finals if final.serves >> index & 1]
        if serving:
            ideal = due.day - timedelta(days=policy.final_days)
            nearest[min(serving, key=lambda day: (abs((day - ideal).days), day))].append(due)
    choices += [
        Choice(day=final.day, ideal=final.ideal, final=True, serves=tuple(nearest[final.day]))
        for final in best.finals
    ]
    return tuple(sorted(choices, key=lambda choice: choice.day))
