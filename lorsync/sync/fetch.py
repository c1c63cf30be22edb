"""Gather what the calendar holds of ours: one listing, and one fetch of what is new or changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from lorsync.core.event.stamp import peek
from lorsync.core.identity import SeasonKey, looks_like_ours, season_key
from lorsync.core.merge.aliases import names_of
from lorsync.core.merge.entry import AWAY, UNCERTAIN, Entry
from lorsync.core.merge.known_uids import known_uids
from lorsync.core.merge.memory import NOTHING, Learned, Memory, departed_of, learn, members_of
from lorsync.core.model import Season, Uid
from lorsync.core.ports import Calendar, Href, Ledger, Listing, Resource
from lorsync.sync.listing import (
    is_absent,
    is_believed,
    is_certain,
    is_full_due,
    is_stale,
    listed_until,
    token_of,
    unsure_of,
    written_since,
)
from lorsync.sync.memory import (
    Recalled,
    accepted,
    first_look,
    followed,
    found_memory,
    has_changed,
    looked_at,
    recalled,
    with_belief,
)
from lorsync.sync.plan import doubts_of, frozen_key, is_new, marks_of, renamed_in
from lorsync.sync.reconcile import FetchOptions, Observed, Remote, reconcile, went_back

_MOST_SOUGHT = 200
"""Among more foreign resources than these no event of ours is looked for (S11)."""


def fetch(
    season: Season, calendar: Calendar, ledger: Ledger, fetch_options: FetchOptions
) -> Observed:
    """List the collection, fetch what is new or changed of ours, and hold it against the ledger.

    Raises ConfigError where only the person can tell whether a season that is found is this one.
    """
    season = replace(season, renamed=renamed_in(ledger))
    names, now = names_of(season), fetch_options.now
    stored = ledger.entries()
    entries = {uid: names.entry(entry) for uid, entry in stored.items()}
    before = recalled(ledger)
    full = fetch_options.full or is_full_due(entries, now) or _has_newcomers(season, before)
    if (until := listed_until(ledger)) is not None and until <= now:
        # Some servers let everybody read, so that a login that has ended looks healthy.
        calendar.check_login()
    written = written_since(ledger)
    listing = calendar.listing(None if full else token_of(ledger, now))
    if not is_believed(listing, written):
        listing = calendar.listing(None)
    unsure = unsure_of(listing, written, etags_restart=calendar.etags_restart)
    known, key = _known_memory(season, calendar, ledger, before, listing, fetch_options)
    unknown = _unknown(listing, entries)
    if known is not None and (unknown or fetch_options.believe_memory):
        known = _read_first(known, calendar, listing)

    def believed(there: Recalled | None) -> Recalled | None:
        return _believed(there, before, season, entries, ledger, calendar, fetch_options)

    known = believed(known)
    if known is not None and is_new(ledger) and not fetch_options.believe_memory:
        known = _borne_out(known, unknown, season, calendar, ledger, key, fetch_options)
    if known is not None and known.memory is not None:
        season = replace(season, renamed=season.renamed | known.memory.renamed)
    learned = _learned(season, known, before, entries, ledger, calendar, now=now)
    strangers = _as_entries(unknown - learned.entries.keys(), season, calendar, ledger, key, known)
    entries |= learned.entries
    entries |= _back_home(entries, calendar, listing)
    to_fetch = [entry for entry in entries.values() if is_stale(entry, listing, unsure=unsure)]
    seeking = _is_seeking(entries, listing, ledger, known, now)
    foreign = _foreign(listing) if seeking else []
    ours = [Href(entry.href) for entry in [*to_fetch, *strangers]]
    fetched = _fetched(calendar, [*ours, *foreign], listing, known)
    if known is not None and not known.news:
        known = believed(looked_at(known, calendar, listing, fetched))
        # None of them stands in the listing, or the memory would have been read first.
        learned = _learned(season, known, before, entries, ledger, calendar, now=now)
        entries |= learned.entries
    uids = {href: peek(fetched[href].body).uid for href in foreign if href in fetched}
    elsewhere = _elsewhere(uids, entries, listing, besides=unknown)
    more = _as_entries(elsewhere.keys() - entries.keys(), season, calendar, ledger, key, known)
    strangers += _standing_at(elsewhere, more)
    moved = _standing_at(elsewhere, [entries[uid] for uid in elsewhere.keys() & entries.keys()])
    entries |= {entry.uid: entry for entry in moved}
    remote = Remote(
        listing=listing,
        fetched=fetched,
        memory=known,
        learned=learned,
        fetch_options=fetch_options,
        zone=season.applicant.timezone,
        went_back=went_back(before, known),
    )
    looked = [*to_fetch, *moved]
    observed = reconcile(
        entries, remote, stored=stored, strangers=strangers, to_fetch=looked, key=key
    )
    return replace(observed, renamed=season.renamed)


def _fetched(
    calendar: Calendar, hrefs: Sequence[Href], listing: Listing, known: Recalled | None
) -> Mapping[Href, Resource]:
    """Fetch these resources, and the memory with them where it has to be read yet."""
    if known is not None and not known.news and has_changed(known, calendar, listing):
        hrefs = [*hrefs, calendar.href_for(known.uid)]
    return calendar.fetch(hrefs) if hrefs else {}


def _read_first(known: Recalled, calendar: Calendar, listing: Listing) -> Recalled:
    """Return the memory as it is now, before anything else is fetched.

    Who events are that the ledger does not know, and what of them is the person's, stands there.
    """
    if known.news or not has_changed(known, calendar, listing):
        return known
    return looked_at(known, calendar, listing, calendar.fetch([calendar.href_for(known.uid)]))


def _foreign(listing: Listing) -> list[Href]:
    """Return what is listed under names that are not lorsync's; nothing where that is too much."""
    hrefs = sorted(
        href for href in listing.entries if not href.rpartition("/")[2].startswith("lorsync-")
    )
    return hrefs if len(hrefs) <= _MOST_SOUGHT else []


