"""Remember which deletions were held back, and among how many events, so that they stay held (S18).

What the same pass creates would make them a smaller share, and the day on which some of them pass
would leave few enough of the others: the next pass would take them for no accident.
"""

import json
from collections.abc import Iterable

from lorsync.core.entry import Entry, State
from lorsync.core.model import Uid
from lorsync.ports import Ledger

_AMONG, _HELD = "held-among", "held-events"


def standing_among(entries: Iterable[Entry], ledger: Ledger) -> int:
    """Return how many events stand, or stood when deletions were first held that still are."""
    standing = sum(entry.state is State.LIVE for entry in entries)
    before = ledger.memo(_AMONG)
    return standing if before is None else min(standing, int(before))


def held_before(ledger: Ledger) -> frozenset[Uid]:
    """Return the events whose deletions the last pass held back."""
    memo = ledger.memo(_HELD)
    return frozenset() if memo is None else frozenset(Uid(uid) for uid in json.loads(memo))


def remember_held(held: Iterable[Uid], among: int, ledger: Ledger) -> None:
    """Remember it, before anything is written; nothing where nothing is held."""
    listed = sorted(held)
    memos = {
        _AMONG: str(among) if listed else None,
        _HELD: json.dumps(listed) if listed else None,
    }
    if any(ledger.memo(name) != memo for name, memo in memos.items()):
        ledger.remember(memos)
