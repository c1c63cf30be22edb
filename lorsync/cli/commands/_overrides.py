"""What ``unpin``, ``restore`` and ``mark`` share: list or change what there is, tell the daemon."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lorsync.adapters.state_dir import daemon_pid
from lorsync.cli.context import now, say, settings_of, state_of
from lorsync.cli.output.documents import changes, show
from lorsync.cli.output.tables import console, day_in_words
from lorsync.cli.root import Globals
from lorsync.core.merge.entry import Entry
from lorsync.sync.overrides import listed
from lorsync.sync.plan import today_of
from lorsync.sync.report import Change

_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One such command: which events it is for, what it does to them, and its words."""

    wanted: Callable[[Entry], bool]
    change: Callable[[Path, str, date], tuple[Change, ...]]
    none: str
    how: str
    done: str


def amend(
    amendment: Amendment, options: Globals, which: str | None, *, as_json: bool = False
) -> None:
    """Do it to the events that ``which`` names; without it, list those that there are."""
    state, today = state_of(options), today_of(settings_of(options), now())
    if which is None:
        found = [change for change in listed(state, amendment.wanted) if change.day >= today]
        told = amendment.how if found else amendment.none
    else:
        found = list(amendment.change(state, which, today))
        told = tell_daemon(state, amendment.done)
    if as_json:
        show({"done": which is not None, "events": changes(found)})
        return
    if which is None or not options.quiet:
        _show(found)
    say(options, told)


def tell_daemon(state: Path, done: str) -> str:
    """Ask the daemon for a pass, and say what comes of it; else which command does it."""
    pid = daemon_pid(state)
    if pid is None:
        return f"{done} Run lorsync sync."
    os.kill(pid, signal.SIGUSR1)
    return f"{done} The daemon does it now."


def _show(found: Sequence[Change]) -> None:
    out = console()
    for change in found:
        name = change.uid.removeprefix("lorsync-")[:_DIGITS]
        out.print(
            f"{name}  {day_in_words(change.day)}  {change.summary}", markup=False, soft_wrap=True
        )
