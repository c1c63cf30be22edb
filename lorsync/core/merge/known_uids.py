"""List every event that a season can have, to recognise our own without a ledger (S3, S6)."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from lorsync.core.identity import SeasonKey, uid_for
from lorsync.core.merge.aliases import names_of
from lorsync.core.merge.memory import Members, members_of
from lorsync.core.model import Identity, Kind, LetterId, MentorId, Season, Uid
from lorsync.core.planner.draft_event import THANK_DECLINED, THANK_PROVISIONAL, THANK_SUBMITTED

_GENERATIONS = 4
"""How many generations of a UID are looked for at least; each needs a deletion of lorsync's (S8).

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


def known_uids(
    season: Season,
    key: SeasonKey,
    *,
    departed: Members | None = None,
    retired: Collection[Uid] = (),
) -> dict[Uid, Member]:
    """Return every event of a season by its UID, whether or not it is planned.

    Former ids count (S7). ``departed`` are mentors and letters that the config had before,
    ``retired`` what lorsync deleted, each of which may have been followed by one more generation.
    """
    members: dict[Uid, Member] = {}
    names = names_of(season)
    programs = {letter.id: letter.programs for letter in season.letters}
    listed: dict[MentorId, list[LetterId]] = {}
    for mentor, letters in (*members_of(season).items(), *(departed or {}).items()):
        listed.setdefault(names.mentor(mentor), []).extend(map(names.letter, letters))
    for mentor, own in listed.items():
        every = tuple(dict.fromkeys(own))
        requests = tuple(str(n) for n in range(1, max(_REQUESTS, len(every)) + 1))
        for kind, slots in (*_OF_MENTOR, (Kind.REQUEST, requests)):
            former = names.former_mentors(mentor)
            member = Member(
                identity=Identity(kind=kind, subject=mentor), mentor=mentor, letters=every
            )
            _enlist(members, key, member, (mentor, *former), slots, retired)
        # A letter that changed hands is that of the mentor who writes it now.
        for letter in (x for x in every if names.writers.get(x, mentor) == mentor):
            # What a letter that has left served is not known any more.
            served = programs.get(letter, tuple(season.programs))
            for kind, slots in (*_OF_LETTER, (Kind.ASSIGN, served)):
                member = Member(
                    identity=Identity(kind=kind, subject=letter), mentor=mentor, letters=(letter,)
                )
                ids = (letter, *names.former_letters(letter))
                generations = _GENERATIONS + 2 * len(served)
                _enlist(members, key, member, ids, slots, retired, generations)
    return members


def _enlist(
    members: dict[Uid, Member],
    key: SeasonKey,
    member: Member,
    ids: tuple[MentorId | LetterId, ...],
    slots: tuple[str, ...],
    retired: Collection[Uid],
    generations: int = _GENERATIONS,
) -> None:
    """Enlist the events of a mentor or letter in each slot, under each id that it has or had."""
    kind = member.identity.kind
    for slot in slots:
        own = replace(member, identity=member.identity._replace(slot=slot))
        for each in ids:
            # Beyond the last one that was deleted some may stand, or be notes, and be followed by
            # one more all the same (S7, S10).
            generation, last = 0, generations
            while generation < last:
                uid = uid_for(key, kind, each, slot, generation)
                members[uid] = own
                generation += 1
                if uid in retired:
                    last = generation + generations
