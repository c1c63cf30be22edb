"""When to talk and to ask: R1 (ask early), R2 (talk first), R8 (one request), R15 (one more)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from lorsync.core.model import Identity, Kind, LetterId, Placed, PlanWarning, Reason, Status
from lorsync.core.phrases import count
from lorsync.core.planner.draft_event import (
    ASKING,
    Asking,
    DraftEvent,
    MentorContext,
    Outcome,
    moved,
    moved_by_person,
)
from lorsync.core.planner.follow_up_days import least_days
from lorsync.core.planner.progress import Progress


class _Wish(NamedTuple):
    """A letter to ask for: when it is due, and on which day it would be asked for on its own.

    ``anchor`` is the event that asks for it on a day of the person's.
    """

    progress: Progress
    due: date
    own_day: date
    anchor: Identity | None


class _Group(NamedTuple):
    """Letters that are asked for at once, the earliest first; ``anchor`` as in :class:`_Wish`."""

    anchor: Identity | None
    wishes: list[_Wish]


class _Batch(NamedTuple):
    """Letters that are asked for at once, and the event that does it.

    ``due`` is the earliest due date, which sets the day of the request; ``pinned`` is the day to
    which the person moved it.
    """

    identity: Identity
    wishes: tuple[_Wish, ...]
    due: date
    pinned: date | None


def ask(context: MentorContext, contacts: Sequence[date], *, after_talk: date) -> Asking:
    """Place the requests of one mentor around the ``contacts`` that stand already (R7).

    ``after_talk`` is the first day that a talk on the calendar leaves for a request (R2).
    """
    asked = _deleted(context)
    asked |= {p.id: p.asked for p in context.letters if p.open and p.asked is not None}
    warnings = [_unconfirmed(p, context) for p in context.letters if p.open and p.unconfirmed]
    wishes: list[_Wish] = []
    for progress in context.letters:
        if progress.id in asked or not progress.open or progress.due is None:
            continue
        if progress.due.day < context.today:
            continue
        wish = _wish(progress, progress.due.day, context, contacts, after_talk)
        if wish is None:
            warnings.append(_no_day(progress, context))
        else:
            wishes.append(wish)
    batches = _identified(_grouped(wishes, context), context)
    taken = sorted({*contacts, *(b.pinned for b in batches if b.pinned is not None)})
    drafts: list[DraftEvent] = []
    for batch in batches:
        draft = _occasion(batch, context, taken, after_talk)
        if draft is None:
            warnings += [_no_day(wish.progress, context) for wish in batch.wishes]
            continue
        drafts.append(draft)
        taken.append(draft.day)
        asked |= dict.fromkeys(draft.letters, draft.day)
        warnings += _on_time(draft, batch, context)
    outcome = Outcome(drafts=tuple(drafts), warnings=tuple(warnings))
    return Asking(outcome=outcome, asked=asked)


def _deleted(context: MentorContext) -> dict[LetterId, date]:
    """Return the letters whose request the person deleted: it counts as made on its day (S11).

    Who deletes it has asked, or does not mean to; neither wants the event once more.
    """
    return {
        letter: placed.day
        for placed in context.placed
        if placed.kind in ASKING and placed.dismissed and placed.day >= context.today
        for letter in placed.letters
    }


def _wish(
    progress: Progress,
    due: date,
    context: MentorContext,
    contacts: Sequence[date],
    after_talk: date,
) -> _Wish | None:
    moved_to = next(
        (
            placed
            for placed in context.placed
            if placed.kind in ASKING
            and placed.pinned
            and placed.day >= context.today
            and placed.ticked is None
            and progress.id in placed.letters
        ),
        None,
    )
    if moved_to is not None:
        return _Wish(progress, due, moved_to.day, moved_to.identity)
    own_day = _request_day(due, context, contacts, after_talk)
    return None if own_day is None else _Wish(progress, due, own_day, None)


def _request_day(
    due: date, context: MentorContext, contacts: Sequence[date], after_talk: date
) -> date | None:
    """Return the day for a request: ``lead_days`` before the due date, as R6 and R7 shift it."""
    policy = context.season.policy
    ideal = due - timedelta(days=policy.lead_days)
    # A talk that the person moved behind every day that is left cannot be waited for.
    earliest = after_talk if after_talk <= due else context.today
    return context.days.shift_clear(
        ideal, earliest=earliest, latest=due, contacts=contacts, gap=policy.min_gap_days
    )


def _grouped(wishes: Sequence[_Wish], context: MentorContext) -> list[_Group]:
    """Group letters whose own request days lie within ``batch_days`` of the earliest (R8).

    A request that the person moved stays one of its own, wherever they put it (S10). Only a letter
    that no other request asks for yet joins it.
    """
    span = timedelta(days=context.season.policy.batch_days)
    anchored: dict[Identity, list[_Wish]] = {}
    free: list[_Wish] = []
    for wish in sorted(wishes, key=lambda wish: (wish.own_day, wish.due, wish.progress.id)):
        if wish.anchor is None:
            free.append(wish)
        else:
            anchored.setdefault(wish.anchor, []).append(wish)
    asked_for = {
        letter
        for placed in (*context.standing(Kind.REQUEST), *context.standing(Kind.ADD_LETTER))
        for letter in placed.letters
    }
    groups: list[_Group] = []
    for wish in free:
        near = (g for g in anchored.values() if abs(wish.own_day - g[0].own_day) <= span)
        joined = None if wish.progress.id in asked_for else next(near, None)
        if joined is not None:
            joined.append(wish)
        elif groups and wish.own_day <= groups[-1].wishes[0].own_day + span:
            groups[-1].wishes.append(wish)
        else:
            groups.append(_Group(anchor=None, wishes=[wish]))
    groups += [_Group(anchor=anchor, wishes=own) for anchor, own in anchored.items()]
    return sorted(groups, key=lambda group: group.wishes[0].own_day)


def _identified(groups: Sequence[_Group], context: MentorContext) -> list[_Batch]:
    """Say which event asks for each group, so that it stays the same while letters come and go.

    A request that stands keeps its slot as long as one of its letters is left. A
    mentor who was asked before gets no second full request but a small event, which goes by one
    of its letters.
    """
    anchors = {group.anchor for group in groups}
    requests = [p for p in context.standing(Kind.REQUEST) if p.identity not in anchors]
    additions = [p for p in context.standing(Kind.ADD_LETTER) if p.identity not in anchors]
    used = {p.identity.slot for p in context.placed if p.kind is Kind.REQUEST}
    batches: list[_Batch] = []
    for group in groups:
        kept = None if group.anchor is not None else _overlapping(requests, group.wishes)
        if group.anchor is not None:
            identity = group.anchor
        elif kept is not None:
            requests.remove(kept)
            identity = kept.identity
        elif context.was_asked:
            identity = _addition(additions, group.wishes)
        else:
            slot = next(str(n) for n in range(1, len(used) + 2) if str(n) not in used)
            used.add(slot)
            identity = Identity(kind=Kind.REQUEST, subject=context.mentor.id, slot=slot)
        batches.append(
            _Batch(
                identity=identity,
                wishes=tuple(group.wishes),
                due=min(wish.due for wish in group.wishes),
                pinned=context.pinned_day(identity),
            )
        )
    return batches


def _addition(additions: list[Placed], group: Sequence[_Wish]) -> Identity:
    """Return the identity of an added letter's event: the standing one's, else a letter's own."""
    ids = {wish.progress.id for wish in group}
    fitting = [placed for placed in additions if placed.identity.subject in ids]
    kept = _overlapping(fitting, group)
    if kept is not None:
        return kept.identity
    # The earliest due letter, which a letter that comes later is unlikely to displace.
    first = min(group, key=lambda wish: (wish.due, wish.progress.id))
    return Identity(kind=Kind.ADD_LETTER, subject=first.progress.id)


