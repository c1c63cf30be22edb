"""Choose the days, at most two, on which a mentor is followed up (R4, R5, R7, R8).

The choice is exact: all days that can be a final are weighed, singly and in pairs, in the order of
the criteria (DESIGN, "Which two days?"):

1. the earliest due date that can have one gets its final,
2. then as many further due dates as possible,
3. with as few days as possible,
4. then, if a slot is left, a check-in,
5. as near as possible to the ideal days, the finals before the check-in, the earlier day on a tie.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from lorsync.core.candidates import (
    CHECK_IN_AFTER_REQUEST_DAYS,
    CHECK_IN_BEFORE_FINAL_DAYS,
    CheckIn,
    Final,
    Fixed,
    FreeDays,
    OpenDue,
    possible_check_ins,
    possible_finals,
)
from lorsync.core.contact_days import ContactDays
from lorsync.core.model import Policy


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
