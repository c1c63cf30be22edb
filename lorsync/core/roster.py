"""List every event that a season can have, to recognise our own without a ledger (S3, S6)."""

from dataclasses import dataclass

from lorsync.core.identity import SeasonKey, uid_for
from lorsync.core.model import Identity, Kind, Letter, LetterId, MentorId, Season, Uid
from lorsync.core.occasion import THANK_DECLINED, THANK_PROVISIONAL, THANK_SUBMITTED

_GENERATIONS = 4
"""How many generations of a UID are looked for; each needs a deletion of lorsync's own (S8).

A letter's deadline and thank-you may have one more for each due date that it outlives.
"""

_REQUESTS = 9
"""How many requests a mentor may have had whose letters are gone from the config since (R8)."""

_OF_MENTOR = (
    (Kind.TALK, ("",)),
    (Kind.FOLLOW_UP, ("1", "2")),
    (Kind.RESULTS, ("",)),
)
_OF_LETTER = (
    (Kind.ADD_LETTER, ("",)),
    (Kind.DEADLINE, ("",)),
    (Kind.THANK_YOU, (THANK_PROVISIONAL, THANK_SUBMITTED, THANK_DECLINED)),
    (Kind.REPLACE, ("",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An event that a season can have, and for whom."""

    identity: Identity
    mentor: MentorId
    letters: tuple[LetterId, ...]


def roster(season: Season, key: SeasonKey) -> dict[Uid, Member]:
    """Return every event of a season by its UID, whether or not it is planned."""
    members: dict[Uid, Member] = {}
    by_mentor: dict[MentorId, list[Letter]] = {}
    for letter in season.letters:
        by_mentor.setdefault(letter.mentor, []).append(letter)
    for mentor, letters in by_mentor.items():
        every = tuple(letter.id for letter in letters)
        requests = tuple(str(n) for n in range(1, max(_REQUESTS, len(letters)) + 1))
        for kind, slots in (*_OF_MENTOR, (Kind.REQUEST, requests)):
            _enlist(members, key, kind, mentor, slots, mentor=mentor, letters=every)
        for letter in letters:
            for kind, slots in (*_OF_LETTER, (Kind.ASSIGN, letter.programs)):
                _enlist(
                    members,
                    key,
                    kind,
                    letter.id,
                    slots,
                    mentor=mentor,
                    letters=(letter.id,),
                    generations=_GENERATIONS + 2 * len(letter.programs),
                )
    return members


def _enlist(
    members: dict[Uid, Member],
    key: SeasonKey,
    kind: Kind,
    subject: MentorId | LetterId,
    slots: tuple[str, ...],
    *,
    mentor: MentorId,
    letters: tuple[LetterId, ...],
    generations: int = _GENERATIONS,
) -> None:
    for slot in slots:
        member = Member(
            identity=Identity(kind=kind, subject=subject, slot=slot),
            mentor=mentor,
            letters=letters,
        )
        for generation in range(generations):
            members[uid_for(key, kind, subject, slot, generation)] = member
