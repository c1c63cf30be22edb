"""Find the days on which a mentor can be followed up at all: finals and check-ins (R4, R6, R7, R8).

Which of them are taken is chosen in :mod:`lorsync.core.follow_ups`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from lorsync.core.contact_days import ContactDays
from lorsync.core.model import Policy

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
