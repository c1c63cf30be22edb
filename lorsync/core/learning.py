"""Add to a ledger what the memory knows and the ledger does not (S4, S20)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from lorsync.core.content import Property
from lorsync.core.doubt import Doubt
from lorsync.core.entry import AWAY, Entry, State
from lorsync.core.facts import Fact, Mark
from lorsync.core.memory import How, Kept, Members, Memory, entry_of, mentor_of, writers_of
from lorsync.core.model import PlanWarning, Reason, Uid
from lorsync.core.renaming import Names

_MOST_CLAIMS = 5
"""So many claims of a memory are shown."""

Ticks = tuple[tuple[Fact, date], ...]
"""What titles state, each fact with its day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a memory adds: events that are away, UIDs not to be used again, marks, doubts.

    ``restored`` are events that the person deleted and, on another machine, wanted back. ``ticked``
    is what another machine saw in titles that this ledger knows without it (S13). ``alarms`` says
    of which events another machine has said since that the alarms are the person's, or are not.
    """

    entries: Mapping[Uid, Entry]
    retired: frozenset[Uid] = frozenset()
    restored: frozenset[Uid] = frozenset()
    ticked: Mapping[Uid, Ticks] = field(default_factory=dict)
    alarms: Mapping[Uid, bool] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    doubts: tuple[Doubt, ...] = ()


NOTHING = Learned(entries={})
"""What there is to learn where nobody wrote a memory."""


def learn(
    memory: Memory,
    *,
    before: Memory | None,
    entries: Mapping[Uid, Entry],
    retired: frozenset[Uid],
    marks: Iterable[Mark],
    members: Members,
    names: Names,
    href_for: Callable[[Uid], str],
    now: datetime,
) -> Learned:
    """Return what a memory adds to what a ledger knows; ``now`` is in the applicant's zone.

    ``before`` is the memory as this ledger last saw it, None where it did not, or where a backup
    took it back. ``members`` are the mentors with their letters as of now: letters may have come
    back since.
    """
    gone = retired | memory.retired
    # The memory goes before the config, and who writes a letter before who wrote it.
    writers = writers_of(members) | writers_of(memory.departed) | writers_of(memory.members)
    found = {}
    for kept in memory.kept:
        if kept.uid not in entries and kept.uid not in gone:
            mentor = mentor_of(kept, writers)
            if mentor is not None:
                theirs = memory.yours.get(kept.uid, frozenset())
                entry = entry_of(kept, mentor, href_for(kept.uid), theirs, now)
                found[kept.uid] = names.entry(entry)
    known = {(m.letter, m.fact, m.day): m.said for m in marks}
    said = [replace(names.mark(m), learned=True) for m in memory.marks]
    return Learned(
        entries=found,
        retired=memory.retired - retired - entries.keys(),
        restored=frozenset(
            uid for uid in memory.retired if uid in entries and entries[uid].state in AWAY
        ),
        ticked={
            kept.uid: kept.ticks
            for kept in memory.kept
            if kept.ticks and kept.uid in entries and not entries[kept.uid].ticks
        },
        alarms={} if before is None else _alarms(before, memory, entries.keys()),
        marks=tuple(
            m for m in said if (at := known.get((m.letter, m.fact, m.day))) is None or at < m.said
        ),
        doubts=names.doubts(memory.doubts),
    )


def with_learned_alarms(entry: Entry, learned: Learned) -> Entry:
    """Return an entry with its alarms the person's, or not, as another machine saw it (S4)."""
    theirs = entry.theirs - {Property.ALARMS}
    if learned.alarms.get(entry.uid, Property.ALARMS in entry.theirs):
        theirs |= {Property.ALARMS}
    return entry if theirs == entry.theirs else replace(entry, theirs=theirs)


def _alarms(before: Memory, memory: Memory, uids: Collection[Uid]) -> dict[Uid, bool]:
    """Return whose alarms became the person's from one memory to the next, or ceased to be."""

    def own(said: Memory) -> set[Uid]:
        return {uid for uid, theirs in said.yours.items() if Property.ALARMS in theirs}

    changed = own(before) ^ own(memory)
    return {uid: uid in own(memory) for uid in changed.intersection(uids)}


def with_learned_ticks(entry: Entry, learned: Learned) -> Entry:
    """Return an entry with the ticks that another machine saw, where its title is another by now.

    A title of the person's own says no more what was ticked, and takes nothing back (I4, S13). One
    that is ours does.
    """
    ticks = learned.ticked.get(entry.uid, ())
    stands = entry.state in {State.LIVE, State.THEIRS, State.RELEASED}
    if not ticks or entry.ticks or not stands or Property.TITLE not in entry.theirs:
        return entry
    return replace(entry, ticks=ticks, title="", learned=True)


def learned_warning(
    marks: Iterable[Mark], events: Iterable[Kept | Entry]
) -> tuple[PlanWarning, ...]:
    """Name what was learned from the calendar, once, with its origin (S4)."""
    claims = _claims(marks, events)
    if not claims:
        return ()
    message = (
        f"Learned from lorsync's memory in the calendar: {_listed(claims)}. That is from another "
        "computer of yours, or from before this one lost its file. If it is not, somebody else "
        "wrote it there. A fact is taken back with: lorsync mark MENTOR FACT --undo"
    )
    return (PlanWarning(code="learned", subject="memory", message=message, reasons=(_S4,)),)


def doubted_warning(doubted: Memory | None) -> tuple[PlanWarning, ...]:
    """Ask whether a memory is to be believed, and say how to answer (S4)."""
    if doubted is None:
        return ()
    claims = _claims(doubted.marks, doubted.kept)
    claims += [
        f"how often {doubt.mentor} was followed up is {'' if doubt.answered else 'not '}known"
        for doubt in doubted.doubts
    ]
    said = _listed(claims) or "nothing that can be told in short"
    message = (
        "The event in which lorsync keeps its memory in the calendar may have been written by "
        f"somebody else. It says: {said}. Nothing of it counts, and it is left as it is, until you "
        "answer. If it is right, run: lorsync sync --accept-memory; if not, run: lorsync restore "
        "memory"
    )
    return (PlanWarning(code="memory-doubted", subject="memory", message=message, reasons=(_S4,)),)


_S4 = Reason(rule="S4", text="whoever may write to the calendar may write into the memory")


def _claims(marks: Iterable[Mark], events: Iterable[Kept | Entry]) -> list[str]:
    listed = list(events)
    ticked = [
        f"{letter} {fact.words} on {day}"
        for event in listed
        for letter in event.letters
        for fact, day in event.ticks
    ]
    said = [
        f"{mark.letter} {mark.fact.words} on {mark.day}" for mark in marks if not mark.withdrawn
    ]
    gone = [
        f"{event.identity.kind} of {event.identity.subject} on {event.day} "
        + ("past" if _is_past(event) else "deleted")
        for event in listed
        if not event.ticks
    ]
    return list(dict.fromkeys((*said, *ticked, *gone)))


def _is_past(event: Kept | Entry) -> bool:
    return event.how is How.PAST if isinstance(event, Kept) else event.tidied


def _listed(claims: Sequence[str]) -> str:
    shown = "; ".join(claims[:_MOST_CLAIMS])
    left = len(claims) - _MOST_CLAIMS
    return shown if left <= 0 else f"{shown}; and {left} more"
