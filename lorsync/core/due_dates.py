"""Work out by which days a letter must be in, and which program says so (R1, "Targets")."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lorsync.core.model import Letter, Program, ProgramId


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
