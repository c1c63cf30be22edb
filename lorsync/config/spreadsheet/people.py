"""Find out which rows of a spreadsheet speak of the same mentor.

Somebody who counts as two would be reminded twice as often, so names that may be one person's are
a doubt, unless e-mail addresses settle it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from lorsync.config.checking import refusal
from lorsync.config.ids import slug
from lorsync.config.new_file import Choices, Doubt, rows_in_words
from lorsync.config.problems import shown
from lorsync.config.spreadsheet.cells import blank
from lorsync.config.spreadsheet.columns import Column, Line
from lorsync.config.spreadsheet.names import maybe_the_same

SAME, DIFFERENT = "same", "different"
_TOO_MANY = 300
_SEVERAL = re.compile(r"[;/&]|\band\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One mentor; the name is as it is written first."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Every name of the sheet with its person, and what is to be said of them."""

    persons: Mapping[str, Person]
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    name: str
    row: int
    emails: dict[str, int] = field(default_factory=dict)
    spellings: dict[str, None] = field(default_factory=dict)


def gathered(lines: tuple[Line, ...], choices: Choices) -> Gathered:
    """Gather the mentors of all rows; names that differ in case, dots and accents are the same."""
    problems: list[str] = []
    seen = _by_slug(lines, problems)
    doubts: list[Doubt] = []
    notes: list[str] = []
    # More of them are refused, and not held against each other one by one.
    pairs = combinations(list(seen.values()), 2) if len(seen) <= _TOO_MANY else ()
    same: dict[str, str] = {}
    for first, other in pairs:
        if not maybe_the_same(first.name, other.name):
            continue
        settled = _settled(first, other, choices)
        if settled is None:
            doubts.append(_doubt(first, other))
        elif settled == SAME:
            notes.append(f"“{other.name}” is taken for “{first.name}”.")
            same[other.name] = same.get(first.name, first.name)
    by_name = {one.name: one for one in seen.values()}
    for name, kept in same.items():
        by_name[kept].emails |= by_name[name].emails
    people = {name: _person(one, problems) for name, one in by_name.items() if name not in same}
    persons = {
        spelling: people[same.get(one.name, one.name)]
        for one in seen.values()
        for spelling in one.spellings
    }
    return Gathered(
        persons=persons, doubts=tuple(doubts), notes=tuple(notes), problems=tuple(problems)
    )


def _by_slug(lines: tuple[Line, ...], problems: list[str]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for line in lines:
        name, email = line[Column.MENTOR], line[Column.EMAIL].removeprefix("mailto:")
        if blank(name):
            continue
        one = seen.setdefault(slug(name), _Seen(name=name, row=line.number))
        why = None if name in one.spellings else _refused(name)
        if why is not None:
            problems.append(f"row {line.number}: {shown(name)} — {why}")
        one.spellings[name] = None
        if blank(email) or email in one.emails:
            continue
        why = refusal("mentors", "email", email)
        if why is not None:
            problems.append(f"row {line.number}: {shown(email)} — {why}")
        elif email.casefold() not in map(str.casefold, one.emails):
            one.emails[email] = line.number
    return seen


def _refused(name: str) -> str | None:
    """Say what is wrong with a mentor's cell, if anything is."""
    if _SEVERAL.search(name):
        return "are these several people? Give each a row of their own"
    return refusal("mentors", "name", name)


def _settled(first: _Seen, other: _Seen, choices: Choices) -> str | None:
    mine, theirs = ({email.casefold() for email in one.emails} for one in (first, other))
    if mine and theirs:
        return SAME if mine & theirs else DIFFERENT
    return choices.get(("same", first.name, other.name))


def _person(one: _Seen, problems: list[str]) -> Person:
    if len(one.emails) > 1:
        listed = " and ".join(one.emails)
        rows = rows_in_words(list(one.emails.values()))
        problems.append(f"{rows}: {one.name} has two addresses, {listed}: which one is right?")
    return Person(name=one.name, email=next(iter(one.emails), None))


def _doubt(first: _Seen, other: _Seen) -> Doubt:
    rows = rows_in_words([first.row, other.row])
    names = f"“{first.name}” and “{other.name}”"
    return Doubt(
        key=("same", first.name, other.name),
        question=f"Are {names} ({rows}) the same person?",
        options={SAME: f"yes, that is {first.name}", DIFFERENT: "no, these are two people"},
        refusal=f"{rows}: {names} may be the same person. Write the name alike in both, or, if "
        "they are two people, give both their e-mail addresses",
    )
