"""The memory: what one event of ours keeps, and what a ledger learns from it (S4, S20).

What it says is only ever added to what a ledger knows. How it is written: ``memory_text``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from lorsync.core.event.content import Property
from lorsync.core.facts import ENDING, Fact, Mark, Statement
from lorsync.core.identity import SeasonKey
from lorsync.core.merge.aliases import MENTOR_KINDS, Names, names_of
from lorsync.core.merge.entry import AWAY, NOTES, Entry, State
from lorsync.core.merge.unknown_history import Doubt
from lorsync.core.model import (
    CONTACTS,
    Event,
    Identity,
    Kind,
    LetterId,
    LetterStanding,
    MentorId,
    PlanWarning,
    Reason,
    Renamed,
    Season,
    Stage,
    Subject,
    Uid,
)

MEMORY_DAY: Final = date(2001, 1, 1)
"""Where the memory stands: long past, where nobody looks."""

MEMORY_TITLE: Final = "lorsync keeps its memory here"

_NAME = "lorsync-memory-"
_MOST_DIGITS = 9
"""Of a generation: anybody may give a resource a name that looks like a memory's."""

Members = Mapping[MentorId, tuple[LetterId, ...]]
"""Mentors, each with their letters."""


class How(StrEnum):
    """Why an event is remembered."""

    PAST = "past"
    """Its day has passed, so it counts, even if it is taken off the calendar."""
    DELETED = "deleted"
    """The person deleted it: it is never created again (S11)."""
    MISSING = "missing"
    """It is not there, for less than an hour; nothing is created in its place until then (S11)."""
    TICKED = "ticked"
    """Its title stated facts, which a deletion does not take back (S14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One event that the memory keeps; ``noticed`` is the day on which its deletion was.

    ``planned`` is the day that the plan had for a follow-up that the person moved. ``mentor`` is
    who wrote the letter that it is of: it may be another mentor's by now (S7).
    """

    how: How
    uid: Uid
    identity: Identity
    letters: tuple[LetterId, ...]
    day: date
    planned: date | None = None
    noticed: date | None = None
    ticks: tuple[tuple[Fact, date], ...] = ()
    mentor: MentorId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the memory says.

    ``config`` is the digest of the config that last ruled, ``writer`` names the ledger that wrote
    this, ``place`` the folder and machine of that ledger, and ``seen`` the day on which it did, its
    last sign of life (S20). ``members`` are the mentors with their letters (S7), ``departed`` those
    that were among them before, ``finished`` the letters of either that are in or were declined.
    ``doubts`` says of whom nobody knows how often they were followed up, and about whom the person
    has answered that.
    ``yours`` says which dates and alarms are the person's, ``asks`` which of a mentor's letters a
    request is for, ``renamed`` which ids are one and the same (S7). ``closed`` is the season that
    followed, None as long as this one goes on (S6).
    """

    key: SeasonKey
    applicant: str
    cycle: str
    config: str
    writer: str
    members: Members
    departed: Members = field(default_factory=dict)
    finished: Members = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    retired: frozenset[Uid] = frozenset()
    marks: tuple[Mark, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    yours: Mapping[Uid, frozenset[Property]] = field(default_factory=dict)
    asks: Mapping[Uid, tuple[LetterId, ...]] = field(default_factory=dict)
    renamed: frozenset[Renamed] = frozenset()
    closed: SeasonKey | None = None
    place: str | None = None
    seen: date | None = None

    @property
    def points(self) -> frozenset[object]:
        """What has to be in the calendar before the act that it remembers, point by point."""
        return frozenset(
            {
                ("season", self.key, self.applicant, self.cycle),
                ("config", self.config),
                *(("member", m, frozenset(x)) for m, x in self.members.items()),
                *(("departed", m, letter) for m, x in self.departed.items() for letter in x),
                *(("finished", m, letter) for m, x in self.finished.items() for letter in x),
                *(("kept", k.uid, k.how, k.ticks) for k in self.kept),
                *(("retired", uid) for uid in self.retired),
                *(("mark", m.letter, m.fact, m.day, m.withdrawn, m.mentor) for m in self.marks),
                *(("doubt", d.mentor, d.at, d.answered) for d in self.doubts),
                *(("renamed", *pair) for pair in self.renamed),
                # Of a date that is the person's, the stamp tells (S3); of alarms nothing else does.
                *(("alarms", uid) for uid, own in self.yours.items() if Property.ALARMS in own),
                ("closed", self.closed),
            }
        )


def memory_uid(key: SeasonKey, generation: int) -> Uid:
    """Return the UID of a season's memory; the generation grows when a deleted one is restored."""
    return Uid(f"{_NAME}{key}" + (f"-{generation}" if generation else ""))


