"""Follow mentors and letters to the ids that they have now, and letters to their mentors (S7)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from lorsync.core.facts import Mark
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.unknown_history import Doubt, latest
from lorsync.core.model import (
    CONTACTS,
    Identity,
    Kind,
    LetterId,
    MentorId,
    Renamed,
    Season,
    Subject,
)

MENTOR_KINDS = (CONTACTS - {Kind.ADD_LETTER}) | {Kind.RESULTS}
"""The kinds whose events belong to a mentor; the others belong to a letter."""

_OF_WHOEVER_WRITES = frozenset({Kind.DEADLINE, Kind.ASSIGN, Kind.REPLACE})
"""The kinds of a letter whose events say nothing to its mentor: they go with it to another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which id somebody has now, by an id that they had before, and who writes each letter."""

    mentors: Mapping[str, MentorId]
    letters: Mapping[str, LetterId]
    writers: Mapping[LetterId, MentorId]

    def mentor(self, former: str) -> MentorId:
        """Return a mentor's id of today."""
        return self.mentors.get(former, MentorId(former))

    def letter(self, former: str) -> LetterId:
        """Return a letter's id of today."""
        return self.letters.get(former, LetterId(former))

    def former_mentors(self, today: MentorId) -> tuple[MentorId, ...]:
        """Return the ids that a mentor had before."""
        return tuple(MentorId(old) for old, new in self.mentors.items() if new == today)

    def former_letters(self, today: LetterId) -> tuple[LetterId, ...]:
        """Return the ids that a letter had before."""
        return tuple(LetterId(old) for old, new in self.letters.items() if new == today)

    def identity(self, identity: Identity) -> Identity:
        """Return an identity with the id of today in it."""
        of_mentor = identity.kind in MENTOR_KINDS
        subject = self.mentor(identity.subject) if of_mentor else self.letter(identity.subject)
        return identity if subject == identity.subject else identity._replace(subject=subject)

    def entry(self, entry: Entry) -> Entry:
        """Return an entry with the ids of today; its UID stays, so the event is the same one.

        What is a letter's own goes with the letter to another mentor. What was asked of a mentor,
        or ticked while they wrote the letter, stays theirs.
        """
        mentor, identity = self.mentor(entry.mentor), self.identity(entry.identity)
        if identity.kind in _OF_WHOEVER_WRITES and not entry.ticks:
            mentor = self.writers.get(LetterId(identity.subject), mentor)
        letters = tuple(map(self.letter, entry.letters))
        if (mentor, identity, letters) == (entry.mentor, entry.identity, entry.letters):
            return entry
        return replace(entry, mentor=mentor, identity=identity, letters=letters)

    def mark(self, mark: Mark) -> Mark:
        """Return a mark with the ids of today."""
        mentor = None if mark.mentor is None else self.mentor(mark.mentor)
        return replace(mark, letter=self.letter(mark.letter), mentor=mentor)

    def marks(self, marks: Iterable[Mark]) -> tuple[Mark, ...]:
        """Return marks with the ids of today; of the same letter, fact and day the last one said.

        What was said of a letter may be kept under each of its ids, and be taken back under one.
        """
        said = sorted(map(self.mark, marks), key=lambda mark: (mark.said, mark.withdrawn))
        return tuple({(mark.letter, mark.fact, mark.day): mark for mark in said}.values())

    def doubts(self, doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
        """Return what was said last about each mentor, by the ids of today."""
        return latest(replace(doubt, mentor=self.mentor(doubt.mentor)) for doubt in doubts)


def names_of(season: Season) -> Names:
    """Return who was called what before; an id in use is nobody's former one.

    The config says so now (``formerly``), or said so once: an id that is put back is the same
    mentor or letter as before and after (``season.renamed``).
    """
    writers = {letter.id: letter.mentor for letter in season.letters}
    mentors = {
        old: mentor.id
        for mentor in season.mentors.values()
        for old in mentor.formerly
        if old not in season.mentors
    }
    letters = {
        old: letter.id for letter in season.letters for old in letter.formerly if old not in writers
    }
    if season.renamed:
        mentors = {
            old: MentorId(today)
            for old, today in _followed(Subject.MENTOR, mentors, season.mentors, season).items()
        }
        letters = {
            old: LetterId(today)
            for old, today in _followed(Subject.LETTER, letters, writers, season).items()
        }
    return Names(mentors=mentors, letters=letters, writers=writers)


def renamed_now(season: Season, ever: Mapping[Subject, Collection[str]]) -> frozenset[Renamed]:
    """Return which ids are one and the same, by the config and by what it said before.

    ``ever`` are the ids that were in the season. Where two that were one are two mentors or letters
    now, they are no longer the same.
    """
    in_use: dict[Subject, Collection[str]] = {
        Subject.MENTOR: season.mentors,
        Subject.LETTER: [letter.id for letter in season.letters],
    }
    names = names_of(replace(season, renamed=frozenset()))
    stated = {Subject.MENTOR: names.mentors, Subject.LETTER: names.letters}
    return frozenset(
        Renamed(what=what, today=today, before=before)
        for what, pairs in stated.items()
        for before, today in pairs.items()
        if before in ever[what]
    ) | frozenset(
        pair for pair in season.renamed if not {pair.today, pair.before} <= set(in_use[pair.what])
    )


def _followed(
    what: Subject, stated: Mapping[str, str], in_use: Collection[str], season: Season
) -> dict[str, str]:
    """Return ids of before by today's, over however many changes; what is stated now goes first.

    An id from which two of today's can be reached is neither's.
    """
    beside: dict[str, set[str]] = {}
    for pair in season.renamed:
        if pair.what is what:
            beside.setdefault(pair.today, set()).add(pair.before)
            beside.setdefault(pair.before, set()).add(pair.today)
    reached: dict[str, set[str]] = {}
    for today in in_use:
        own = [old for old, new in stated.items() if new == today]
        ahead, seen = [today, *own], {today, *own}
        while ahead:
            for each in beside.get(ahead.pop(), set()) - seen:
                if each not in in_use and each not in stated:
                    seen.add(each)
                    ahead.append(each)
                    reached.setdefault(each, set()).add(today)
    found = {old: todays.pop() for old, todays in reached.items() if len(todays) == 1}
    return {**found, **stated}
