"""Find the ids in a config that a shell may complete: quickly, and without a word of what is wrong.

Reads the TOML alone. What is no table, no text or no id is passed over; `check` is what says so.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorsync.config.ids import letter_slug, slug

_LARGEST = 1_000_000
"""Bytes of a config that are read while somebody waits for a key press to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Ids with what they stand for: a mentor's or program's name, a letter's mentor."""

    mentors: Mapping[str, str]
    programs: Mapping[str, str]
    letters: Mapping[str, str]


def ids_in(path: Path) -> Ids:
    """Return the ids of a config; none of a file that cannot be read or is too large."""
    raw = _read(path)
    mentors = dict(_named(raw, "mentors"))
    programs = dict(_named(raw, "programs"))
    by_name = {name: own for own, name in mentors.items()}
    letters: dict[str, str] = {}
    for letter in _tables(raw, "letters"):
        writer = _text(letter, "mentor")
        if writer is None:
            continue
        mentor = writer if writer in mentors else by_name.get(writer, slug(writer))
        mentors.setdefault(mentor, writer)
        own = _text(letter, "id")
        if own is None:
            own = letter_slug(mentor, _text(letter, "type") or "narrative")
        letters[own] = mentor
    return Ids(mentors=mentors, programs=programs, letters=letters)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return {}  # a pipe would keep the shell waiting
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        # TOML's and Unicode's errors are ValueErrors; a shell's prompt is no place for either.
        return {}


def _named(raw: Mapping[str, Any], table: str) -> Iterator[tuple[str, str]]:
    for entry in _tables(raw, table):
        own, name = _text(entry, "id"), _text(entry, "name")
        if own is not None or name is not None:
            yield own or slug(name or ""), name or own or ""


def _tables(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = raw.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(entry: Mapping[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) and value.strip() else None
