"""``lorsync unpin``: give an event that you moved back to the plan."""

import click

from lorsync.cli import complete
from lorsync.cli.root import Globals


@click.command("unpin")
@click.argument("which", required=False, shell_complete=complete.mentors)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, which: str | None, as_json: bool) -> None:
    """Give events that you moved back to the plan.

    WHICH is a mentor's id, or the digits in front of an event in the list that you get without
    WHICH.
    """
    from lorsync.cli.commands._overrides import Amendment, amend
    from lorsync.sync.overrides import pinned, unpin

    amendment = Amendment(
        wanted=pinned,
        change=unpin,
        none="No event was moved by you.",
        how="To give one back to the plan: lorsync unpin DIGITS (or a mentor's id).",
        done="Moved to the plan's day at the next pass.",
    )
    amend(amendment, options, which, as_json=as_json)
