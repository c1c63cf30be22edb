"""``lorsync coverage``: each program's letters against what it wants."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lorsync.cli.context import now, parse_day, settings_of, state_of
from lorsync.cli.output.documents import Document, show, warnings
from lorsync.cli.output.tables import page, print_paragraph, print_trimmed, show_warnings
from lorsync.cli.root import Globals
from lorsync.core.model import Letter, LetterId, Season, Stage
from lorsync.core.planner.coverage import Cell, Coverage, cover, coverage_warnings
from lorsync.sync.plan import planned, today_of

_SIGNS = {
    Stage.TO_ASK: "○",
    Stage.ASKED: "◐",
    Stage.OVERDUE: "!",
    Stage.SUBMITTED: "●",
    Stage.DECLINED: "×",
}
_ASSIGNED, _SHARED = "✓", "–"
_OPEN = (Stage.TO_ASK, Stage.ASKED, Stage.OVERDUE)
_MOST_COLUMNS = 12
"""With more letters than these, a program's letters are listed by their numbers instead."""

_LEAST_NAME = 20
"""With less room for the programs' names there is no matrix."""


@click.command("coverage")
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Show how it stood on this day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, as_of: date | None, as_json: bool) -> None:
    """Show each program's letters: how many it wants, of which type, and how far they are."""
    settings = settings_of(options)
    season = settings.season
    today = as_of or today_of(settings, now())
    coverage = cover(season, planned(settings, state_of(options), today).letters)
    told = coverage_warnings(coverage.values())
    if as_json:
        show(
            {
                "as_of": today.isoformat(),
                "programs": [_document(c) for c in coverage.values()],
                "warnings": warnings(told),
            }
        )
        return
    out = page()
    if not coverage:
        out.print("There are no programs in the config, so there is nothing to cover.")
        return
    serving = [letter for letter in season.letters if letter.programs]
    _show_programs(out, list(coverage.values()), serving)
    _show_letters(out, serving, season)
    out.print(
        f"\n{_SIGNS[Stage.TO_ASK]} to ask, {_SIGNS[Stage.ASKED]} asked, {_SIGNS[Stage.OVERDUE]} "
        f"overdue, {_SIGNS[Stage.SUBMITTED]} submitted, {_SIGNS[Stage.DECLINED]} declined; "
        f"{_ASSIGNED} assigned; {_SHARED} does not count: the program wants its own letter"
    )
    show_warnings(out, told)


def _show_programs(out: Console, coverage: Sequence[Coverage], letters: Sequence[Letter]) -> None:
    """Print a matrix of programs and letters; where it is too narrow, a paragraph for each."""
    table = _matrix(coverage, letters)
    if table.__rich_measure__(out, out.options).minimum <= out.width:
        print_trimmed(out, table)
        out.print()
        return
    numbers = {letter.id: number for number, letter in enumerate(letters, start=1)}
    for c in coverage:
        out.print(f"[bold]{escape(c.program.name)}[/bold]")
        needs = f", needs {_needs(c)}" if c.program.needs else ""
        print_paragraph(out, f"  has {_has(c)}, wants {_wants(c)}{needs}", indent=4)
        listed = [f"{numbers[cell.letter.id]}:{_sign(cell)}" for cell in c.cells]
        print_paragraph(out, "  " + ("  ".join(listed) or "no letter yet"), indent=4)
        out.print()


def _matrix(coverage: Sequence[Coverage], letters: Sequence[Letter]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    longest = max(cell_len(c.program.name) for c in coverage)
    table.add_column("Program", overflow="fold", min_width=min(longest, _LEAST_NAME))
    table.add_column("Has", no_wrap=True, justify="right")
    table.add_column("Wants", no_wrap=True)
    table.add_column("Needs", overflow="fold")
    wide = len(letters) > _MOST_COLUMNS
    for number in range(1, 2 if wide else len(letters) + 1):
        table.add_column("Letters" if wide else str(number), justify="left")
    numbers = {letter.id: number for number, letter in enumerate(letters, start=1)}
    for c in coverage:
        cells = {cell.letter.id: cell for cell in c.cells}
        signs = {letter: _sign(cell) for letter, cell in cells.items()}
        listed = " ".join(f"{numbers[letter]}:{sign}" for letter, sign in signs.items())
        columns = [listed] if wide else [signs.get(letter.id, "") for letter in letters]
        table.add_row(escape(c.program.name), _has(c), _wants(c), _needs(c), *columns)
    return table


def _sign(cell: Cell) -> str:
    return (
        _SIGNS[cell.stage] + (_ASSIGNED if cell.assigned else "") + (_SHARED if cell.shared else "")
    )


def _has(c: Coverage) -> str:
    mark = "[red]too few[/red] " if c.missing else "[yellow]too many[/yellow] " if c.surplus else ""
    return f"{mark}{c.count}"


def _wants(c: Coverage) -> str:
    least, most = c.program.letters_min, c.program.letters_max
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def _needs(c: Coverage) -> str:
    missing = dict.fromkeys(c.missing_types, " [red]missing[/red]")
    return ", ".join(need + missing.get(need, "") for need in c.program.needs)


def _show_letters(out: Console, letters: Sequence[Letter], season: Season) -> None:
    """Print which letter each number stands for, over several lines where there is no room."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for number, letter in enumerate(letters, start=1):
        name = season.mentors[letter.mentor].name
        table.add_row(str(number), escape(letter.id), letter.type, escape(name))
    if table.__rich_measure__(out, out.options).maximum <= out.width:
        print_trimmed(out, table)
        return
    for number, letter in enumerate(letters, start=1):
        name = escape(season.mentors[letter.mentor].name)
        text = f"{number}  {escape(letter.id)}, {letter.type}, {name}"
        print_paragraph(out, text, indent=3)


def _document(c: Coverage) -> Document:
    program = c.program
    return {
        "id": program.id,
        "name": program.name,
        "letters_min": program.letters_min,
        "letters_max": program.letters_max,
        "needs": list(program.needs),
        "letters": [_cell(cell) for cell in c.cells],
        "count": c.count,
        "missing": c.missing,
        "surplus": c.surplus,
        "missing_types": list(c.missing_types),
        "open": _ids(c, lambda cell: cell.stage in _OPEN),
        "submitted": _ids(c, lambda cell: cell.stage is Stage.SUBMITTED),
        "declined": _ids(c, lambda cell: cell.stage is Stage.DECLINED),
        "assigned": _ids(c, lambda cell: cell.assigned),
    }


def _cell(cell: Cell) -> Mapping[str, object]:
    return {
        "id": cell.letter.id,
        "mentor": cell.letter.mentor,
        "type": cell.letter.type,
        "stage": cell.stage,
        "assigned": cell.assigned,
        "counts": cell.counts,
    }


def _ids(c: Coverage, wanted: Callable[[Cell], bool]) -> list[LetterId]:
    return [cell.letter.id for cell in c.cells if wanted(cell)]
