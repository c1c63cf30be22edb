"""Turn letters, facts, history and a day into the events that the calendar should hold."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from operator import attrgetter

from lorsync.core.identity import SeasonKey, uid_for
from lorsync.core.model import (
    CONTACTS,
    Budget,
    Event,
    History,
    Identity,
    Kind,
    Letter,
    Mentor,
    MentorId,
    Placed,
    Plan,
    PlanWarning,
    ProgramId,
    Reason,
    Season,
    Uid,
)
from lorsync.core.planner.budget import outlived, spending
from lorsync.core.planner.conclusions import assign, conclude
from lorsync.core.planner.coverage import (
    Coverage,
    cover,
    coverage_warnings,
    letter_warnings,
    replace,
)
from lorsync.core.planner.dates import contact_days
from lorsync.core.planner.draft_event import ASKING, DraftEvent, MentorContext, moved_by_person
from lorsync.core.planner.follow_ups import check_in
from lorsync.core.planner.progress import first_contact_day, future_facts, progress_of, standing
from lorsync.core.planner.requests import after_talk, ask, has_talked, talk_first, talk_identity
from lorsync.core.planner.wording import Titles, Words

NO_HISTORY = History()
"""What there is to remember before the first pass."""


def plan(season: Season, *, today: date, key: SeasonKey, history: History = NO_HISTORY) -> Plan:
    """Return what the calendar should hold on a day, from that day on (R1 to R15).

    ``today`` is the day in the applicant's zone. Events that have passed are history (I6) and not
    part of the plan; they count through ``history``. The same arguments give the same plan (I8).
    """
    cases = _cases(season, today, history)
    standings = tuple(standing(p, today) for context in cases for p in context.letters)
    coverage = cover(season, standings)
    events: list[Event] = []
    warnings = [warning for letter in season.letters for warning in future_facts(letter, today)]
    warnings += _unknown_holidays(season)
    budgets: dict[MentorId, Budget] = {}
    for context in cases:
        drafts, told, budget = _plan_mentor(context, coverage)
        budgets[context.mentor.id] = budget
        warnings += told
        events += _in_words(drafts, context, key, history)
    warnings += coverage_warnings(coverage.values())
    return Plan(
        as_of=today,
        letters=standings,
        events=_in_order(events),
        budgets=budgets,
        warnings=tuple(warnings),
    )


def _cases(season: Season, today: date, history: History) -> list[MentorContext]:
    """Return one case per mentor who has a letter, in the order of the config."""
    letters: dict[MentorId, list[Letter]] = {}
    for letter in season.letters:
        letters.setdefault(letter.mentor, []).append(letter)
    placed: dict[MentorId, list[Placed]] = {}
    for event in history.placed:
        placed.setdefault(event.mentor, []).append(event)
    return [
        _case(
            season,
            season.mentors[mentor_id],
            tuple(own),
            # The ledger's order says nothing, and must not decide anything (I8).
            tuple(sorted(placed.get(mentor_id, ()), key=_order)),
            today,
            unsure=mentor_id in history.unsure,
        )
        for mentor_id, own in letters.items()
    ]


def _order(placed: Placed) -> tuple[date, str, str, str]:
    identity = placed.identity
    return placed.day, identity.kind, identity.subject, identity.slot


def _case(
    season: Season,
    mentor: Mentor,
    letters: tuple[Letter, ...],
    placed: tuple[Placed, ...],
    today: date,
    *,
    unsure: bool,
) -> MentorContext:
    days = contact_days(mentor, season)
    first = first_contact_day(days, today)
    return MentorContext(
        season=season,
        mentor=mentor,
        letters=tuple(
            progress_of(letter, season, today=today, first_contact=first, placed=placed)
            for letter in letters
        ),
        days=days,
        placed=placed,
        today=today,
        unsure=unsure,
    )


def _plan_mentor(
    context: MentorContext, coverage: Mapping[ProgramId, Coverage]
) -> tuple[list[DraftEvent], list[PlanWarning], Budget]:
    spent = spending(context)
    before = _contacts(context)
    asking = ask(context, [*before, *spent.contacts], after_talk=after_talk(context))
    requests = talk_first(context, asking.outcome.drafts, [*before, *spent.contacts])
    contacts = [*before, *(o.day for o in requests if o.kind in CONTACTS)]
    following_up, budget = check_in(context, spent, asking.asked, contacts)
    conclusion, assigning = conclude(context), assign(context)
    drafts = [
        *requests,
        *following_up.drafts,
        *conclusion.drafts,
        *assigning.drafts,
        *replace(context, coverage),
    ]
    gone = [p.identity for p in context.placed if p.dismissed or _was_done_early(p, context)]
    wanted = [o for o in drafts if context.wants(o.kind) and o.identity not in gone]
    outcomes = (asking.outcome, following_up, conclusion, assigning)
    warnings = [warning for outcome in outcomes for warning in outcome.warnings]
    return wanted, [*warnings, *letter_warnings(context)], budget


def _was_done_early(placed: Placed, context: MentorContext) -> bool:
    """Tell whether an event was ticked ahead of its day: it is not planned once more (S13)."""
    return placed.ticked is not None and placed.day >= context.today


def _contacts(context: MentorContext) -> list[date]:
    """Return the days on which the mentor was contacted but for follow-ups, or will be (R7).

    A stated day stands for the event that it tells of.
    """
    stated = {p.asked for p in context.letters if p.asked is not None}
    stated |= {p.facts.talked_on for p in context.letters if p.facts.talked_on is not None}
    confirmed = {p.id for p in context.letters if p.asked is not None and not p.unconfirmed}
    talked = any(p.facts.talked_on is not None for p in context.letters)
    for placed in context.placed:
        if placed.day >= context.today or placed.dismissed:
            continue
        if (placed.kind is Kind.TALK and not talked) or (
            placed.kind in ASKING and not confirmed.issuperset(placed.letters)
        ):
            stated.add(placed.day)
    talk = context.pinned_day(talk_identity(context))
    if talk is not None and not context.was_asked and not has_talked(context):
        stated.add(talk)
    return sorted(stated)


def _in_words(
    drafts: list[DraftEvent], context: MentorContext, key: SeasonKey, history: History
) -> list[Event]:
    titles, words = Titles(context), Words(context)
    anew = outlived(context)
    theirs = {p.identity for p in context.placed if p.fixed and p.day >= context.today}
    events = []
    for planned in drafts:
        stays = planned.pinned or planned.identity in anew
        draft = planned if stays else _where_moved(planned, context)
        if draft is None:
            continue
        if draft.identity in theirs:
            draft = _left_alone(draft)
        events.append(
            Event(
                uid=_uid(draft.identity, key, history, anew=draft.identity in anew),
                identity=draft.identity,
                mentor=context.mentor.id,
                letters=draft.letters,
                day=draft.day,
                summary=titles.of(draft),
                text=partial(words.text, draft),
                status=draft.status,
                pinned=draft.pinned,
                unpinned_day=_unpinned_day(draft) if draft.pinned else None,
                reasons=draft.reasons,
            )
        )
    return events


def _in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return events by their day, kind and UID.

    Each day is sorted for itself, which compares most events by fewer things than all at once.
    """
    by_day: dict[date, list[Event]] = {}
    for event in events:
        by_day.setdefault(event.day, []).append(event)
    order = attrgetter("identity.kind", "uid")
    return tuple(event for day in sorted(by_day) for event in sorted(by_day[day], key=order))


