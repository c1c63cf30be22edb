"""The choice of the two days against brute force: never worse in any criterion (R4 to R8)."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import pytest

from lorsync.core.model import Absence, Policy
from lorsync.core.planner.dates import ContactDays
from lorsync.core.planner.follow_up_days import Choice, Fixed, OpenDue, choose_days

pytestmark = pytest.mark.slow

AT_LENGTH = [pytest.mark.long, pytest.mark.timeout(3600)]
START = date(2026, 6, 1)
POLICIES = (
    Policy(),
    Policy(quiet_days=frozenset()),
    Policy(min_gap_days=0),
    Policy(min_gap_days=14),
    Policy(final_days=4, first_days=14),
    Policy(final_days=12, first_days=30, last_useful_days=10),
    Policy(quiet_days=frozenset({0, 1, 2, 4, 5, 6})),
)


@dataclass
class Mentor:
    """A random mentor, with all the days on which a follow-up could fall at all."""

    dues: list[OpenDue]
    contacts: tuple[date, ...]
    days: ContactDays
    policy: Policy
    slots: int

    def __post_init__(self) -> None:
        gap, last = self.policy.min_gap_days, max(due.day for due in self.dues)
        span = [START + timedelta(days=n) for n in range((last - START).days + 1)]
        self.open_days = [day for day in span if self.days.obstacle(day) is None]
        self.free = [
            day
            for day in self.open_days
            if all(abs((day - other).days) >= gap for other in self.contacts)
        ]
        self.own = {due: set(self._own(due)) for due in self.dues}
        self.coverable = [due for due in self.dues if self.own[due]]

    def _own(self, due: OpenDue) -> list[date]:
        p = self.policy
        wait = max(1, p.min_gap_days)
        useful = [day for day in self.free if (day - due.asked).days >= wait]
        window = [
            day
            for day in useful
            if p.final_days - 3 <= (due.day - day).days <= p.final_days + 3
            and (due.day - day).days >= p.last_useful_days
        ]
        # 21 to 11 days before, for a final that is wanted 7 days before.
        far = [
            day for day in useful if p.final_days + 4 <= (due.day - day).days <= p.final_days + 14
        ]
        return window or far[-1:]

    def ideal(self, due: OpenDue) -> date:
        """Return the ideal day as R6 shifts it: earlier first, within the window."""
        p = self.policy
        wanted = due.day - timedelta(days=p.final_days)
        window = [
            day
            for day in self.open_days_before_start(due)
            if abs((day - wanted).days) <= 3 and (due.day - day).days >= p.last_useful_days
        ]
        early = [day for day in window if day <= wanted]
        if window:
            return early[-1] if early else window[0]
        far = [
            day
            for day in self.open_days_before_start(due)
            if p.final_days + 4 <= (due.day - day).days <= p.final_days + 14
        ]
        return far[-1] if far else wanted

    def open_days_before_start(self, due: OpenDue) -> list[date]:
        """Return the contact days before a due date, past ones too: R6 knows no today."""
        first = due.day - timedelta(days=60)
        span = [first + timedelta(days=n) for n in range(61)]
        return [day for day in span if self.days.obstacle(day) is None]

    def served(self, day: date) -> set[OpenDue]:
        p = self.policy
        wait = max(1, p.min_gap_days)
        soonest = max(p.final_days - 3, p.last_useful_days)
        return {
            due
            for due in self.dues
            if day in self.own[due]
            or (
                soonest <= (due.day - day).days <= p.final_days + 7
                and (day - due.asked).days >= wait
            )
        }

    def check_ins(self, finals: tuple[date, ...]) -> list[date]:
        p, earliest = self.policy, min(self.dues, key=lambda due: (due.day, due.asked))
        return [
            day
            for day in self.free
            if p.first_days - 7 <= (earliest.day - day).days <= p.first_days + 7
            and (earliest.day - day).days >= p.last_useful_days
            and (day - earliest.asked).days >= max(14, p.min_gap_days)
            and all((final - day).days >= max(10, p.min_gap_days) for final in finals)
        ]

    def check_in_ideal(self) -> date:
        p, earliest = self.policy, min(self.dues, key=lambda due: (due.day, due.asked))
        wanted = earliest.day - timedelta(days=p.first_days)
        window = [
            day
            for day in self.open_days_before_start(earliest)
            if abs((day - wanted).days) <= 7 and (earliest.day - day).days >= p.last_useful_days
        ]
        early = [day for day in window if day <= wanted]
        return early[-1] if early else window[0]

    def cost(self, finals: tuple[date, ...], check_in: date | None) -> tuple[object, ...]:
        """Say how good an answer is, in the order of the criteria; smaller is better."""
        served = set().union(*(self.served(day) for day in finals))
        deviation = 0
        for day in finals:
            owner = min(
                (d for d in self.dues if day in self.own[d]), key=lambda d: (d.day, d.asked)
            )
            deviation += abs((day - self.ideal(owner)).days)
        apart = 0 if check_in is None else abs((check_in - self.check_in_ideal()).days)
        return (
            bool(self.coverable) and self.coverable[0] not in served,
            -len(served),
            len(finals),
            check_in is None,
            deviation,
            apart,
            list(finals),
            check_in or date.max,
        )

    def answers(self) -> Iterator[tuple[tuple[date, ...], date | None]]:
        """Yield every allowed set of days."""
        possible = sorted(set().union(*self.own.values()))
        yield (), None
        if self.slots == 0:
            return
        for check_in in self.check_ins(()):
            yield (), check_in
        for final in possible:
            yield (final,), None
            if self.slots == 2:
                for check_in in self.check_ins((final,)):
                    yield (final,), check_in
        if self.slots == 2:
            for pair in combinations(possible, 2):
                if (pair[1] - pair[0]).days >= self.policy.min_gap_days:
                    yield pair, None


def random_mentor(chance: random.Random) -> Mentor:
    spread = chance.choice((10, 30, 90))
    first = START + timedelta(days=chance.randrange(70))
    dues = {
        OpenDue(
            day=first + timedelta(days=chance.randrange(spread)),
            asked=START + timedelta(days=chance.randrange(-50, 20)),
        )
        for _ in range(chance.randrange(1, 5))
    }
    away = []
    for _ in range(chance.randrange(3)):
        gone = first + timedelta(days=chance.randrange(-40, spread))
        away.append(Absence(first=gone, last=gone + timedelta(days=chance.randrange(25))))
    policy = chance.choice(POLICIES)
    return Mentor(
        dues=sorted(dues, key=lambda due: (due.day, due.asked)),
        contacts=tuple(
            START + timedelta(days=chance.randrange(-10, 90)) for _ in range(chance.randrange(3))
        ),
        days=ContactDays(quiet_days=policy.quiet_days, away=tuple(away)),
        policy=policy,
        slots=chance.randrange(3),
    )


def chosen(mentor: Mentor) -> tuple[Choice, ...]:
    return choose_days(
        mentor.dues,
        slots=mentor.slots,
        days=mentor.days,
        policy=mentor.policy,
        today=START,
        fixed=Fixed(contacts=mentor.contacts),
    )


@pytest.mark.parametrize(
    "seeds", [range(1500), pytest.param(range(1500, 30_000), marks=AT_LENGTH)], ids=len
)
def test_no_set_of_days_is_better_than_the_chosen_one(seeds):
    for seed in seeds:
        mentor = random_mentor(random.Random(seed))  # noqa: S311 -- seeds, not secrets
        found = chosen(mentor)
        finals = tuple(choice.day for choice in found if choice.final)
        check_in = next((choice.day for choice in found if not choice.final), None)
        assert (finals, check_in) in list(mentor.answers()), seed
        best = min(mentor.answers(), key=lambda answer: mentor.cost(*answer))
        assert mentor.cost(finals, check_in) == mentor.cost(*best), (seed, best, finals, check_in)
        assert all(choice.serves for choice in found), seed