def _elsewhere(
    uids: Mapping[Href, Uid],
    entries: Mapping[Uid, Entry],
    listing: Listing,
    *,
    besides: Collection[Uid],
) -> dict[Uid, Href]:
    """Return where events of ours stand that a client wrote under another name (S11).

    One whose own resource is there, as those of ``besides`` are, stays that; the other is a copy.
    """
    there = {uid: href for href, uid in uids.items() if looks_like_ours(uid)}
    return {
        uid: href
        for uid, href in there.items()
        if uid not in besides and (uid not in entries or _is_away(entries[uid], listing))
    }


def _standing_at(places: Mapping[Uid, Href], entries: Iterable[Entry]) -> list[Entry]:
    """Return entries with the hrefs where they stand."""
    return [replace(entry, href=places[entry.uid]) for entry in entries]


def _is_seeking(
    entries: Mapping[Uid, Entry],
    listing: Listing,
    ledger: Ledger,
    known: Recalled | None,
    now: datetime,
) -> bool:
    """Tell whether to look for events of ours under other names: before any is taken for gone.

    That is when it is first missed, and when it would be dismissed; in between, only what is new is
    looked at. A lost ledger does not know what it lacks.
    """
    if not listing.complete:
        return any(entry.state in UNCERTAIN for entry in entries.values())
    lost = known is not None and listed_until(ledger) is None
    missed = any(
        (entry.state not in AWAY or is_certain(entry, now)) and is_absent(entry, listing)
        for entry in entries.values()
    )
    return lost or missed


def _back_home(
    entries: Mapping[Uid, Entry], calendar: Calendar, listing: Listing
) -> dict[Uid, Entry]:
    """Return the entries that stand under lorsync's own name for them again, and not elsewhere."""
    return {
        uid: replace(entry, href=home, etag=None)
        for uid, entry in entries.items()
        if _is_away(entry, listing)
        if (home := calendar.href_for(uid)) != entry.href and home in listing.entries
    }


def _is_away(entry: Entry, listing: Listing) -> bool:
    """Tell whether an event is not where it was, or was not when last looked for."""
    gone = entry.state in AWAY and Href(entry.href) not in listing.entries
    return gone or is_absent(entry, listing)


def _has_newcomers(season: Season, known: Recalled | None) -> bool:
    """Tell whether a letter is new: events of it that stand already are in no report of changes."""
    if known is None or known.memory is None:
        return False
    before = {letter for letters in known.memory.members.values() for letter in letters}
    return any(letter.id not in before for letter in season.letters)


def _known_memory(
    season: Season,
    calendar: Calendar,
    ledger: Ledger,
    before: Recalled | None,
    listing: Listing,
    fetch_options: FetchOptions,
) -> tuple[Recalled | None, SeasonKey]:
    """Return the memory and the season's key; a new ledger looks for both on the calendar (S6)."""
    if not is_new(ledger):
        key = frozen_key(season, ledger)
        if before is None:
            return first_look(key, calendar, listing), key
        return followed(before, key, calendar, listing), key
    found = found_memory(season, calendar, listing, new_cycle=fetch_options.new_cycle)
    said = None if found is None else found.said
    return found, season_key(season) if said is None else said.key


