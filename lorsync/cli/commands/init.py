"""``lorsync init``: a first config, from a few questions or from a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.adapters.files import read_bytes, refuse_unwritable, write_copy, write_whole
from lorsync.cli.context import config_path, now, parse_day, state_of
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals
from lorsync.cli.wizard.next_steps import go_on
from lorsync.cli.wizard.prompt import HOW, Interview, Stopped
from lorsync.cli.wizard.resume import Kept
from lorsync.config.spreadsheet.columns import Column
from lorsync.config.spreadsheet.dates import Order
from lorsync.config.spreadsheet.merged_cells import ABOVE, EMPTY
from lorsync.config.zone import machine_zone
from lorsync.core.errors import LorsyncError, UsageError
from lorsync.core.settings import Settings

if TYPE_CHECKING:
    from lorsync.cli.wizard.spreadsheet import Given

_INTERRUPTED = 130


def _columns(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> Mapping[Column, str]:
    found: dict[Column, str] = {}
    for value in values:
        meaning, equals, heading = value.partition("=")
        if not equals or meaning.strip() not in list(Column):
            words = ", ".join(column.value for column in Column)
            raise UsageError(f"--column {value}: write MEANING=HEADING, with one of {words}.")
        found[Column(meaning.strip())] = heading.strip()
    return found


@click.command("init")
@click.option("--from", "sheet", metavar="FILE.csv",
              type=click.Path(path_type=Path),
              help="Take mentors, programs and letters from a spreadsheet.")  # fmt: skip
@click.option("--day-first", "order", flag_value=Order.DAY_FIRST.value, default=None,
              help="With --from: 12/01/2026 is 12 January.")  # fmt: skip
@click.option("--month-first", "order", flag_value=Order.MONTH_FIRST.value,
              help="With --from: 12/01/2026 is December 1.")  # fmt: skip
@click.option("--blanks", type=click.Choice([ABOVE, EMPTY]),
              help="With --from: a blank cell means the one above, or nothing.")  # fmt: skip
@click.option("--column", "columns", multiple=True, metavar="MEANING=HEADING", callback=_columns,
              help="With --from: which column is the mentor, deadline …")  # fmt: skip
@click.option("--undated", metavar="DATE", callback=parse_day,
              help="With --from: the day for cells with only an x.  [default: today]")  # fmt: skip
@click.pass_context
def command(
    context: click.Context,
    *,
    sheet: Path | None,
    order: str | None,
    blanks: str | None,
    columns: Mapping[Column, str],
    undated: date | None,
) -> int | None:
    """Write your first config, with a few questions or from a spreadsheet.

    The spreadsheet has a row for each letter, and columns such as mentor, email, program,
    deadline, asked and submitted. What is not clear is asked about, never guessed.

    From a pipe, answers are read line by line. An existing config is replaced only after your yes,
    and a copy of it stays.
    """
    from lorsync.cli.wizard.spreadsheet import Given, opened, said_choices

    options: Globals = context.obj
    path, state, today = config_path(options), state_of(options), _today()
    refuse_unwritable(path)
    given: Given | None = None
    if sheet is not None:
        said = said_choices(None if order is None else Order(order), blanks)
        given = Given(path=sheet, read=opened(sheet, columns), choices=said, undated=undated)
    kept = Kept(state, path, sheet)
    talk = Interview()
    if talk.terminal:
        talk = _resumed(talk, kept)
    try:
        made = talk.run(lambda talk: _made(talk, path, given, today))
        if made is not None:
            _write(path, made)
    except Stopped as stopped:
        return _stop(talk, kept, stopped)
    except LorsyncError:
        if talk.terminal:
            kept.keep(talk.answers)
        raise
    kept.forget()
    if made is None:
        echo("Nothing was written. “lorsync add” adds to the config that is there.")
        return None
    go_on(context, talk, made.settings, state)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A config that was agreed to: its bytes, what they mean, and what they replace."""

    content: bytes
    settings: Settings
    before: bytes | None


def _made(talk: Interview, path: Path, given: "Given | None", today: date) -> _Made | None:
    """Ask for a whole config, from the first question to the yes to writing it.

    None where the config that is there is to stay. Raises Stopped, and DataError for a spreadsheet
    with problems.
    """
    from lorsync.adapters.holidays import known_regions
    from lorsync.cli.wizard.questions import beginning
    from lorsync.cli.wizard.spreadsheet import season_of, show_season
    from lorsync.config import loads
    from lorsync.config.new_file import composed

    before = read_bytes(path)
    if before is not None and not talk.yes(
        f"There is a config at {path} already. Replace it?",
        default=False,
        more="A copy of it would stay beside it. To add to it instead: lorsync add.",
    ):
        return None
    talk.tell(
        "A few questions make your first config. Nothing is written before the last one. " + HOW
    )
    season = None if given is None else season_of(talk, given, today=today)
    if season is not None:
        show_season(talk, season)
    whole = beginning(talk, today, season)
    content = composed(whole).encode()
    settings = loads(content, path, regions=known_regions)
    if season is None:
        show_season(talk, whole.season)
    if not talk.yes(f"Write this to {path}?", default=True):
        talk.answers.pop()  # the no is to this question, and not to the ones before
        raise Stopped(abruptly=False)
    return _Made(content=content, settings=settings, before=before)


def _write(path: Path, made: _Made) -> None:
    if made.before is not None:
        echo(f"The config of before is kept as {write_copy(path, made.before)}.")
    write_whole(path, made.content, before=made.before)
    echo(f"Written: {path}\n")


def _today() -> date:
    """Return the day where this machine is; the applicant's zone is not known yet."""
    return now().astimezone(machine_zone()).date()


def _resumed(talk: Interview, kept: Kept) -> Interview:
    """Offer to go on where the person stopped."""
    answers = kept.answers()
    if not answers:
        return talk
    try:
        wanted = talk.yes("You stopped in the middle. Go on from there?",
                          default=True)  # fmt: skip
    except Stopped:
        return Interview(answers)
    return Interview(answers if wanted else [])


def _stop(talk: Interview, kept: Kept, stopped: Stopped) -> int:
    said = "Stopped. Nothing was written"
    if talk.terminal and talk.answers:
        kept.keep(talk.answers)
        said += ", and your answers are kept: “lorsync init” goes on from here"
    echo(said + ".")
    return _INTERRUPTED if stopped.abruptly else 0
