"""Know which preconditions a collection's server keeps, and remember where it did not (S22).

With a server that overwrites in spite of ``If-None-Match: *``, a second device's event would be
lost; with one that deletes another version than ``If-Match`` names, a person's edit. Where that is
so, a pass looks once more right before it writes.
"""

from dataclasses import dataclass

from lorsync.core.model import PlanWarning
from lorsync.ports import Calendar, Ledger

_CARELESS = "ignores_preconditions"
_UNNAMED = "names_no_versions"
_REFUSED = "refuses_preconditions"

BY_ADDRESS = (_CARELESS, _UNNAMED)
"""The memos that hold a collection's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Which preconditions are kept: a creation's (``If-None-Match``), a deletion's (``If-Match``).

    That of an update is kept by every server that is known. ``taken``: whether the server takes
    preconditions at all; one that cannot evaluate them answers 412 to each.
    """

    creation: bool
    deletion: bool
    taken: bool = True


def kept_by(calendar: Calendar, ledger: Ledger) -> Kept:
    """Return what the calendar says of its server, less what was seen to be otherwise."""
    careless = ledger.memo(_CARELESS) == calendar.address
    return Kept(
        creation=calendar.guards_creation and not careless,
        deletion=calendar.guards_deletion and not careless,
        taken=ledger.memo(_REFUSED) != calendar.address,
    )


def remember_tried(
    before: Kept,
    calendar: Calendar,
    ledger: Ledger,
    *,
    creation: bool | None,
    deletion: bool | None,
) -> None:
    """Remember for the collection what was tried of its server: None where it could not be.

    ``before`` is what was believed until then. What is known beforehand of a provider is not
    remembered, and what was once seen to be ignored stays so: a guard that was kept this time is no
    promise.
    """
    if (before.creation and creation is False) or (before.deletion and deletion is False):
        ledger.remember({_CARELESS: calendar.address})


def remember_careless(before: Kept, calendar: Calendar, ledger: Ledger) -> None:
    """Remember for the collection where its server was seen to ignore a precondition since."""
    if before.creation and not calendar.guards_creation:
        ledger.remember({_CARELESS: calendar.address})


def warn_of_unnamed(calendar: Calendar, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Warn, once for a collection, that its server gives no strong ETag, so no write is guarded.

    RFC 9110 section 13.1.1: a weak one never matches in ``If-Match``.
    """
    message = (
        "The server names no versions of its events (strong ETags), so lorsync looks once more "
        "right before it changes one. What you change in that very moment could be lost."
    )
    return _said_once(message, _UNNAMED, calendar, ledger)


def remember_refused(calendar: Calendar, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Remember for the collection that its server answers 412 to whatever has a precondition.

    Returns a warning the first time: a look right before each write has to do then (S22).
    """
    message = (
        "The server refuses every guarded change (412 to If-Match), though nothing has changed "
        "there, so lorsync looks right before it writes instead. What you change in that very "
        "moment could be lost."
    )
    return _said_once(message, _REFUSED, calendar, ledger)


def _said_once(
    message: str, memo: str, calendar: Calendar, ledger: Ledger
) -> tuple[PlanWarning, ...]:
    """Return a warning the first time it is true of a collection, which the memo then names."""
    if ledger.memo(memo) == calendar.address:
        return ()
    ledger.remember({memo: calendar.address})
    return (PlanWarning(code="unguarded", subject="calendar", message=message),)
