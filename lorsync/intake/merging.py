"""Fill in what merged cells left blank: only the first of them keeps its text in a CSV file.

A blank cell may as well mean nothing, so the person is asked which it is.
"""

from dataclasses import dataclass, replace

from lorsync.intake.beginning import Choices, Doubt, rows_in_words
from lorsync.intake.cells import blank
from lorsync.intake.columns import Column, Line, Table

ABOVE, EMPTY = "above", "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The rows with their blanks filled in, as far as that is settled."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...]


def filled(table: Table, choices: Choices) -> Merged:
    """Take blank mentors and programs from the row above, where the person said so.

    A blank program is in doubt only in a row that has no deadline of its own, since a letter may
    have one without a program.
    """
    lines = [line for line in table.lines if any(not blank(cell) for cell in line.cells.values())]
    notes: list[str] = []
    doubts: list[Doubt] = []
    for column in (Column.MENTOR, Column.PROGRAM):
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
    seen = False
    places = []
    for place, line in enumerate(lines):
        if line[column]:
            seen = True
        elif seen and (column is Column.MENTOR or not line[Column.DEADLINE]):
            places.append(place)
    return places


def _fill(lines: list[Line], column: Column, places: list[int]) -> None:
    for place in places:
        line = lines[place]
        lines[place] = replace(line, cells={**line.cells, column: lines[place - 1][column]})


def _doubt(column: Column, heading: str, rows: str, lines: list[Line], place: int) -> Doubt:
    above = next(line[column] for line in reversed(lines[:place]) if line[column])
    nothing = "no mentor yet" if column is Column.MENTOR else "no program"
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
