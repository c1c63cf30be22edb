"""The days of a plan: due dates, and the days on which a mentor can be contacted (R6, R7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lorsync.core.model import Absence, Holidays, Letter, Mentor, Program, ProgramId, Season

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The zones of an applicant and a mentor, and at what time the applicant writes.

    An event stands on the applicant's day; in Auckland it may be the next by then (R6).
    """

    applicants: ZoneInfo
    mentors: ZoneInfo
    at: time

    def mentors_day(self, day: date) -> date:
        """Return the day that it is for the mentor when the applicant writes."""
        return datetime.combine(day, self.at, self.applicants).astimezone(self.mentors).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDays:
    """The days on which one mentor can be contacted (R6).

    Days are asked for as the applicant's, and judged as the mentor's: ``clocks`` gives both where
    they differ. ``holidays`` are those where the mentor is; ``quiet_days`` weekdays, Monday = 0.
    """

    quiet_days: frozenset[int]
    away: tuple[Absence, ...] = ()
    not_before: date | None = None
    holidays: Holidays = field(default_factory=dict)
    clocks: "Clocks | None" = None

    def obstacle(self, day: date) -> str | None:
        """Return why a day is no contact day, in words, or None where it is one."""
        if self.clocks is None:
            return self._obstacle(day)
        theirs = self.clocks.mentors_day(day)
        why = self._obstacle(theirs)
        if why is None or theirs == day:
            return why
        return f"{why}: it is {theirs.isoformat()} then in {self.clocks.mentors.key}"

    def _obstacle(self, day: date) -> str | None:
        if self.not_before is not None and day < self.not_before:
            return f"before {self.not_before.isoformat()}, the first day for any contact"
        for absence in self.away:
            if absence.first <= day <= absence.last:
                why = f" ({absence.why})" if absence.why else ""
                return f"in an absence until {absence.last.isoformat()}{why}"
        if day in self.holidays:
            return f"a holiday ({self.holidays[day]})"
        if day.weekday() in self.quiet_days:
            return f"a {_WEEKDAYS[day.weekday()]}"
        return None

    def allows(self, day: date) -> bool:
        """Tell whether the mentor can be contacted on a day."""
        if self.clocks is not None:
            day = self.clocks.mentors_day(day)
        if day.weekday() in self.quiet_days or day in self.holidays:
            return False
        if self.not_before is not None and day < self.not_before:
            return False
        for absence in self.away:  # noqa: SIM110 -- asked for every day; a generator costs double
            if absence.first <= day <= absence.last:
                return False
        return True

    def between(self, first: date, last: date) -> Iterator[date]:
        """Yield the contact days from ``first`` to ``last``, both included, in order."""
        day = first
        while day <= last:
            if self.allows(day):
                yield day
            day += _ONE_DAY

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

    def shift_clear(
        self, ideal: date, *, earliest: date, latest: date, contacts: Sequence[date], gap: int
    ) -> date | None:
        """Shift an ideal day onto a contact day ``gap`` days or more from every contact (R7)."""
        day: date | None = min(ideal, latest)
        while day is not None and day >= earliest:
            day = self.last_between(earliest, day)
            if day is not None:
                near = _nearby(day, contacts, gap)
                if near is None:
                    return day
                day = near - timedelta(days=gap)
        day = max(ideal, earliest)
        while day <= latest:
            following = next(self.between(day, latest), None)
            if following is None:
                return None
            near = _nearby(following, contacts, gap)
            if near is None:
                return following
            day = near + timedelta(days=gap)
        return None


def _nearby(day: date, contacts: Sequence[date], gap: int) -> date | None:
    """Return a contact that is less than ``gap`` days from a day."""
    for other in contacts:
        if abs((day - other).days) < gap:
            return other
    return None


def contact_days(mentor: Mentor, season: Season) -> ContactDays:
    """Return the contact days of a mentor: the mentor's own region goes before the policy's."""
    region = mentor.holidays or season.policy.holidays
    holidays = {} if region is None else (season.holidays or {}).get(region, {})
    ours, theirs = season.applicant.timezone, mentor.timezone
    clocks = None
    if theirs is not None and theirs.key != ours.key:
        clocks = Clocks(applicants=ours, mentors=theirs, at=season.contact_at)
    return ContactDays(
        quiet_days=season.policy.quiet_days,
        away=mentor.away,
        not_before=mentor.not_before,
        holidays=holidays,
        clocks=clocks,
    )


class DueDate(NamedTuple):
    """A day by which a letter must be in, and what drives it.

    ``program`` is None where the letter's own ``deadline`` says so. ``from_target`` tells the
    applicant's own target from a hard deadline; ``target`` is the one that stands behind a hard
    date: it has passed, or leaves too little time. ``lag_days`` were taken off for the portal.
    """

    day: date
    program: ProgramId | None
    from_target: bool = False
    target: date | None = None
    lag_days: int = 0


def day_of(deadline: date | datetime, zone: ZoneInfo) -> date:
    """Return the day of a deadline: the earlier of where it is set and where the applicant is."""
    if isinstance(deadline, datetime):
        return min(deadline.date(), deadline.astimezone(zone).date())
    return deadline


def hard_day(program: Program, zone: ZoneInfo, lag_days: int | None = None) -> date | None:
    """Return a program's hard deadline less its portal's lag, or a letter's own lag."""
    if program.deadline is None:
        return None
    lag = program.lag_days if lag_days is None else lag_days
    return day_of(program.deadline, zone) - timedelta(days=lag)


def due_dates(
    letter: Letter,
    programs: Mapping[ProgramId, Program],
    *,
    zone: ZoneInfo,
    ask_from: date,
    min_lead_days: int,
) -> tuple[DueDate, ...]:
    """Return all days that matter to a letter in order; the next one ahead is its due date.

    ``ask_from`` is the day on which asking was or is first possible: a target that leaves less than
    ``min_lead_days`` after it yields to the program's hard date. Of two programs with the same day
    the first in the letter's list drives it.
    """
    if letter.deadline is not None:
        lag = letter.lag_days or 0
        day = day_of(letter.deadline, zone) - timedelta(days=lag)
        return (DueDate(day=day, program=None, lag_days=lag),)
    useful_from = ask_from + timedelta(days=min_lead_days)
    found: dict[date, DueDate] = {}
    for program_id in letter.programs:
        for due in _of_program(letter, programs[program_id], zone, useful_from):
            found.setdefault(due.day, due)
    return tuple(found[day] for day in sorted(found))


def _of_program(
    letter: Letter, program: Program, zone: ZoneInfo, useful_from: date
) -> tuple[DueDate, ...]:
    hard, target = hard_day(program, zone, letter.lag_days), program.target
    if hard is None:
        if target is None:
            return ()
        return (DueDate(day=target, program=program.id, from_target=True),)
    lag = program.lag_days if letter.lag_days is None else letter.lag_days
    if target is None or target >= hard:
        return (DueDate(day=hard, program=program.id, lag_days=lag),)
    last = DueDate(day=hard, program=program.id, target=target, lag_days=lag)
    if target < useful_from:
        return (last,)
    return (DueDate(day=target, program=program.id, from_target=True), last)
