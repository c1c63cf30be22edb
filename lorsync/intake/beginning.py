"""What a first config is made of, and what has to be asked before it is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
