"""``lorsync restore``: bring back an event that you deleted."""

import click

from lorsync.cli import complete
from lorsync.cli.context import say, state_of
from lorsync.cli.root import Globals


@click.command("restore")
@click.argument("which", required=False, shell_complete=complete.mentors_or_memory)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, which: str | None, as_json: bool) -> None:
    """Bring back events that you deleted, where the plan still wants them.

    WHICH is a mentor's id, or the digits in front of an event in the list that you get without
    WHICH. "memory" is the event in which lorsync keeps its memory, deleted or changed by somebody.
    """
    from lorsync.cli.commands._overrides import Amendment, amend, tell_daemon
    from lorsync.cli.output.documents import show
    from lorsync.sync.overrides import restorable, restore, restore_memory_of

    if which == "memory":
        state = state_of(options)
        restore_memory_of(state)
        told = tell_daemon(state, "The memory is written again at the next pass.")
        if as_json:
            show({"done": True, "events": []})
        else:
            say(options, told)
        return

    amendment = Amendment(
        wanted=restorable,
        change=restore,
        none="No event was deleted by you.",
        how="To bring one back: lorsync restore DIGITS (or a mentor's id).",
        done="Created again at the next pass, if still wanted.",
    )
    amend(amendment, options, which, as_json=as_json)
