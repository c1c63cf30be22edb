"""Compose a first config, from answers or a spreadsheet, with a comment for what comes next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lorsync.config.editing import entry_lines, key_line

Values = Mapping[str, Any]
"""The keys of one table of the config, as the file writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ``[[…]]`` table; ``remarks`` are comments beside its keys."""

    values: Values
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Who writes for what: the part of a config that a spreadsheet can say."""

    mentors: tuple[Entry, ...] = ()
    programs: tuple[Entry, ...] = ()
    letters: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A whole first config. Of the tables that stand once, an empty one is left out."""

    applicant: Values
    cycle: Values
    calendar: Values
    policy: Values
    season: Season


DoubtKey = tuple[str, ...]
Choices = Mapping[DoubtKey, str]
"""What the person chose, doubt by doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something that has more than one meaning, and is not guessed.

    ``options`` go from the word that chooses one to what it means. ``refusal`` says it as a
    problem, with what to write, where nobody can be asked.
    """

    key: DoubtKey
    question: str
    options: Mapping[str, str]
    refusal: str


def rows_in_words(numbers: list[int]) -> str:
    """Name rows of a spreadsheet: ``row 3``, ``rows 3 and 5``, ``rows 3, 4, 5, 6, 7 and 12 more``.

    Each is named once, in order.
    """
    listed = sorted(set(numbers))
    if len(listed) == 1:
        return f"row {listed[0]}"
    if len(listed) > 6:
        return f"rows {', '.join(map(str, listed[:5]))} and {len(listed) - 5} more"
    return f"rows {', '.join(map(str, listed[:-1]))} and {listed[-1]}"


_HEAD: Final = """\
# Your season, for lorsync. Change anything here with an editor, or add to it with
#   lorsync add mentor, lorsync add program, lorsync add letter
# and run “lorsync check”: it says everything that is wrong, in one go.
# Dates are written 2027-09-22, without quotes. Text stands in "quotes".
"""
_CALENDAR: Final = (
    "Where the calendar is. A password never stands in this file: “lorsync login” asks for it."
)
_POLICY: Final = (
    "The numbers of the rules, of which these are the defaults:\n"
    "lead_days = 42                # ask this many days before a letter is due\n"
    "follow_ups = 2                # 0, 1 or 2 for each mentor, never more"
)
_MENTORS: Final = (
    "Who writes. Days away are kept free:\n"
    'away = [{ from = 2027-08-07, to = 2027-08-22, why = "leave" }]'
)
_PROGRAMS: Final = (
    "What you apply to. Beside the hard deadline you may set an earlier one of your own:\n"
    "target = 2027-09-10"
)
_LETTERS: Final = (
    "Who writes what for which programs. State what happened, each with its day, here or with\n"
    "“lorsync mark”: asked_on, agreed_on, declined_on, submitted_on, thanked_on.\n"
    "type is narrative when left out; the others are standardized, chair, committee, packet."
)


def composed(beginning: Beginning) -> str:
    """Return the text of a first config. No value of it is a secret."""
    parts = [
        _HEAD,
        _table("applicant", beginning.applicant, "You, as your mentors know you."),
        _table(
            "cycle", beginning.cycle, "The season. At most two follow-ups go to each mentor in it."
        ),
        _table("calendar", beginning.calendar, _CALENDAR),
        _table("policy", beginning.policy, _POLICY),
        *_entries("mentors", beginning.season.mentors, _MENTORS),
        *_entries("programs", beginning.season.programs, _PROGRAMS),
        *_entries("letters", beginning.season.letters, _LETTERS),
    ]
    return "\n".join(part for part in parts if part)


def _table(name: str, values: Mapping[str, Any], comment: str) -> str:
    """Write a table that stands once; an empty one is left to its defaults."""
    lines = _comment(comment) if values else []
    if values:
        lines += [f"[{name}]", *(key_line(key, value) for key, value in values.items())]
    return _text(lines)


def _entries(name: str, entries: Iterable[Entry], comment: str) -> Iterator[str]:
    for number, entry in enumerate(entries):
        if number == 0:
            yield _text([*_comment(comment), ""]) + _entry(name, entry)
        else:
            yield _entry(name, entry)


def _entry(name: str, entry: Entry) -> str:
    return _text(entry_lines(name, entry.values, entry.remarks))


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.split("\n")]


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
