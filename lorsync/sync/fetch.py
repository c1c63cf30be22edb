"""Fetch what the calendar holds of ours: one listing, and one multiget of what is new or changed.

All requests of the looking are here; what they mean, :mod:`lorsync.sync.reconcile` says.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from lorsync.core.identity import SeasonKey, season_key
from lorsync.core.merge.entry import AWAY, UNCERTAIN, Entry
from lorsync.core.model import Season, Uid
from lorsync.core.ports import Calendar, Href, LedgerReader, Listing
from lorsync.sync.listing import (
    is_absent,
    is_believed,
    is_certain,
    is_full_due,
    listed_until,
    token_of,
    unsure_of,
    written_since,
)
from lorsync.sync.memory import (
    Recalled,
    first_look,
    followed,
    found_memory,
    has_changed,
    looked_at,
    recalled,
)
from lorsync.sync.plan import frozen_key, is_new, renamed_in
from lorsync.sync.reconcile import (
    FetchOptions,
    Remote,
    own_entries,
    recognize,
    stale_entries,
    unknown_to,
)

_MOST_SOUGHT = 200
"""Among more foreign resources than these no event of ours is looked for (S11)."""


def fetch(
    season: Season, calendar: Calendar, stored: LedgerReader, options: FetchOptions
) -> Remote:
    """List the collection, and fetch what is new or changed of ours.

    Raises ConfigError where only the person can tell whether a season that is found is this one.
    """
    season = replace(season, renamed=renamed_in(stored))
    entries, now, before = own_entries(season, stored), options.now, recalled(stored)
    full = options.full or is_full_due(entries, now) or _has_newcomers(season, before)
    if (until := listed_until(stored)) is not None and until <= now:
        # Some servers let everybody read, so that a login that has ended looks healthy.
        calendar.check_login()
    written = written_since(stored)
    listing = calendar.listing(None if full else token_of(stored, now))
    if not is_believed(listing, written):
        listing = calendar.listing(None)
    known, key = _known_memory(season, calendar, stored, before, listing, options)
    if known is not None and (unknown_to(entries, listing) or options.believe_memory):
        known = _read_first(known, calendar, listing)
    remote = Remote(
        key=key,
        listing=listing,
        unsure=unsure_of(listing, written, etags_restart=calendar.etags_restart),
        before=before,
        memory=known,
        memory_now=known,
        href_for=calendar.href_for,
    )
    seen = recognize(season, stored, remote, options)
    seeking = _is_seeking(seen.entries, listing, stored, seen.memory, now)
    sought = _foreign(listing) if seeking else []
    ours = [*stale_entries(seen.entries, remote), *seen.strangers]
    hrefs = [*(Href(entry.href) for entry in ours), *sought]
    known = seen.memory
    unread = known is not None and not known.news
    if known is not None and unread and has_changed(known, calendar, listing):
        hrefs.append(calendar.href_for(known.uid))
    fetched = calendar.fetch(hrefs) if hrefs else {}
    if known is not None and unread:
        known = looked_at(known, calendar, listing, fetched)
    return replace(remote, memory_now=known, fetched=fetched, sought=tuple(sought))


def _foreign(listing: Listing) -> list[Href]:
    """Return what is listed under names that are not lorsync's; nothing where that is too much."""
    hrefs = sorted(
        href for href in listing.entries if not href.rpartition("/")[2].startswith("lorsync-")
    )
    return hrefs if len(hrefs) <= _MOST_SOUGHT else []


def _read_first(known: Recalled, calendar: Calendar, listing: Listing) -> Recalled:
    """Return the memory as it is now, before anything else is fetched.

    Who events are that the ledger does not know, and what of them is the person's, stands there.
    """
    if known.news or not has_changed(known, calendar, listing):
        return known
    return looked_at(known, calendar, listing, calendar.fetch([calendar.href_for(known.uid)]))


def _is_seeking(
    entries: Mapping[Uid, Entry],
    listing: Listing,
    stored: LedgerReader,
    known: Recalled | None,
    now: datetime,
) -> bool:
    """Tell whether to look for events of ours under other names: before any is taken for gone.

    That is when it is first missed, and when it would be dismissed; in between, only what is new is
    looked at. A lost ledger does not know what it lacks.
    """
    if not listing.complete:
        return any(entry.state in UNCERTAIN for entry in entries.values())
    lost = known is not None and listed_until(stored) is None
    missed = any(
        (entry.state not in AWAY or is_certain(entry, now)) and is_absent(entry, listing)
        for entry in entries.values()
    )
    return lost or missed


def _has_newcomers(season: Season, known: Recalled | None) -> bool:
    """Tell whether a letter is new: events of it that stand already are in no report of changes."""
    if known is None or known.memory is None:
        return False
    before = {letter for letters in known.memory.members.values() for letter in letters}
    return any(letter.id not in before for letter in season.letters)


def _known_memory(
    season: Season,
    calendar: Calendar,
    stored: LedgerReader,
    before: Recalled | None,
    listing: Listing,
    options: FetchOptions,
) -> tuple[Recalled | None, SeasonKey]:
    """Return the memory and the season's key; a new ledger looks for both on the calendar (S6)."""
    if not is_new(stored):
        key = frozen_key(season, stored)
        if before is None:
            return first_look(key, calendar, listing), key
        return followed(before, key, calendar, listing), key
    found = found_memory(season, calendar, listing, new_cycle=options.new_cycle)
    said = None if found is None else found.said
    return found, season_key(season) if said is None else said.key
