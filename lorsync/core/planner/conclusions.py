"""What a due date, a submission, a refusal and a result bring: R9, R11, R12, and the deadline."""

from datetime import date, timedelta

from lorsync.core.model import Identity, Kind, PlanWarning, Program, Reason
from lorsync.core.planner.dates import DueDate, hard_day
from lorsync.core.planner.draft_event import (
    THANK_DECLINED,
    THANK_PROVISIONAL,
    THANK_SUBMITTED,
    Case,
    Occasion,
    Outcome,
)
from lorsync.core.planner.progress import Progress

COURTESY_DAYS = 7
"""Thanks and news of the outcome come within so many days (R9, R12)."""

_ONE_DAY = timedelta(days=1)


def conclude(case: Case) -> Outcome:
    """Place the deadlines, thanks and results of one mentor."""
    occasions: list[Occasion] = []
    warnings: list[PlanWarning] = []
    for progress in case.letters:
        occasions += _deadline(progress, case)
        occasions += _thank_you(progress, case)
        if progress.open:
            warnings += _past_due(progress, case)
    occasions += _results(case)
    return Outcome(occasions=tuple(occasions), warnings=tuple(warnings))


def _deadline(progress: Progress, case: Case) -> list[Occasion]:
    due = progress.due
    if due is None or not progress.open or due.day < case.today:
        return []
    text = driven_by(due, case) + _yielded(due, case)
    reason = Reason(rule="due date", text=text, ideal=due.day)
    return [
        Occasion(
            identity=Identity(kind=Kind.DEADLINE, subject=progress.id),
            letters=(progress.id,),
            day=due.day,
            reasons=(reason,),
        )
    ]


def driven_by(due: DueDate, case: Case) -> str:
    """Say which program, target or deadline makes this a due date."""
    if due.program is None:
        text = "the letter's own deadline"
    else:
        name = case.season.programs[due.program].name
        text = f"your target for {name}" if due.from_target else f"the deadline of {name}"
    if due.lag_days:
        days = "1 day" if due.lag_days == 1 else f"{due.lag_days} days"
        text += f", less {days} for its portal"
    return text


def _yielded(due: DueDate, case: Case) -> str:
    """Say why a target does not count, where the hard date does instead."""
    if due.target is None:
        return ""
    passed = due.target < case.today
    return f"; your target {due.target} {'has passed' if passed else 'leaves too little time'}"


def _thank_you(progress: Progress, case: Case) -> list[Occasion]:
    if progress.facts.thanked_on is not None:
        return []
    if progress.submitted is not None:
        wait = case.season.policy.thank_you_days
        days = "1 day" if wait == 1 else f"{wait} days"
        text = f"{days} after it was submitted on {progress.submitted}"
        ideal = progress.submitted + timedelta(days=wait)
        return _thanks(progress, THANK_SUBMITTED, ideal, Reason(rule="R9", text=text), case)
    if progress.declined is not None:
        text = f"declined on {progress.declined}"
        ideal = progress.declined + _ONE_DAY
        return _thanks(progress, THANK_DECLINED, ideal, Reason(rule="R11", text=text), case)
    return _provisional(progress, case)


def _provisional(progress: Progress, case: Case) -> list[Occasion]:
    """Place thanks for a letter that may be in by its due date, as is not known yet (R9).

    It stays through its own day, though the letter may by then have another due date ahead.
    """
    today, identity = case.today, _thanks_identity(progress, THANK_PROVISIONAL)
    for due in progress.dates:
        passed = due.day < today
        if passed and progress.asked is None:
            continue
        day = _courtesy_day(due.day + _ONE_DAY, due.day, case)
        if passed and day < today and due is not progress.dates[-1]:
            continue
        if passed and due.day + timedelta(days=COURTESY_DAYS) < today:
            return []
        if passed and any(p.identity == identity and due.day < p.day < today for p in case.placed):
            return []
        day = max(day, today)
        text = f"the day after it is due on {due.day}, if it is in by then"
        reason = Reason(rule="R9", text=text, ideal=due.day + _ONE_DAY)
        return [
            Occasion(
                identity=identity,
                letters=(progress.id,),
                day=day,
                reasons=(reason, *_later(reason, day, case)),
            )
        ]
    return []


