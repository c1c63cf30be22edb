"""``lorsync restore``: bring back an event that you deleted."""

import click

from lorsync.cli.root import Globals


@click.command("restore")
@click.argument("which", required=False)
@click.pass_obj
def command(options: Globals, *, which: str | None) -> None:
    """Bring back events that you deleted, where the plan still wants them.

    WHICH is a mentor's id or the digits shown without it; without WHICH, they are listed.
    """
    from lorsync.amending import away, restore
    from lorsync.cli.amend import Amendment, amend

    amendment = Amendment(
        wanted=away,
        change=restore,
        none="No event was deleted by you.",
        how="To bring one back: lorsync restore DIGITS (or a mentor's id).",
        done="Created again at the next pass, if still wanted.",
    )
    amend(amendment, options, which)
