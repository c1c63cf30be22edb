"""Hold what the ledger knows of our events against what was listed and fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lorsync.core.event.content import Property
from lorsync.core.identity import SeasonKey
from lorsync.core.merge.entry import AWAY, Entry, Intent, State
from lorsync.core.merge.memory import Learned, Memory, with_learned_alarms, with_learned_ticks
from lorsync.core.merge.three_way import Gone, observe_absent, observe_present
from lorsync.core.model import PlanWarning, Renamed, Uid
from lorsync.core.ports import Href, Listing, Resource
from lorsync.sync.listing import is_absent, is_emptied
from lorsync.sync.memory import Recalled, is_older


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
    """What was listed, fetched and learned from the memory, and how to take it.

    ``went_back``: a backup of the server was restored (S17).
    """

    listing: Listing
    fetched: Mapping[Href, Resource]
    memory: Recalled | None
    learned: Learned
    fetch_options: FetchOptions
    zone: ZoneInfo
    went_back: bool = False

    @property
    def today(self) -> date:
        """The applicant's day."""
        return self.fetch_options.now.astimezone(self.zone).date()

    def is_lost(self, entry: Entry) -> bool:
        """Tell whether an event that is not there went with a restored backup (S17).

        One that has passed or was ticked is history: it counts, whatever became of it.
        """
        if not self.went_back or entry.state is not State.LIVE or entry.intent is Intent.DELETE:
            return False
        return not entry.ticks and entry.day >= self.today

    def present(self, entry: Entry) -> Entry | None:
        """Return an entry as it is on the calendar, None where it was not fetched."""
        resource = self.fetched.get(Href(entry.href))
        if resource is None:
            return None
        etag = resource.etag
        if not resource.body and not resource.failed:
            # What is too large to be read has the version that was listed, so as not to try again.
            etag = self.listing.entries.get(Href(entry.href))
        return observe_present(entry, resource.body, etag, self.zone, now=self.fetch_options.now)

    def is_withheld(self, entry: Entry) -> bool:
        """Tell whether an event was listed and then left out of what was fetched."""
        href = Href(entry.href)
        return href in self.listing.entries and href not in self.fetched

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
        return is_emptied(left, self.listing, self.today)

    @property
    def deleted_elsewhere(self) -> frozenset[Uid]:
        """What another lorsync deleted, by the memory (S20)."""
        said = None if self.memory is None else self.memory.memory
        return frozenset() if said is None else said.retired


def reconcile(
    entries: Mapping[Uid, Entry],
    remote: Remote,
    *,
    stored: Mapping[Uid, Entry],
    strangers: Sequence[Entry],
    to_fetch: Sequence[Entry],
    key: SeasonKey,
) -> Observed:
    """Bring all entries up to date with what was seen.

    ``stored`` are the entries as the ledger has them, ``strangers`` those of ours that it does not
    know, ``to_fetch`` those of the entries that were fetched.
    """
    learned = remote.learned
    observed, gone, lost = _observed(entries, to_fetch, remote)
    changed = {uid: entry for uid, entry in entries.items() if stored.get(uid) != entry} | observed
    changed |= _ticked({**entries, **changed}, learned)
    changed |= _alarmed({**entries, **changed}, stored, learned)
    adopted = {e.uid: found for e in strangers if (found := remote.present(e)) is not None}
    adopted |= {
        uid: entry
        for uid, entry in changed.items()
        if uid in learned.entries and entry.state not in AWAY
    }
    changed |= adopted
    doubtful = remote.all_gone(entries)
    believed = {
        uid for uid, entry in observed.items() if entry.state is State.DISMISSED and doubtful
    }
    away = {g.uid for g in gone}
    # What came to nothing may have changed hands besides (S7).
    changed = {uid: entry for uid, entry in changed.items() if uid not in away}
    now = {uid: e for uid, e in entries.items() if uid not in away} | changed
    return Observed(
        key=key,
        listing=remote.listing,
        entries=now,
        changed=changed,
        gone=tuple(gone),
        adopted=frozenset(adopted),
        emptied=doubtful and not remote.fetch_options.believe_emptied,
        memory=remote.memory,
        learned=learned,
        lost=lost,
        believed=frozenset(believed),
    )


def _observed(
    entries: Mapping[Uid, Entry], to_fetch: Sequence[Entry], remote: Remote
) -> tuple[dict[Uid, Entry], list[Gone], frozenset[Uid]]:
    """Return the entries that are not as they were, what need not be remembered, what was lost."""
    listing, fetch_options = remote.listing, remote.fetch_options
    all_gone, ours = remote.all_gone(entries), remote.deleted_elsewhere
    # One that the person deleted and then brought back stands, whatever was said of it since.
    restored = {u for u in remote.learned.restored if Href(entries[u].href) not in listing.entries}
    changed: dict[Uid, Entry] = {}
    gone = [Gone(uid=uid, retired=True) for uid in restored]
    absent = [entry for entry in entries.values() if is_absent(entry, listing)]
    lost = frozenset(e.uid for e in absent if e.uid not in restored | ours and remote.is_lost(e))
    gone += [Gone(uid=uid, retired=False) for uid in lost]
    for entry in [e for e in (*to_fetch, *absent) if e.uid not in restored | lost]:
        observed: Entry | Gone = remote.present(entry) or observe_absent(
            entry,
            remote.zone,
            now=fetch_options.now,
            complete=listing.complete and (not all_gone or fetch_options.believe_emptied),
            believed=all_gone and fetch_options.believe_emptied,
            ours=entry.uid in ours,
        )
        if remote.is_withheld(entry):
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
