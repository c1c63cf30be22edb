"""``lorsync suggest``: whom to ask for a program, and why."""

from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lorsync.cli import complete
from lorsync.cli.context import settings_of
from lorsync.cli.output.documents import Document, show
from lorsync.cli.output.tables import NARROW, console, print_paragraph, print_trimmed
from lorsync.cli.root import Globals
from lorsync.config.problems import did_you_mean
from lorsync.core.errors import UsageError
from lorsync.core.model import Program, ProgramId, Season
from lorsync.core.planner.suggest import BEST_SCORE, Suggestion, suggest


@click.command("suggest")
@click.argument("program", shell_complete=complete.programs)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, program: str, as_json: bool) -> None:
    """Rank the mentors for PROGRAM, an id or a name, by what the config says of them."""
    settings = settings_of(options)
    wanted = _program(settings.season, program)
    found = suggest(settings.season, wanted)
    if as_json:
        show({"program": wanted.id, "mentors": [_document(s) for s in found]})
        return
    out = console()
    out.print(f"For {escape(wanted.name)}, by the ratings in your config:")
    _show(out, found)
    out.print(
        f"A score is at most {BEST_SCORE}: familiarity counts three times, alignment twice, "
        "standing once."
    )


def _program(season: Season, text: str) -> Program:
    """Find a program by its id or exact name. Raises UsageError."""
    by_id = season.programs.get(ProgramId(text))
    if by_id is not None:
        return by_id
    for program in season.programs.values():
        if program.name.casefold() == text.casefold():
            return program
    if not season.programs:
        msg = "There are no [[programs]] in the config, so there is none to suggest a writer for."
        raise UsageError(msg)
    names = [*season.programs, *(program.name for program in season.programs.values())]
    hint = did_you_mean(text, names) or "; there are " + ", ".join(list(season.programs)[:10])
    msg = f"There is no program {text!r}{hint}"
    raise UsageError(msg if msg.endswith("?") else f"{msg}.")


def _show(out: Console, found: Sequence[Suggestion]) -> None:
    """Print the mentors as a table; where it is too narrow, a paragraph for each."""
    if out.width >= NARROW:
        print_trimmed(out, _table(found))
        out.print()
        return
    for rank, suggestion in enumerate(found, start=1):
        out.print(f"[bold]{rank} {escape(suggestion.mentor.name)}[/bold], {suggestion.score}")
        print_paragraph(out, f"  {escape('; '.join(suggestion.reasons))}", indent=2)


def _table(found: Sequence[Suggestion]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("Mentor", overflow="fold")
    table.add_column("Score", no_wrap=True, justify="right")
    table.add_column("Why", overflow="fold")
    for rank, suggestion in enumerate(found, start=1):
        why = escape("; ".join(suggestion.reasons))
        table.add_row(str(rank), escape(suggestion.mentor.name), str(suggestion.score), why)
    return table


def _document(suggestion: Suggestion) -> Document:
    return {
        "mentor": suggestion.mentor.id,
        "name": suggestion.mentor.name,
        "score": suggestion.score,
        "letter": None if suggestion.letter is None else suggestion.letter.id,
        "declined": suggestion.declined,
        "reasons": list(suggestion.reasons),
    }
