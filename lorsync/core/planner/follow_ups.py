"""When to follow up, and what is left of a mentor's budget: R4, R5, R7, R8, R10, S8, S10."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from shlex import quote

from lorsync.core.model import (
    MAX_FOLLOW_UPS,
    Budget,
    Identity,
    Kind,
    LetterId,
    Placed,
    PlanWarning,
    Reason,
)
from lorsync.core.planner.budget import (
    FIRST,
    LAST,
    Made,
    Outstanding,
    Spending,
    outstanding,
    spending,
)
from lorsync.core.planner.draft_event import (
    DraftEvent,
    MentorContext,
    Outcome,
    moved,
    moved_by_person,
)
from lorsync.core.planner.follow_up_days import (
    CHECK_IN_BEFORE_FINAL_DAYS,
    Choice,
    Fixed,
    ahead_days,
    check_in_span,
    choose_days,
    least_days,
)


def check_in(
    context: MentorContext,
    spent: Spending,
    asked: Mapping[LetterId, date],
    contacts: Sequence[date],
) -> tuple[Outcome, Budget]:
    """Place the follow-ups of one mentor, at most two in a cycle (R5).

    ``asked`` says when each open letter was or will be asked for, ``contacts`` on which other days
    than follow-ups the mentor is contacted.
    """
    if not context.wants(Kind.FOLLOW_UP):
        return Outcome(), Budget(cap=0, spent=_used(spent), planned=0)
    cap = min(context.season.policy.follow_ups, MAX_FOLLOW_UPS)
    context, spent = _as_planned(context, spent, asked, contacts)
    context, spent, letters = _as_they_will_read(context, spent, asked)
    left = 0 if context.unsure else max(0, cap - len(spent.spent) - len(spent.pins))
    planned = _planned(context, spent, letters, left, contacts)
    pins = _pinned(context, spent, letters)
    drafts = (*pins, *planned)
    budget = Budget(cap=cap, spent=_used(spent), planned=len(drafts))
    finals = {letter for o in planned if o.final for letter in o.letters} | spent.covered
    uncovered = [letter for letter in letters if letter.id not in finals]
    warnings = [
        *unsure(context, letters),
        *over_budget(context, spent, cap),
        *too_late(context, pins, letters),
        *([] if context.unsure else uncovered_warnings(context, uncovered, left, len(planned))),
    ]
    return Outcome(drafts=drafts, warnings=tuple(warnings)), budget


def _planned(
    context: MentorContext,
    spent: Spending,
    letters: Sequence[Outstanding],
    left: int,
    contacts: Sequence[date],
) -> list[DraftEvent]:
    """Return the follow-ups that the plan itself places, around what is fixed."""
    fixed = Fixed(
        contacts=(*contacts, *spent.contacts),
        finals=spent.finals_ahead,
        check_ins=spent.check_ins,
        checked_in=spent.checked_in,
    )
    free = [slot for slot in (FIRST, LAST) if slot not in spent.slots]
    choices = choose_days(
        list({letter.due for letter in letters}),
        slots=min(left, len(free)),
        days=context.days,
        policy=context.season.policy,
        today=context.today,
        fixed=fixed,
    )
    slots = _slots(choices, free, context)
    return [
        _occasion(choice, slot, context, letters, _beside(choice, choices, fixed))
        for choice, slot in zip(choices, slots, strict=True)
    ]


def _slots(choices: Sequence[Choice], free: Sequence[str], context: MentorContext) -> list[str]:
    """Give each follow-up its slot: a day that does not change keeps its own (S8).

    A check-in has the first slot, and a lone final the last one.
    """
    standing = {p.day: p.identity.slot for p in context.standing(Kind.FOLLOW_UP) if not p.pinned}
    kept = [standing.get(choice.day) if choice.final else None for choice in choices]
    early = [_looks_early(choice, context) for choice in choices]
    if len(choices) == 2:
        swapped = kept[0] == LAST or kept[1] == FIRST or (kept == [None] * 2 and early[0])
        return [LAST, FIRST] if choices[0].final and swapped else [FIRST, LAST]
    if not choices or len(free) == 1:
        return list(free[: len(choices)])
    if not choices[0].final:
        return [FIRST]
    return [FIRST if kept[0] == FIRST and not early[0] else LAST]


def _looks_early(choice: Choice, context: MentorContext) -> bool:
    """Tell whether a final in the first slot would be taken for a check-in afterwards."""
    earliest = min(due.day for due in choice.serves)
    return (earliest - choice.day).days >= check_in_span(context.season.policy)[1]


def _beside(choice: Choice, choices: Sequence[Choice], fixed: Fixed) -> Fixed:
    """Return what a follow-up was placed around: the other one that is planned, too."""
    rest = [other for other in choices if other is not choice]
    return replace(
        fixed,
        finals=(*fixed.finals, *(other.day for other in rest if other.final)),
        check_ins=(*fixed.check_ins, *(other.day for other in rest if not other.final)),
    )


def _occasion(
    choice: Choice, slot: str, context: MentorContext, letters: Sequence[Outstanding], beside: Fixed
) -> DraftEvent:
    policy = context.season.policy
    served = set(choice.serves)
    first = min(due.day for due in choice.serves)
    if choice.final:
        text = f"the final follow-up, {policy.final_days} days before {first}, give or take 3"
    else:
        text = f"a check-in, about {policy.first_days} days before {first}"
    reasons = [Reason(rule="R4", text=text, ideal=choice.ideal)]
    reasons += moved(context, choice.ideal, choice.day, beside.contacts)
    if len(reasons) == 1 and choice.day != choice.ideal:
        reasons.append(_kept_apart(choice, beside) or _serving_most(choice))
    others = sorted({due.day for due in choice.serves} - {first})
    if others:
        days = ", ".join(day.isoformat() for day in others)
        reasons.append(Reason(rule="R8", text=f"it serves what is due on {days} too"))
    return DraftEvent(
        identity=Identity(kind=Kind.FOLLOW_UP, subject=context.mentor.id, slot=slot),
        letters=tuple(letter.id for letter in letters if letter.due in served),
        day=choice.day,
        reasons=tuple(reasons),
        final=choice.final,
    )


def _kept_apart(choice: Choice, beside: Fixed) -> Reason | None:
    """Say that the ideal day lies too near to the mentor's other follow-up (R4)."""
    name, others = ("check-in", beside.check_ins) if choice.final else ("final", beside.finals)
    near = [day for day in others if abs((choice.ideal - day).days) < CHECK_IN_BEFORE_FINAL_DAYS]
    if not near:
        return None
    text = f"{choice.ideal} is less than {CHECK_IN_BEFORE_FINAL_DAYS} days from the {name} on "
    return Reason(rule="R4", text=f"{text}{near[0]}", ideal=choice.ideal)


