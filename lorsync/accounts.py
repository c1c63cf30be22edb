"""Remember in which account and collection the events are, and notice when the config names others.

The collection is known by its address, not its name: a renamed one is the same (S19).
"""

import json
from dataclasses import replace
from pathlib import Path

from lorsync.adapters.ledger import SqliteLedger, has_ledger
from lorsync.core.entry import AWAY
from lorsync.core.model import PlanWarning
from lorsync.errors import ConfigError
from lorsync.ports import Calendar, Ledger
from lorsync.settings import CalendarSettings, Provider

_ACCOUNT, _COLLECTION, _NAME = "account", "collection", "calendar_name"


def collection_of(ledger: Ledger) -> str | None:
    """Return the address of the collection that the events are in, None before the first pass."""
    return ledger.memo(_COLLECTION)


def remember_account(ledger: Ledger, account: CalendarSettings, calendar: Calendar) -> None:
    """Remember where the events are from now on."""
    ledger.remember(
        {
            _ACCOUNT: account_memo(account),
            _COLLECTION: calendar.address,
            _NAME: account.name,
        }
    )


def has_moved(ledger: Ledger, account: CalendarSettings) -> bool:
    """Tell whether the config names another account than the one that the events are in."""
    before = ledger.memo(_ACCOUNT)
    return before is not None and before != account_memo(account)


def awaits_move(account: CalendarSettings, state: Path) -> bool:
    """Tell by a state folder whether its events are in another account than the config names."""
    if not has_ledger(state):
        return False
    ledger = SqliteLedger(state)
    try:
        return has_moved(ledger, account)
    finally:
        ledger.close()


def former_account(ledger: Ledger, account: CalendarSettings) -> CalendarSettings:
    """Return the account that the events are in; how to sign in is as the config has it now."""
    was = json.loads(ledger.memo(_ACCOUNT) or account_memo(account))
    return replace(
        account,
        provider=Provider(was["provider"]),
        url=was["url"],
        username=was["username"],
        path=None if was["path"] is None else Path(was["path"]),
    )


def check_account(account: CalendarSettings, ledger: Ledger) -> None:
    """Ask before going on with another account: every event would look deleted there (S19).

    Raises ConfigError, which says what a move would do.
    """
    if not has_moved(ledger, account):
        return
    former = former_account(ledger, account)
    where = former.url or former.path or former.provider
    number = sum(entry.state not in AWAY for entry in ledger.entries().values())
    msg = (
        f"[calendar] names another account than the one these {number} events are in ({where}). "
        "Nothing was written. To move them all, with what you changed of them, run: "
        "lorsync sync --move. Otherwise change it back, or give this config its own --state-dir."
    )
    raise ConfigError(msg)


def account_memo(account: CalendarSettings) -> str:
    """Return what tells accounts apart, as text."""
    return json.dumps(
        {
            "provider": account.provider,
            "url": account.url,
            "username": account.username,
            "path": None if account.path is None else str(account.path),
        }
    )


def renamed_warning(account: CalendarSettings, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Say that a changed name in the config does not rename the calendar: its href counts (S19)."""
    name = ledger.memo(_NAME)
    if name is None or name == account.name:
        return ()
    message = (
        f"The events stay in the calendar “{name}”; calendar.name = “{account.name}” only counts "
        "when a calendar is made. Rename it in your calendar app."
    )
    return (PlanWarning(code="calendar-name", subject="calendar", message=message),)
