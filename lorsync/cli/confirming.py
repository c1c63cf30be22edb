"""Ask before anything that removes, where somebody is there to be asked."""

import sys

import click

from lorsync.core.display import visible


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, unless ``yes`` was given; the default is no. Raises click.Abort on it.

    Where nobody can be asked, the command itself is the yes: scripts name it on purpose.
    """
    if yes or not asks():
        return
    if not click.confirm(visible(question), err=True):
        raise click.Abort


def asks() -> bool:
    """Tell whether somebody is there: a terminal to read from, and one to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()
