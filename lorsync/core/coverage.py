"""Hold each program's letters against what it wants (R13); say when a writer is missing (R11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lorsync.core.due_dates import day_of
from lorsync.core.model import (
    Identity,
    Kind,
    LetterType,
    PlanWarning,
    Program,
    ProgramId,
    Reason,
    Season,
)
from lorsync.core.occasion import Case, Occasion
from lorsync.core.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One program's letters that were not declined, and how they fall short of what it wants."""

    program: Program
    letters: tuple[Progress, ...]

    @property
    def missing(self) -> int:
        """How many letters are missing to the minimum."""
        return max(0, self.program.letters_min - len(self.letters))

    @property
    def surplus(self) -> int:
        """How many letters there are beyond the maximum."""
        if self.program.letters_max is None:
            return 0
        return max(0, len(self.letters) - self.program.letters_max)

    @property
    def missing_types(self) -> tuple[LetterType, ...]:
        """The required types that no letter has."""
        types = {p.letter.type for p in self.letters}
        return tuple(need for need in self.program.needs if need not in types)


def cover(season: Season, letters: Iterable[Progress]) -> dict[ProgramId, Coverage]:
    """Return the coverage of every program, in the order of the config."""
    by_program: dict[ProgramId, list[Progress]] = {program: [] for program in season.programs}
    for progress in letters:
        if progress.declined is None:
            for program in progress.letter.programs:
                by_program[program].append(progress)
    return {
        program_id: Coverage(program=season.programs[program_id], letters=tuple(found))
        for program_id, found in by_program.items()
    }


def coverage_warnings(coverage: Iterable[Coverage]) -> list[PlanWarning]:
    """Warn of each program with too few or too many letters, or without a type it needs (R13)."""
    warnings = []
    for c in coverage:
        program = c.program
        if c.missing:
            message = (
                f"{program.name} has {len(c.letters)} of at least {program.letters_min} letters: "
                "find another writer, or lower letters_min if fewer are enough."
            )
            warnings.append(PlanWarning(code="coverage", subject=program.id, message=message))
        if c.surplus:
            message = (
                f"{program.name} takes {program.letters_max} letters and has {len(c.letters)}: "
                "choose which to assign."
            )
            warnings.append(PlanWarning(code="surplus", subject=program.id, message=message))
        if c.missing_types:
            types = " and ".join(c.missing_types)
            message = f"{program.name} wants a letter of the type {types}, and none is planned."
            warnings.append(PlanWarning(code="missing-type", subject=program.id, message=message))
    return warnings


def replace(case: Case, coverage: dict[ProgramId, Coverage]) -> list[Occasion]:
    """Place "find another writer" for each declined letter that leaves a program short (R11).

    It contacts nobody, so it does not move; its ``last_day`` is the last one on which asking
    somebody else is early enough.
    """
    occasions = []
    for progress in case.letters:
        if progress.declined is None:
            continue
        short = [coverage[p].program for p in progress.letter.programs if coverage[p].missing]
        limits = _limits(short, case)
        identity = Identity(kind=Kind.REPLACE, subject=progress.id)
        if not limits or case.happened(identity):
            continue
        names = ", ".join(program.name for program in short)
        ideal = progress.declined + timedelta(days=1)
        reason = Reason(rule="R11", text=f"declined on {progress.declined}; short: {names}")
        occasions.append(
            Occasion(
                identity=identity,
                letters=(progress.id,),
                day=max(ideal, case.today),
                reasons=(reason,),
                last_day=min(limits) - timedelta(days=case.season.policy.min_lead_days),
            )
        )
    return occasions


def _limits(programs: Sequence[Program], case: Case) -> list[date]:
    """Return the deadlines still ahead of these programs, as the letter's own days."""
    zone = case.season.applicant.timezone
    days = [day_of(p.deadline, zone) for p in programs if p.deadline is not None]
    return [day for day in days if day >= case.today]
