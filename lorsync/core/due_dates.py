"""Work out by which day a letter must be in, and which program says so (R1, "Targets")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lorsync.core.model import Letter, Program, ProgramId


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDate:
    """The day by which a letter must be in, and what drives it.

    ``program`` is None where the letter's own ``deadline`` says so. ``from_target`` tells the
    applicant's own target from a hard deadline; ``yielded`` holds the target that gave way to it.
    """

    day: date
    program: ProgramId | None
    from_target: bool = False
    yielded: date | None = None
    lag_days: int = 0


def day_of(deadline: date | datetime, zone: ZoneInfo) -> date:
    """Return the day of a deadline: the earlier of where it is set and where the applicant is."""
    if isinstance(deadline, datetime):
        return min(deadline.date(), deadline.astimezone(zone).date())
    return deadline


def due_date(
    letter: Letter,
    programs: Mapping[ProgramId, Program],
    *,
    zone: ZoneInfo,
    today: date,
    ask_from: date,
    min_lead_days: int,
) -> DueDate | None:
    """Return a letter's due date, or None where no program of it has a date.

    ``ask_from`` is the day on which asking was or is first possible: a target that leaves less than
    ``min_lead_days`` after it, or that has passed, yields to the program's hard date.
    """
    if letter.deadline is not None:
        lag = letter.lag_days or 0
        day = day_of(letter.deadline, zone) - timedelta(days=lag)
        return DueDate(day=day, program=None, lag_days=lag)
    first_useful = max(today, ask_from + timedelta(days=min_lead_days))
    candidates = [
        due
        for program_id in letter.programs
        if (due := _of_program(letter, programs[program_id], zone, first_useful)) is not None
    ]
    return min(candidates, key=lambda due: due.day, default=None)


def _of_program(
    letter: Letter, program: Program, zone: ZoneInfo, first_useful: date
) -> DueDate | None:
    lag = program.lag_days if letter.lag_days is None else letter.lag_days
    hard = None
    if program.deadline is not None:
        hard = day_of(program.deadline, zone) - timedelta(days=lag)
    target = program.target
    if target is not None and (hard is None or (target >= first_useful and target <= hard)):
        return DueDate(day=target, program=program.id, from_target=True)
    if hard is None:
        return None
    yielded = target if target is not None and target < hard else None
    return DueDate(day=hard, program=program.id, yielded=yielded, lag_days=lag)
