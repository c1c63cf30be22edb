"""``lorsync completion``: the script by which a shell completes commands, options and ids."""

import click

from lorsync.cli.output.terminal import echo
from lorsync.cli.root import cli

_VARIABLE = "_LORSYNC_COMPLETE"
"""What click looks at in the environment, by the name of the command."""


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> None:
    """Print the script by which your shell completes commands, options and ids.

    SHELL is bash, zsh or fish. Mentors, programs and letters are those of your config.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"This click knows no completion for {shell}.")
    echo(found(cli, {}, "lorsync", _VARIABLE).source())