def _thanks(
    progress: Progress, slot: str, ideal: date, reason: Reason, case: Case
) -> list[Occasion]:
    identity = _thanks_identity(progress, slot)
    if case.happened(identity):
        return []
    cause = progress.submitted or progress.declined or ideal
    day = _courtesy_day(ideal, cause, case)
    if day < case.today:
        # Missed: it comes on the next possible day, once.
        day = _courtesy_day(case.today, case.today, case)
    reason = Reason(rule=reason.rule, text=reason.text, ideal=ideal)
    return [
        Occasion(
            identity=identity,
            letters=(progress.id,),
            day=day,
            reasons=(reason, *_later(reason, day, case)),
        )
    ]


def _thanks_identity(progress: Progress, slot: str) -> Identity:
    return Identity(kind=Kind.THANK_YOU, subject=progress.id, slot=slot)


def _results(case: Case) -> list[Occasion]:
    """Place one note when the last of the programs that got a letter has decided (R12)."""
    submitted = [p for p in case.letters if p.submitted is not None]
    if any(p.facts.results_shared_on is not None for p in case.letters):
        return []
    decided = [
        (results_on, case.season.programs[program_id].name)
        for p in submitted
        for program_id in p.letter.programs
        if (results_on := case.season.programs[program_id].results_on) is not None
    ]
    identity = Identity(kind=Kind.RESULTS, subject=case.mentor.id)
    if not decided or case.happened(identity):
        return []
    last = max(day for day, _ in decided)
    names = sorted({name for day, name in decided if day == last})
    ideal = last + _ONE_DAY
    if last + timedelta(days=COURTESY_DAYS) < case.today:
        return []
    day = max(case.today, _courtesy_day(ideal, last, case))
    who = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    decide = "decides" if len(names) == 1 else "decide"
    reason = Reason(rule="R12", text=f"{who} {decide} on {last}, the last of all", ideal=ideal)
    return [
        Occasion(
            identity=identity,
            letters=tuple(p.id for p in submitted),
            day=day,
            reasons=(reason, *_later(reason, day, case)),
        )
    ]


def _courtesy_day(ideal: date, cause: date, case: Case) -> date:
    """Return the day for a courtesy: the ideal one, or one later in the week after its cause (R6).

    A courtesy is welcome even during an absence, so where the week has no contact day it stays.
    """
    return next(case.days.between(ideal, cause + timedelta(days=COURTESY_DAYS)), ideal)


def _later(reason: Reason, day: date, case: Case) -> tuple[Reason, ...]:
    """Say why a courtesy is later than its ideal day; nothing if it is not."""
    if reason.ideal is None or day == reason.ideal:
        return ()
    if reason.ideal < case.today:
        return (Reason(rule="time", text=f"{reason.ideal} has passed", ideal=reason.ideal),)
    obstacle = case.days.obstacle(reason.ideal)
    if obstacle is None:
        return ()
    return (Reason(rule="R6", text=f"{reason.ideal} is {obstacle}", ideal=reason.ideal),)


def _past_due(progress: Progress, case: Case) -> list[PlanWarning]:
    """Warn of a letter that is not known to be in by a hard date that has passed."""
    missed = [due for due in progress.dates if due.day < case.today and not due.from_target]
    due = progress.due
    if due is None or (not missed and due.day >= case.today):
        return []
    last = missed[-1] if missed else due
    advice = ""
    by, why = case.mentor.name, driven_by(last, case)
    if progress.asked is None:
        message = (
            f"{progress.id} was due on {last.day} ({why}), and you have not said that you asked "
            f"{by}."
        )
        advice = (
            "Is it in? Say so: lorsync mark MENTOR submitted --letter ID. If not, ask the program "
            "whether a late letter counts, or take it out of the config."
        )
    else:
        message = (
            f"{progress.id} by {by} was due on {last.day} ({why}) and is not known to be in. If it "
            "is, set submitted_on; if not, ring the program and the office."
        )
    if due.day >= case.today:
        message += f" The next day that counts is {due.day}: {driven_by(due, case)}."
    reason = Reason(rule="due date", text=why, ideal=last.day)
    return [
        PlanWarning(
            code="past-due",
            subject=progress.id,
            message=message,
            reasons=(reason,),
            advice=advice,
        )
    ]


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
