"""What follows a first config: its plan, the login, and what to type next."""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from lorsync.cli.context import now
from lorsync.cli.output.terminal import columns, echo, folded
from lorsync.cli.wizard.prompt import Interview, Stopped
from lorsync.core.errors import LorsyncError
from lorsync.core.providers import Backend, SignIn, traits
from lorsync.core.settings import Settings

Step = tuple[str, str]
"""What is typed after ``lorsync``, and what it does."""


def go_on(context: click.Context, talk: Interview, settings: Settings, state: Path) -> None:
    """Show the plan, offer the login, and say what is next."""
    try:
        _show_plan(settings, state)
    except LorsyncError as error:  # such as a ledger of another season; the config is written
        echo(folded(str(error)))
    signed_in = traits(settings.calendar).sign_in is SignIn.NONE
    if not signed_in and talk.terminal:
        signed_in = _login(context)
    if traits(settings.calendar).backend is Backend.FOLDER:
        echo(f"The events go to the folder {settings.calendar.path}.")
    echo("\nWhat to do next:")
    config: Path | None = context.obj.config
    lorsync = "lorsync" if config is None else f"lorsync -c {shlex.quote(str(config))}"
    for line in listed(steps(signed_in=signed_in), lorsync, columns()):
        echo(line)


def steps(*, signed_in: bool) -> list[Step]:
    """Return what to type next."""
    first = [] if signed_in else [("login", "sign in to your calendar")]
    return [
        *first,
        ("sync --dry-run", "see what would be written to the calendar"),
        ("run", "keep the calendar in step, until Ctrl-C"),
        ("export -o letters.ics", "put the events into one file, for any calendar"),
        ("mark MENTOR asked", "say what happened"),
        ("add letter", "add one more; likewise a mentor or a program"),
    ]


def listed(todo: Iterable[Step], lorsync: str, wide: int) -> Iterator[str]:
    """Give steps as lines: beside what they do where all fit, else above it.

    ``lorsync`` is how it is called, ``wide`` how many columns there are.
    """
    typed = {f"  {lorsync} {words}": what for words, what in todo}
    longest = max(map(len, typed))
    beside = longest + 2 + max(map(len, typed.values())) <= wide
    for command, what in typed.items():
        if beside:
            yield f"{command:{longest}}  {what}"
        else:
            # A command stays whole, so that it can be copied.
            yield command
            yield from click.wrap_text(what, wide, "      ", "      ").splitlines()


def _show_plan(settings: Settings, state: Path) -> None:
    from lorsync.cli.output.plan import show_plan
    from lorsync.cli.output.tables import page
    from lorsync.sync.plan import known, outlook, today_of

    today = today_of(settings, now())
    found = known(settings, state, today)
    plan, history = outlook(found, today)
    show_plan(page(), plan, found.season, history)


def _login(context: click.Context) -> bool:
    """Sign in now if the person wants it; a login that fails loses nothing."""
    try:
        echo()
        if not Interview().yes("Sign in to your calendar now?", default=True):
            return False
    except Stopped:
        return False
    from lorsync.cli.commands.login import command as login

    try:
        context.invoke(login)
    except LorsyncError as error:
        echo(folded(f"{error}\nThe config is written all the same. Try again with: lorsync login"))
        return False
    return True
