"""Run one pass: gather what is there, decide what to do, apply it, and report.

The deciding is the core's. What is here keeps the order that makes a pass safe to kill (I7): an
intent is in the ledger before its write, and a write counts as done once its echo was seen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lorsync.core.content import Content, content_of
from lorsync.core.entry import Entry, State
from lorsync.core.guards import explained_by_facts, hold_back
from lorsync.core.identity import SeasonKey, looks_like_ours
from lorsync.core.merge import (
    Action,
    Create,
    Delete,
    Gone,
    Update,
    decide,
    observe_absent,
    observe_present,
)
from lorsync.core.model import Event, Season, Uid
from lorsync.core.roster import roster
from lorsync.planning import (
    check_owner,
    freeze_key,
    frozen_key,
    history_of,
    observing,
    plan_at_once,
    today_of,
)
from lorsync.ports import Calendar, Href, Ledger, Listing, Progress, Resource, SyncToken
from lorsync.report import Change, Report, change_of, changes_of_entries, held_warning, standing_in
from lorsync.settings import Settings
from lorsync.writing import Outcomes, write_all

FULL_LISTING_EVERY = timedelta(days=1)
"""Sync-tokens lie (S16), so a full listing replaces one that is a day old."""

_TOKEN, _LISTED = "sync_token", "listed_fully_at"


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
    season, today = settings.season, today_of(settings, now)
    check_owner(season, ledger)
    key = frozen_key(season, ledger)
    seen = _look(settings, calendar, ledger, key, now=now, options=options)
    retired = ledger.retired() | {gone.uid for gone in seen.gone if gone.retired}
    planned = plan_at_once(
        observing(settings, None, today).season,
        today=today,
        key=key,
        history=history_of(seen.entries.values(), retired, today),
    )
    wanted = {event.uid: (event, content_of(event, settings.style)) for event in planned.events}
    actions, held = _choose(settings, seen.entries, wanted, today, options)
    if options.dry_run:
        outcomes = _foreseen(actions)
    else:
        freeze_key(season, ledger)
        ledger.save(
            seen.changed.values(),
            forget=[gone.uid for gone in seen.gone if not gone.retired],
            retire=[gone.uid for gone in seen.gone if gone.retired],
        )
        outcomes = write_all(
            actions,
            calendar,
            ledger,
            zone=season.applicant.timezone,
            progress=options.progress,
            stopping=options.stopping,
        )
        ledger.remember(_token_memo(seen.listing, now))
    entries = {
        uid: entry
        for uid, entry in {**seen.entries, **outcomes.entries}.items()
        if uid not in outcomes.deleted
    }
    adopted = [entries[uid] for uid in sorted(seen.adopted | outcomes.adopted)]
    return Report(
        plan=planned,
        created=_written(actions, outcomes.created),
        updated=_written(actions, outcomes.updated),
        deleted=changes_of_entries(
            a.entry for a in actions if isinstance(a, Delete) and a.entry.uid in outcomes.deleted
        ),
        adopted=changes_of_entries(adopted),
        kept=standing_in(State.KEPT, entries.values(), today),
        missing=standing_in(State.MISSING, entries.values(), today),
        held=changes_of_entries(action.entry for action in held),
        requests=calendar.requests,
        warnings=(*planned.warnings, *held_warning(len(held)), *outcomes.warnings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the listing and one fetch told about our events."""

    listing: Listing
    entries: dict[Uid, Entry]
    changed: dict[Uid, Entry]
    gone: tuple[Gone, ...]
    adopted: frozenset[Uid]