def _learned(
    season: Season,
    known: Recalled | None,
    before: Recalled | None,
    entries: Mapping[Uid, Entry],
    ledger: Ledger,
    calendar: Calendar,
    *,
    now: datetime,
) -> Learned:
    if known is None or known.memory is None or known.doubted is not None or not known.news:
        return NOTHING
    last = None if before is None or went_back(before, known) else before.memory
    return _taught_by(known.memory, season, entries, ledger, calendar, before=last, now=now)


def _taught_by(
    memory: Memory,
    season: Season,
    entries: Mapping[Uid, Entry],
    ledger: Ledger,
    calendar: Calendar,
    *,
    before: Memory | None = None,
    now: datetime,
) -> Learned:
    return learn(
        memory,
        before=before,
        entries=entries,
        retired=ledger.retired(),
        marks=marks_of(season, ledger),
        members=members_of(season),
        names=names_of(season),
        href_for=calendar.href_for,
        now=now.astimezone(season.applicant.timezone),
    )


def _believed(
    there: Recalled | None,
    before: Recalled | None,
    season: Season,
    entries: Mapping[Uid, Entry],
    ledger: Ledger,
    calendar: Calendar,
    fetch_options: FetchOptions,
) -> Recalled | None:
    """Return the memory with what is believed of it, where its stamp does not hold (S4).

    ``before`` is the memory as the ledger knows it.
    """
    if there is None or there.doubted is None:
        return there
    if fetch_options.believe_memory:
        return accepted(there)
    if not there.news:
        return there  # The person was asked, and has not answered.
    taught = _taught_by(there.doubted, season, entries, ledger, calendar, now=fetch_options.now)
    known = frozenset(doubts_of(season, ledger))
    teaches = replace(taught, doubts=()) != NOTHING or not known.issuperset(taught.doubts)
    return with_belief(there, before, teaches=teaches)


def _borne_out(
    there: Recalled,
    unknown: Collection[Uid],
    season: Season,
    calendar: Calendar,
    ledger: Ledger,
    key: SeasonKey,
    fetch_options: FetchOptions,
) -> Recalled:
    """Return the memory that a new ledger found; doubted where no event on the calendar is of it.

    A season that was kept has events, which stay on the calendar when they are past. Who has never
    kept one here is to be told of no facts by a calendar that others write to. Nor is who only
    said whose config rules: that was another question.
    """
    memory = there.memory
    # Of a closed season nothing is learned. Where this very folder wrote it, a stranger could not
    # know the folder's name but from an earlier memory.
    if memory is None or memory.closed is not None or memory.place == ledger.place:
        return there
    taken_over = fetch_options.taken_over_by not in (None, memory.config)
    if not taken_over and _as_entries(unknown, season, calendar, ledger, key, there):
        return there
    if _taught_by(memory, season, {}, ledger, calendar, now=fetch_options.now) == NOTHING:
        return there
    return replace(there, memory=None, doubted=memory)


def _unknown(listing: Listing, entries: Mapping[Uid, Entry]) -> frozenset[Uid]:
    """Return the UIDs of resources that look like ours and that this ledger does not know."""
    hrefs = {entry.href for entry in entries.values()}
    names = (
        href.rpartition("/")[2].removesuffix(".ics")
        for href in listing.entries
        if href not in hrefs
    )
    return frozenset(Uid(name) for name in names if looks_like_ours(name)) - entries.keys()


def _as_entries(
    uids: Collection[Uid],
    season: Season,
    calendar: Calendar,
    ledger: Ledger,
    key: SeasonKey,
    known: Recalled | None,
) -> list[Entry]:
    """Return bare entries for those UIDs that are of events of this season.

    That is a lost ledger or another device; resources that merely look alike are foreign (I3, S9).
    """
    if not uids:
        return []
    memory = None if known is None else known.memory
    retired = ledger.retired() | (frozenset() if memory is None else memory.retired)
    members = known_uids(season, key, departed=departed_of(memory, season), retired=retired)
    names = names_of(season)
    yours = {} if memory is None else memory.yours
    asks = {} if memory is None else memory.asks
    return [
        Entry(
            uid=uid,
            href=calendar.href_for(uid),
            identity=members[uid].identity,
            mentor=members[uid].mentor,
            letters=tuple(map(names.letter, asks.get(uid, members[uid].letters))),
            day=date.max,
            summary="",
            theirs=yours.get(uid, frozenset()),
        )
        for uid in sorted(members.keys() & uids)
    ]
