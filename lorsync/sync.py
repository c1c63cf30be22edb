"""Run one pass: gather what is there, decide what to do, apply it, and report.

The deciding is the core's. What is here keeps the order that makes a pass safe to kill (I7): an
intent is in the ledger before its write, and a write counts as done once its echo was seen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from lorsync.clocks import disagreement
from lorsync.core.content import Content, content_of
from lorsync.core.decision import Acknowledge, Action, Create, Delete, Release, Update, decide
from lorsync.core.doubt import in_doubt
from lorsync.core.entry import Entry, State
from lorsync.core.facts import Mark, with_statements
from lorsync.core.guards import explained_by_facts, hold_back
from lorsync.core.learning import NOTHING
from lorsync.core.memory import members_of
from lorsync.core.merge import deleted
from lorsync.core.model import CONTACTS, Event, LetterId, MentorId, Plan, PlanWarning, Season, Uid
from lorsync.core.newcomers import Swap, hold_newcomers, newcomer_warnings, swaps
from lorsync.cycles import close_season
from lorsync.errors import ClockError, UsageError
from lorsync.gathering import Looking, Seen, gather
from lorsync.listings import remember_listing
from lorsync.memorising import wanted_memory, write_memory
from lorsync.planning import (
    check_owner,
    cycle_warning,
    freeze_key,
    history_of,
    is_new,
    plan_at_once,
    remember_unsure,
    statements_of,
    today_of,
    unsure,
)
from lorsync.ports import Calendar, Ledger, Progress
from lorsync.recalling import check_rule, remember, remember_seen, unseen
from lorsync.report import (
    Change,
    Report,
    change_of,
    changes_of_entries,
    held_warning,
    standing_in,
    stray_warning,
)
from lorsync.settings import Settings
from lorsync.writing import Desk, Outcomes, write_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a pass.

    ``accept_deletions``: the person says that what is gone is meant to be gone (S7, S18).
    ``new_cycle`` begins a season of its own beside the last one (S6); ``take_over`` lets this
    config rule where another one did (S20), and ``move`` takes all events to the account that the
    config names now (S19).
    ``full``: list the whole collection, whatever the token says. ``stopping`` is asked between
    writes; when it says yes, the pass ends early and the next one goes on.
    """

    dry_run: bool = False
    full: bool = False
    accept_deletions: bool = False
    new_cycle: bool = False
    take_over: bool = False
    move: bool = False
    progress: Progress | None = None
    stopping: Callable[[], bool] = lambda: False


def run_pass(
    settings: Settings, calendar: Calendar, ledger: Ledger, *, now: datetime, options: Options
) -> Report:
    """Bring the calendar and the plan together once.

    ``now`` is aware. Raises a LorsyncError where the calendar or the ledger cannot be used; what
    was written until then is accounted for by the next pass.
    """
    today = today_of(settings, now)
    closed = _closed(settings, calendar, ledger, now, options) if options.new_cycle else ()
    check_owner(settings.season, ledger)
    looking = Looking(
        now=now,
        full=options.full,
        believe_emptied=options.accept_deletions,
        new_cycle=options.new_cycle,
    )
    seen = gather(settings.season, calendar, ledger, looking)
    apart = disagreement(calendar.stated_time, now, settings.season.applicant.timezone)
    if apart is not None and not options.dry_run:
        raise ClockError(apart)
    check_rule(settings, ledger, seen.memory, take_over=options.take_over)
    if options.take_over:
        seen = replace(seen, entries=_as_unwritten(seen.entries))
    marks = _marks(ledger, seen)
    said = statements_of(seen.entries.values(), marks)
    told = replace(settings, season=with_statements(settings.season, said))
    retired = ledger.retired() | {gone.uid for gone in seen.gone if gone.retired}
    doubts = _doubts(told.season, ledger, seen, today)
    history = history_of(seen.entries.values(), retired | seen.learned.retired, today)
    planned = plan_at_once(
        told.season, today=today, key=seen.key, history=replace(history, unsure=doubts)
    )
    wanted = {event.uid: (event, content_of(event, settings.style)) for event in planned.events}
    actions, held = _choose(told, seen.entries, wanted, today, options)
    found = [] if options.accept_deletions else _swaps(settings.season, seen)
    actions, _ = hold_newcomers(actions, found)
    if seen.emptied:
        # As the warning says: with everything gone, nothing is created beside it.
        actions = []
    work = _Work(planned=planned.events, actions=actions, seen=seen, doubts=doubts, swaps=found)
    if options.dry_run:
        outcomes = _foreseen(actions)
    else:
        outcomes = _applied(work, settings, calendar, ledger, now=now, options=options)
    warnings = [*newcomer_warnings(found), *cycle_warning(settings.season, ledger)]
    report = _report(
        planned,
        work,
        held,
        outcomes,
        warnings,
        requests=calendar.requests,
        strays=calendar.strays,
    )
    report = replace(report, repeatable=_is_repeatable(work, outcomes, calendar, options))
    if apart is not None:
        report = _with_warning(report, "clock", apart)
    return replace(report, deleted=(*closed, *report.deleted)) if closed else report