def memory_generation(uid: Uid) -> int:
    """Return which generation a memory's UID is of; 0 where it is no UID of lorsync's making."""
    number = uid.removeprefix(_NAME).partition("-")[2]
    return int(number) if number.isdecimal() and len(number) <= _MOST_DIGITS else 0


def is_memory(name: str) -> bool:
    """Tell whether a UID is that of some season's memory."""
    return name.startswith(_NAME)


def members_of(season: Season) -> dict[MentorId, tuple[LetterId, ...]]:
    """Return the mentors who write, each with their letters."""
    found: dict[MentorId, tuple[LetterId, ...]] = {}
    for letter in season.letters:
        found[letter.mentor] = (*found.get(letter.mentor, ()), letter.id)
    return found


def departed_of(before: Memory | None, season: Season) -> dict[MentorId, tuple[LetterId, ...]]:
    """Return who was among the members of a memory once and is not in the config now.

    A restored backup may bring their events back, which then have to be known as ours (S17), and a
    newcomer may be one of them (S7). A letter that another mentor writes now departed as well.
    """
    if before is None:
        return {}
    return _absent((before.departed, before.members), season)


def ids_in(memory: Memory | None) -> dict[Subject, frozenset[str]]:
    """Return the ids that were ever in a season, by its memory."""
    groups = () if memory is None else (memory.members, memory.departed)
    return {
        Subject.MENTOR: frozenset(mentor for group in groups for mentor in group),
        Subject.LETTER: frozenset(x for group in groups for own in group.values() for x in own),
    }


def finished_of(
    before: Memory | None,
    season: Season,
    standings: Iterable[LetterStanding],
    statements: Iterable[Statement],
) -> dict[MentorId, tuple[LetterId, ...]]:
    """Return the letters that are in or were declined, of all who ever were in the season (S7).

    ``standings`` are those of the letters in the config. Of one that has departed the memory says
    so, or what was stated of it (``statements``).
    """
    found: dict[MentorId, tuple[LetterId, ...]] = {}
    if before is not None:
        stated = {(s.mentor, s.letter) for s in statements if s.fact in ENDING}
        kept = _absent((before.finished,), season)
        for mentor, letters in departed_of(before, season).items():
            own = tuple(
                letter
                for letter in letters
                if letter in kept.get(mentor, ()) or (mentor, letter) in stated
            )
            if own:
                found[mentor] = own
    for standing in standings:
        if standing.stage in {Stage.SUBMITTED, Stage.DECLINED}:
            found[standing.mentor] = (*found.get(standing.mentor, ()), standing.id)
    return found


def _absent(groups: Iterable[Members], season: Season) -> dict[MentorId, tuple[LetterId, ...]]:
    """Return the letters of each mentor that the config does not have under that mentor."""
    names, now = names_of(season), members_of(season)
    found: dict[MentorId, tuple[LetterId, ...]] = {}
    for mentor, letters in (pair for group in groups for pair in group.items()):
        today = names.mentor(mentor)
        left = [x for x in map(names.letter, letters) if x not in now.get(today, ())]
        if left:
            found[today] = tuple(dict.fromkeys((*found.get(today, ()), *left)))
    return found


