"""Find who and what a letter means, and make the ids that a config leaves out (S7).

Ids come from content, never from a position in the file: moving an entry must not make it another.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from lorsync.config.ids import ID_LENGTH, letter_slug, letter_slug_with_programs, slug
from lorsync.config.problems import shown
from lorsync.config.schema import LetterTable, MentorTable, ProgramTable
from lorsync.core.model import LetterId, LetterType, MentorId, ProgramId
from lorsync.core.phrases import near

_ID_LIKE = re.compile(r"[A-Za-z0-9._-]+")

SAME_PERSON: Final = 0.87
"""How alike two names are that are taken for slips of one another.

Somebody who counts as two mentors would be followed up with twice as often, so this is cautious:
the mistaken one asks for a [[mentors]] entry, which settles it.
"""


def own_id(table: MentorTable | ProgramTable) -> str | None:
    """Tell a mentor's or program's id: stated, or made from its name."""
    return table.id or (slug(table.name) if table.name else None)


def made_letter_id(mentor: MentorId, form: LetterType) -> LetterId:
    """Make a letter's id from mentor and type."""
    return LetterId(letter_slug(mentor, form.value))


def letter_id_with_programs(
    mentor: MentorId, form: LetterType, programs: Iterable[ProgramId]
) -> LetterId:
    """Make the id that an earlier lorsync made from mentor, type and programs."""
    return LetterId(letter_slug_with_programs(mentor, form.value, programs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody of that name: what is allowed instead."""

    allowed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The mentors or programs that have an entry.

    ``names`` goes from id to name, ``ids`` back, and ``slugs`` from a slug to what makes it.
    """

    names: Mapping[str, str]
    ids: Mapping[str, str]
    slugs: Mapping[str, str]

    def find(self, text: str) -> str | None:
        """Find the entry with this id or exact name."""
        return text if text in self.names else self.ids.get(text)

    def nearest(self, text: str, *, cutoff: float = 0.6) -> str | None:
        """Find the id or name that ``text`` may be a slip for."""
        return near(text, [*self.names, *self.names.values()], cutoff=cutoff)


def register(tables: Iterable[MentorTable | ProgramTable]) -> Register:
    """List the entries by id; of two alike the first counts, and a rule reports the other."""
    names: dict[str, str] = {}
    for table in tables:
        own = own_id(table)
        if own is not None:
            names.setdefault(own, table.name or own)
    slugs = {own: own for own in names} | {slug(name): name for name in names.values()}
    ids = {name: own for own, name in reversed(names.items())}
    return Register(names=names, ids=ids, slugs=slugs)


def looks_like_id(text: str) -> bool:
    """Tell a word that can only be an id from a name."""
    return _ID_LIKE.fullmatch(text) is not None


def mentor_of(text: str, known: Register) -> MentorId | Unknown:
    """Tell the mentor whom a letter names: an entry, or somebody new by that name.

    Where there are entries, a single word is an id and must be one; a name that nearly is an
    entry's is taken for a slip.
    """
    if not known.names:
        return MentorId(slug(text))
    found = known.find(text)
    if found is not None:
        return MentorId(found)
    is_id = looks_like_id(text)
    alike = known.slugs.get(slug(text))
    meant = alike or known.nearest(text, cutoff=0.6 if is_id else SAME_PERSON)
    if meant is not None:
        return Unknown(
            allowed=f"no [[mentors]] entry has this id or name; did you mean {shown(meant)}? "
            "Somebody else needs an entry with an id"
        )
    if is_id:
        ids = ", ".join(list(known.names)[:10])
        return Unknown(allowed=f"no [[mentors]] entry has this id; there are {ids}")
    return MentorId(slug(text))


def program_of(text: str, known: Register) -> ProgramId | Unknown:
    """Tell the program that a letter names, by id or exact name."""
    found = known.find(text)
    if found is not None:
        return ProgramId(found)
    if not known.names:
        return Unknown(allowed="there are no [[programs]] entries")
    meant = known.nearest(text)
    if meant is not None:
        hint = f"; did you mean {shown(meant)}?"
    else:
        hint = "; there are " + ", ".join(list(known.names)[:10])
    return Unknown(allowed="no [[programs]] entry has this id or name" + hint)


def letter_id(table: LetterTable, mentors: Register) -> LetterId | None:
    """Tell a letter's id: stated or made; None where what it is made from is unknown."""
    if table.id is not None:
        return LetterId(table.id)
    mentor = None if table.mentor is None else mentor_of(table.mentor, mentors)
    if mentor is None or isinstance(mentor, Unknown):
        return None
    return made_letter_id(mentor, table.type or LetterType.NARRATIVE)


def free_letter_id(
    table: LetterTable, mentors: Register, programs: Register, taken: Container[str]
) -> LetterId:
    """Find an id for a letter that has none and whose made one is taken.

    It has the letter's programs in it, as those of an earlier lorsync had, else a number. The
    letter's mentor is known.
    """
    mentor = mentor_of(table.mentor or "", mentors)
    assert not isinstance(mentor, Unknown)  # noqa: S101 -- its made id was found by it
    form = table.type or LetterType.NARRATIVE
    served = [program_of(text, programs) for text in table.programs or ()]
    known = dict.fromkeys(program for program in served if not isinstance(program, Unknown))
    base = letter_id_with_programs(mentor, form, known)
    numbered = (LetterId(f"{base[: ID_LENGTH - 4]}-{number}") for number in count(2))
    return base if base not in taken else next(one for one in numbered if one not in taken)
