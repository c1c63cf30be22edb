"""Know that a backup of the server was restored, and say what is written again (S17).

The person did not delete what was written since the backup was made, so it is no dismissal.
"""

from lorsync.core.model import PlanWarning
from lorsync.recalling import Recalled, is_older


def went_back(before: Recalled | None, now: Recalled | None) -> bool:
    """Tell whether the memory is an earlier one than the ledger knew: a backup was restored."""
    if before is None or now is None or now.body is None:
        return False
    if before.uid != now.uid or not now.news or now.memory is None or now.damaged:
        return False
    return is_older(now.body, before)


def restored_warning(number: int) -> tuple[PlanWarning, ...]:
    """Say how many events went with a backup, and are written again."""
    if not number:
        return ()
    events = "1 event" if number == 1 else f"{number} events"
    were = "was" if number == 1 else "were"
    message = (
        f"The calendar went back to an earlier state, as from a backup: {events} that lorsync had "
        f"written since {were} not there, and stand again"
    )
    return (PlanWarning(code="restored", subject="calendar", message=f"{message}."),)