def kept_of(entries: Iterable[Entry], today: date) -> tuple[Kept, ...]:
    """Return what the memory keeps of the ledger's entries."""
    kept = [(entry, how) for entry in entries if (how := _how(entry, today)) is not None]
    return tuple(
        Kept(
            how=how,
            uid=entry.uid,
            identity=entry.identity,
            letters=entry.letters,
            day=entry.day,
            planned=entry.planned if entry.identity.kind is Kind.FOLLOW_UP else None,
            noticed=None if entry.missing_since is None else entry.missing_since.date(),
            ticks=entry.ticks,
            mentor=None if entry.identity.kind in MENTOR_KINDS else entry.mentor,
        )
        for entry, how in sorted(kept, key=lambda pair: (pair[0].day, pair[0].uid))
    )


def yours_of(entries: Iterable[Entry]) -> dict[Uid, frozenset[Property]]:
    """Return the dates and alarms that are the person's, which a stamp cannot always tell (S10).

    Those of an event that is not there, or cannot be read, count as well: it may come back (S11).
    Alarms that a release took away are nobody's: as long as the ledger has them, they come back.
    """
    told = {Property.DATE, Property.ALARMS}
    found = {}
    for entry in entries:
        silenced = entry.state is State.RELEASED and b"BEGIN:VALARM" in (entry.sent or b"")
        if own := entry.theirs & (told - {Property.ALARMS} if silenced else told):
            found[entry.uid] = own
    return found


def asks_of(events: Iterable[Event], members: Members) -> dict[Uid, tuple[LetterId, ...]]:
    """Return which letters each request is for, where the mentor writes others too (R8)."""
    return {
        event.uid: event.letters
        for event in events
        if event.kind is Kind.REQUEST and len(event.letters) < len(members.get(event.mentor, ()))
    }


def entry_of(
    kept: Kept, mentor: MentorId, href: str, theirs: frozenset[Property], now: datetime
) -> Entry:
    """Return a kept event as an entry of one that is not on the calendar.

    ``theirs`` is what of it was the person's; ``now`` is in the applicant's zone.
    """
    noticed = kept.noticed or date.fromordinal(kept.day.toordinal() + 1)
    missing = kept.how is How.MISSING
    return Entry(
        uid=kept.uid,
        href=href,
        identity=kept.identity,
        mentor=mentor,
        letters=kept.letters,
        day=kept.day,
        summary="",
        state=State.MISSING if missing else State.DISMISSED,
        theirs=theirs,
        missing_since=now if missing else datetime.combine(noticed, time(), UTC),
        ticks=kept.ticks,
        learned=bool(kept.ticks),
        planned=kept.planned,
        # It had passed before its title stated anything.
        passed=kept.day if kept.how is How.PAST and kept.ticks else None,
    )


def writers_of(members: Members) -> dict[LetterId, MentorId]:
    """Return who writes each letter; of two mentors the first."""
    found: dict[LetterId, MentorId] = {}
    for mentor, letters in members.items():
        for letter in letters:
            found.setdefault(letter, mentor)
    return found


def mentor_of(kept: Kept, writers: Mapping[LetterId, MentorId]) -> MentorId | None:
    """Return whose event a kept one is, None where nobody can tell.

    Letters come and go: an event of a mentor's is theirs though none of them is left.
    """
    if kept.mentor is not None:
        return kept.mentor
    subject = kept.identity.subject
    if kept.identity.kind in MENTOR_KINDS:
        return MentorId(subject)
    return writers.get(LetterId(subject))


def _how(entry: Entry, today: date) -> How | None:
    if entry.ticks:
        return How.TICKED if entry.passed is None else How.PAST
    if entry.state in NOTES:
        return None
    if entry.state in AWAY:
        away = How.DELETED if entry.state is State.DISMISSED else How.MISSING
        return How.PAST if entry.tidied else away
    past = entry.identity.kind in CONTACTS and entry.intent is None and entry.day < today
    return How.PAST if past else None


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


_S4 = Reason(rule="S4", text="who may write to the calendar may write into the memory")


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
