"""Run one pass: gather what is there, decide what to do, apply it, and report.

The deciding is the core's. What is here keeps the order that makes a pass safe to kill (I7): an
intent is in the ledger before its write, and a write counts as done once its echo was seen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from lorsync.core.content import Content, content_of
from lorsync.core.decision import Acknowledge, Action, Create, Delete, Release, Update, decide
from lorsync.core.entry import Entry, State
from lorsync.core.facts import with_statements
from lorsync.core.guards import explained_by_facts, hold_back
from lorsync.core.model import Event, Plan, PlanWarning, Uid
from lorsync.gathering import Seen, gather, remember_listing
from lorsync.planning import (
    check_owner,
    freeze_key,
    frozen_key,
    history_of,
    plan_at_once,
    statements_of,
    today_of,
)
from lorsync.ports import Calendar, Ledger, Progress
from lorsync.report import Change, Report, change_of, changes_of_entries, held_warning, standing_in
from lorsync.settings import Settings
from lorsync.writing import Desk, Outcomes, write_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a pass.

    ``full``: list the whole collection, whatever the token says. ``stopping`` is asked between
    writes; when it says yes, the pass ends early and the next one goes on.
    """

    dry_run: bool = False
    full: bool = False
    accept_deletions: bool = False
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
    check_owner(settings.season, ledger)
    key = frozen_key(settings.season, ledger)
    seen = gather(
        settings.season,
        calendar,
        ledger,
        key,
        now=now,
        full=options.full,
        believe_emptied=options.accept_deletions,
    )
    said = statements_of(seen.entries.values(), ledger.marks())
    season = with_statements(settings.season, said)
    retired = ledger.retired() | {gone.uid for gone in seen.gone if gone.retired}
    planned = plan_at_once(
        season,
        today=today,
        key=key,
        history=history_of(seen.entries.values(), retired, today),
    )
    wanted = {event.uid: (event, content_of(event, settings.style)) for event in planned.events}
    actions, held = _choose(replace(settings, season=season), seen.entries, wanted, today, options)
    if seen.emptied:
        # As the warning says: with everything gone, nothing is created beside it.
        actions = []
    if options.dry_run:
        outcomes = _foreseen(actions)
    else:
        freeze_key(season, ledger)
        outcomes = _applied(actions, seen, settings, calendar, ledger, now=now, options=options)
    return _report(planned, actions, held, seen, outcomes, requests=calendar.requests)


def _applied(
    actions: Sequence[Action],
    seen: Seen,
    settings: Settings,
    calendar: Calendar,
    ledger: Ledger,
    *,
    now: datetime,
    options: Options,
) -> Outcomes:
    """Record what was seen, write, and only then believe the listing's token."""
    ledger.save(
        seen.changed.values(),
        forget=[gone.uid for gone in seen.gone if not gone.retired],
        retire=[gone.uid for gone in seen.gone if gone.retired],
    )
    desk = Desk(
        calendar=calendar,
        ledger=ledger,
        zone=settings.season.applicant.timezone,
        now=now,
        stopping=options.stopping,
    )
    outcomes = write_all(actions, desk, options.progress)
    remember_listing(seen.listing, ledger, now, created=bool(outcomes.created))
    return outcomes


def _report(
    planned: Plan,
    actions: Sequence[Action],
    held: Sequence[Delete],
    seen: Seen,
    outcomes: Outcomes,
    *,
    requests: int,
) -> Report:
    today = planned.as_of
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
            *_emptied_warning(seen.emptied),
            *held_warning(len(held)),
            *outcomes.warnings,
        ),
    )


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
