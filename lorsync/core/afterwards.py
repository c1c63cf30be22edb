"""What a due date, a submission, a refusal and a result bring: R9, R11, R12, and the deadline."""

from datetime import date, timedelta

from lorsync.core.model import Identity, Kind, PlanWarning, Reason
from lorsync.core.occasion import (
    THANK_DECLINED,
    THANK_PROVISIONAL,
    THANK_SUBMITTED,
    Case,
    Occasion,
    Outcome,
)
from lorsync.core.progress import Progress

COURTESY_DAYS = 7
"""Thanks and news of the outcome come within so many days (R9, R12)."""


def conclude(case: Case) -> Outcome:
    """Place the deadlines, thanks and results of one mentor."""
    occasions: list[Occasion] = []
    warnings: list[PlanWarning] = []
    for progress in case.letters:
        occasions += _deadline(progress, case)
        occasions += _thank_you(progress, case)
        if progress.open and progress.due is not None and progress.due.day < case.today:
            warnings.append(_overdue(progress, case))
    occasions += _results(case)
    return Outcome(occasions=tuple(occasions), warnings=tuple(warnings))


def _deadline(progress: Progress, case: Case) -> list[Occasion]:
    due = progress.due
    if due is None or not progress.open or due.day < case.today:
        return []
    if due.program is None:
        text = "the letter's own deadline"
    else:
        name = case.season.programs[due.program].name
        text = f"your target for {name}" if due.from_target else f"the deadline of {name}"
        if due.lag_days and not due.from_target:
            text += f", less {due.lag_days} days for its portal"
        if due.yielded is not None:
            text += f"; your target {due.yielded} leaves too little time"
    return [
        Occasion(
            identity=Identity(kind=Kind.DEADLINE, subject=progress.id),
            letters=(progress.id,),
            day=due.day,
            reasons=(Reason(rule="due date", text=text, ideal=due.day),),
        )
    ]


def _thank_you(progress: Progress, case: Case) -> list[Occasion]:
    if progress.facts.thanked_on is not None:
        return []
    wait = timedelta(days=case.season.policy.thank_you_days)
    next_day = timedelta(days=1)
    if progress.submitted is not None:
        text = f"{wait.days} days after it was submitted on {progress.submitted}"
        slot, rule, ideal = THANK_SUBMITTED, "R9", progress.submitted + wait
    elif progress.declined is not None:
        text = f"declined on {progress.declined}"
        slot, rule, ideal = THANK_DECLINED, "R11", progress.declined + next_day
    elif progress.due is not None:
        text = f"the day after it is due on {progress.due.day}, if it is in by then"
        slot, rule, ideal = THANK_PROVISIONAL, "R9", progress.due.day + next_day
        if ideal + timedelta(days=COURTESY_DAYS) < case.today:
            return []
    else:
        return []
    identity = Identity(kind=Kind.THANK_YOU, subject=progress.id, slot=slot)
    if case.happened(identity):
        return []
    return [
        Occasion(
            identity=identity,
            letters=(progress.id,),
            day=_no_earlier(ideal, case),
            reasons=(Reason(rule=rule, text=text, ideal=ideal),),
        )
    ]


def _results(case: Case) -> list[Occasion]:
    """Place one note when the last of the programs that got a letter has decided (R12)."""
    submitted = [p for p in case.letters if p.submitted is not None]
    if any(p.facts.results_shared_on is not None for p in case.letters):
        return []
    decided = [
        (results_on, program_id)
        for p in submitted
        for program_id in p.letter.programs
        if (results_on := case.season.programs[program_id].results_on) is not None
    ]
    identity = Identity(kind=Kind.RESULTS, subject=case.mentor.id)
    if not decided or case.happened(identity):
        return []
    last, program_id = max(decided)
    ideal = last + timedelta(days=1)
    if ideal + timedelta(days=COURTESY_DAYS) < case.today:
        return []
    name = case.season.programs[program_id].name
    return [
        Occasion(
            identity=identity,
            letters=tuple(p.id for p in submitted),
            day=_no_earlier(ideal, case),
            reasons=(Reason(rule="R12", text=f"{name} decides on {last}", ideal=ideal),),
        )
    ]


def _no_earlier(ideal: date, case: Case) -> date:
    """Return the day for a courtesy: from the ideal one on, moved later only (R6), never past.

    A courtesy is welcome even during an absence, so where a week has no contact day it stays.
    """
    first = max(ideal, case.today)
    return next(case.days.between(first, first + timedelta(days=COURTESY_DAYS - 1)), first)


def _overdue(progress: Progress, case: Case) -> PlanWarning:
    due = progress.due.day if progress.due is not None else case.today
    return PlanWarning(
        code="past-due",
        subject=progress.id,
        message=f"{progress.id} by {case.mentor.name} was due on {due} and is not known to be in. "
        "If it is, set submitted_on; if not, ring the program and the office.",
    )