def _serving_most(choice: Choice) -> Reason:
    text = "the day on which the follow-ups that are left serve most letters"
    return Reason(rule="R8", text=text, ideal=choice.ideal)


def _pinned(
    context: MentorContext, spent: Spending, letters: Sequence[Outstanding]
) -> list[DraftEvent]:
    """Return the follow-ups that the person moved, each on its day and for what is still open."""
    drafts = [_pin(made, context, letters) for made in spent.pins]
    # What is wholly theirs stands also when nothing is open any more.
    return [draft for draft in drafts if draft.letters]


def _as_planned(
    context: MentorContext,
    spent: Spending,
    asked: Mapping[LetterId, date],
    contacts: Sequence[date],
) -> tuple[MentorContext, Spending]:
    """Return these with the days that moved follow-ups would have, had the person not moved them.

    One for which no day is left any more keeps the day that it had before.
    """
    if not spent.pins:
        return context, spent
    # Without those that the plan itself places again: this pass would change the next one's (I5).
    others = (p for p in context.placed if not _is_the_plans(p, context))
    unmoved = replace(context, placed=tuple(replace(p, pinned=False) for p in others))
    before = spending(unmoved)
    left = max(0, min(context.season.policy.follow_ups, MAX_FOLLOW_UPS) - len(before.spent))
    without = _planned(unmoved, before, outstanding(unmoved, before, asked), left, contacts)
    days = {o.identity.slot: o.day for o in without}
    context = replace(
        context, placed=tuple(_planned_anew(p, days, context) for p in context.placed)
    )
    return context, spending(context)


