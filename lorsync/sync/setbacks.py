"""Remember which writes a server refused, or acknowledged and did not keep, and when to try again.

One object never stops the rest: every report names it, the next pass tries it again, and from then
on it is tried once an hour, so that a pass with nothing else to do stays one request (I5).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from lorsync.core.merge.memory import is_memory
from lorsync.core.model import PlanWarning, Uid
from lorsync.core.ports import Ledger, LedgerReader
from lorsync.sync.state import keep, state_of

AGAIN_AFTER = timedelta(hours=1)
"""How long a write is left alone that failed in two passes in a row."""

_AGAIN = "lorsync tries that again every hour."


class SetbackKind(StrEnum):
    """What a server did to a write, by the code of the warning that says so."""

    REFUSED = "refused"
    """It does not take it."""
    UNSTORED = "unstored"
    """It said that it had stored it, and did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """One write that came to nothing in so many passes in a row, the last of them ``at`` (aware).

    ``write`` tells what was to be written from anything else. ``title`` and ``day`` name the event,
    ``why`` is what the server said, for a person to read.
    """

    uid: Uid
    kind: SetbackKind
    write: str
    title: str
    day: date
    why: str
    at: datetime
    times: int = 1

    def waits(self, write: str, now: datetime) -> bool:
        """Tell whether this very write is left alone for now; ``now`` is aware."""
        recent = timedelta(0) <= now - self.at < AGAIN_AFTER
        return self.write == write and self.times > 1 and recent

    def after(self, before: "Setback | None") -> "Setback":
        """Return the same as one that came after another of the same event, or after none."""
        if before is None or before.write != self.write:
            return self
        return replace(self, times=before.times + 1)


def write_of(intended: bytes | None) -> str:
    """Return what tells a write from another one of the same event; None is for a deletion."""
    return "deletion" if intended is None else hashlib.sha256(intended).hexdigest()[:16]


def setbacks(ledger: LedgerReader) -> dict[Uid, Setback]:
    """Return the setbacks of the last pass, by the UIDs of what was to be written."""
    memo = state_of(ledger).setbacks
    found = [] if memo is None else map(_loaded, json.loads(memo))
    return {setback.uid: setback for setback in found}


def remember_setbacks(found: dict[Uid, Setback], ledger: Ledger) -> None:
    """Remember these setbacks of events, and no other; that of the memory stays as it is."""
    memory = {uid: each for uid, each in setbacks(ledger).items() if is_memory(uid)}
    _remember((memory | found).values(), ledger)


def remember_setback_of_memory(found: Setback | None, ledger: Ledger) -> None:
    """Remember what became of the last write of the memory; None is for a success."""
    events = [each for uid, each in setbacks(ledger).items() if not is_memory(uid)]
    _remember([*events, *([] if found is None else [found])], ledger)


def setback_warnings(found: Iterable[Setback]) -> tuple[PlanWarning, ...]:
    """Name what could not be written; what has one reason is said once, with its number."""
    ordered = sorted(found, key=lambda each: (each.kind, each.why, each.day, each.uid))
    groups = [list(group) for _, group in groupby(ordered, key=lambda each: (each.kind, each.why))]
    return tuple(
        PlanWarning(code=group[0].kind, subject=group[0].uid, message=_said(group), advice=_AGAIN)
        for group in groups
    )


def _said(alike: list[Setback]) -> str:
    first = alike[0]
    named = f"“{first.title}” on {first.day}"
    if is_memory(first.uid):
        named = "the event in which lorsync keeps its memory"
    elif len(alike) > 1:
        named = f"{len(alike)} events, the first of them {named}"
    if first.kind is SetbackKind.REFUSED:
        return f"The server does not take {named}: {first.why}"
    return f"The server said that it had stored {named}, but {first.why}"


def _remember(found: Iterable[Setback], ledger: Ledger) -> None:
    listed = [asdict(each) for each in sorted(found, key=lambda each: each.uid)]
    memo = json.dumps(listed, default=lambda day: day.isoformat()) if listed else None
    keep(ledger, replace(state_of(ledger), setbacks=memo))


def _loaded(fields: dict[str, Any]) -> Setback:
    return Setback(
        **fields
        | {
            "uid": Uid(fields["uid"]),
            "kind": SetbackKind(fields["kind"]),
            "day": date.fromisoformat(fields["day"]),
            "at": datetime.fromisoformat(fields["at"]),
        }
    )
