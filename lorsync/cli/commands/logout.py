"""``lorsync logout``: forget the login, and withdraw it where the provider offers that."""

import click

from lorsync.adapters.credentials import Source, account, forget, source, stored
from lorsync.cli.context import confirm, say, settings_of
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals
from lorsync.core.errors import LorsyncError
from lorsync.core.providers import SignIn, traits


@click.command("logout")
@click.option("-y", "--yes", is_flag=True, help="Do not ask first.")
@click.pass_obj
def command(options: Globals, *, yes: bool) -> None:
    """Take the login out of the keyring; the calendar and its events stay as they are."""
    settings = settings_of(options).calendar
    known = traits(settings)
    if known.sign_in is SignIn.NONE:
        echo(f"The provider {settings.provider} has no login.")
        return
    origin = source(settings)
    if origin is not Source.KEYRING:
        echo(f"The secret comes from {origin}: take it away there.")
        return
    secret = stored(settings)
    if secret is None:
        echo(f"The keyring has no login for {account(settings)}.")
        return
    confirm(f"Take the login for {account(settings)} out of the keyring?", yes=yes)
    withdrawn = _withdrawn(secret) if known.sign_in is SignIn.OAUTH else None
    forget(settings)
    say(options, f"The keyring no longer has the login for {account(settings)}.")
    if withdrawn:
        say(options, "Google has withdrawn it, too.")
    elif known.sign_in is SignIn.OAUTH:
        echo(
            "Google was not told: remove lorsync's access at "
            "https://myaccount.google.com/connections."
        )
    elif known.app_page is not None:
        say(options, f"The app password itself can be withdrawn at {known.app_page}.")


def _withdrawn(secret: str) -> bool:
    """Withdraw a login at Google; a login that cannot be is forgotten here all the same."""
    from lorsync.adapters.google import Login, revoked

    try:
        return revoked(Login.from_line(secret))
    except LorsyncError:
        return False
