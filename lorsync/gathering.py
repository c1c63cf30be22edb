"""Gather what the calendar holds of ours: one listing, and one fetch of what is new or changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lorsync.copies import NOBODY, Strangers, met
from lorsync.core.entry import AWAY, Entry
from lorsync.core.identity import SeasonKey, looks_like_ours, season_key
from lorsync.core.learning import NOTHING, Learned, learn, with_learned_ticks
from lorsync.core.memory import Memory, departed_of, members_of
from lorsync.core.merge import Gone, observe_absent, observe_present
from lorsync.core.model import Season, Uid
from lorsync.core.renaming import names_of
from lorsync.core.roster import roster
from lorsync.listings import is_absent, is_emptied, is_full_due, is_stale, token_of
from lorsync.planning import frozen_key, is_new
from lorsync.ports import Calendar, Href, Ledger, Listing, Resource
from lorsync.recalling import Recalled, first_look, found_memory, has_changed, looked_at, recalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the listing and the fetch told about our events.

    ``entries`` are all, ``changed`` those that the ledger does not have like this yet. ``emptied``:
    all of ours are gone at once, so none of them counts as deleted by the person (S18).
    ``memory`` is the memory as it is now, None where there is none, and ``learned`` what it adds.
    ``strangers`` are who else is there.
    """

    key: SeasonKey
    listing: Listing
    entries: dict[Uid, Entry]
    changed: dict[Uid, Entry]
    gone: tuple[Gone, ...]
    adopted: frozenset[Uid]
    emptied: bool
    memory: Recalled | None
    learned: Learned
    strangers: Strangers = NOBODY

    @property
    def said(self) -> Memory | None:
        """What the memory says, None where there is none that can be read."""
        return None if self.memory is None else self.memory.memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How to look: ``full`` lists everything, whatever the token says.

    ``believe_emptied`` takes it for the person's deletion when all of ours are gone at once.
    ``new_cycle``: another season's memory is no reason to ask. ``now`` is aware.
    """

    now: datetime
    full: bool
    believe_emptied: bool
    new_cycle: bool


def gather(season: Season, calendar: Calendar, ledger: Ledger, looking: Looking) -> Seen:
    """List the collection, fetch what is new or changed of ours, and hold it against the ledger.

    Raises ConfigError where only the person can tell whether a season that is found is this one.
    """
    names, now = names_of(season), looking.now
    stored = ledger.entries()
    entries = {uid: names.entry(entry) for uid, entry in stored.items()}
    before = recalled(ledger)
    full = looking.full or is_full_due(entries, now) or _has_newcomers(season, before)
    listing = calendar.listing(None if full else token_of(ledger, now))
    known, key = _known_memory(season, calendar, ledger, before, listing, looking)
    unknown = _unknown(listing, entries)
    if unknown and known is not None and has_changed(known, calendar, listing) and not known.news:
        # Who they are, and what of them is the person's, stands there: it is read first.
        memory = calendar.fetch([calendar.href_for(known.uid)])
        known = looked_at(known, calendar, listing, memory)
    learned = _learned(season, known, entries, ledger, calendar, now=now) if known else NOTHING
    strangers = _as_entries(unknown - learned.entries.keys(), season, calendar, key, known)
    entries |= learned.entries
    to_fetch = [entry for entry in entries.values() if is_stale(entry, listing)]
    foreign = met(listing, ledger)
    hrefs = [*(Href(entry.href) for entry in [*to_fetch, *strangers]), *foreign.new]
    if known is not None and not known.news and has_changed(known, calendar, listing):
        hrefs.append(calendar.href_for(known.uid))
    fetched = calendar.fetch(hrefs) if hrefs else {}
    if known is not None and not known.news:
        known = looked_at(known, calendar, listing, fetched)
        if known.news:
            # None of them stands in the listing, or the memory would have been read first.
            learned = _learned(season, known, entries, ledger, calendar, now=now)
            entries |= learned.entries
    sight = _Sight(
        listing=listing, fetched=fetched, looking=looking, zone=season.applicant.timezone
    )
    seen = _held_against(entries, stored, strangers, to_fetch, sight, key, known, learned)
    return replace(seen, strangers=foreign.looked_at(fetched))


def _has_newcomers(season: Season, known: Recalled | None) -> bool:
    """Tell whether a letter is new: events of it that stand already are in no report of changes."""
    if known is None or known.memory is None:
        return False
    before = {letter for letters in known.memory.members.values() for letter in letters}
    return any(letter.id not in before for letter in season.letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What was listed and fetched, and how to take it."""

    listing: Listing
    fetched: Mapping[Href, Resource]
    looking: Looking
    zone: ZoneInfo

    def present(self, entry: Entry) -> Entry | None:
        """Return an entry as it is on the calendar, None where it was not fetched."""
        resource = self.fetched.get(Href(entry.href))
        if resource is None:
            return None
        # What is too large to be read has the version that was listed, so as not to try again.
        listed = self.listing.entries.get(Href(entry.href))
        etag = resource.etag if resource.body else listed
        return observe_present(entry, resource.body, etag, self.zone, now=self.looking.now)