def _look(
    settings: Settings,
    calendar: Calendar,
    ledger: Ledger,
    key: SeasonKey,
    *,
    now: datetime,
    options: Options,
) -> _Seen:
    """List the collection, fetch what is new or changed of ours, and hold it against the ledger."""
    zone = settings.season.applicant.timezone
    entries = ledger.entries()
    unresolved = any(entry.intent is not None for entry in entries.values())
    listing = calendar.listing(None if options.full or unresolved else _token(ledger, now))
    strangers = _unknown_of_ours(settings.season, calendar, listing, entries, key)
    to_fetch = [entry for entry in entries.values() if _is_stale(entry, listing)]
    hrefs = [Href(entry.href) for entry in [*to_fetch, *strangers]]
    fetched = calendar.fetch(hrefs) if hrefs else {}
    changed: dict[Uid, Entry] = {}
    gone: list[Gone] = []
    for entry in [*to_fetch, *(e for e in entries.values() if _is_absent(e, listing))]:
        observed = _observe(entry, fetched.get(Href(entry.href)), settings)
        if isinstance(observed, Gone):
            gone.append(observed)
        elif observed != entry:
            changed[entry.uid] = observed
    adopted = {
        entry.uid: observe_present(entry, resource.body, resource.etag, zone)
        for entry in strangers
        if (resource := fetched.get(Href(entry.href))) is not None
    }
    changed |= adopted
    left = {uid: e for uid, e in entries.items() if uid not in {g.uid for g in gone}}
    return _Seen(
        listing=listing,
        entries=left | changed,
        changed=changed,
        gone=tuple(gone),
        adopted=frozenset(adopted),
    )


def _observe(entry: Entry, resource: Resource | None, settings: Settings) -> Entry | Gone:
    if resource is None:
        return observe_absent(entry)
    return observe_present(entry, resource.body, resource.etag, settings.season.applicant.timezone)


def _is_stale(entry: Entry, listing: Listing) -> bool:
    """Tell whether an entry has to be fetched: there, and not in the version that was last seen."""
    href = Href(entry.href)
    if href in listing.entries:
        etag = listing.entries[href]
        return entry.etag is None or etag is None or entry.etag != etag or entry.intent is not None
    # Not in a report of changes: unchanged, so only worth a look if it was never seen.
    return (
        not listing.complete
        and href not in listing.removed
        and entry.etag is None
        and entry.state is not State.MISSING
    )


def _is_absent(entry: Entry, listing: Listing) -> bool:
    href = Href(entry.href)
    return href in listing.removed or (listing.complete and href not in listing.entries)


def _unknown_of_ours(
    season: Season,
    calendar: Calendar,
    listing: Listing,
    entries: Mapping[Uid, Entry],
    key: SeasonKey,
) -> list[Entry]:
    """Return bare entries for resources that this season wrote and this ledger does not know.

    That is a lost ledger or another device; resources that merely look alike are foreign (I3, S9).
    """
    known = {entry.href for entry in entries.values()}
    names = (
        href.rpartition("/")[2].removesuffix(".ics")
        for href in listing.entries
        if href not in known
    )
    uids = {Uid(name) for name in names if looks_like_ours(name)} - entries.keys()
    if not uids:
        return []
    members = roster(season, key)
    return [
        Entry(
            uid=uid,
            href=calendar.href_for(uid),
            identity=members[uid].identity,
            mentor=members[uid].mentor,
            letters=members[uid].letters,
            day=date.max,
            summary="",
        )
        for uid in sorted(uids & members.keys())
    ]


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
        zone=settings.season.applicant.timezone,
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
        updated=frozenset(a.event.uid for a in listed if isinstance(a, Update)),
        deleted=frozenset(a.entry.uid for a in listed if isinstance(a, Delete)),
    )


def _token(ledger: Ledger, now: datetime) -> SyncToken | None:
    """Return the stored sync-token, or None where a full listing is due."""
    token, listed = ledger.memo(_TOKEN), ledger.memo(_LISTED)
    if token is None or listed is None:
        return None
    age = now - datetime.fromisoformat(listed)
    return SyncToken(token) if timedelta(0) <= age < FULL_LISTING_EVERY else None


def _token_memo(listing: Listing, now: datetime) -> dict[str, str | None]:
    """Return what to remember of a listing: the token from before the writes (S16)."""
    memo: dict[str, str | None] = {_TOKEN: listing.token}
    if listing.complete:
        memo[_LISTED] = now.isoformat()
    return memo


def _written(actions: Iterable[Action], uids: frozenset[Uid]) -> tuple[Change, ...]:
    return tuple(
        change_of(a.event)
        for a in actions
        if isinstance(a, Create | Update) and a.event.uid in uids
    )