def _overlapping(placed: Sequence[Placed], group: Sequence[_Wish]) -> Placed | None:
    """Return the event that shares most letters with a group, if any does."""
    ids = {wish.progress.id for wish in group}
    shared = [(len(ids.intersection(p.letters)), p) for p in placed]
    # Of two that share as many, the lower slot.
    shared.sort(key=lambda pair: (-pair[0], pair[1].identity.slot, pair[1].identity.subject))
    return shared[0][1] if shared and shared[0][0] else None


def _occasion(
    batch: _Batch, context: MentorContext, taken: Sequence[date], after_talk: date
) -> DraftEvent | None:
    policy = context.season.policy
    ideal = batch.due - timedelta(days=policy.lead_days)
    others = [day for day in taken if day != batch.pinned]
    planned = _request_day(batch.due, context, others, after_talk)
    day = batch.pinned or planned
    if day is None:
        return None
    driver = min(batch.wishes, key=lambda wish: (wish.due, wish.progress.id)).progress
    text = f"{policy.lead_days} days before {driver.id} is due on {batch.due}"
    reasons = [Reason(rule="R1", text=text, ideal=ideal)]
    if batch.pinned is None:
        reasons += moved(context, ideal, day, others)
    else:
        reasons.append(moved_by_person(planned))
    if len(batch.wishes) > 1:
        text = f"one request for {len(batch.wishes)} letters within {policy.batch_days} days"
        reasons.append(Reason(rule="R8", text=text))
    lead = (batch.due - day).days
    short = lead < policy.min_lead_days
    if batch.identity.kind is Kind.ADD_LETTER:
        verdict = "short notice" if short else "enough time"
        reasons.append(Reason(rule="R15", text=f"asked before; {lead} days are left: {verdict}"))
    elif short:
        text = f"{lead} days are left, fewer than {policy.min_lead_days}: short notice"
        reasons.append(Reason(rule="R1", text=text))
    return DraftEvent(
        identity=batch.identity,
        letters=tuple(sorted(wish.progress.id for wish in batch.wishes)),
        day=day,
        reasons=tuple(reasons),
        status=Status.SHORT_NOTICE if short else Status.PLANNED,
        pinned=batch.pinned is not None,
    )


