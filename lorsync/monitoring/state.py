"""What the person was told, and who runs the passes: a small file in the state folder.

It is apart from the ledger, since neither is worth a write there: lost, a notification comes a
second time.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from lorsync.adapters.files import write_aside

FILE_NAME = "told.json"


class Keeper(StrEnum):
    """Who ran the last pass: the daemon, or ``lorsync sync`` as a timer, cron or a person does."""

    DAEMON = "daemon"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationState:
    """``notices`` are those of which the desktop knows already."""

    keeper: Keeper | None = None
    notices: frozenset[str] = frozenset()


def read_state(state: Path) -> NotificationState:
    """Return what is kept; nothing where the file is missing or damaged."""
    try:
        kept = json.loads((state / FILE_NAME).read_text("utf-8"))
        keeper = kept["keeper"]
        return NotificationState(
            keeper=None if keeper is None else Keeper(keeper),
            notices=frozenset(map(str, kept["notices"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return NotificationState()


def write_keeper(state: Path, keeper: Keeper) -> None:
    """Keep who runs the passes now. Raises StateError where the folder cannot be written."""
    told = read_state(state)
    if told.keeper is not keeper:
        write_state(state, replace(told, keeper=keeper))


def write_state(state: Path, told: NotificationState) -> None:
    """Keep it. Raises StateError where the folder cannot be written."""
    text = json.dumps({"keeper": told.keeper, "notices": sorted(told.notices)})
    write_aside(state / FILE_NAME, text, mode=0o600)
