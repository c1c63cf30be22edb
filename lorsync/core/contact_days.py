"""Say on which days a mentor can be contacted, and shift an ideal day onto one (R6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from lorsync.core.model import Absence, Mentor, Policy

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDays:
    """The days on which one mentor can be contacted.

    ``holidays`` are named days where the mentor is; ``quiet_days`` weekdays, Monday = 0.
    """

    quiet_days: frozenset[int]
    away: tuple[Absence, ...] = ()
    not_before: date | None = None
    holidays: tuple[tuple[date, str], ...] = ()

    def obstacle(self, day: date) -> str | None:
        """Return why a day is no contact day, in words, or None where it is one."""
        if self.not_before is not None and day < self.not_before:
            return f"no contact before {self.not_before.isoformat()}"
        for absence in self.away:
            if absence.first <= day <= absence.last:
                why = f" ({absence.why})" if absence.why else ""
                return f"away until {absence.last.isoformat()}{why}"
        if day.weekday() in self.quiet_days:
            return f"a {_WEEKDAYS[day.weekday()]}"
        for holiday, name in self.holidays:
            if holiday == day:
                return f"a holiday ({name})"
        return None

    def allows(self, day: date) -> bool:
        """Tell whether the mentor can be contacted on a day."""
        return self.obstacle(day) is None

    def between(self, first: date, last: date) -> Iterator[date]:
        """Yield the contact days from ``first`` to ``last``, both included, in order."""
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            if self.allows(day):
                yield day

    def last_between(self, first: date, last: date) -> date | None:
        """Return the latest contact day from ``first`` to ``last``, both included."""
        day = last
        while day >= first:
            if self.allows(day):
                return day
            day -= _ONE_DAY
        return None

    def shift(self, ideal: date, *, earliest: date, latest: date) -> date | None:
        """Return the contact day for an ideal one: earlier first, then later (R6).

        Only days from ``earliest`` to ``latest`` count, both included; None if there is none.
        """
        before = self.last_between(earliest, min(ideal, latest))
        if before is not None:
            return before
        return next(self.between(max(ideal, earliest), latest), None)


def contact_days(
    mentor: Mentor, policy: Policy, holidays: tuple[tuple[date, str], ...] = ()
) -> ContactDays:
    """Return the contact days of a mentor under a policy."""
    return ContactDays(
        quiet_days=policy.quiet_days,
        away=mentor.away,
        not_before=mentor.not_before,
        holidays=holidays,
    )