def _planned_anew(placed: Placed, days: Mapping[str, date], context: MentorContext) -> Placed:
    moved = placed.kind is Kind.FOLLOW_UP and placed.pinned and placed.day >= context.today
    day = days.get(placed.identity.slot) if moved else None
    return placed if day is None else replace(placed, planned=day)


def _as_they_will_read(
    context: MentorContext, spent: Spending, asked: Mapping[LetterId, date]
) -> tuple[MentorContext, Spending, list[Outstanding]]:
    """Return these, and the outstanding letters, with what moved follow-ups are about to list.

    Which those are tells a check-in from a final, and so what is left to plan: judged by what it
    listed before, the next pass would judge otherwise (I5). A list only grows after the first step.
    """
    while True:
        letters = outstanding(context, spent, asked)
        listed = {(made.slot, made.day): _listed(made, context, letters) for made in spent.pins}
        placed = tuple(_listing(p, listed) for p in context.placed)
        if placed == context.placed:
            return context, spent, letters
        context = replace(context, placed=placed)
        spent = spending(context)


def _listing(placed: Placed, listed: Mapping[tuple[str, date], tuple[LetterId, ...]]) -> Placed:
    if placed.kind is not Kind.FOLLOW_UP or not placed.pinned:
        return placed
    letters = listed.get((placed.identity.slot, placed.day), placed.letters)
    same = frozenset(letters) == frozenset(placed.letters)
    return placed if same else replace(placed, letters=letters)


def _is_the_plans(placed: Placed, context: MentorContext) -> bool:
    """Tell whether a follow-up is still the plan's to place: ahead, not moved, deleted, ticked."""
    mine = placed.kind is Kind.FOLLOW_UP and placed.day >= context.today and placed.ticked is None
    return mine and not placed.pinned and not placed.dismissed


def _listed(
    made: Made, context: MentorContext, letters: Sequence[Outstanding]
) -> tuple[LetterId, ...]:
    """Return the letters that a moved follow-up is for on its day."""
    reach = ahead_days(context.season.policy) if made.final else (date.max - made.day).days
    listed = tuple(
        letter.id
        for letter in letters
        if letter.id in made.letters or 0 <= (letter.due.day - made.day).days <= reach
        if letter.due.asked < made.day
    )
    # What it was for may be due no more, or not asked for by then; it is the person's event.
    return listed or tuple(p.id for p in context.letters if p.id in made.letters and p.open)


def _pin(made: Made, context: MentorContext, letters: Sequence[Outstanding]) -> DraftEvent:
    return DraftEvent(
        identity=Identity(kind=Kind.FOLLOW_UP, subject=context.mentor.id, slot=made.slot),
        letters=_listed(made, context, letters),
        day=made.day,
        reasons=(moved_by_person(made.planned),),
        pinned=True,
        final=made.final,
    )


def _used(spent: Spending) -> int:
    """Count the slots that are used up; a mentor has no more than two (S8)."""
    return min(len(spent.spent), MAX_FOLLOW_UPS)


