"""Judge a listing: which of our events have changed, which are gone, when to list in full."""

from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from lorsync.core.merge.entry import AWAY, UNCERTAIN, Entry, State
from lorsync.core.merge.holds import FLOOR
from lorsync.core.merge.three_way import CERTAIN_AFTER
from lorsync.core.model import Uid
from lorsync.core.ports import Href, Ledger, LedgerReader, Listing, SyncToken
from lorsync.sync.state import SyncState, keep_later, state_of

FULL_LISTING_EVERY = timedelta(days=1)
"""Sync-tokens lie (S16), so a full listing replaces one that is a day old."""


def unlisted(state: SyncState) -> SyncState:
    """Return a state in which nothing was ever listed."""
    return replace(state, sync_token=None, listed_fully_at=None, written_since_token=frozenset())


def remember_listing(
    listing: Listing,
    ledger: Ledger,
    now: datetime,
    *,
    written: Collection[Href],
    created: bool,
    emptied: bool,
) -> None:
    """Remember the token from before the writes (S16), once the pass has come to its end.

    Not where something was ``created``: what came and went since a token need not be in its report
    (RFC 6578 section 3.5; it is not on Xandikos), so a deletion right after would go unseen. Nor
    where the calendar was ``emptied``: a report tells of that once, and it has to be seen in every
    pass until the person has answered (S18). ``written`` are the hrefs that this pass wrote since.
    """
    before = state_of(ledger)
    state = replace(
        before,
        sync_token=None if created or emptied else listing.token,
        written_since_token=frozenset(written),
        listed_fully_at=now if listing.complete else before.listed_fully_at,
    )
    # With the record of the pass, which comes next: a token alone is not worth a write of its own.
    keep_later(ledger, state)


def token_of(ledger: LedgerReader, now: datetime) -> SyncToken | None:
    """Return the stored sync-token, or None where a full listing is due."""
    until = listed_until(ledger)
    if until is None or not until - FULL_LISTING_EVERY <= now < until:
        return None
    return stored_token(ledger)


def stored_token(ledger: LedgerReader) -> SyncToken | None:
    """Return the sync-token of the last listing, None where there is none to go on from."""
    return state_of(ledger).sync_token


def written_since(ledger: LedgerReader) -> frozenset[Href]:
    """Return the hrefs that the last pass wrote, after the token that it remembered."""
    return state_of(ledger).written_since_token


def is_believed(listing: Listing, written: Collection[Href]) -> bool:
    """Tell whether a report tells of what lorsync itself wrote since its token.

    One that does not is of a server that was restored, and takes a token from its future for its
    latest: sabre 4 answers that with nothing and the same token.
    """
    return listing.complete or all(h in listing.entries or h in listing.removed for h in written)


def listed_until(ledger: LedgerReader) -> datetime | None:
    """Return when the last full listing is too old, None before the first."""
    listed = state_of(ledger).listed_fully_at
    return None if listed is None else listed + FULL_LISTING_EVERY


def is_full_due(entries: Mapping[Uid, Entry], now: datetime) -> bool:
    """Tell whether only a full listing will do: after a crash, and before any dismissal (S16)."""
    return any(e.intent is not None or is_certain(e, now) for e in entries.values())


def is_certain(entry: Entry, now: datetime) -> bool:
    """Tell whether an event has been missing for so long that it may be dismissed (S11)."""
    return (
        entry.state in UNCERTAIN
        and entry.missing_since is not None
        and now - entry.missing_since >= CERTAIN_AFTER
    )


def is_stale(entry: Entry, listing: Listing, *, unsure: Container[Href]) -> bool:
    """Tell whether an entry has to be fetched: there, and not in the version that was last seen.

    Of the hrefs that are ``unsure`` the ETag does not tell.
    """
    href = Href(entry.href)
    if href in listing.entries:
        if href in unsure:
            return True
        etag = listing.entries[href]
        return entry.etag is None or etag is None or entry.etag != etag or entry.intent is not None
    # Not in a report of changes: unchanged, so only worth a look if it was never seen.
    return (
        not listing.complete
        and href not in listing.removed
        and entry.etag is None
        and entry.state not in AWAY
    )


def unsure_of(
    listing: Listing, written: Collection[Href], *, etags_restart: bool
) -> frozenset[Href]:
    """Return the hrefs whose ETag may be that of another event than the one which was seen.

    Where ETags restart after a deletion (SOGo), what was deleted and written again has its old one.
    What lorsync wrote itself is listed for that (S16).
    """
    return frozenset(listing.entries) - frozenset(written) if etags_restart else frozenset()


def is_absent(entry: Entry, listing: Listing) -> bool:
    href = Href(entry.href)
    return href in listing.removed or (listing.complete and href not in listing.entries)


def is_emptied(entries: Mapping[Uid, Entry], listing: Listing, today: date) -> bool:
    """Tell whether more than a few events stood ahead, and not one of them is there now (S18).

    Past ones may be left, or tidied away: they say nothing of the calendar's use. One that was
    missing before is in no report of changes again.
    """
    ahead = [
        entry
        for entry in entries.values()
        if entry.echo is not None and entry.state is not State.DISMISSED and entry.day >= today
    ]
    return len(ahead) > FLOOR and all(
        is_absent(entry, listing)
        or (entry.state in UNCERTAIN and Href(entry.href) not in listing.entries)
        for entry in ahead
    )
