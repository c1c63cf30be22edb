"""Choose the days, at most two, on which a mentor is followed up (R4, R5, R7, R8).

The choice is exact: all days that can be a final are weighed, singly and in pairs, in the order of
the criteria (DESIGN, "Which two days?"):

1. the earliest due date that can have one gets its final,
2. then as many further due dates as possible,
3. with as few days as possible,
4. then, if a slot is left, a check-in,
5. as near as possible to the ideal days, the finals before the check-in, the earlier day on a tie.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from lorsync.core.model import Policy
from lorsync.core.planner.dates import ContactDays

WINDOW_DAYS = 3
"""A final falls ``final_days`` before the due date, give or take these (R4)."""

CHECK_IN_AFTER_REQUEST_DAYS, CHECK_IN_BEFORE_FINAL_DAYS = 14, 10
"""How far a check-in stays from the request before it and the final behind it (R4)."""


def ahead_days(policy: Policy) -> int:
    """Return how far ahead of a final a later due date may be that it serves too (R8): 14."""
    return policy.final_days + 7


def least_days(policy: Policy) -> int:
    """Return how many days before the due date a final is at the very least (R4, R7): 4."""
    return max(policy.final_days - WINDOW_DAYS, policy.last_useful_days)


def fallback_span(policy: Policy) -> tuple[int, int]:
    """Return how far before the due date a final may be where its window is blocked: 21 to 11."""
    return policy.final_days + 14, policy.final_days + WINDOW_DAYS + 1


def check_in_span(policy: Policy) -> tuple[int, int]:
    """Return how far before the earliest due date a check-in may be (R4): 28 to 14."""
    return policy.first_days + 7, policy.first_days - 7


class OpenDue(NamedTuple):
    """A due date with letters still to come that are asked for on one day.

    ``reminded``: their final was made already. Like the other tuples here it is made and compared
    for every letter, in a third of a dataclass's time.
    """

    day: date
    asked: date
    reminded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What stands already: nothing of it moves, and the choice is made around it.

    ``contacts`` are all days on which the mentor is or was contacted (R7). A check-in comes before
    ``finals``, and finals come after ``check_ins``. ``checked_in``: no check-in may come any more.
    """

    contacts: tuple[date, ...] = ()
    finals: tuple[date, ...] = ()
    check_ins: tuple[date, ...] = ()
    checked_in: bool = False


class Final(NamedTuple):
    """A day that can be a final, and the due dates that it serves, as bits of their indices.

    ``ideal`` is ``final_days`` before the earliest due date whose own day it is; ``deviation``
    counts the days from that ideal as R6 shifts it.
    """

    day: date
    serves: int
    ideal: date
    deviation: int


class CheckIn(NamedTuple):
    """A day that can be the check-in, as in :class:`Final`."""

    deviation: int
    day: date
    ideal: date


class _Reach(NamedTuple):
    """How far from a due date its final may be: a policy's numbers, made into spans once.

    All but ``after_request``, which counts from the request, are before the due date.
    """

    ideal: timedelta
    window: tuple[timedelta, timedelta]
    fallback: tuple[timedelta, timedelta]
    ahead: timedelta
    after_request: timedelta


def _reach(policy: Policy) -> _Reach:
    most, least = fallback_span(policy)
    return _Reach(
        ideal=timedelta(days=policy.final_days),
        window=(
            timedelta(days=policy.final_days + WINDOW_DAYS),
            timedelta(days=least_days(policy)),
        ),
        fallback=(timedelta(days=most), timedelta(days=least)),
        ahead=timedelta(days=ahead_days(policy)),
        after_request=timedelta(days=max(1, policy.min_gap_days)),
    )


class FreeDays:
    """The days on which this mentor may be followed up: contact days, not past, not crowded."""

    def __init__(
        self, days: ContactDays, policy: Policy, today: date, contacts: Sequence[date]
    ) -> None:
        self.days, self.policy, self.reach = days, policy, _reach(policy)
        self._today = today
        gap = timedelta(days=policy.min_gap_days)
        self._crowded = [(other - gap, other + gap) for other in contacts]

    def between(self, first: date, last: date) -> list[date]:
        """Return them from ``first`` to ``last``, both included."""
        found = list(self.days.between(max(first, self._today), last))
        for before, behind in self._crowded:
            if found and before < found[-1] and found[0] < behind:
                found = [day for day in found if day <= before or day >= behind]
        return found


