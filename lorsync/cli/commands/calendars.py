"""``lorsync calendars``: what calendars the account has, and which of them is the one."""

from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lorsync.cli.context import settings_of, state_of
from lorsync.cli.output.progress import Waiting
from lorsync.cli.root import Globals
from lorsync.core.errors import UsageError
from lorsync.core.ports import Collection, Sharing
from lorsync.core.providers import Backend, traits
from lorsync.core.settings import CalendarSettings


@click.command("calendars")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, as_json: bool) -> None:
    """List the calendars of your account, and say which of them lorsync keeps."""
    from lorsync.adapters.connect import calendars_of

    account = settings_of(options).calendar
    if traits(account).backend is Backend.FOLDER:
        raise UsageError(f"A folder is one calendar: yours is {account.path}.")
    with Waiting("Asking for your calendars"):
        listed = calendars_of(account, state_of(options))
    if as_json:
        from lorsync.cli.output.documents import calendars, show

        show({"calendars": calendars(listed, meant_of(listed, account))})
        return
    from lorsync.cli.output.tables import console

    show_calendars(console(), listed, account)


def meant_of(listed: Sequence[Collection], account: CalendarSettings) -> list[Collection]:
    """Return those that the config means."""
    from lorsync.adapters.caldav.selection import meant

    return meant(listed, account)


def show_calendars(out: Console, listed: Sequence[Collection], account: CalendarSettings) -> None:
    """Print an account's calendars, and what becomes of the one that the config names."""
    if listed:
        out.print(_table(listed))
        out.print("\n[bold]Addresses[/bold]")
        for found in listed:
            # Whole, however narrow the terminal: they are there to be copied into calendar.url.
            out.print(f"  {escape(found.address)}", soft_wrap=True)
        out.print()
    out.print(escape(_outlook(listed, account)), soft_wrap=True)


def _table(listed: Sequence[Collection]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Calendar", overflow="fold")
    table.add_column("Colour", no_wrap=True)
    table.add_column("Owner", overflow="fold")
    table.add_column("Access", no_wrap=True)
    for found in listed:
        access = "write" if found.writable else "read-only"
        shared = "" if found.sharing is Sharing.OWN else f", {found.sharing}"
        cells = (found.name or "–", found.color or "–", found.owner or "–", access + shared)
        table.add_row(*map(escape, cells))
    return table


def _outlook(listed: Sequence[Collection], account: CalendarSettings) -> str:
    """Say what a sync would do with the calendar that the config names."""
    meant = meant_of(listed, account)
    if not meant:
        if traits(account).makes_calendars:
            return f"“{account.name}” is not there yet: the first sync makes it."
        return (
            f"“{account.name}” is not there yet, and {traits(account).title} lets no program make "
            "it: make it in the web page or app, before the first sync."
        )
    if len(meant) > 1:
        return f"{len(meant)} calendars are called “{account.name}”: rename all but one."
    found, called = meant[0], f"“{meant[0].name or account.name}”"
    if not found.writable:
        return f"{called} is read-only: choose another calendar.name."
    if found.sharing is not Sharing.OWN and not account.shared:
        return (
            f"{called} is {found.sharing}, so others see what lorsync writes there. If you want "
            "that, write “shared = true” below [calendar]; else choose another calendar.name."
        )
    return f"{called} is the one that lorsync keeps."