def unsure(context: MentorContext, letters: Sequence[Outstanding]) -> list[PlanWarning]:
    """Ask how often a mentor was followed up, where that is lost and would matter (S4)."""
    if not context.unsure or not letters:
        return []
    message = (
        f"Whether {context.mentor.name} was followed up in this cycle is not known: lorsync's file "
        "and its memory in the calendar are both gone. So no follow-up is planned until you say: "
        f"lorsync mark {quote(context.mentor.id)} followed-up --on DATE (once for each), or "
        f"lorsync mark {quote(context.mentor.id)} not-followed-up"
    )
    reason = Reason(rule="S4", text="no record is left of the follow-ups before today")
    return [
        PlanWarning(
            code="unknown-follow-ups", subject=context.mentor.id, message=message, reasons=(reason,)
        )
    ]


def over_budget(context: MentorContext, spent: Spending, cap: int) -> list[PlanWarning]:
    number = len(spent.spent)
    if number <= cap or not any(p.open for p in context.letters):
        return []
    times = "once" if number == 1 else f"{number} times"
    message = (
        f"{context.mentor.name} was followed up {times}; {cap} is the limit for this cycle. "
        "Leave it at that, and ring the office instead."
    )
    reason = Reason(rule="R5", text=f"{number} of {cap} are spent")
    return [
        PlanWarning(
            code="over-budget", subject=context.mentor.id, message=message, reasons=(reason,)
        )
    ]


def too_late(
    context: MentorContext, pins: Iterable[DraftEvent], letters: Sequence[Outstanding]
) -> list[PlanWarning]:
    """Warn of each follow-up that the person moved past its use; it is kept (S10)."""
    useful = context.season.policy.last_useful_days
    dues = {letter.id: letter.due.day for letter in letters}
    warnings = []
    for pin in pins:
        ahead = [dues[letter] for letter in pin.letters if letter in dues]
        if any((due - pin.day).days >= useful for due in ahead):
            continue
        when = f"the letter is due on {max(ahead)}" if ahead else "the letter is overdue by then"
        message = (
            f"You moved the follow-up to {context.mentor.name} to {pin.day}: {when}, so it comes "
            "too late to help. It stays where you put it."
        )
        reason = Reason(rule="R7", text=f"no later than {useful} days before the due date")
        warnings.append(
            PlanWarning(
                code="too-late",
                subject=context.mentor.id,
                message=message,
                reasons=(reason,),
                advice="Move it forward, or give it back to the plan: lorsync unpin",
            )
        )
    return warnings


def uncovered_warnings(
    context: MentorContext, letters: Sequence[Outstanding], left: int, planned: int
) -> list[PlanWarning]:
    """Name each due date that gets no final follow-up, and say what to do instead."""
    by_due: dict[date, list[Outstanding]] = {}
    for letter in letters:
        by_due.setdefault(letter.due.day, []).append(letter)
    warnings = []
    for due, found in sorted(by_due.items()):
        rule, why = _why(context, found, left, planned)
        message = (
            f"{context.mentor.name} gets no final reminder of "
            f"{' and '.join(letter.id for letter in found)}, due on {due}: {why}. "
            "If you are worried, ring the office or ask an adviser."
        )
        warnings.append(
            PlanWarning(
                code="no-follow-up",
                subject=context.mentor.id,
                message=message,
                reasons=(Reason(rule=rule, text=why, ideal=due),),
            )
        )
    return warnings


def _why(
    context: MentorContext, letters: Sequence[Outstanding], left: int, planned: int
) -> tuple[str, str]:
    policy = context.season.policy
    if policy.follow_ups == 0:
        return "R5", "you want no follow-ups (follow_ups = 0)"
    if left == 0:
        return "R5", "the follow-ups of this cycle are used up"
    due = letters[0].due.day
    first = min(letter.due.asked for letter in letters) + timedelta(days=policy.min_gap_days)
    latest = due - timedelta(days=least_days(policy))
    if context.today > latest:
        return "R7", "it is too near for a follow-up to help"
    if first > latest:
        return "R7", f"{policy.min_gap_days} days after the request it is too near for a follow-up"
    if planned >= left:
        others = "the follow-up that is left goes" if left == 1 else "both follow-ups go"
        return "R5", f"{others} to other due dates"
    return "R7", "no day near it is free and far enough from the other contacts"
