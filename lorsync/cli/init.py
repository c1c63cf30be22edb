"""``lorsync init``: a first config, from a few questions or from a spreadsheet."""

import shlex
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click

from lorsync.adapters.own_files import read_bytes, write_copy, write_whole
from lorsync.cli.context import config_path, now, parse_day, state_of
from lorsync.cli.interview import HOW, Interview, Stopped
from lorsync.cli.kept import Kept
from lorsync.cli.plain_text import echo
from lorsync.cli.root import Globals
from lorsync.config.zone import machine_zone
from lorsync.errors import LorsyncError, UsageError
from lorsync.intake.beginning import Choices, Season
from lorsync.intake.columns import Column
from lorsync.intake.days import Order
from lorsync.intake.merging import ABOVE, EMPTY
from lorsync.providers import SignIn, traits
from lorsync.settings import Provider, Settings

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
              type=click.Path(path_type=Path, dir_okay=False),
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
              help="With --from: the day of what only has an x.  [default: today]")  # fmt: skip
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
    from lorsync.cli.spreadsheet import opened, said_choices, season_of, show_season

    options: Globals = context.obj
    path, state, today = config_path(options), state_of(options), _today()
    said = said_choices(None if order is None else Order(order), blanks)
    read = None if sheet is None else opened(sheet, columns)
    kept = Kept(state, path, sheet)

    def flow(talk: Interview) -> tuple[bytes, bytes | None, Settings] | None:
        from lorsync.cli.questions import beginning
        from lorsync.config import loads
        from lorsync.intake.composing import composed
        from lorsync.planning import refuse_unknown_regions

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
        season = _from_sheet(talk, said)
        if season is not None:
            show_season(talk, season)
        whole = beginning(talk, today, season)
        content = composed(whole).encode()
        settings = loads(content, path)
        refuse_unknown_regions(settings)
        if season is None:
            show_season(talk, whole.season)
        if not talk.yes(f"Write this to {path}?", default=True):
            talk.answers.pop()  # the no is to this question, and not to the ones before
            raise Stopped(abruptly=False)
        return content, before, settings

    def _from_sheet(talk: Interview, choices: Choices) -> Season | None:
        if sheet is None or read is None:
            return None
        return season_of(talk, sheet, read, choices, today=today, undated=undated)

    talk = Interview()
    if talk.terminal:
        talk = _resumed(talk, kept)
    try:
        done = talk.run(flow)
        if done is not None:
            _write(path, *done[:2])
    except Stopped as stopped:
        return _stop(talk, kept, stopped)
    except LorsyncError:
        if talk.terminal:
            kept.keep(talk.answers)
        raise
    kept.forget()
    if done is None:
        echo("Nothing was written. “lorsync add” adds to the config that is there.")
        return None
    settings = done[2]
    _go_on(context, talk, settings, state)
    return None


def _write(path: Path, content: bytes, before: bytes | None) -> None:
    if before is not None:
        echo(f"The config of before is kept as {write_copy(path, before)}.")
    write_whole(path, content, before=before)
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


def _go_on(context: click.Context, talk: Interview, settings: Settings, state: Path) -> None:
    """Show the plan, offer the login, and say what is next."""
    try:
        _show_plan(settings, state)
    except LorsyncError as error:  # such as a ledger of another season; the config is written
        echo(str(error))
    signed_in = traits(settings.calendar).sign_in is SignIn.NONE
    if not signed_in and talk.terminal:
        signed_in = _login(context)
    steps = [] if signed_in else [("login", "sign in to your calendar")]
    steps += [
        ("sync --dry-run", "see what would be written to the calendar"),
        ("run", "keep the calendar true, until Ctrl-C"),
        ("export -o letters.ics", "put the events into one file, for any calendar"),
        ("mark MENTOR asked", "say what happened; “lorsync add” adds to the config"),
    ]
    if settings.calendar.provider is Provider.FOLDER:
        echo(f"The events go to the folder {settings.calendar.path}.")
    echo("\nWhat to do next:")
    config: Path | None = context.obj.config
    lorsync = "lorsync" if config is None else f"lorsync -c {shlex.quote(str(config))}"
    width = max(len(typed) for typed, _ in steps)
    for typed, what in steps:
        echo(f"  {lorsync} {typed:{width}}  {what}")


def _show_plan(settings: Settings, state: Path) -> None:
    from lorsync.cli.plan_table import show_plan
    from lorsync.cli.tables import page
    from lorsync.planning import known, plan_of, today_of

    today = today_of(settings, now())
    found = known(settings, state, today)
    show_plan(page(), plan_of(found, today), found.season, found.history)


def _login(context: click.Context) -> bool:
    """Sign in now if the person wants it; a login that fails loses nothing."""
    try:
        echo()
        if not Interview().yes("Sign in to your calendar now?", default=True):
            return False
    except Stopped:
        return False
    from lorsync.cli.login import command as login

    try:
        context.invoke(login)
    except LorsyncError as error:
        echo(f"{error}\nThe config is written all the same. Try again with: lorsync login")
        return False
    return True