def _own_days(due: OpenDue, free: FreeDays, fixed: Fixed) -> list[date]:
    """Return the days that can be a due date's own final: in its window, else one before it."""
    most, least = free.reach.window
    earliest = due.asked + free.reach.after_request
    in_window = free.between(max(due.day - most, earliest), due.day - least)
    if in_window and fixed.check_ins:
        # A check-in that was made keeps its distance where that leaves a day (R4).
        distant = max(fixed.check_ins) + timedelta(days=CHECK_IN_BEFORE_FINAL_DAYS)
        return [day for day in in_window if day >= distant] or in_window
    if in_window:
        return in_window
    most, least = free.reach.fallback
    # A check-in that the person put off is not to be forestalled by its final.
    first = max([due.day - most, earliest, *fixed.check_ins])
    return free.between(first, due.day - least)[-1:]


def _shifted(due: OpenDue, ideal: date, days: ContactDays, reach: _Reach) -> date:
    """Return a due date's ideal day as R6 alone shifts it: what a deviation is measured from."""
    most, least = reach.window
    shifted = days.shift(ideal, earliest=due.day - most, latest=due.day - least)
    if shifted is None:
        most, least = reach.fallback
        shifted = days.last_between(due.day - most, due.day - least)
    return ideal if shifted is None else shifted


def possible_finals(dues: Sequence[OpenDue], free: FreeDays, fixed: Fixed) -> list[Final]:
    """Return every day that is some due date's own, with all due dates that it then serves."""
    reach = free.reach
    serves: dict[date, int] = {}
    measures: dict[date, tuple[date, date]] = {}
    for index, due in enumerate(dues):
        own = _own_days(due, free, fixed)
        if own:
            # The earliest due date of which this is an own day sets the measure.
            ideal = due.day - reach.ideal
            shifted = _shifted(due, ideal, free.days, reach)
            for day in own:
                measures.setdefault(day, (ideal, shifted))
                serves[day] = serves.get(day, 0) | 1 << index
    days = sorted(serves)
    _, soonest = reach.window
    for index, due in enumerate(dues):
        first = bisect_left(days, max(due.day - reach.ahead, due.asked + reach.after_request))
        for day in days[first : bisect_right(days, due.day - soonest)]:
            serves[day] |= 1 << index
    return [
        Final(day, serves[day], ideal, abs((day - shifted).days))
        for day, (ideal, shifted) in sorted(measures.items())
    ]


