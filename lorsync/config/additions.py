"""Add a mentor, a program or a letter to the bytes of a config, checked as a whole."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorsync.config import Regions, loads
from lorsync.config.editing import BOM, with_entry
from lorsync.config.ids import slug
from lorsync.config.problems import shown
from lorsync.config.spreadsheet.names import letter_id, maybe_the_same, mentor_id, program_id
from lorsync.core.errors import ConfigError, UsageError
from lorsync.core.phrases import near
from lorsync.core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A config as it is: its bytes, what they mean, and who has an entry of their own.

    ``regions`` tells of which regions the holidays are known (R6).
    """

    path: Path
    content: bytes
    settings: Settings
    listed: Mapping[str, frozenset[str]]
    regions: Regions

    @classmethod
    def of(cls, content: bytes, path: Path, regions: Regions) -> "Known":
        """Read a config that is right as it stands; raises ConfigError for another."""
        settings = loads(content, path)
        raw = tomllib.loads(content.decode().removeprefix(BOM))
        listed = {
            table: frozenset(
                entry.get("id") or slug(entry.get("name", "")) for entry in raw.get(table, [])
            )
            for table in ("mentors", "programs")
        }
        return cls(path=path, content=content, settings=settings, listed=listed, regions=regions)


def added(known: Known, table: str, values: Mapping[str, Any]) -> tuple[bytes, Settings]:
    """Return the config's bytes with one entry more, and what they mean.

    Raises UsageError where the whole would not pass ``lorsync check``.
    """
    stated = {key: value for key, value in values.items() if value not in (None, "", [])}
    content = with_entry(known.content.decode(), table, stated).encode()
    try:
        return content, loads(content, known.path, regions=known.regions)
    except ConfigError as problems:
        raise _refused(problems) from None


def _refused(problems: ConfigError) -> UsageError:
    """Say of the problems that a config would have that it was not written."""
    lines = str(problems).partition("\n")[2]
    return UsageError(f"This cannot be added, and nothing was written.\n{lines}")


def new_mentor_id(known: Known, name: str, wanted: str | None) -> str:
    """Give a new mentor an id; raises UsageError where the wanted one is taken."""
    season = known.settings.season
    if wanted is not None:
        return _free("mentor", wanted, {one: mentor.name for one, mentor in _entries(known)})
    if slug(name) in season.mentors and slug(name) not in known.listed["mentors"]:
        # Known so far by letters that name nobody's entry: the events hang on this very id (S7).
        return slug(name)
    return mentor_id(name, season.mentors)


def _entries(known: Known) -> Iterable[tuple[str, Any]]:
    mentors = known.settings.season.mentors
    return ((one, mentors[one]) for one in mentors if one in known.listed["mentors"])


def new_program_id(known: Known, name: str, wanted: str | None) -> str:
    """Give a new program an id; raises UsageError where the wanted one or the name is taken."""
    programs = known.settings.season.programs
    same = next((own for own, one in programs.items() if slug(one.name) == slug(name)), None)
    if wanted is None and same is not None:
        raise UsageError(
            f"There is a program {shown(name)} already, with the id {shown(same)}. If this is "
            "another one, say so with --id."
        )
    if wanted is not None:
        return _free("program", wanted, {own: one.name for own, one in programs.items()})
    return program_id(name, programs)


def new_letter_id(known: Known, mentor: str, form: str, wanted: str | None) -> str:
    """Give a new letter an id; raises UsageError where the wanted one is taken."""
    letters = {letter.id: letter.mentor for letter in known.settings.season.letters}
    if wanted is not None:
        return _free("letter", wanted, letters)
    own = mentor if mentor in known.settings.season.mentors else slug(mentor)
    return letter_id(own, form, letters)


def namesakes(known: Known, name: str, email: str | None) -> list[str]:
    """List the mentors who may be the person of this name, and are not told apart by address."""
    found = []
    for own, mentor in known.settings.season.mentors.items():
        same_address = (mentor.email or "").casefold() == (email or "").casefold()
        if mentor.email and email and not same_address:
            continue
        listed = own in known.listed["mentors"]
        if maybe_the_same(name, mentor.name) and (listed or slug(name) != own):
            found.append(mentor.name)
    return found


def mentor_named(known: Known, text: str) -> str | None:
    """Find a mentor by id or name, as the file should name them; None for somebody new.

    Raises UsageError, with who may be meant, for an id that nobody has and for a name that may be
    another's.
    """
    mentors = known.settings.season.mentors
    for own, mentor in mentors.items():
        if text == own or slug(text) in (own, slug(mentor.name)):
            return own if own in known.listed["mentors"] else mentor.name
    meant = near(text, [*mentors, *(mentor.name for mentor in mentors.values())])
    alike = next((m.name for m in mentors.values() if maybe_the_same(text, m.name)), None)
    if alike is not None or " " not in text.strip():
        hint = f"Did you mean {shown(alike or meant)}? " if alike or meant else ""
        raise UsageError(
            f"No mentor is called {shown(text)}. {hint}"
            "Somebody new is added with “lorsync add mentor NAME”."
        )
    return None


def program_named(known: Known, text: str) -> str:
    """Find a program's id by id or name; raises UsageError with what may be meant."""
    programs = known.settings.season.programs
    for own, program in programs.items():
        if text == own or slug(text) in (own, slug(program.name)):
            return own
    meant = near(text, [*programs, *(program.name for program in programs.values())])
    ids = ", ".join(list(programs)[:10])
    hint = f"Did you mean {shown(meant)}?" if meant else f"There are {ids or 'none yet'}."
    raise UsageError(
        f"No program is called {shown(text)}. {hint} "
        "A new one is added with “lorsync add program NAME --deadline DATE”."
    )


def _free(what: str, wanted: str, taken: Mapping[Any, str]) -> str:
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    raise UsageError(
        f"There is a {what} {shown(wanted)} already ({taken[wanted]}). "
        f"Choose another --id, such as {wanted}-{number}."
    )