def _where_moved(draft: DraftEvent, context: MentorContext) -> DraftEvent | None:
    """Return an occasion on the day to which the person moved it (S10).

    One that they moved into the past has happened; None.
    """
    for placed in context.placed:
        if placed.pinned and placed.identity == draft.identity:
            if placed.day < context.today:
                return None
            reasons = (*draft.reasons, moved_by_person(draft.day))
            return draft._replace(day=placed.day, pinned=True, reasons=reasons)
    return draft


def _left_alone(draft: DraftEvent) -> DraftEvent:
    """Return the occasion of an event that is wholly the person's, wherever it came to stand."""
    planned = _unpinned_day(draft)
    text = "it is wholly yours and stays on its day"
    if planned is not None and planned != draft.day:
        text += f"; planned for {planned}"
    others = (reason for reason in draft.reasons if reason.rule != "S10")
    reasons = (*others, Reason(rule="S10", text=text, ideal=planned))
    return draft._replace(pinned=False, reasons=reasons)


def _unpinned_day(draft: DraftEvent) -> date | None:
    """Return the day that the plan would have chosen for an event that the person moved (S10)."""
    return next((r.ideal for r in draft.reasons if r.rule == "S10"), None)


def _unknown_holidays(season: Season) -> list[PlanWarning]:
    """Name the regions whose holidays nobody knows; the plan goes on without them (R6)."""
    if season.holidays is None:
        return []
    named = [(m.holidays, m.id) for m in season.mentors.values() if m.holidays is not None]
    if season.policy.holidays is not None:
        named.insert(0, (season.policy.holidays, MentorId("policy")))
    return [
        PlanWarning(
            code="unknown-holidays",
            subject=subject,
            message=f"No holidays are known for {region!r}, so none are kept free. Name a country "
            'such as "US", or a part of it such as "US-NY".',
            reasons=(Reason(rule="R6", text="the holidays library does not know this region"),),
        )
        for region, subject in named
        if region not in season.holidays
    ]


def _uid(identity: Identity, key: SeasonKey, history: History, *, anew: bool) -> Uid:
    """Return the UID under which an event stands, or a fresh one for what is planned ``anew``."""
    standing = history.standing.get(identity)
    if standing is None:
        return _fresh_uid(identity, key, history.retired)
    return _fresh_uid(identity, key, history.retired | {standing}) if anew else standing


def _fresh_uid(identity: Identity, key: SeasonKey, retired: frozenset[Uid]) -> Uid:
    """Return the UID of the first generation that lorsync has not itself deleted (S8)."""
    generation = 0
    while (
        uid := uid_for(key, identity.kind, identity.subject, identity.slot, generation)
    ) in retired:
        generation += 1
    return uid
