"""Read a spreadsheet for ``lorsync init``: ask about its doubts on a terminal, else refuse them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lorsync.cli.output.terminal import at_most_80
from lorsync.cli.wizard.prompt import Interview, day_gone_by
from lorsync.config.new_file import Choices, Doubt, DoubtKey, Season
from lorsync.config.problems import shown
from lorsync.config.spreadsheet.columns import Column, Table, known_headings, table_of
from lorsync.config.spreadsheet.dates import Order, in_words
from lorsync.config.spreadsheet.extract import Gleaned, glean
from lorsync.config.spreadsheet.merged_cells import COLUMNS
from lorsync.config.spreadsheet.sheet import Sheet, read_sheet
from lorsync.core.display import printable
from lorsync.core.errors import DataError
from lorsync.core.phrases import count

_SHOWN = 20
"""So many problems are shown at once, and so many letters."""

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def opened(path: Path, columns: Mapping[Column, str]) -> tuple[Sheet, Table]:
    """Read the file and find its columns. Raises DataError for what is no such list."""
    sheet = read_sheet(path, known_headings)
    try:
        return sheet, table_of(sheet, columns)
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A spreadsheet as it was read, with what the command line says of it.

    ``choices`` settle doubts ahead; ``undated`` is the day of what has only an x, None for today.
    """

    path: Path
    read: tuple[Sheet, Table]
    choices: Choices
    undated: date | None


def season_of(talk: Interview, given: Given, *, today: date) -> Season:
    """Understand the rows. Raises DataError with every problem, each with its row's number."""
    sheet, table = given.read
    _show_columns(talk, given.path, sheet, table)
    choices: dict[DoubtKey, str] = dict(given.choices)
    undated = given.undated or today
    found = glean(table, choices, today=today, undated=undated)
    while found.doubts and talk.terminal:
        for doubt in found.doubts:
            choices[doubt.key] = _asked(talk, doubt)
        found = glean(table, choices, today=today, undated=undated)
    if found.problems or found.doubts:
        raise _refused(given.path, found)
    if found.undated and given.undated is None and talk.terminal:
        day = _asked_undated(talk, today)
        found = glean(table, choices, today=today, undated=day)
    for remark in found.remarks:
        talk.tell(remark)
    return found.season


def show_season(talk: Interview, season: Season) -> None:
    """Show all that was understood."""
    names = {entry.values["id"]: str(entry.values["name"]) for entry in season.mentors}
    programs = {entry.values["id"]: entry.values for entry in season.programs}
    talk.show(f"\nMentors ({len(season.mentors)})")
    _lines(talk, [_mentor(entry.values) for entry in season.mentors])
    if programs:
        talk.show(f"Programs ({len(programs)})")
        _lines(talk, [_program(values) for values in programs.values()])
    talk.show(f"Letters ({len(season.letters)})")
    _lines(talk, [_letter(entry.values, names, programs) for entry in season.letters])


def _lines(talk: Interview, lines: list[str]) -> None:
    import click

    for line in lines[:_SHOWN]:
        talk.show(click.wrap_text(printable(line), at_most_80(), "  ", "      "))
    if len(lines) > _SHOWN:
        talk.show(f"  and {len(lines) - _SHOWN} more")


def _mentor(values: Mapping[str, Any]) -> str:
    return str(values["name"]) + (f", {values['email']}" if "email" in values else "")


def _program(values: Mapping[str, Any]) -> str:
    days = [f"due {_day(values['deadline'])}"] if "deadline" in values else []
    days += [f"your own date {_day(values['target'])}"] if "target" in values else []
    return ", ".join([values["name"], *days])


def _letter(
    values: Mapping[str, Any], names: Mapping[str, str], programs: Mapping[str, Mapping[str, Any]]
) -> str:
    served = [programs[own]["name"] for own in values.get("programs", [])]
    what = f" ({values['type']})" if "type" in values else ""
    target = f" for {', '.join(served)}" if served else ""
    due = f", due {_day(values['deadline'])}" if "deadline" in values else ""
    facts = [
        f"{key.removesuffix('_on').replace('_', ' ')} {_day(value)}"
        for key, value in values.items()
        if key.endswith("_on")
    ]
    return names[values["mentor"]] + what + target + due + "".join(f"; {fact}" for fact in facts)


def _day(value: date | datetime) -> str:
    if not isinstance(value, datetime):
        return in_words(value)
    return f"{in_words(value.date())} {value:%H:%M} ({value:%z})"


def _show_columns(talk: Interview, path: Path, sheet: Sheet, table: Table) -> None:
    cells = _DELIMITERS.get(sheet.delimiter, shown(sheet.delimiter))
    talk.tell(
        f"{path}: {count(len(table.lines), 'row')}, cells between {cells}, {sheet.encoding}, "
        f"headings in row {table.header_row}."
    )
    used = (f"{column.words} from “{heading}”" for column, heading in table.headings.items())
    talk.tell(printable("Used: " + ", ".join(used) + "."))
    if table.unused:
        talk.tell(printable("Not used: " + ", ".join(f"“{h}”" for h in table.unused) + "."))


def _asked(talk: Interview, doubt: Doubt) -> str:
    talk.tell("\n" + doubt.question)
    return talk.choose("Which one", doubt.options, default=None)


def _asked_undated(talk: Interview, today: date) -> date:
    talk.tell("\nSome cells say that something happened, and not when. lorsync needs a day for it.")
    return talk.ask(
        "On which day, at the latest?",
        lambda typed: day_gone_by(typed, today, but="These things have happened."),
        default=today.isoformat(),
        more="A late day is the careful one: what follows is planned from it. You can correct each "
        "in the config.",
    )


def _refused(path: Path, found: Gleaned) -> DataError:
    lines = [*(doubt.refusal for doubt in found.doubts), *found.problems]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    listed = lines[:_SHOWN]
    if len(lines) > _SHOWN:
        listed.append(f"and {len(lines) - _SHOWN} more")
    return DataError(
        "\n  ".join([f"{path}: {count}. Nothing was written.", *map(printable, listed)])
    )


def said_choices(order: Order | None, blanks: str | None) -> dict[DoubtKey, str]:
    """Turn the options of the command line into choices."""
    choices: dict[DoubtKey, str] = {}
    if order is not None:
        choices |= {("order", column.value): order.value for column in Column}
    if blanks is not None:
        choices |= {("blanks", column.value): blanks for column in COLUMNS}
    return choices
