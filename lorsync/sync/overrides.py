"""Take back what the person did in the calendar, when they say so: unpin, restore (S10, S11)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from lorsync.adapters.ledger.store import SqliteLedger, has_ledger, open_ledger
from lorsync.adapters.state_dir import TURN_SECONDS
from lorsync.core.errors import UsageError
from lorsync.core.event.content import Digests, Property
from lorsync.core.merge.entry import AWAY, Entry, State
from lorsync.sync.memory import restore_memory
from lorsync.sync.report import Change, changes_of_entries

_PREFIX = "lorsync-"
_SHORTEST = 4
"""How many digits of a UID are asked for at least."""


def pinned(entry: Entry) -> bool:
    """Tell whether the person moved this event."""
    return entry.state is State.LIVE and Property.DATE in entry.theirs


def away(entry: Entry) -> bool:
    """Tell whether the person deleted this event or moved it out of the calendar.

    What was no longer needed, and is gone, is missed by nobody.
    """
    return entry.state in AWAY and entry.state is not State.DISCARDED


def restorable(entry: Entry) -> bool:
    """Tell whether an event that is away can be created again: it was not used (R5, S13)."""
    return away(entry) and not entry.ticks


def listed(state: Path, wanted: Callable[[Entry], bool]) -> tuple[Change, ...]:
    """Return the events of the ledger that are wanted, by day."""
    if not has_ledger(state):
        return ()
    with open_ledger(state) as ledger:
        found = [entry for entry in ledger.entries().values() if wanted(entry)]
    return changes_of_entries(sorted(found, key=lambda e: (e.day, e.uid)))


def unpin(state: Path, which: str, today: date) -> tuple[Change, ...]:
    """Give moved events back to the plan; the next pass moves them to its days.

    ``which`` is a mentor's id, or the first digits of a UID. What is past stays where it is (I6).
    Raises UsageError where nothing matches.
    """

    def amend(ledger: SqliteLedger, chosen: list[Entry]) -> None:
        ledger.save(_unpinned(entry) for entry in chosen)

    return _amend(state, which, _ahead(pinned, today), amend, "was moved by you")


def restore(state: Path, which: str, today: date) -> tuple[Change, ...]:
    """Let events that the person deleted be created again, under new UIDs (S8).

    ``which`` is a mentor's id, or the first digits of a UID. What is past or ticked was used, and
    nothing gives a used follow-up back (R5). Raises UsageError where nothing matches.
    """

    def amend(ledger: SqliteLedger, chosen: list[Entry]) -> None:
        ledger.save([], retire=[entry.uid for entry in chosen])

    wanted = _ahead(restorable, today)
    return _amend(state, which, wanted, amend, "was deleted by you before its day")


def restore_memory_of(state: Path) -> None:
    """Let the memory be written again that the person deleted, or does not believe (S4, S8).

    Raises UsageError where it is neither deleted nor in doubt.
    """
    if has_ledger(state):
        with open_ledger(state, lock=TURN_SECONDS) as ledger:
            if restore_memory(ledger):
                return
    msg = "The memory was not deleted, and nobody asked whether it is right."
    raise UsageError(msg)


def _ahead(wanted: Callable[[Entry], bool], today: date) -> Callable[[Entry], bool]:
    return lambda entry: entry.day >= today and wanted(entry)


def _unpinned(entry: Entry) -> Entry:
    # With no digest of the date, the plan's differs from it: the date is written.
    def undated(digests: Digests | None) -> Digests | None:
        return None if digests is None else {**digests, Property.DATE: ""}

    return replace(
        entry,
        theirs=entry.theirs - {Property.DATE},
        sent_digests=undated(entry.sent_digests),
        intended_digests=undated(entry.intended_digests),
    )


def _amend(
    state: Path,
    which: str,
    wanted: Callable[[Entry], bool],
    amend: Callable[[SqliteLedger, list[Entry]], None],
    what: str,
) -> tuple[Change, ...]:
    chosen: list[Entry] = []
    if has_ledger(state):
        with open_ledger(state, lock=TURN_SECONDS) as ledger:
            found = [entry for entry in ledger.entries().values() if wanted(entry)]
            chosen = [entry for entry in found if _matches(entry, which)]
            amend(ledger, chosen)
    if not chosen:
        msg = f"No event of {which!r} {what}. Without an argument, this command lists them."
        raise UsageError(msg)
    return changes_of_entries(chosen)


def _matches(entry: Entry, which: str) -> bool:
    digits = which.removeprefix(_PREFIX)
    named = len(digits) >= _SHORTEST and entry.uid.removeprefix(_PREFIX).startswith(digits)
    return named or entry.mentor == which
