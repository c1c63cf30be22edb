"""Bring together what was stated: in the config, with ``mark``, or by a tick in the calendar (S13).

A fact in the config wins. Of the others a mark goes before a tick, and of two ticks the earlier day
counts (S14). Follow-ups are a list, to which all of them add.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from lorsync.core.model import Facts, Kind, Letter, LetterId, MentorId, Season


class Fact(StrEnum):
    """Something that happened to a letter, as a person types it."""

    TALKED = "talked"
    ASKED = "asked"
    FOLLOWED_UP = "followed-up"
    AGREED = "agreed"
    DECLINED = "declined"
    PACKET_SENT = "packet-sent"
    SUBMITTED = "submitted"
    THANKED = "thanked"
    RESULTS_SHARED = "results-shared"
    DONE = "done"
    """The task of one event: a letter assigned, another writer found. It is no fact of a letter."""

    @property
    def words(self) -> str:
        """The fact as a title has it."""
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """What is known of one fact of a letter; one more fact is one more row.

    ``words`` state it in a title beside its own, ``sign`` is the one of the season's picture.
    ``ends``: after it there is nothing left to follow up (R10, R11). ``after_the_end``: it is said
    of letters that are in or were declined. ``repeats``: it may have several days.
    """

    words: tuple[str, ...] = ()
    sign: str
    ends: bool = False
    after_the_end: bool = False
    repeats: bool = False


ROWS: Final[Mapping[Fact, FactRow]] = {
    Fact.TALKED: FactRow(words=("talked", "spoke"), sign="talk"),
    Fact.ASKED: FactRow(words=("asked", "requested"), sign="request"),
    Fact.FOLLOWED_UP: FactRow(words=("followed up", "checked in"), sign="follow-up", repeats=True),
    Fact.AGREED: FactRow(words=("agreed", "accepted", "said yes"), sign="agreed"),
    Fact.DECLINED: FactRow(words=("declined", "refused", "said no"), sign="declined", ends=True),
    Fact.PACKET_SENT: FactRow(words=("packet sent", "sent packet"), sign="packet sent"),
    Fact.SUBMITTED: FactRow(
        words=("submitted", "uploaded", "received"), sign="submitted", ends=True
    ),
    Fact.THANKED: FactRow(words=("thanked",), sign="thank-you", after_the_end=True),
    Fact.RESULTS_SHARED: FactRow(
        words=("results shared", "shared results"), sign="results", after_the_end=True
    ),
}
"""Every fact that may be stated of a letter."""

ENDING: Final = frozenset(fact for fact, row in ROWS.items() if row.ends)
"""The facts after which there is nothing left to follow up (R10, R11)."""

FIELDS: Final[Mapping[Fact, str]] = {fact: f"{fact.value.replace('-', '_')}_on" for fact in ROWS}
"""Which field of :class:`lorsync.core.model.Facts`, and key of the config, holds a fact."""

OWN_FACT: Final[Mapping[Kind, Fact]] = {
    Kind.TALK: Fact.TALKED,
    Kind.REQUEST: Fact.ASKED,
    Kind.ADD_LETTER: Fact.ASKED,
    Kind.FOLLOW_UP: Fact.FOLLOWED_UP,
    Kind.DEADLINE: Fact.SUBMITTED,
    Kind.THANK_YOU: Fact.THANKED,
    Kind.ASSIGN: Fact.DONE,
    Kind.RESULTS: Fact.RESULTS_SHARED,
    Kind.REPLACE: Fact.DONE,
}
"""What it means that an event is done."""


class Source(StrEnum):
    """Where a fact was stated."""

    CONFIG = "config"
    MARK = "mark"
    TICK = "calendar"
    MEMORY = "memory"
    """A mark or a tick of which only lorsync's memory in the calendar tells (S4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One fact of one letter, with its day in the applicant's zone, and where it was stated.

    ``mentor`` is who wrote the letter then, None where nobody knows: of the next one to write it
    nothing was said. ``learned``: only the memory tells of the mark or tick; it counts like one.
    """

    letter: LetterId
    fact: Fact
    day: date
    source: Source
    mentor: MentorId | None = None
    learned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What ``lorsync mark`` said of a letter, or took back (``withdrawn``).

    ``said`` is the aware instant of saying it: of two that contradict, the later one counts.
    ``mentor`` and ``learned`` are as of a :class:`Statement`.
    """

    letter: LetterId
    fact: Fact
    day: date
    said: datetime
    withdrawn: bool = False
    mentor: MentorId | None = None
    learned: bool = False