def possible_check_ins(dues: Sequence[OpenDue], free: FreeDays) -> list[CheckIn]:
    """Return the days for a check-in, the one that deviates least first."""
    policy, earliest_due = free.policy, dues[0]
    most, least = check_in_span(policy)
    # The earliest due date comes first, and of its letters those that were asked for first.
    after_request = max(CHECK_IN_AFTER_REQUEST_DAYS, policy.min_gap_days)
    first = max(
        earliest_due.day - timedelta(days=most),
        earliest_due.asked + timedelta(days=after_request),
    )
    last = earliest_due.day - timedelta(days=max(least, policy.last_useful_days))
    ideal = earliest_due.day - timedelta(days=policy.first_days)
    shifted = free.days.shift(ideal, earliest=earliest_due.day - timedelta(days=most), latest=last)
    found = free.between(first, last)
    if shifted is None or not found:
        return []
    return sorted(CheckIn(abs((day - shifted).days), day, ideal) for day in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One follow-up: its day, the ideal one before anything moved it, and what it serves."""

    day: date
    ideal: date
    final: bool
    serves: tuple[OpenDue, ...]


class _Chosen(NamedTuple):
    """A candidate answer: finals in order, and a check-in or none."""

    finals: tuple[Final, ...]
    check_in: CheckIn | None = None


def choose_days(
    dues: Sequence[OpenDue],
    *,
    slots: int,
    days: ContactDays,
    policy: Policy,
    today: date,
    fixed: Fixed,
) -> tuple[Choice, ...]:
    """Return at most ``slots`` follow-ups in the order of their days."""
    if slots <= 0 or not dues:
        return ()
    ordered = sorted(dues)
    unreminded = [due for due in ordered if not due.reminded]
    free = FreeDays(days=days, policy=policy, today=today, contacts=fixed.contacts)
    finals = possible_finals(unreminded, free, fixed)
    check_ins = [] if fixed.checked_in else possible_check_ins(ordered, free)
    earliest = _earliest(finals, unreminded, ordered)

    def rank(serves: int) -> tuple[int, int]:
        return bool(serves & earliest), serves.bit_count()

    answers = _answers(finals, check_ins, slots, fixed, rank, policy.min_gap_days)
    best = min(answers, key=lambda chosen: _cost(chosen, rank))
    return _as_choices(best, unreminded, ordered, policy)


def _earliest(
    finals: Sequence[Final], unreminded: Sequence[OpenDue], dues: Sequence[OpenDue]
) -> int:
    """Return the bit of the earliest due date that can have a final, nothing if that was made."""
    coverable = 0
    for final in finals:
        coverable |= final.serves
    if not coverable:
        return 0
    earliest = coverable & -coverable
    day = unreminded[earliest.bit_length() - 1].day
    return 0 if any(due.reminded and due.day < day for due in dues) else earliest


def _answers(
    finals: Sequence[Final],
    check_ins: Sequence[CheckIn],
    slots: int,
    fixed: Fixed,
    rank: Callable[[int], tuple[int, int]],
    gap: int,
) -> Iterator[_Chosen]:
    """Yield the answers worth weighing: none, one final, two finals, each with its check-in.

    Only those that serve most are: the first two criteria go before all others. And where a
    check-in fits, it is better than none: nothing but the deviation comes after that criterion.
    """
    distance = timedelta(days=max(CHECK_IN_BEFORE_FINAL_DAYS, gap))
    latest = min(fixed.finals, default=date.max)

    def before(final: date) -> CheckIn | None:
        limit = min(latest, final) - distance
        return next((c for c in check_ins if c.day <= limit), None)

    if not finals:
        yield _Chosen((), before(latest))
        return
    groups: dict[int, list[Final]] = {}
    for final in finals:
        groups.setdefault(final.serves, []).append(final)
    best = max(map(rank, groups))
    for serves, alike in groups.items():
        if rank(serves) == best:
            for final in alike:
                yield _Chosen((final,), before(final.day) if slots >= 2 else None)
    if slots >= 2:
        yield from _pairs(groups, rank, best, gap)


def _pairs(
    groups: Mapping[int, Sequence[Final]],
    rank: Callable[[int], tuple[int, int]],
    single: tuple[int, int],
    gap: int,
) -> Iterator[_Chosen]:
    """Yield the best pair of finals, if it serves more than a ``single`` one does.

    ``groups`` are the finals by what they serve.
    """
    ranked: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for pair in combinations(groups, 2):
        ranked.setdefault(rank(pair[0] | pair[1]), []).append(pair)
    for both in sorted(ranked, reverse=True):
        if both <= single:
            return
        fitting = [
            (one, other) if one.day < other.day else (other, one)
            for first, second in ranked[both]
            for one in groups[first]
            for other in groups[second]
            if abs((other.day - one.day).days) >= gap
        ]
        if fitting:
            yield _Chosen(min(fitting, key=_deviation))
            return


def _deviation(pair: tuple[Final, ...]) -> tuple[int, date, date]:
    """Return what sets apart pairs that serve as many: the last criterion."""
    return pair[0].deviation + pair[1].deviation, pair[0].day, pair[1].day


def _cost(chosen: _Chosen, rank: Callable[[int], tuple[int, int]]) -> tuple[object, ...]:
    """Return a key that is the smaller the better an answer is, criterion by criterion."""
    served = deviation = 0
    for final in chosen.finals:
        served |= final.serves
        deviation += final.deviation
    check_in = chosen.check_in
    first, further = rank(served)
    return (
        -first,
        -further,
        len(chosen.finals),
        check_in is None,
        deviation,
        0 if check_in is None else check_in.deviation,
        [final.day for final in chosen.finals],
        date.max if check_in is None else check_in.day,
    )


def _as_choices(
    best: _Chosen, unreminded: Sequence[OpenDue], dues: Sequence[OpenDue], policy: Policy
) -> tuple[Choice, ...]:
    choices = []
    if best.check_in is not None:
        day = best.check_in.day
        long_asked = [d for d in dues if (day - d.asked).days >= CHECK_IN_AFTER_REQUEST_DAYS]
        choices.append(
            Choice(day=day, ideal=best.check_in.ideal, final=False, serves=tuple(long_asked))
        )
    nearest: dict[date, list[OpenDue]] = {final.day: [] for final in best.finals}
    for index, due in enumerate(unreminded):
        ideal = due.day - timedelta(days=policy.final_days)
        serving = [final.day for final in best.finals if final.serves >> index & 1]
        if serving:
            nearest[min(serving, key=lambda day: (abs((day - ideal).days), day))].append(due)
    choices += [
        Choice(day=final.day, ideal=final.ideal, final=True, serves=tuple(nearest[final.day]))
        for final in best.finals
    ]
    return tuple(sorted(choices, key=lambda choice: choice.day))
