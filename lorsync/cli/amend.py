"""What ``unpin`` and ``restore`` share: list what there is, or change it and tell the daemon."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from lorsync.adapters.state import daemon_pid
from lorsync.amending import listed
from lorsync.cli.tables import console, day_in_words
from lorsync.core.entry import Entry
from lorsync.report import Change

_DIGITS = 8


def offer(state: Path, wanted: Callable[[Entry], bool], *, none: str, how: str) -> None:
    """List the events that a command could change, each with the name to call it by."""
    found = listed(state, wanted)
    if not found:
        click.echo(none)
        return
    _show(found)
    click.echo(how)


def tell(state: Path, changed: tuple[Change, ...], *, done: str) -> None:
    """Say what was changed; a running daemon looks at it at once."""
    _show(changed)
    pid = daemon_pid(state)
    if pid is not None:
        os.kill(pid, signal.SIGUSR1)
        click.echo(f"{done} The daemon does it now.")
    else:
        click.echo(f"{done} Run lorsync sync.")


def _show(changes: tuple[Change, ...]) -> None:
    out = console()
    for change in changes:
        name = change.uid.removeprefix("lorsync-")[:_DIGITS]
        out.print(
            f"{name}  {day_in_words(change.day)}  {change.summary}", markup=False, soft_wrap=True
        )
