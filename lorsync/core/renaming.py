"""Follow mentors and letters to the ids that they have now (S7: ``formerly``)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lorsync.core.doubt import Doubt, latest
from lorsync.core.entry import Entry
from lorsync.core.facts import Mark
from lorsync.core.model import CONTACTS, Identity, Kind, LetterId, MentorId, Season

MENTOR_KINDS = (CONTACTS - {Kind.ADD_LETTER}) | {Kind.RESULTS}
"""The kinds whose events belong to a mentor; the others belong to a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which id somebody has now, by an id that they had before."""

    mentors: Mapping[str, MentorId]
    letters: Mapping[str, LetterId]

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
        """Return an entry with the ids of today; its UID stays, so the event is the same one."""
        mentor, identity = self.mentor(entry.mentor), self.identity(entry.identity)
        letters = tuple(map(self.letter, entry.letters))
        if (mentor, identity, letters) == (entry.mentor, entry.identity, entry.letters):
            return entry
        return replace(entry, mentor=mentor, identity=identity, letters=letters)

    def marks(self, marks: Iterable[Mark]) -> tuple[Mark, ...]:
        """Return marks with the ids of today; of the same letter, fact and day the last one said.

        What was said of a letter may be kept under each of its ids, and be taken back under one.
        """
        today = [replace(mark, letter=self.letter(mark.letter)) for mark in marks]
        said = sorted(today, key=lambda mark: (mark.said, mark.withdrawn))
        return tuple({(mark.letter, mark.fact, mark.day): mark for mark in said}.values())

    def doubts(self, doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
        """Return what was said last about each mentor, by the ids of today."""
        return latest(replace(doubt, mentor=self.mentor(doubt.mentor)) for doubt in doubts)


def names_of(season: Season) -> Names:
    """Return who was called what before; an id in use is nobody's former one."""
    letters = {letter.id for letter in season.letters}
    return Names(
        mentors={
            old: mentor.id
            for mentor in season.mentors.values()
            for old in mentor.formerly
            if old not in season.mentors
        },
        letters={
            old: letter.id
            for letter in season.letters
            for old in letter.formerly
            if old not in letters
        },
    )
