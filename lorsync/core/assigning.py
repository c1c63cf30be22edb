"""When to assign a letter that is in to the programs it serves: R15 (a late program).

A submitted letter is one upload; in most portals the applicant still assigns it to each program. So
there is one task per letter on the day after its submission, for all programs that are not among
``assigned``. A program that is added later brings a new one. A letter for one program alone needs
none, unless the applicant keeps ``assigned`` for it.
"""

from datetime import date, timedelta

from lorsync.core.due_dates import hard_day
from lorsync.core.model import Identity, Kind, PlanWarning, Program, Reason
from lorsync.core.occasion import Case, Occasion, Outcome
from lorsync.core.progress import Progress


def assign(case: Case) -> Outcome:
    """Place the assign tasks of one mentor's letters, once for what is to be assigned."""
    occasions: list[Occasion] = []
    warnings: list[PlanWarning] = []
    if not case.wants(Kind.ASSIGN):
        return Outcome()
    for progress in case.letters:
        programs = [] if progress.submitted is None else _unassigned(progress, case)
        if not programs:
            continue
        identity = _identity(progress, programs, case)
        if identity is not None:
            occasions.append(_occasion(progress, programs, identity, case))
        elif progress.letter.assigned:
            # Who never says what is assigned has done it, for all that can be known.
            warnings.append(_not_assigned(progress, programs))
    return Outcome(occasions=tuple(occasions), warnings=tuple(warnings))


def _unassigned(progress: Progress, case: Case) -> list[Program]:
    """Return the programs still to assign whose deadline is ahead, in the letter's order."""
    letter = progress.letter
    if len(letter.programs) < 2 and not letter.assigned:
        return []
    programs = [case.season.programs[p] for p in letter.programs if p not in letter.assigned]
    return [p for p in programs if (last := _last_day(p, case)) is None or last >= case.today]


def _last_day(program: Program, case: Case) -> date | None:
    return hard_day(program, case.season.applicant.timezone) or program.target


def _identity(progress: Progress, programs: list[Program], case: Case) -> Identity | None:
    """Return the task's identity, or None where its day has passed.

    It goes by the last program of the letter's list, so that one added to the list is a new task; a
    task that stands keeps its identity while its program is still to be assigned.
    """
    ids = [program.id for program in programs]
    last = Identity(kind=Kind.ASSIGN, subject=progress.id, slot=ids[-1])
    if case.happened(last):
        return None
    for placed in case.standing(Kind.ASSIGN):
        if placed.identity.subject == progress.id and placed.identity.slot in ids:
            return placed.identity
    return last


def _occasion(
    progress: Progress, programs: list[Program], identity: Identity, case: Case
) -> Occasion:
    submitted = progress.submitted or case.today
    limit = min((day for p in programs if (day := _last_day(p, case)) is not None), default=None)
    ideal = submitted + timedelta(days=1)
    day = max(case.today, ideal if limit is None else min(ideal, limit))
    names = ", ".join(program.name for program in programs)
    text = f"in since {submitted}, and not assigned to {names}"
    return Occasion(
        identity=identity,
        letters=(progress.id,),
        day=day,
        reasons=(Reason(rule="R15", text=text, ideal=ideal),),
        last_day=limit,
        programs=tuple(program.id for program in programs),
    )


def _not_assigned(progress: Progress, programs: list[Program]) -> PlanWarning:
    names = ", ".join(program.name for program in programs)
    return PlanWarning(
        code="not-assigned",
        subject=progress.id,
        message=f"{progress.id} is in. If it is assigned to {names}, add that to assigned; if not, "
        "assign it in the portal.",
        reasons=(Reason(rule="R15", text="the day of its task has passed"),),
    )
