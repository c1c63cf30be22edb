"""What a due date, a submission, a refusal and a result bring: R9, R11, R12, and the deadline."""

from datetime import date, timedelta

from lorsync.core.model import Identity, Kind, PlanWarning, Program, Reason
from lorsync.core.planner.dates import DueDate, hard_day
from lorsync.core.planner.draft_event import (
    THANK_DECLINED,
    THANK_PROVISIONAL,
    THANK_SUBMITTED,
    DraftEvent,
    MentorContext,
    Outcome,
)
from lorsync.core.planner.progress import Progress

COURTESY_DAYS = 7
"""Thanks and news of the outcome come within so many days (R9, R12)."""

_ONE_DAY = timedelta(days=1)


def conclude(context: MentorContext) -> Outcome:
    """Place the deadlines, thanks and results of one mentor."""
    drafts: list[DraftEvent] = []
    warnings: list[PlanWarning] = []
    for progress in context.letters:
        drafts += _deadline(progress, context)
        drafts += _thank_you(progress, context)
        if progress.open:
            warnings += _past_due(progress, context)
    drafts += _results(context)
    return Outcome(drafts=tuple(drafts), warnings=tuple(warnings))


def _deadline(progress: Progress, context: MentorContext) -> list[DraftEvent]:
    due = progress.due
    if due is None or not progress.open or due.day < context.today:
        return []
    text = driven_by(due, context) + _yielded(due, context)
    reason = Reason(rule="due date", text=text, ideal=due.day)
    return [
        DraftEvent(
            identity=Identity(kind=Kind.DEADLINE, subject=progress.id),
            letters=(progress.id,),
            day=due.day,
            reasons=(reason,),
        )
    ]


def driven_by(due: DueDate, context: MentorContext) -> str:
    """Say which program, target or deadline makes this a due date."""
    if due.program is None:
        text = "the letter's own deadline"
    else:
        name = context.season.programs[due.program].name
        text = f"your target for {name}" if due.from_target else f"the deadline of {name}"
    if due.lag_days:
        days = "1 day" if due.lag_days == 1 else f"{due.lag_days} days"
        text += f", less {days} for its portal"
    return text


def _yielded(due: DueDate, context: MentorContext) -> str:
    """Say why a target does not count, where the hard date does instead."""
    if due.target is None:
        return ""
    passed = due.target < context.today
    return f"; your target {due.target} {'has passed' if passed else 'leaves too little time'}"


def _thank_you(progress: Progress, context: MentorContext) -> list[DraftEvent]:
    if progress.facts.thanked_on is not None:
        return []
    if progress.submitted is not None:
        wait = context.season.policy.thank_you_days
        days = "1 day" if wait == 1 else f"{wait} days"
        text = f"{days} after it was submitted on {progress.submitted}"
        ideal = progress.submitted + timedelta(days=wait)
        return _thanks(progress, THANK_SUBMITTED, ideal, Reason(rule="R9", text=text), context)
    if progress.declined is not None:
        text = f"declined on {progress.declined}"
        ideal = progress.declined + _ONE_DAY
        return _thanks(progress, THANK_DECLINED, ideal, Reason(rule="R11", text=text), context)
    return _provisional(progress, context)


def _provisional(progress: Progress, context: MentorContext) -> list[DraftEvent]:
    """Place thanks for a letter that may be in by its due date, as is not known yet (R9).

    It stays through its own day, though the letter may by then have another due date ahead.
    """
    today, identity = context.today, _thanks_identity(progress, THANK_PROVISIONAL)
    for due in progress.dates:
        passed = due.day < today
        if passed and progress.asked is None:
            continue
        day = _courtesy_day(due.day + _ONE_DAY, due.day, context)
        if passed and day < today and due is not progress.dates[-1]:
            continue
        if passed and due.day + timedelta(days=COURTESY_DAYS) < today:
            return []
        if passed and any(
            p.identity == identity and due.day < p.day < today for p in context.placed
        ):
            return []
        day = max(day, today)
        text = f"the day after it is due on {due.day}, if it is in by then"
        reason = Reason(rule="R9", text=text, ideal=due.day + _ONE_DAY)
        return [
            DraftEvent(
                identity=identity,
                letters=(progress.id,),
                day=day,
                reasons=(reason, *_later(reason, day, context)),
            )
        ]
    return []


def _thanks(
    progress: Progress, slot: str, ideal: date, reason: Reason, context: MentorContext
) -> list[DraftEvent]:
    identity = _thanks_identity(progress, slot)
    if context.happened(identity):
        return []
    cause = progress.submitted or progress.declined or ideal
    day = _courtesy_day(ideal, cause, context)
    if day < context.today:
        # Missed: it comes on the next possible day, once.
        day = _courtesy_day(context.today, context.today, context)
    reason = Reason(rule=reason.rule, text=reason.text, ideal=ideal)
    return [
        DraftEvent(
            identity=identity,
            letters=(progress.id,),
            day=day,
            reasons=(reason, *_later(reason, day, context)),
        )
    ]


def _thanks_identity(progress: Progress, slot: str) -> Identity:
    return Identity(kind=Kind.THANK_YOU, subject=progress.id, slot=slot)


