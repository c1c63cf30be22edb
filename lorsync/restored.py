"""Know what a restored backup of the server took away, and ask what became of it (S17).

The person did not delete what was written since the backup was made, so it is no dismissal: it is
missing, and stays so until they have said what they want.
"""

import json
from collections.abc import Iterable

from lorsync.core.model import PlanWarning, Uid
from lorsync.ports import Ledger
from lorsync.recalling import Recalled, is_older

_ASKED = "lost-with-backup"


def went_back(before: Recalled | None, now: Recalled | None) -> bool:
    """Tell whether the memory is an earlier one than the ledger knew: a backup was restored."""
    if before is None or now is None or now.body is None:
        return False
    if before.uid != now.uid or not now.news or now.memory is None or now.damaged:
        return False
    return is_older(now.body, before)


def asked_about(ledger: Ledger) -> frozenset[Uid]:
    """Return the events of which the person has not said yet what became of them."""
    memo = ledger.memo(_ASKED)
    return frozenset() if memo is None else frozenset(Uid(uid) for uid in json.loads(memo))


def remember_asked(uids: Iterable[Uid], ledger: Ledger) -> None:
    """Remember about which events the person is asked."""
    listed = sorted(uids)
    memo = json.dumps(listed) if listed else None
    if ledger.memo(_ASKED) != memo:
        ledger.remember({_ASKED: memo})


def restored_warning(number: int) -> tuple[PlanWarning, ...]:
    """Ask, and say how to answer."""
    if not number:
        return ()
    events = "1 event" if number == 1 else f"{number} events"
    message = (
        f"The calendar went back to an earlier state, as from a backup, and {events} that lorsync "
        "had written since are not there. Nothing counts as deleted by you. To have them again: "
        "lorsync restore; if you deleted them: lorsync sync --accept-deletions"
    )
    return (PlanWarning(code="restored", subject="calendar", message=message),)
