"""Gather what the calendar holds of ours: one listing, and one fetch of what is new or changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lorsync.core.entry import AWAY, Entry, State
from lorsync.core.guards import FLOOR
from lorsync.core.identity import SeasonKey, looks_like_ours
from lorsync.core.merge import CERTAIN_AFTER, Gone, observe_absent, observe_present
from lorsync.core.model import Season, Uid
from lorsync.core.roster import roster
from lorsync.ports import Calendar, Href, Ledger, Listing, SyncToken

FULL_LISTING_EVERY = timedelta(days=1)
"""Sync-tokens lie (S16), so a full listing replaces one that is a day old."""

_TOKEN, _LISTED = "sync_token", "listed_fully_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the listing and the fetch told about our events.

    ``entries`` are all, ``changed`` those that the ledger does not have like this yet. ``emptied``:
    all of ours are gone at once, so none of them counts as deleted by the person (S18).
    """

    listing: Listing
    entries: dict[Uid, Entry]
    changed: dict[Uid, Entry]
    gone: tuple[Gone, ...]
    adopted: frozenset[Uid]
    emptied: bool


def gather(
    season: Season,
    calendar: Calendar,
    ledger: Ledger,
    key: SeasonKey,
    *,
    now: datetime,
    full: bool,
    believe_emptied: bool,
) -> Seen:
    """List the collection, fetch what is new or changed of ours, and hold it against the ledger.

    ``full`` lists everything, whatever the token says. ``believe_emptied`` takes it for the
    person's deletion when all of ours are gone at once.
    """
    zone = season.applicant.timezone
    entries = ledger.entries()
    listing = calendar.listing(None if full or _is_full_due(entries, now) else _token(ledger, now))
    strangers = _unknown_of_ours(season, calendar, listing, entries, key)
    to_fetch = [entry for entry in entries.values() if _is_stale(entry, listing)]
    hrefs = [Href(entry.href) for entry in [*to_fetch, *strangers]]
    fetched = calendar.fetch(hrefs) if hrefs else {}
    all_gone = _is_emptied(entries, listing)
    emptied = all_gone and not believe_emptied
    changed: dict[Uid, Entry] = {}
    gone: list[Gone] = []
    for entry in [*to_fetch, *(e for e in entries.values() if _is_absent(e, listing))]:
        resource = fetched.get(Href(entry.href))
        observed = (
            observe_absent(
                entry,
                now=now,
                complete=listing.complete and not emptied,
                believed=all_gone and believe_emptied,
            )
            if resource is None
            else observe_present(entry, resource.body, resource.etag, zone, now=now)
        )
        if isinstance(observed, Gone):
            gone.append(observed)
        elif observed != entry:
            changed[entry.uid] = observed
    adopted = {
        entry.uid: observe_present(entry, resource.body, resource.etag, zone, now=now)
        for entry in strangers
        if (resource := fetched.get(Href(entry.href))) is not None
    }
    changed |= adopted
    left = {uid: e for uid, e in entries.items() if uid not in {g.uid for g in gone}}
    return Seen(
        listing=listing,
        entries=left | changed,
        changed=changed,
        gone=tuple(gone),
        adopted=frozenset(adopted),
        emptied=emptied,
    )


def remember_listing(listing: Listing, ledger: Ledger, now: datetime, *, created: bool) -> None:
    """Remember the token from before the writes (S16), once the pass has come to its end.

    Not where something was ``created``: what came and went since a token need not be in its report
    (RFC 6578 section 3.5; it is not on Xandikos), so a deletion right after would go unseen.
    """
    memo: dict[str, str | None] = {_TOKEN: None if created else listing.token}
    if listing.complete:
        memo[_LISTED] = now.isoformat()
    ledger.remember(memo)


def _token(ledger: Ledger, now: datetime) -> SyncToken | None:
    """Return the stored sync-token, or None where a full listing is due."""
    token, listed = ledger.memo(_TOKEN), ledger.memo(_LISTED)
    if token is None or listed is None:
        return None
    age = now - datetime.fromisoformat(listed)
    return SyncToken(token) if timedelta(0) <= age < FULL_LISTING_EVERY else None


def _is_full_due(entries: Mapping[Uid, Entry], now: datetime) -> bool:
    """Tell whether only a full listing will do: after a crash, and before any dismissal (S16)."""
    return any(
        entry.intent is not None
        or (
            entry.state is State.MISSING
            and entry.missing_since is not None
            and now - entry.missing_since >= CERTAIN_AFTER
        )
        for entry in entries.values()
    )


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
        and entry.state not in AWAY
    )


def _is_absent(entry: Entry, listing: Listing) -> bool:
    href = Href(entry.href)
    return href in listing.removed or (listing.complete and href not in listing.entries)


def _is_emptied(entries: Mapping[Uid, Entry], listing: Listing) -> bool:
    """Tell whether more than a few events stood, and not one of them is there now."""
    standing = [
        e for e in entries.values() if e.echo is not None and e.state is not State.DISMISSED
    ]
    return len(standing) > FLOOR and all(_is_absent(entry, listing) for entry in standing)


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