def with_statements(season: Season, statements: Iterable[Statement]) -> Season:
    """Return the season with what was stated outside the config put into its letters' facts."""
    by_letter: dict[LetterId, list[Statement]] = {}
    writers = {letter.id: letter.mentor for letter in season.letters}
    for statement in statements:
        if statement.mentor in (None, writers.get(statement.letter)):
            by_letter.setdefault(statement.letter, []).append(statement)
    if not by_letter:
        return season
    letters = tuple(_told(letter, by_letter.get(letter.id, ())) for letter in season.letters)
    return replace(season, letters=letters)


def stated_marks(marks: Iterable[Mark]) -> list[Statement]:
    """Return the marks that count: what was said last of a fact, and every follow-up."""
    last: dict[tuple[LetterId, MentorId | None, Fact, date | None], Mark] = {}
    for mark in sorted(marks, key=lambda m: (m.said, m.day)):
        if not mark.withdrawn:
            day = mark.day if mark.fact is Fact.FOLLOWED_UP else None
            last[mark.letter, mark.mentor, mark.fact, day] = mark
    return [
        Statement(
            letter=mark.letter,
            fact=mark.fact,
            day=mark.day,
            source=Source.MARK,
            mentor=mark.mentor,
            learned=mark.learned,
        )
        for mark in last.values()
    ]


def known_facts(season: Season, statements: Iterable[Statement]) -> list[Statement]:
    """Return every fact that counts, by letter and day, with its source.

    ``season`` is the config's own, without the statements.
    """
    listed = list(statements)
    found = []
    for stated, told in zip(season.letters, with_statements(season, listed).letters, strict=True):
        for fact, name in FIELDS.items():
            own = _days(stated.facts, name)
            for day in _days(told.facts, name):
                source = Source.CONFIG if day in own else _source(told.id, fact, day, listed)
                found.append(Statement(letter=told.id, fact=fact, day=day, source=source))
    return sorted(found, key=lambda s: (s.letter, s.day, list(Fact).index(s.fact)))


def _told(letter: Letter, statements: Iterable[Statement]) -> Letter:
    facts, days = letter.facts, dict[str, Any]()
    followed_up = set(facts.followed_up_on)
    # A mark before a tick, the earlier day first: the first one to fill a field stays.
    for statement in sorted(statements, key=lambda s: (s.source is not Source.MARK, s.day)):
        if statement.fact is Fact.FOLLOWED_UP:
            followed_up.add(statement.day)
        elif statement.fact in FIELDS and getattr(facts, FIELDS[statement.fact]) is None:
            days.setdefault(FIELDS[statement.fact], statement.day)
    if not days and followed_up == set(facts.followed_up_on):
        return letter
    return replace(letter, facts=replace(facts, followed_up_on=tuple(sorted(followed_up)), **days))


def _days(facts: Facts, name: str) -> tuple[date, ...]:
    value = getattr(facts, name)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _source(letter: LetterId, fact: Fact, day: date, statements: Iterable[Statement]) -> Source:
    stated = [s for s in statements if (s.letter, s.fact, s.day) == (letter, fact, day)]
    own = {s.source for s in stated if not s.learned}
    return next((s for s in (Source.MARK, Source.TICK) if s in own), Source.MEMORY)