def speaking_first(draft: DraftEvent) -> DraftEvent:
    """Return a request that has no talk before it, and says so (R2)."""
    reason = Reason(rule="R2", text="there is no time for a talk before it")
    return draft._replace(speak_first=True, reasons=(*draft.reasons, reason))


def _unconfirmed(progress: Progress, context: MentorContext) -> PlanWarning:
    return PlanWarning(
        code="unconfirmed",
        subject=progress.id,
        message=f"You planned to ask {context.mentor.name} for {progress.id} on {progress.asked}, "
        "and that counts as done. If you asked on another day, set asked_on.",
        reasons=(Reason(rule="R1", text="its day has passed", ideal=progress.asked),),
    )


def _no_day(progress: Progress, context: MentorContext) -> PlanWarning:
    due = context.today if progress.due is None else progress.due.day
    ideal = due - timedelta(days=context.season.policy.lead_days)
    first = max(ideal, context.today)
    obstacle = context.days.obstacle(first)
    text = f"no contact day from {context.today} to {due}" + (
        f": {first} is {obstacle}" if obstacle else ""
    )
    return PlanWarning(
        code="no-contact-day",
        subject=progress.id,
        message=f"There is no day on which {context.mentor.name} can be asked for {progress.id} "
        f"before it is due on {due}. Ask the office, or find another writer.",
        reasons=(Reason(rule="R6", text=text, ideal=ideal),),
    )


def _on_time(draft: DraftEvent, batch: _Batch, context: MentorContext) -> list[PlanWarning]:
    """Warn of a request that leaves little time, or none."""
    left, name, policy = (batch.due - draft.day).days, context.mentor.name, context.season.policy
    if left < 0:
        code = "too-late"
        message = (
            f"You moved the request to {name} to {draft.day}, after {batch.due}, when the "
            "letter is due. Move it forward, or find another writer."
        )
    elif draft.status is Status.SHORT_NOTICE:
        code = "short-notice"
        when = f"{count(left, 'day')} before it is due on" if left else "the very day it is due,"
        message = (
            f"{name} is asked on {draft.day}, {when} {batch.due}. That is short notice: say so, "
            "and make it easy to decline."
        )
        if left < least_days(policy) + policy.min_gap_days:
            message += " There is no time for a follow-up."
    else:
        return []
    reason = Reason(rule="R1", text=f"{count(left, 'day')} left of {policy.lead_days}")
    return [PlanWarning(code=code, subject=context.mentor.id, message=message, reasons=(reason,))]


def talk_first(
    context: MentorContext, requests: Sequence[DraftEvent], contacts: Sequence[date]
) -> tuple[DraftEvent, ...]:
    """Return the requests with a talk before the first, once per mentor and only before any asking.

    Where there is no time for a talk, the first request says to speak first.
    """
    if not requests or not context.wants(Kind.TALK) or context.was_asked or has_talked(context):
        return tuple(requests)
    first = min(requests, key=lambda request: request.day)
    talk = _talk(context, first, [*contacts, *(request.day for request in requests)])
    if talk is None:
        return tuple(speaking_first(r) if r is first else r for r in requests)
    return (talk, *requests)


def has_talked(context: MentorContext) -> bool:
    """Tell whether the talk was had, by a fact or because its day has passed."""
    stated = any(p.facts.talked_on is not None for p in context.letters)
    return stated or context.happened(talk_identity(context))


def talk_identity(context: MentorContext) -> Identity:
    """Return what identifies a mentor's talk."""
    return Identity(kind=Kind.TALK, subject=context.mentor.id)


def after_talk(context: MentorContext) -> date:
    """Return the first day that a talk which the person moved leaves for a request."""
    pinned = context.pinned_day(talk_identity(context))
    if pinned is None or context.was_asked:
        return context.today
    return pinned + timedelta(days=max(1, context.season.policy.min_gap_days))


def _talk(context: MentorContext, first: DraftEvent, others: Sequence[date]) -> DraftEvent | None:
    policy = context.season.policy
    ideal = first.day - timedelta(days=policy.talk_days)
    latest = first.day - timedelta(days=max(1, policy.min_gap_days))
    pinned = context.pinned_day(talk_identity(context))
    # What the plan would have said without the move is not held off by the moved talk itself.
    planned = context.days.shift_clear(
        min(ideal, latest),
        earliest=context.today,
        latest=latest,
        contacts=[day for day in others if day != pinned],
        gap=policy.min_gap_days,
    )
    day = pinned or planned
    if day is None:
        return None
    reason = Reason(
        rule="R2", text=f"{policy.talk_days} days before the request on {first.day}", ideal=ideal
    )
    why = moved(context, ideal, day, others) if pinned is None else (moved_by_person(planned),)
    return DraftEvent(
        identity=talk_identity(context),
        letters=first.letters,
        day=day,
        reasons=(reason, *why),
        pinned=pinned is not None,
    )
