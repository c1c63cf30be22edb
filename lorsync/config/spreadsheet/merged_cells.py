"""Fill in what merged cells left blank: only the first of them keeps its text in a CSV file.

A blank cell may as well mean nothing, so the person is asked which it is.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from lorsync.config.new_file import Choices, Doubt, rows_in_words
from lorsync.config.spreadsheet.cells import blank
from lorsync.config.spreadsheet.columns import Column, Line, Table

ABOVE, EMPTY = "above", "empty"

COLUMNS: Final = MappingProxyType(
    {
        Column.MENTOR: "no mentor yet",
        Column.PROGRAM: "no program",
        Column.DEADLINE: "no deadline",
    }
)
"""The columns whose blanks may be merged cells, and what a blank means otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The rows with their blanks filled in, as far as that is settled."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...]


def filled(table: Table, choices: Choices) -> Merged:
    """Take blank mentors, programs and deadlines from above, where the person said so.

    A blank program is in doubt only in a row that has no deadline of its own, since a letter may
    have one without a program; a blank deadline only where no row has one of the same program.
    """
    lines = [line for line in table.lines if any(not blank(cell) for cell in line.cells.values())]
    notes: list[str] = []
    doubts: list[Doubt] = []
    for column in COLUMNS:
        if column not in table.columns:
            continue
        missing = _missing(lines, column)
        if not missing:
            continue
        chosen = choices.get(("blanks", column.value))
        rows = rows_in_words([lines[place].number for place in missing])
        if chosen is None:
            doubts.append(_doubt(column, table.headings[column], rows, lines, missing[0]))
        elif chosen == ABOVE:
            notes.append(f"{table.headings[column]}: {rows} taken from the row above.")
            _fill(lines, column, missing)
    return Merged(lines=tuple(lines), notes=tuple(notes), doubts=tuple(doubts))


def _missing(lines: list[Line], column: Column) -> list[int]:
    """Find the rows, by their places, in which a merged cell may have been."""
    dated = {_program(line) for line in lines if line[Column.DEADLINE] or line[Column.TARGET]}
    seen = False
    places = []
    for place, line in enumerate(lines):
        if line[column]:
            seen = True
        elif seen and _may_be_merged(line, column, dated):
            places.append(place)
    return places


def _may_be_merged(line: Line, column: Column, dated: Collection[str]) -> bool:
    if column is Column.MENTOR:
        return True
    if column is Column.PROGRAM:
        return not line[Column.DEADLINE]
    return bool(_program(line)) and _program(line) not in dated


def _program(line: Line) -> str:
    return " ".join(line[Column.PROGRAM].casefold().split())


def _fill(lines: list[Line], column: Column, places: list[int]) -> None:
    for place in places:
        line, above = lines[place], lines[place - 1][column]
        if column is Column.DEADLINE:
            # A row between may have a program whose deadline stands elsewhere.
            above = _last(lines[:place], column)
        lines[place] = replace(line, cells={**line.cells, column: above})


def _last(lines: list[Line], column: Column) -> str:
    return next(line[column] for line in reversed(lines) if line[column])


def _doubt(column: Column, heading: str, rows: str, lines: list[Line], place: int) -> Doubt:
    above, nothing = _last(lines[:place], column), COLUMNS[column]
    return Doubt(
        key=("blanks", column.value),
        question=f"{heading} is blank in {rows}. What does that mean?",
        options={
            ABOVE: f"the same as in the row above, as in merged cells (“{above}”)",
            EMPTY: nothing,
        },
        refusal=f"{heading} is blank in {rows}: is it the same as in the row above, or {nothing}? "
        "Fill the cells in, or say --blanks above or --blanks empty",
    )
