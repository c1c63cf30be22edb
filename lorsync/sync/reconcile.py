"""Reconcile what the ledger knows of our events with what was listed and fetched; pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lorsync.core.event.content import Property
from lorsync.core.event.stamp import peek
from lorsync.core.identity import SeasonKey, looks_like_ours
from lorsync.core.merge.aliases import names_of
from lorsync.core.merge.entry import AWAY, Entry, Intent, State
from lorsync.core.merge.known_uids import known_uids
from lorsync.core.merge.memory import (
    NOTHING,
    Learned,
    Memory,
    departed_of,
    learn,
    members_of,
    with_learned_alarms,
    with_learned_ticks,
)
from lorsync.core.merge.three_way import Gone, observe_absent, observe_present
from lorsync.core.model import PlanWarning, Renamed, Season, Uid
from lorsync.core.ports import Href, LedgerReader, Listing, Resource
from lorsync.sync.listing import is_absent, is_emptied, is_stale
from lorsync.sync.memory import Recalled, accepted, is_older, with_belief
from lorsync.sync.plan import doubts_of, is_new, marks_of, renamed_in


def went_back(before: Recalled | None, now: Recalled | None) -> bool:
    """Tell whether the memory is an earlier one than the ledger knew: a backup was restored."""
    if before is None or now is None or now.body is None:
        return False
    if before.uid != now.uid or not now.news or now.memory is None or now.damaged:
        return False
    return is_older(now.body, before)


def restored_warning(number: int) -> tuple[PlanWarning, ...]:
    """Say how many events went with a backup, and are written again."""
    if not number:
        return ()
    events = "1 event" if number == 1 else f"{number} events"
    were = "was" if number == 1 else "were"
    message = (
        f"The calendar went back to an earlier state, as from a backup: {events} that lorsync had "
        f"written since {were} not there, and stand again"
    )
    return (PlanWarning(code="restored", subject="calendar", message=f"{message}."),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """How to look: ``full`` lists everything, whatever the token says.

    ``believe_emptied`` takes it for the person's deletion when all of ours are gone at once.
    ``believe_memory`` takes what the memory says for true, though its stamp does not hold (S4).
    ``new_cycle``: another season's memory is no reason to ask. ``taken_over_by`` is the digest of a
    config that takes over, which is no yes to what the memory says. ``now`` is aware.
    """

    now: datetime
    full: bool
    believe_emptied: bool
    new_cycle: bool
    believe_memory: bool = False
    taken_over_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the listing and the fetch told about our events.

    ``entries`` are all, ``changed`` those that the ledger does not have like this yet. ``emptied``:
    all of ours are gone at once, so none of them counts as deleted by the person (S18).
    ``memory`` is the memory as it is now, None where there is none, and ``learned`` what it adds.
    ``lost`` are the events that went with a restored backup, and are as if they had never been
    written (S17). ``believed`` are those of which the person has just said that they deleted them
    (S18). ``renamed`` are the ids that are one and the same by the ledger and the memory (S7).
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
    lost: frozenset[Uid] = frozenset()
    believed: frozenset[Uid] = frozenset()
    renamed: frozenset[Renamed] = frozenset()

    @property
    def said(self) -> Memory | None:
        """What is believed of the memory, None where there is none that can be read."""
        return None if self.memory is None else self.memory.memory

    @property
    def doubted(self) -> Memory | None:
        """What the memory says of which nothing counts until the person answers (S4)."""
        return None if self.memory is None else self.memory.doubted


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What was listed and fetched, and nothing of what to think of it.

    ``unsure`` are the hrefs whose ETag does not tell, ``sought`` those under names that are not
    lorsync's among which an event of ours may be. ``before`` is the memory as the ledger knew it,
    ``memory`` as far as it was read ahead of the events, and ``memory_now`` as it was with them.
    ``key`` is the season's, ``href_for`` the place of a UID in this collection.
    """

    key: SeasonKey
    listing: Listing
    unsure: frozenset[Href]
    before: Recalled | None
    memory: Recalled | None
    memory_now: Recalled | None
    href_for: Callable[[Uid], Href]
    fetched: Mapping[Href, Resource] = field(default_factory=dict)
    sought: tuple[Href, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """Whose events were listed: what they are by the ledger, by the memory, and by their names.

    ``season`` knows all ids that are one and the same (S7). ``memory`` is what is believed of it,
    ``learned`` what it adds, ``unknown`` what looks like ours and the ledger does not know, and
    ``strangers`` those of them that are.
    """

    season: Season
    memory: Recalled | None
    learned: Learned
    entries: dict[Uid, Entry]
    unknown: frozenset[Uid]
    strangers: list[Entry]


def own_entries(season: Season, stored: LedgerReader) -> dict[Uid, Entry]:
    """Return the entries of a ledger by the ids that their mentors have now (S7)."""
    names = names_of(season)
    return {uid: names.entry(entry) for uid, entry in stored.entries().items()}


def unknown_to(entries: Mapping[Uid, Entry], listing: Listing) -> frozenset[Uid]:
    """Return the UIDs of resources that look like ours and that a ledger does not know."""
    hrefs = {entry.href for entry in entries.values()}
    names = (
        href.rpartition("/")[2].removesuffix(".ics")
        for href in listing.entries
        if href not in hrefs
    )
    return frozenset(Uid(name) for name in names if looks_like_ours(name)) - entries.keys()


def recognize(
    season: Season, stored: LedgerReader, remote: Remote, options: FetchOptions
) -> Recognized:
    """Tell which of what was listed is ours, before anything of it is looked at.

    ``fetch`` asks this to know what to fetch, and ``reconcile`` goes on from it.
    """
    season = replace(season, renamed=renamed_in(stored))
    entries = own_entries(season, stored)
    unknown = unknown_to(entries, remote.listing)
    teaching = _Teaching(season=season, stored=stored, remote=remote, options=options)
    known = teaching.believed(remote.memory, entries)
    if known is not None and is_new(stored) and not options.believe_memory:
        known = teaching.borne_out(known, unknown)
    if known is not None and known.memory is not None:
        season = replace(season, renamed=season.renamed | known.memory.renamed)
        teaching = replace(teaching, season=season)
    learned = teaching.learned(known, entries)
    strangers = teaching.as_entries(unknown - learned.entries.keys(), known)
    entries |= learned.entries
    entries |= _back_home(entries, remote)
    return Recognized(
        season=season,
        memory=known,
        learned=learned,
        entries=entries,
        unknown=unknown,
        strangers=strangers,
    )


def stale_entries(entries: Mapping[Uid, Entry], remote: Remote) -> list[Entry]:
    """Return the entries that have to be fetched."""
    return [e for e in entries.values() if is_stale(e, remote.listing, unsure=remote.unsure)]


def reconcile(
    season: Season, stored: LedgerReader, remote: Remote, options: FetchOptions
) -> Observed:
    """Hold what a ledger knows of our events against what was listed and fetched; pure."""
    seen, listing = recognize(season, stored, remote, options), remote.listing
    entries, known, learned = seen.entries, seen.memory, seen.learned
    teaching = _Teaching(season=seen.season, stored=stored, remote=remote, options=options)
    stale = stale_entries(entries, remote)
    if known is not None and not known.news:
        known = teaching.believed(remote.memory_now, entries)
        # None of them stands in the listing, or the memory would have been read first.
        learned = teaching.learned(known, entries)
        entries |= learned.entries
    found = {href: remote.fetched[href] for href in remote.sought if href in remote.fetched}
    uids = {href: peek(resource.body).uid for href, resource in found.items()}
    elsewhere = _elsewhere(uids, entries, listing, besides=seen.unknown)
    more = teaching.as_entries(elsewhere.keys() - entries.keys(), known)
    strangers = [*seen.strangers, *_standing_at(elsewhere, more)]
    moved = _standing_at(elsewhere, [entries[uid] for uid in elsewhere.keys() & entries.keys()])
    entries |= {entry.uid: entry for entry in moved}
    view = _View(
        remote=remote,
        memory=known,
        learned=learned,
        options=options,
        zone=season.applicant.timezone,
        went_back=went_back(remote.before, known),
    )
    observed = _held_against(
        entries, view, stored=stored.entries(), strangers=strangers, fetched=[*stale, *moved]
    )
    return replace(observed, renamed=seen.season.renamed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teaching:
    """What the memory teaches a ledger of a season, and how far it is believed (S4)."""

    season: Season
    stored: LedgerReader
    remote: Remote
    options: FetchOptions

    def learned(self, known: Recalled | None, entries: Mapping[Uid, Entry]) -> Learned:
        """Return what is new in the memory; nothing where it is not believed or says no news."""
        if known is None or known.memory is None or known.doubted is not None or not known.news:
            return NOTHING
        before = self.remote.before
        last = None if before is None or went_back(before, known) else before.memory
        return self._taught_by(known.memory, entries, before=last)

    def believed(self, there: Recalled | None, entries: Mapping[Uid, Entry]) -> Recalled | None:
        """Return the memory with what is believed of it, where its stamp does not hold."""
        if there is None or there.doubted is None:
            return there
        if self.options.believe_memory:
            return accepted(there)
        if not there.news:
            return there  # The person was asked, and has not answered.
        taught = self._taught_by(there.doubted, entries)
        known = frozenset(doubts_of(self.season, self.stored))
        teaches = replace(taught, doubts=()) != NOTHING or not known.issuperset(taught.doubts)
        return with_belief(there, self.remote.before, teaches=teaches)

    def borne_out(self, there: Recalled, unknown: Collection[Uid]) -> Recalled:
        """Return the memory that a new ledger found; doubted where no event confirms it.

        A season that was kept has events, which stay on the calendar when they are past. Who has
        never kept one here is to be told of no facts by a calendar that others write to. Nor is who
        only said whose config rules: that was another question.
        """
        memory = there.memory
        # Of a closed season nothing is learned. Where this very folder wrote it, a stranger could
        # not know the folder's name but from an earlier memory.
        if memory is None or memory.closed is not None or memory.place == self.stored.place:
            return there
        taken_over = self.options.taken_over_by not in (None, memory.config)
        if not taken_over and self.as_entries(unknown, there):
            return there
        if self._taught_by(memory, {}) == NOTHING:
            return there
        return replace(there, memory=None, doubted=memory)

    def as_entries(self, uids: Collection[Uid], known: Recalled | None) -> list[Entry]:
        """Return bare entries for those UIDs that are of events of this season.

        That is a lost ledger or another device; resources that merely look alike are foreign (I3,
        S9).
        """
        if not uids:
            return []
        memory = None if known is None else known.memory
        retired = self.stored.retired() | (frozenset() if memory is None else memory.retired)
        departed = departed_of(memory, self.season)
        members = known_uids(self.season, self.remote.key, departed=departed, retired=retired)
        names = names_of(self.season)
        yours = {} if memory is None else memory.yours
        asks = {} if memory is None else memory.asks
        return [
            Entry(
                uid=uid,
                href=self.remote.href_for(uid),
                identity=members[uid].identity,
                mentor=members[uid].mentor,
                letters=tuple(map(names.letter, asks.get(uid, members[uid].letters))),
                day=date.max,
                summary="",
                theirs=yours.get(uid, frozenset()),
            )
            for uid in sorted(members.keys() & uids)
        ]

    def _taught_by(
        self, memory: Memory, entries: Mapping[Uid, Entry], *, before: Memory | None = None
    ) -> Learned:
        return learn(
            memory,
            before=before,
            entries=entries,
            retired=self.stored.retired(),
            marks=marks_of(self.season, self.stored),
            members=members_of(self.season),
            names=names_of(self.season),
            href_for=self.remote.href_for,
            now=self.options.now.astimezone(self.season.applicant.timezone),
        )


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


def _back_home(entries: Mapping[Uid, Entry], remote: Remote) -> dict[Uid, Entry]:
    """Return the entries that stand under lorsync's own name for them again, and not elsewhere."""
    return {
        uid: replace(entry, href=home, etag=None)
        for uid, entry in entries.items()
        if _is_away(entry, remote.listing)
        if (home := remote.href_for(uid)) != entry.href and home in remote.listing.entries
    }


def _is_away(entry: Entry, listing: Listing) -> bool:
    """Tell whether an event is not where it was, or was not when last looked for."""
    gone = entry.state in AWAY and Href(entry.href) not in listing.entries
    return gone or is_absent(entry, listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What was listed and fetched, with what is believed of the memory, and how to take it.

    ``went_back``: a backup of the server was restored (S17).
    """

    remote: Remote
    memory: Recalled | None
    learned: Learned
    options: FetchOptions
    zone: ZoneInfo
    went_back: bool = False

    @property
    def today(self) -> date:
        """The applicant's day."""
        return self.options.now.astimezone(self.zone).date()

    def is_lost(self, entry: Entry) -> bool:
        """Tell whether an event that is not there went with a restored backup (S17).

        One that has passed or was ticked is history: it counts, whatever became of it.
        """
        if not self.went_back or entry.state is not State.LIVE or entry.intent is Intent.DELETE:
            return False
        return not entry.ticks and entry.day >= self.today

    def present(self, entry: Entry) -> Entry | None:
        """Return an entry as it is on the calendar, None where it was not fetched."""
        resource = self.remote.fetched.get(Href(entry.href))
        if resource is None:
            return None
        etag = resource.etag
        if not resource.body and not resource.failed:
            # What is too large to be read has the version that was listed, so as not to try again.
            etag = self.remote.listing.entries.get(Href(entry.href))
        return observe_present(entry, resource.body, etag, self.zone, now=self.options.now)

    def is_withheld(self, entry: Entry) -> bool:
        """Tell whether an event was listed and then left out of what was fetched."""
        href = Href(entry.href)
        return href in self.remote.listing.entries and href not in self.remote.fetched

    def all_gone(self, entries: Mapping[Uid, Entry]) -> bool:
        """Tell whether all of ours are gone at once, by nobody's hand and no backup's (S18)."""
        if self.went_back:
            return False
        ours = self.deleted_elsewhere
        left = {
            uid: entry
            for uid, entry in entries.items()
            if entry.intent is not Intent.DELETE and uid not in ours
        }
        return is_emptied(left, self.remote.listing, self.today)

    @property
    def deleted_elsewhere(self) -> frozenset[Uid]:
        """What another lorsync deleted, by the memory (S20)."""
        said = None if self.memory is None else self.memory.memory
        return frozenset() if said is None else said.retired


def _held_against(
    entries: Mapping[Uid, Entry],
    view: _View,
    *,
    stored: Mapping[Uid, Entry],
    strangers: Sequence[Entry],
    fetched: Sequence[Entry],
) -> Observed:
    """Bring all entries up to date with what was seen.

    ``stored`` are the entries as the ledger has them, ``strangers`` those of ours that it does not
    know, ``fetched`` those of the entries that were looked at.
    """
    learned = view.learned
    observed, gone, lost = _observed(entries, fetched, view)
    changed = {uid: entry for uid, entry in entries.items() if stored.get(uid) != entry} | observed
    changed |= _ticked({**entries, **changed}, learned)
    changed |= _alarmed({**entries, **changed}, stored, learned)
    adopted = {e.uid: found for e in strangers if (found := view.present(e)) is not None}
    adopted |= {
        uid: entry
        for uid, entry in changed.items()
        if uid in learned.entries and entry.state not in AWAY
    }
    changed |= adopted
    doubtful = view.all_gone(entries)
    believed = {
        uid for uid, entry in observed.items() if entry.state is State.DISMISSED and doubtful
    }
    away = {g.uid for g in gone}
    # What came to nothing may have changed hands besides (S7).
    changed = {uid: entry for uid, entry in changed.items() if uid not in away}
    now = {uid: e for uid, e in entries.items() if uid not in away} | changed
    return Observed(
        key=view.remote.key,
        listing=view.remote.listing,
        entries=now,
        changed=changed,
        gone=tuple(gone),
        adopted=frozenset(adopted),
        emptied=doubtful and not view.options.believe_emptied,
        memory=view.memory,
        learned=learned,
        lost=lost,
        believed=frozenset(believed),
    )


def _observed(
    entries: Mapping[Uid, Entry], fetched: Sequence[Entry], view: _View
) -> tuple[dict[Uid, Entry], list[Gone], frozenset[Uid]]:
    """Return the entries that are not as they were, what need not be remembered, what was lost."""
    listing, options = view.remote.listing, view.options
    all_gone, ours = view.all_gone(entries), view.deleted_elsewhere
    # One that the person deleted and then brought back stands, whatever was said of it since.
    restored = {u for u in view.learned.restored if Href(entries[u].href) not in listing.entries}
    changed: dict[Uid, Entry] = {}
    gone = [Gone(uid=uid, retired=True) for uid in restored]
    absent = [entry for entry in entries.values() if is_absent(entry, listing)]
    lost = frozenset(e.uid for e in absent if e.uid not in restored | ours and view.is_lost(e))
    gone += [Gone(uid=uid, retired=False) for uid in lost]
    for entry in [e for e in (*fetched, *absent) if e.uid not in restored | lost]:
        observed: Entry | Gone = view.present(entry) or observe_absent(
            entry,
            view.zone,
            now=options.now,
            complete=listing.complete and (not all_gone or options.believe_emptied),
            believed=all_gone and options.believe_emptied,
            ours=entry.uid in ours,
        )
        if view.is_withheld(entry):
            # Listed, and not in the answer: who is right, the next look tells (S16).
            observed = replace(entry, etag=None)
        if isinstance(observed, Gone):
            gone.append(observed)
        elif observed != entry:
            changed[entry.uid] = observed
    return changed, gone, lost


def _ticked(entries: Mapping[Uid, Entry], learned: Learned) -> dict[Uid, Entry]:
    """Return the entries that another machine's ticks change (S13)."""
    found = {uid: with_learned_ticks(entries[uid], learned) for uid in learned.ticked}
    return {uid: entry for uid, entry in found.items() if entry != entries[uid]}


def _alarmed(
    entries: Mapping[Uid, Entry], stored: Mapping[Uid, Entry], learned: Learned
) -> dict[Uid, Entry]:
    """Return the entries whose alarms are another's by what another machine saw (S4).

    Where this pass saw for itself that they became the person's, or ceased to be, it knows better.
    """
    found = {}
    for uid in learned.alarms.keys() & entries.keys() & stored.keys():
        entry = entries[uid]
        if not (entry.theirs ^ stored[uid].theirs) & {Property.ALARMS}:
            taken = with_learned_alarms(entry, learned)
            if taken != entry:
                found[uid] = taken
    return found