def _closed(
    settings: Settings, calendar: Calendar, ledger: Ledger, now: datetime, options: Options
) -> tuple[Change, ...]:
    """Close the season before (S6), and return what of it was taken off the calendar."""
    if options.dry_run:
        msg = "--new-cycle closes the season before, so it cannot be tried with --dry-run."
        raise UsageError(msg)
    desk = Desk(
        calendar=calendar,
        ledger=ledger,
        zone=settings.season.applicant.timezone,
        now=now,
        stopping=options.stopping,
    )
    return changes_of_entries(a.entry for a in close_season(settings, calendar, ledger, desk))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a pass is to do: what it saw, what follows from it, and what has to be asked first."""

    planned: Sequence[Event]
    actions: Sequence[Action]
    seen: Seen
    doubts: frozenset[MentorId]
    swaps: Sequence[Swap]


def _is_repeatable(work: _Work, outcomes: Outcomes, calendar: Calendar, options: Options) -> bool:
    """Tell whether another pass of the day would do and say the same if nothing else changes.

    So it wrote nothing and fetched nothing, its listing told of no change since a token, and no
    event waits for its hour (S11).
    """
    seen, listing = work.seen, work.seen.listing
    asked = options.accept_deletions or options.new_cycle or options.take_over or options.move
    observed = seen.changed or seen.gone or seen.emptied or seen.learned != NOTHING
    reported = listing.complete or listing.entries or listing.removed or listing.token is None
    waits = any(e.state is State.MISSING or e.intent is not None for e in seen.entries.values())
    return calendar.requests == 1 and not (
        options.dry_run
        or asked
        or observed
        or reported
        or waits
        or work.actions
        or outcomes.warnings
    )


def _as_unwritten(entries: Mapping[Uid, Entry]) -> dict[Uid, Entry]:
    """Forget what was written: another config's lorsync wrote since, so what is there counts."""
    return {uid: replace(entry, sent_digests=None) for uid, entry in entries.items()}


def _marks(ledger: Ledger, seen: Seen) -> list[Mark]:
    """Return the marks of the ledger with those that the memory adds."""
    marks = {(m.letter, m.fact, m.day): m for m in (*ledger.marks(), *seen.learned.marks)}
    return list(marks.values())


def _doubts(season: Season, ledger: Ledger, seen: Seen, today: date) -> frozenset[MentorId]:
    """Return the mentors of whom nobody knows how often they were followed up (S4)."""
    doubts = unsure(ledger) | seen.learned.unsure
    if is_new(ledger) and seen.memory is None and seen.adopted:
        doubts |= in_doubt(season, [seen.entries[uid] for uid in seen.adopted], today)
    return doubts


def _swaps(season: Season, seen: Seen) -> list[Swap]:
    """Return who vanished from the config while another appeared, since it last ruled (S7)."""
    if seen.said is None:
        return []
    written: dict[MentorId, tuple[LetterId, ...]] = {}
    for entry in seen.entries.values():
        if entry.identity.kind in CONTACTS:
            written[entry.mentor] = (*written.get(entry.mentor, ()), *entry.letters)
    return swaps(season, seen.said.members, written)


def _applied(
    work: _Work,
    settings: Settings,
    calendar: Calendar,
    ledger: Ledger,
    *,
    now: datetime,
    options: Options,
) -> Outcomes:
    """Record what was seen, write, and only then believe the listing's token."""
    seen = work.seen
    freeze_key(settings.season, ledger, seen.key)
    ledger.save_marks(seen.learned.marks)
    remember_unsure(ledger, work.doubts)
    # First, since one of these may stand again, from a backup, and is an entry then (S17).
    ledger.save((), retire=seen.learned.retired)
    ledger.save(
        seen.changed.values(),
        forget=[gone.uid for gone in seen.gone if not gone.retired],
        retire=[gone.uid for gone in seen.gone if gone.retired],
    )
    created, warnings = _memorised(work, settings, calendar, ledger, now=now)
    desk = Desk(
        calendar=calendar,
        ledger=ledger,
        zone=settings.season.applicant.timezone,
        now=now,
        stopping=options.stopping,
        besides=unseen(ledger, calendar),
    )
    outcomes = write_all(work.actions, desk, options.progress)
    remember_seen(ledger, calendar, outcomes.besides)
    remember_listing(seen.listing, ledger, now, created=created or bool(outcomes.created))
    return replace(outcomes, warnings=(*warnings, *outcomes.warnings))


