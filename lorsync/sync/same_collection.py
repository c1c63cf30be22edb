"""Know a collection again by what only it can show, when [calendar] names another account (S19).

An address is not an identity: a login has aliases, a server has several names, a calendar can be
named by itself or by its account. What stands in the collection decides.
"""

from pathlib import Path

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.connect import opened_calendar, recognized
from lorsync.core.merge.entry import AWAY
from lorsync.core.model import PlanWarning
from lorsync.core.ports import Ledger
from lorsync.core.settings import CalendarSettings
from lorsync.sync.account import follow_spelling, former_account
from lorsync.sync.memory import is_older, recalled

_MOST_MARKS = 3
"""Of events: some may have been deleted since the last pass."""


def address_now(
    account: CalendarSettings,
    state: Path,
    ledger: Ledger,
    *,
    limiter: RateLimiter | None = None,
) -> str | None:
    """Return where the account has the collection that the events are in; None if nowhere.

    A memory that is older than the one that was last seen is a copy's, left behind when the events
    went elsewhere. Nothing is written. Raises ConfigError, CredentialsError, StateError or
    UnavailableError.
    """
    marks = _marks(ledger)
    found = recognized(account, state, marks=marks, limiter=limiter) if marks else None
    memory = recalled(ledger)
    if found is None or memory is None or memory.body is None or memory.gone:
        return found
    with opened_calendar(account, state, remembered=found, limiter=limiter) as calendar:
        href = calendar.href_for(memory.uid)
        there = calendar.fetch([href]).get(href)
    return None if there is None or is_older(there.body, memory) else found


def go_on(
    account: CalendarSettings, state: Path, ledger: Ledger, address: str
) -> tuple[PlanWarning, ...]:
    """Let the ledger know its collection at this address, and say so; no event is touched."""
    former = former_account(ledger, account)
    with opened_calendar(account, state, remembered=address) as calendar:
        follow_spelling(ledger, account, calendar)
    message = (
        f"{address} holds these events already, so lorsync goes on there. Nothing was moved from "
        f"{former.url or former.path or former.provider}, and nothing was removed."
    )
    return (PlanWarning(code="same-calendar", subject="calendar", message=message),)


def _marks(ledger: Ledger) -> tuple[str, ...]:
    """Return the names of the resources by which the collection is known.

    That is the memory, of which a season has one. Without it some events are the mark.
    """
    memory = recalled(ledger)
    if memory is not None and memory.body is not None and not memory.gone:
        return (f"{memory.uid}.ics",)
    standing = [entry for entry in ledger.entries().values() if entry.state not in AWAY]
    return tuple(entry.href.rpartition("/")[2] for entry in standing[:_MOST_MARKS])
