"""Remember among how many events deletions were held back, so that they stay held (S18).

What the same pass creates would make them a smaller share, and the next pass would take them for no
accident.
"""

from collections.abc import Iterable

from lorsync.core.entry import Entry, State
from lorsync.ports import Ledger

_AMONG = "held-among"


def standing_among(entries: Iterable[Entry], ledger: Ledger) -> int:
    """Return how many events stand, or stood when deletions were first held that still are."""
    standing = sum(entry.state is State.LIVE for entry in entries)
    before = ledger.memo(_AMONG)
    return standing if before is None else min(standing, int(before))


def remember_held(among: int | None, ledger: Ledger) -> None:
    """Remember it, before anything is written; None where nothing is held."""
    memo = None if among is None else str(among)
    if ledger.memo(_AMONG) != memo:
        ledger.remember({_AMONG: memo})