def _memorised(
    work: _Work, settings: Settings, calendar: Calendar, ledger: Ledger, *, now: datetime
) -> tuple[bool, tuple[PlanWarning, ...]]:
    """Write the memory where it has to say more, before the act that it remembers (S4)."""
    seen = work.seen
    if seen.emptied:
        return False, ()
    if seen.memory is not None and (seen.memory.news or seen.memory.gone):
        remember(ledger, seen.memory)
    before = seen.said.members if work.swaps and seen.said is not None else None
    left = {a.entry.uid: deleted(a.entry, now=now) for a in work.actions if isinstance(a, Delete)}
    used = {uid: entry for uid, entry in left.items() if isinstance(entry, Entry)}
    wanted = wanted_memory(
        settings,
        ledger,
        seen.key,
        {**seen.entries, **used},
        ledger.retired() | (left.keys() - used.keys()),
        # As long as a question is open, who was known before it is.
        members=before or members_of(settings.season),
        planned=work.planned,
        today=today_of(settings, now),
    )
    return write_memory(calendar, ledger, seen.memory, wanted)


def _report(
    planned: Plan,
    work: _Work,
    held: Sequence[Delete],
    outcomes: Outcomes,
    warnings: Sequence[PlanWarning],
    *,
    requests: int,
    strays: int,
) -> Report:
    today, actions, seen = planned.as_of, work.actions, work.seen
    entries = {
        uid: entry
        for uid, entry in {**seen.entries, **outcomes.entries}.items()
        if uid not in outcomes.deleted
    }
    found = sorted((seen.adopted | outcomes.adopted) & entries.keys())
    return Report(
        plan=planned,
        created=_written(actions, outcomes.created),
        updated=_written(actions, outcomes.updated),
        deleted=changes_of_entries(
            a.entry for a in actions if isinstance(a, Delete) and a.entry.uid in outcomes.deleted
        ),
        adopted=changes_of_entries(entries[uid] for uid in found),
        kept=standing_in(lambda e: bool(e.changed), entries.values(), today),
        missing=standing_in(lambda e: e.state is State.MISSING, entries.values(), today),
        held=changes_of_entries(action.entry for action in held),
        requests=requests,
        warnings=(
            *planned.warnings,
            *warnings,
            *_emptied_warning(seen.emptied),
            *stray_warning(strays),
            *held_warning(len(held)),
            *outcomes.warnings,
        ),
    )


def _with_warning(report: Report, code: str, message: str) -> Report:
    warning = PlanWarning(code=code, subject="calendar", message=message)
    return replace(report, warnings=(*report.warnings, warning))


def _choose(
    settings: Settings,
    entries: Mapping[Uid, Entry],
    wanted: Mapping[Uid, tuple[Event, Content]],
    today: date,
    options: Options,
) -> tuple[list[Action], list[Delete]]:
    letters = {letter.id: letter for letter in settings.season.letters}
    actions = decide(
        entries,
        wanted,
        today=today,
        style=settings.style,
        known_letters=frozenset(letters),
        explained=explained_by_facts(entries.values(), letters, today),
    )
    if options.accept_deletions:
        return actions, []
    limit = settings.sync.deletion_limit
    live = sum(entry.state is State.LIVE for entry in entries.values())
    return hold_back(actions, live=live, share=limit.share, count=limit.count)


def _foreseen(actions: Iterable[Action]) -> Outcomes:
    """Return what a pass would do, for a dry run."""
    listed = list(actions)
    return Outcomes(
        created=frozenset(a.event.uid for a in listed if isinstance(a, Create)),
        updated=frozenset(_uid(a) for a in listed if isinstance(a, Update | Release | Acknowledge)),
        deleted=frozenset(a.entry.uid for a in listed if isinstance(a, Delete)),
    )


def _written(actions: Iterable[Action], uids: frozenset[Uid]) -> tuple[Change, ...]:
    events = [
        change_of(a.event)
        for a in actions
        if isinstance(a, Create | Update) and a.event.uid in uids
    ]
    others = (
        a.entry for a in actions if isinstance(a, Release | Acknowledge) and a.entry.uid in uids
    )
    return (*events, *changes_of_entries(others))


def _uid(action: Update | Release | Acknowledge) -> Uid:
    return action.entry.uid


def _emptied_warning(emptied: bool) -> tuple[PlanWarning, ...]:
    if not emptied:
        return ()
    message = (
        "Every event of lorsync's is gone from the calendar at once, which looks like an accident. "
        "Nothing is created and nothing counts as deleted by you. Bring the calendar back, or, if "
        "you meant it, run: lorsync sync --accept-deletions"
    )
    return (PlanWarning(code="emptied", subject="calendar", message=message),)
