"""``lorsync restore``: bring back an event that you deleted."""

import click

from lorsync.cli.context import state_of
from lorsync.cli.root import Globals


@click.command("restore")
@click.argument("which", required=False)
@click.pass_obj
def command(options: Globals, *, which: str | None) -> None:
    """Bring back events that you deleted, where the plan still wants them.

    WHICH is a mentor's id or the digits shown without it; without WHICH, they are listed. "memory"
    is the event in which lorsync keeps its memory.
    """
    from lorsync.amending import away, restore, restore_memory_of
    from lorsync.cli.amend import Amendment, amend, tell_daemon

    if which == "memory":
        state = state_of(options)
        restore_memory_of(state)
        click.echo(tell_daemon(state, "The memory is written anew at the next pass."))
        return

    amendment = Amendment(
        wanted=away,
        change=restore,
        none="No event was deleted by you.",
        how="To bring one back: lorsync restore DIGITS (or a mentor's id).",
        done="Created again at the next pass, if still wanted.",
    )
    amend(amendment, options, which)