def _held_against(
    entries: Mapping[Uid, Entry],
    stored: Mapping[Uid, Entry],
    strangers: Sequence[Entry],
    to_fetch: Sequence[Entry],
    sight: _Sight,
    key: SeasonKey,
    memory: Recalled | None,
    learned: Learned,
) -> Seen:
    listing, looking = sight.listing, sight.looking
    all_gone = is_emptied(entries, listing, looking.now.astimezone(sight.zone).date())
    emptied = all_gone and not looking.believe_emptied
    changed = {uid: entry for uid, entry in entries.items() if stored.get(uid) != entry}
    # One that the person deleted and then brought back stands, whatever was said of it since.
    restored = {u for u in learned.restored if Href(entries[u].href) not in listing.entries}
    gone = [Gone(uid=uid, retired=True) for uid in restored]
    # What another lorsync deleted, by the memory (S20).
    said = None if memory is None else memory.memory
    ours = frozenset[Uid]() if said is None else said.retired
    for entry in [*to_fetch, *(e for e in entries.values() if is_absent(e, listing))]:
        if entry.uid in restored:
            continue
        observed: Entry | Gone = sight.present(entry) or observe_absent(
            entry,
            now=looking.now,
            complete=listing.complete and not emptied,
            believed=all_gone and looking.believe_emptied,
            ours=entry.uid in ours,
        )
        if isinstance(observed, Gone):
            gone.append(observed)
        elif observed != entry:
            changed[entry.uid] = observed
    changed |= _ticked({**entries, **changed}, learned)
    adopted = {e.uid: found for e in strangers if (found := sight.present(e)) is not None}
    adopted |= {
        uid: entry
        for uid, entry in changed.items()
        if uid in learned.entries and entry.state not in AWAY
    }
    changed |= adopted
    away = {g.uid for g in gone}
    return Seen(
        key=key,
        listing=listing,
        entries={uid: e for uid, e in entries.items() if uid not in away} | changed,
        changed={uid: e for uid, e in changed.items() if uid not in away},
        gone=tuple(gone),
        adopted=frozenset(adopted),
        emptied=emptied,
        memory=memory,
        learned=learned,
    )


def _ticked(entries: Mapping[Uid, Entry], learned: Learned) -> dict[Uid, Entry]:
    """Return the entries that another machine's ticks change (S13)."""
    found = {uid: with_learned_ticks(entries[uid], learned) for uid in learned.ticked}
    return {uid: entry for uid, entry in found.items() if entry != entries[uid]}


def _known_memory(
    season: Season,
    calendar: Calendar,
    ledger: Ledger,
    before: Recalled | None,
    listing: Listing,
    looking: Looking,
) -> tuple[Recalled | None, SeasonKey]:
    """Return the memory and the season's key; a new ledger looks for both on the calendar (S6)."""
    if not is_new(ledger):
        key = frozen_key(season, ledger)
        return before or first_look(key, calendar, listing), key
    found = found_memory(season, calendar, listing, new_cycle=looking.new_cycle)
    said = None if found is None else found.memory
    return found, season_key(season) if said is None else said.key


def _learned(
    season: Season,
    known: Recalled,
    entries: Mapping[Uid, Entry],
    ledger: Ledger,
    calendar: Calendar,
    *,
    now: datetime,
) -> Learned:
    if known.memory is None or not known.news:
        return NOTHING
    return learn(
        known.memory,
        entries=entries,
        retired=ledger.retired(),
        marks=ledger.marks(),
        members=members_of(season),
        names=names_of(season),
        href_for=calendar.href_for,
        now=now,
    )


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
    key: SeasonKey,
    known: Recalled | None,
) -> list[Entry]:
    """Return bare entries for those UIDs that are of events of this season.

    That is a lost ledger or another device; resources that merely look alike are foreign (I3, S9).
    """
    if not uids:
        return []
    memory = None if known is None else known.memory
    members = roster(season, key, departed=departed_of(memory, season))
    yours = {} if memory is None else memory.yours
    asks = {} if memory is None else memory.asks
    return [
        Entry(
            uid=uid,
            href=calendar.href_for(uid),
            identity=members[uid].identity,
            mentor=members[uid].mentor,
            letters=asks.get(uid, members[uid].letters),
            day=date.max,
            summary="",
            theirs=yours.get(uid, frozenset()),
        )
        for uid in sorted(members.keys() & uids)
    ]
