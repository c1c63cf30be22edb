"""``lorsync login``: ask for what the provider needs, try it, and only then store it."""

import getpass
import sys
from pathlib import Path

import click

from lorsync.adapters.connect import as_it_is_now, calendars_of
from lorsync.adapters.credentials import Source, account, remember, source, stored
from lorsync.cli.context import settings_of, state_of
from lorsync.cli.output.progress import Waiting
from lorsync.cli.output.terminal import echo, folded
from lorsync.cli.root import Globals
from lorsync.core.errors import NoInputError, UsageError
from lorsync.core.ports import Collection
from lorsync.core.providers import SignIn, how_to_sign_in, traits
from lorsync.core.settings import CalendarSettings

_LARGEST_FILE = 65_536


@click.command("login")
@click.option(
    "--client",
    type=click.Path(path_type=Path),
    help="For Google: the JSON file of your OAuth client.",
)
@click.option("--new-client", is_flag=True, help="For Google: ask for the OAuth client again.")
@click.option(
    "--print",
    "to_stdout",
    is_flag=True,
    help="Print the secret instead of storing it, for a store of your own.",
)
@click.pass_obj
def command(options: Globals, *, client: Path | None, new_client: bool, to_stdout: bool) -> None:
    """Sign in to the calendar's provider, and keep the login in the keyring.

    What you type is tried before it is stored. Nothing is asked where the password comes from
    password_command or from systemd: that one is tried.
    """
    settings, state = settings_of(options).calendar, state_of(options)
    if traits(settings).sign_in is SignIn.NONE:
        echo(f"The provider {settings.provider} needs no login.")
        return
    origin = source(settings)
    if to_stdout:
        if sys.stdout.isatty():
            raise UsageError("--print is for a pipe: on the screen others could read the secret.")
        secret = _asked(settings, None, client)
        _tell(settings, _tried(settings, state, secret), err=True)
        echo(as_it_is_now(settings, secret))
        return
    if origin is not Source.KEYRING:
        listed = _tried(settings, state, None)
        echo(f"The login from {origin} works.")
        _tell(settings, listed)
        return
    # Asked before the person types anything, since it may be locked or not there.
    before = stored(settings)
    secret = _asked(settings, None if new_client else before, client)
    listed = _tried(settings, state, secret)
    remember(settings, as_it_is_now(settings, secret))
    echo(f"The login is in the keyring now, as “{account(settings)}”.")
    _tell(settings, listed)


def _tried(settings: CalendarSettings, state: Path, secret: str | None) -> tuple[Collection, ...]:
    """Sign in with what was given, or with what is stored; return the account's calendars."""
    with Waiting("Signing in"):
        return calendars_of(settings, state, given=secret)


def _tell(settings: CalendarSettings, listed: tuple[Collection, ...], *, err: bool = False) -> None:
    """Say what was found."""
    from lorsync.cli.commands.calendars import show_calendars
    from lorsync.cli.output.tables import console

    out = console(stderr=err)
    who = f" as {settings.username}" if settings.username else ""
    out.print(f"Signed in to {traits(settings).title}{who}.\n", markup=False, soft_wrap=True)
    show_calendars(out, listed, settings)


def _asked(settings: CalendarSettings, before: str | None, client: Path | None) -> str:
    """Have the person give what the provider needs."""
    _explain(how_to_sign_in(settings))
    if traits(settings).sign_in is SignIn.OAUTH:
        return _google(settings, before, client)
    if client is not None:
        raise UsageError("--client is for the provider google alone.")
    typed = _hidden(f"Password of {settings.username or 'the account'}: ")
    if traits(settings).sign_in is SignIn.APP_PASSWORD:
        # These are copied from a page, and hold no blanks at their ends.
        typed = typed.strip()
    if not typed:
        raise UsageError("Nothing was typed, so nothing was stored.")
    return typed


def _google(settings: CalendarSettings, before: str | None, file: Path | None) -> str:
    from lorsync.adapters.google import Client, Login, client_from, logged_in

    if file is not None:
        client = client_from(_content(file))
    elif before is not None:
        # Another login with the client of the last one: only the browser has to be asked.
        last = Login.from_line(before)
        client = Client(id=last.client_id, secret=last.client_secret)
    else:
        _explain("It needs an OAuth client of your own; docs/google.md shows how.")
        client = Client(
            id=click.prompt("Client ID", err=True).strip(),
            secret=_hidden("Client secret: ").strip(),
        )
    login = logged_in(client, hint=settings.username, show=_show_address, pasted=sys.stdin)
    return login.to_line()


def _content(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST_FILE)
    except OSError as error:
        raise NoInputError(f"{file} cannot be read: {error.strerror}.") from None


def _show_address(address: str) -> None:
    _explain(
        "Let lorsync in at this address, which your browser may have opened already:\n\n"
        f"  {address}\n"
    )
    _explain(
        "If the browser runs on another machine, it ends at an address that begins with "
        "http://127.0.0.1 and shows an error: paste that whole address here."
    )


def _explain(text: str) -> None:
    echo(folded(text, err=True), err=True)


def _hidden(prompt: str) -> str:
    """Read a line without showing it; from a pipe, the first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(prompt, stream=sys.stderr)
