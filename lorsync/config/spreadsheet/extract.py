"""Glean mentors, programs and letters from the rows of a spreadsheet.

One row is one mentor's letter for one program. The rows of a mentor that agree in type and facts
are one letter that serves all their programs; where facts differ, they are letters of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from lorsync.config.checking import refusal
from lorsync.config.ids import slug
from lorsync.config.new_file import Choices, Doubt, Entry, Season, rows_in_words
from lorsync.config.problems import shown
from lorsync.config.spreadsheet.cells import Cells, blank
from lorsync.config.spreadsheet.columns import FACTS, Column, Line, Table
from lorsync.config.spreadsheet.merged_cells import filled
from lorsync.config.spreadsheet.names import letter_id, mentor_id, program_id
from lorsync.config.spreadsheet.people import Person, gathered
from lorsync.core.model import LetterType

MAX_MENTORS: Final = 300
"""Nobody asks so many; more are another kind of list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gleaned:
    """What was understood. There is no season to use while there are doubts or problems.

    ``remarks`` are what the person should know of how it was understood. ``undated`` tells whether
    something happened on a day that the sheet does not say.
    """

    season: Season
    remarks: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    problems: tuple[str, ...]
    undated: bool


@dataclass(slots=True)
class _Program:
    """A program, gathered from its rows: each value with the row that first said it."""

    name: str
    said: dict[str, tuple[Any, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row, read: who writes, for which program, and what happened.

    ``own``: the letter's own due date, where the row names no program. ``marked``: facts without a
    day in the sheet.
    """

    number: int
    mentor: str
    program: str | None
    own: date | datetime | None
    form: LetterType
    facts: Mapping[str, date]
    marked: frozenset[str]

    @property
    def letter(self) -> tuple[object, ...]:
        """What rows have in common that are one letter."""
        own = None if self.program is not None else self.own
        return self.mentor, self.form, tuple(sorted(self.facts.items())), own


def glean(table: Table, choices: Choices, *, today: date, undated: date) -> Gleaned:
    """Read every row of a table.

    ``choices`` settle doubts of an earlier reading. ``undated`` is the day of what happened on a
    day that the sheet does not say.
    """
    merged = filled(table, choices)
    cells = Cells(table=replace(table, lines=merged.lines), choices=choices, today=today,
                  undated=undated)  # fmt: skip
    cells.notes += merged.notes
    cells.doubts += merged.doubts
    gleaner = _Gleaner(cells=cells, choices=choices)
    gleaner.read(merged.lines)
    season = gleaner.season()
    if not season.letters and not cells.problems and not cells.doubts:
        cells.problems.append("no row says who writes a letter for what")
    return Gleaned(
        season=season,
        remarks=tuple(cells.remarks()),
        doubts=tuple(cells.doubts),
        problems=tuple(cells.problems),
        undated=cells.needs_a_day,
    )


@dataclass(slots=True)
class _Gleaner:
    cells: Cells
    choices: Choices
    persons: Mapping[str, Person] = field(default_factory=dict)
    programs: dict[str, _Program] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)

    def read(self, lines: tuple[Line, ...]) -> None:
        """Read the rows; who is who first, since that takes all of them."""
        found = gathered(lines, self.choices)
        if len({person.name for person in found.persons.values()}) > MAX_MENTORS:
            self.cells.problems.append(
                f"there are more than {MAX_MENTORS} mentors: this is no list of one applicant's"
            )
            return
        self.persons = found.persons
        self.cells.doubts += found.doubts
        self.cells.notes += found.notes
        self.cells.problems += found.problems
        for line in lines:
            self._row(line)

    def season(self) -> Season:
        """Build the entries, in the order in which the sheet names them."""
        mentors: dict[str, Entry] = {}
        ids: dict[str, str] = {}
        for person in dict.fromkeys(self.persons.values()):
            own = mentor_id(person.name, mentors)
            values = {"id": own, "name": person.name, "email": person.email}
            mentors[own] = Entry(values=_stated(values))
            ids[person.name] = own
        programs: dict[str, Entry] = {}
        program_ids: dict[str, str] = {}
        for key, program in self.programs.items():
            own = program_id(program.name, programs)
            said = {name: value for name, (value, _) in program.said.items()}
            order = ("portal", "deadline", "target")
            values = {"id": own, "name": program.name, **{name: said.get(name) for name in order}}
            programs[own] = Entry(values=_stated(values))
            program_ids[key] = own
        return Season(
            mentors=tuple(mentors.values()),
            programs=tuple(programs.values()),
            letters=self._letters(ids, program_ids),
        )

    def _letters(
        self, mentors: Mapping[str, str], programs: Mapping[str, str]
    ) -> tuple[Entry, ...]:
        groups: dict[tuple[object, ...], list[_Row]] = {}
        for row in self._without_repetitions():
            groups.setdefault(row.letter, []).append(row)
        letters: dict[str, Entry] = {}
        for rows in groups.values():
            first = rows[0]
            own = letter_id(mentors[first.mentor], first.form.value, letters)
            form = None if first.form is LetterType.NARRATIVE else first.form.value
            served = [programs[row.program] for row in rows if row.program is not None]
            values = {
                "id": own, "mentor": mentors[first.mentor], "type": form, "programs": served,
                "deadline": first.own, **first.facts,
            }  # fmt: skip
            marked = frozenset[str]().union(*(row.marked for row in rows))
            remark = "the sheet does not say the day: write it here if you know it"
            letters[own] = Entry(values=_stated(values), remarks=dict.fromkeys(marked, remark))
        self._check_due()
        return tuple(letters.values())

    def _without_repetitions(self) -> list[_Row]:
        """Drop rows that say the same once more, and refuse those that contradict another."""
        first: dict[tuple[str, str | None, LetterType, object], _Row] = {}
        repeated: list[int] = []
        for row in self.rows:
            key = (row.mentor, row.program, row.form, None if row.program else row.own)
            before = first.setdefault(key, row)
            if before is row:
                continue
            if before.letter == row.letter:
                repeated.append(row.number)
            else:
                self.cells.problems.append(
                    f"row {row.number} says something else of the letter of row {before.number} "
                    f"({row.mentor}): leave one of them out, or give them different types"
                )
        if repeated:
            verb = "repeats another and is" if len(repeated) == 1 else "repeat others and are"
            words = rows_in_words(repeated)
            self.cells.notes.append(f"{words[0].upper()}{words[1:]} {verb} left out.")
        return list(first.values())

    def _check_due(self) -> None:
        """Refuse letters for a program that nobody gave a date."""
        dateless: dict[str, int] = {}
        for row in self.rows:
            if row.program is not None and not {"deadline", "target"} & set(
                self.programs[row.program].said
            ):
                dateless.setdefault(row.program, row.number)
        in_doubt = [doubt.key for doubt in self.cells.doubts]
        if any(key[0] == "order" or key == ("blanks", Column.DEADLINE) for key in in_doubt):
            return  # the date may be what is in doubt
        for key, number in dateless.items():
            name = shown(self.programs[key].name)
            refused = any(p.startswith(f"row {number}, ") for p in self.cells.problems)
            if not refused:
                self.cells.problems.append(
                    f"row {number}: {name} has no deadline in any row: write one"
                )

    def _row(self, line: Line) -> None:
        deadline = self.cells.day(line.number, Column.DEADLINE, line[Column.DEADLINE])
        key = self._program(line, deadline)
        facts, marked = self._facts(line)
        if blank(line[Column.MENTOR]):
            if facts:
                self.cells.problems.append(
                    f"row {line.number} says that something happened, and not with which mentor"
                )
            return
        if key is None and deadline is None:
            self._no_letter(line, bool(facts))
            return
        self.rows.append(
            _Row(
                number=line.number,
                mentor=self.persons[line[Column.MENTOR]].name,
                program=key,
                own=None if key is not None else deadline,
                form=self.cells.form(line.number, line[Column.TYPE]),
                facts=facts,
                marked=marked,
            )
        )

    def _no_letter(self, line: Line, has_facts: bool) -> None:
        """Take a row of a mentor alone; refuse it where it speaks of a letter."""
        if has_facts and blank(line[Column.DEADLINE]):
            self.cells.problems.append(
                f"row {line.number} speaks of a letter of {line[Column.MENTOR]}, and names neither "
                "a program nor a deadline"
            )

    def _program(self, line: Line, deadline: date | datetime | None) -> str | None:
        name = line[Column.PROGRAM]
        if blank(name):
            return None
        key = slug(name)
        why = None if key in self.programs else refusal("programs", "name", name)
        if why is not None:
            self.cells.refuse(line.number, Column.PROGRAM, name, why)
            return None
        program = self.programs.setdefault(key, _Program(name=name))
        target = self.cells.day(line.number, Column.TARGET, line[Column.TARGET])
        if isinstance(target, datetime):
            target = target.date()
        portal = line[Column.PORTAL]
        said = {
            Column.DEADLINE: deadline,
            Column.TARGET: target,
            Column.PORTAL: None if blank(portal) else portal,
        }
        for column, value in said.items():
            if value is None:
                continue
            before, number = program.said.setdefault(column.value, (value, line.number))
            if before != value:
                self.cells.refuse(
                    line.number, column, line[column],
                    f"row {number} says {before} for {program.name}: which one is right?",
                )  # fmt: skip
        return key

    def _facts(self, line: Line) -> tuple[dict[str, date], frozenset[str]]:
        facts: dict[str, date] = {}
        marked: set[str] = set()
        for column in FACTS:
            found = self.cells.fact(line.number, column, line[column])
            if found is not None:
                facts[column.value], dated = found
                if not dated:
                    marked.add(column.value)
        for column in self.cells.states(line.number, line[Column.STATUS]):
            if column.value not in facts:
                facts[column.value] = self.cells.undated
                marked.add(column.value)
        return {column.value: facts[column] for column in FACTS if column in facts}, frozenset(
            marked
        )


def _stated(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [])}