def _results(context: MentorContext) -> list[DraftEvent]:
    """Place one note when the last of the programs that got a letter has decided (R12)."""
    submitted = [p for p in context.letters if p.submitted is not None]
    if any(p.facts.results_shared_on is not None for p in context.letters):
        return []
    decided = [
        (results_on, context.season.programs[program_id].name)
        for p in submitted
        for program_id in p.letter.programs
        if (results_on := context.season.programs[program_id].results_on) is not None
    ]
    identity = Identity(kind=Kind.RESULTS, subject=context.mentor.id)
    if not decided or context.happened(identity):
        return []
    last = max(day for day, _ in decided)
    names = sorted({name for day, name in decided if day == last})
    ideal = last + _ONE_DAY
    if last + timedelta(days=COURTESY_DAYS) < context.today:
        return []
    day = max(context.today, _courtesy_day(ideal, last, context))
    who = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    decide = "decides" if len(names) == 1 else "decide"
    reason = Reason(rule="R12", text=f"{who} {decide} on {last}, the last of all", ideal=ideal)
    return [
        DraftEvent(
            identity=identity,
            letters=tuple(p.id for p in submitted),
            day=day,
            reasons=(reason, *_later(reason, day, context)),
        )
    ]


def _courtesy_day(ideal: date, cause: date, context: MentorContext) -> date:
    """Return the day for a courtesy: the ideal one, or one later in the week after its cause (R6).

    A courtesy is welcome even during an absence, so where the week has no contact day it stays.
    """
    return next(context.days.between(ideal, cause + timedelta(days=COURTESY_DAYS)), ideal)


def _later(reason: Reason, day: date, context: MentorContext) -> tuple[Reason, ...]:
    """Say why a courtesy is later than its ideal day; nothing if it is not."""
    if reason.ideal is None or day == reason.ideal:
        return ()
    if reason.ideal < context.today:
        return (Reason(rule="time", text=f"{reason.ideal} has passed", ideal=reason.ideal),)
    obstacle = context.days.obstacle(reason.ideal)
    if obstacle is None:
        return ()
    return (Reason(rule="R6", text=f"{reason.ideal} is {obstacle}", ideal=reason.ideal),)


def _past_due(progress: Progress, context: MentorContext) -> list[PlanWarning]:
    """Warn of a letter that is not known to be in by a hard date that has passed."""
    missed = [due for due in progress.dates if due.day < context.today and not due.from_target]
    due = progress.due
    if due is None or (not missed and due.day >= context.today):
        return []
    last = missed[-1] if missed else due
    advice = ""
    by, why = context.mentor.name, driven_by(last, context)
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
    if due.day >= context.today:
        message += f" The next day that counts is {due.day}: {driven_by(due, context)}."
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


def assign(context: MentorContext) -> Outcome:
    """Place the assign tasks of one mentor's letters, once for what is to be assigned."""
    drafts: list[DraftEvent] = []
    warnings: list[PlanWarning] = []
    if not context.wants(Kind.ASSIGN):
        return Outcome()
    for progress in context.letters:
        programs = [] if progress.submitted is None else _unassigned(progress, context)
        if not programs:
            continue
        identity = _identity(progress, programs, context)
        if identity is not None:
            drafts.append(_occasion(progress, programs, identity, context))
        elif progress.letter.assigned:
            # Who never says what is assigned has done it, for all that can be known.
            warnings.append(_not_assigned(progress, programs))
    return Outcome(drafts=tuple(drafts), warnings=tuple(warnings))


def _unassigned(progress: Progress, context: MentorContext) -> list[Program]:
    """Return the programs still to assign whose deadline is ahead, in the letter's order."""
    letter = progress.letter
    if len(letter.programs) < 2 and not letter.assigned:
        return []
    programs = [context.season.programs[p] for p in letter.programs if p not in letter.assigned]
    return [p for p in programs if (last := _last_day(p, context)) is None or last >= context.today]


def _last_day(program: Program, context: MentorContext) -> date | None:
    return hard_day(program, context.season.applicant.timezone) or program.target


def _identity(
    progress: Progress, programs: list[Program], context: MentorContext
) -> Identity | None:
    """Return the task's identity, or None where its day has passed.

    It goes by the last program of the letter's list, so that one added to the list is a new task; a
    task that stands keeps its identity while its program is still to be assigned.
    """
    ids = [program.id for program in programs]
    last = Identity(kind=Kind.ASSIGN, subject=progress.id, slot=ids[-1])
    if context.happened(last):
        return None
    for placed in context.standing(Kind.ASSIGN):
        if placed.identity.subject == progress.id and placed.identity.slot in ids:
            return placed.identity
    return last


def _occasion(
    progress: Progress, programs: list[Program], identity: Identity, context: MentorContext
) -> DraftEvent:
    submitted = progress.submitted or context.today
    limit = min((day for p in programs if (day := _last_day(p, context)) is not None), default=None)
    ideal = submitted + timedelta(days=1)
    day = max(context.today, ideal if limit is None else min(ideal, limit))
    names = ", ".join(program.name for program in programs)
    text = f"in since {submitted}, and not assigned to {names}"
    return DraftEvent(
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
