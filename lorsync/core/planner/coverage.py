"""Hold each program's letters against what it wants (R13); say when a writer is missing (R11)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from shlex import quote
from typing import NamedTuple

from lorsync.core.model import (
    Identity,
    Kind,
    Letter,
    LetterStanding,
    LetterType,
    PlanWarning,
    Program,
    ProgramId,
    Reason,
    Season,
    Stage,
)
from lorsync.core.planner.dates import hard_day
from lorsync.core.planner.draft_event import DraftEvent, MentorContext

PLAIN_LETTER = 2
"""A mentor whose familiarity is at most this may write a plain letter (R14)."""


_NOT_ASKED = Reason(rule="R13", text="no asked_on, and no request whose day has passed")


class Cell(NamedTuple):
    """One letter as one program sees it. ``counts``: it is one of the program's letters (R13).

    It does not count once declined, nor for a program that wants its own letter where it serves
    others too (R15).
    """

    letter: Letter
    stage: Stage
    assigned: bool
    shared: bool

    @property
    def counts(self) -> bool:
        """Whether it is one of the program's letters."""
        return self.stage is not Stage.DECLINED and not self.shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One program's letters, and how they fall short of what it wants."""

    program: Program
    cells: tuple[Cell, ...]

    @property
    def count(self) -> int:
        """How many letters count."""
        return sum(cell.counts for cell in self.cells)

    @property
    def missing(self) -> int:
        """How many letters are missing to the minimum."""
        return max(0, self.program.letters_min - self.count)

    @property
    def surplus(self) -> int:
        """How many letters there are beyond the maximum."""
        if self.program.letters_max is None:
            return 0
        return max(0, self.count - self.program.letters_max)

    @property
    def missing_types(self) -> tuple[LetterType, ...]:
        """The required types that no letter has."""
        types = {cell.letter.type for cell in self.cells if cell.counts}
        return tuple(need for need in self.program.needs if need not in types)


def cover(season: Season, standings: Iterable[LetterStanding]) -> dict[ProgramId, Coverage]:
    """Return the coverage of every program, in the order of the config."""
    stages = {standing.id: standing.stage for standing in standings}
    by_program: dict[ProgramId, list[Cell]] = {program: [] for program in season.programs}
    for letter in season.letters:
        for program_id in letter.programs:
            own = season.programs[program_id].own_letter
            by_program[program_id].append(
                Cell(
                    letter=letter,
                    stage=stages[letter.id],
                    assigned=program_id in letter.assigned,
                    shared=own and len(letter.programs) > 1,
                )
            )
    return {
        program_id: Coverage(program=season.programs[program_id], cells=tuple(cells))
        for program_id, cells in by_program.items()
    }


def coverage_warnings(coverage: Iterable[Coverage]) -> list[PlanWarning]:
    """Warn of each program with too few or too many letters, or without one it needs (R13, R15)."""
    warnings = []
    for c in coverage:
        name, program = c.program.name, c.program
        if c.missing:
            message = (
                f"{name} has {c.count} of at least {program.letters_min} letters: find another "
                "writer, or lower letters_min if fewer are enough."
            )
            warnings.append(_warning("coverage", c, message))
        if c.surplus:
            message = f"{name} takes {program.letters_max} letters and has {c.count}: choose which."
            warnings.append(_warning("surplus", c, message))
        if c.missing_types:
            types = " and ".join(c.missing_types)
            message = f"{name} wants a letter of the type {types}, and none is planned."
            advice = "Find a writer for it, or change the program's needs if it can do without."
            warnings.append(_warning("missing-type", c, message, advice=advice))
        for cell in c.cells:
            if cell.shared and cell.stage is not Stage.DECLINED:
                message = (
                    f"{name} wants a letter of its own (own_letter), and {cell.letter.id} serves "
                    "other programs too: it does not count. Plan a letter for this program alone."
                )
                warnings.append(_warning("shared-letter", c, message, rule="R15"))
    return warnings


def _warning(
    code: str, coverage: Coverage, message: str, *, rule: str = "R13", advice: str = ""
) -> PlanWarning:
    wants = f"at least {coverage.program.letters_min}"
    if coverage.program.letters_max is not None:
        wants += f", at most {coverage.program.letters_max}"
    reason = Reason(rule=rule, text=f"{coverage.count} letters count; wanted: {wants}")
    return PlanWarning(
        code=code,
        subject=coverage.program.id,
        message=message,
        reasons=(reason,),
        advice=advice,
    )


def letter_warnings(context: MentorContext) -> list[PlanWarning]:
    """Name the letters that nobody asked for yet (R13), and a writer who may know too little (R14).

    The latter only while somebody else can still be asked instead.
    """
    unasked = [
        p
        for p in context.letters
        if p.open and p.asked is None and p.due is not None and p.due.day >= context.today
    ]
    name = context.mentor.name
    warnings = [
        PlanWarning(
            code="not-asked",
            subject=p.id,
            message=f"{name} has not been asked for {p.id} yet.",
            reasons=(_NOT_ASKED,),
            advice=f"Asked already? Say so: lorsync mark {quote(context.mentor.id)} asked "
            f"--letter {quote(p.id)}",
        )
        for p in unasked
    ]
    familiarity = context.mentor.familiarity
    if unasked and familiarity is not None and familiarity <= PLAIN_LETTER:
        message = (
            f"{name} knows you little (familiarity {familiarity} of 5): expect a plain letter."
        )
        reason = Reason(rule="R14", text=f"familiarity is {PLAIN_LETTER} or less")
        warnings.append(
            PlanWarning(
                code="plain-letter",
                subject=context.mentor.id,
                message=message,
                reasons=(reason,),
                advice="Talk first and send much for the packet, or see who else could write: "
                "lorsync suggest PROGRAM",
            )
        )
    return warnings


def replace(context: MentorContext, coverage: Mapping[ProgramId, Coverage]) -> list[DraftEvent]:
    """Place "find another writer" for each declined letter that leaves a program short (R11).

    It contacts nobody, so quiet days do not move it; its ``last_day`` is the last one on which
    asking somebody else is early enough.
    """
    drafts = []
    for progress in context.letters:
        if progress.declined is None:
            continue
        short = _short(progress.letter, coverage, context)
        identity = Identity(kind=Kind.REPLACE, subject=progress.id)
        if not short or context.happened(identity):
            continue
        names = ", ".join(program.name for program in short)
        ideal = progress.declined + timedelta(days=1)
        reason = Reason(
            rule="R11", text=f"declined on {progress.declined}; short: {names}", ideal=ideal
        )
        limits = [day for program in short if (day := _limit(program, context)) is not None]
        lead = timedelta(days=context.season.policy.min_lead_days)
        drafts.append(
            DraftEvent(
                identity=identity,
                letters=(progress.id,),
                day=max(ideal, context.today),
                reasons=(reason,),
                last_day=min(limits) - lead if limits else None,
                programs=tuple(program.id for program in short),
            )
        )
    return drafts


def _short(
    letter: Letter, coverage: Mapping[ProgramId, Coverage], context: MentorContext
) -> Sequence[Program]:
    """Return the programs that miss this letter and whose deadline is still ahead."""
    found = []
    for program_id in letter.programs:
        c = coverage[program_id]
        if c.missing or letter.type in c.missing_types:
            limit = _limit(c.program, context)
            if limit is None or limit >= context.today:
                found.append(c.program)
    return found


def _limit(program: Program, context: MentorContext) -> date | None:
    return hard_day(program, context.season.applicant.timezone) or program.target
