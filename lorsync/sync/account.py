"""The account and collection that the events are in, and the requests that were sent there (S19).

The collection is known by its address, not its name: a renamed one is the same. Nor is an address
an identity: however it is spelt, the collection stays the one that it was (S19).
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.caldav.urls import comparable
from lorsync.adapters.ledger.store import has_ledger, open_ledger
from lorsync.core.errors import ConfigError
from lorsync.core.merge.entry import AWAY
from lorsync.core.model import PlanWarning, Uid
from lorsync.core.ports import Calendar, Ledger, LedgerReader
from lorsync.core.providers import traits
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.sync.state import SyncState, changes, keep, state_of


def collection_of(ledger: LedgerReader) -> str | None:
    """Return the address of the collection that the events are in, None before the first pass."""
    return state_of(ledger).collection


def remember_account(ledger: Ledger, account: CalendarSettings, calendar: Calendar) -> None:
    """Remember where the events are from now on."""
    keep(ledger, placed(state_of(ledger), account, calendar))


def placed(state: SyncState, account: CalendarSettings, calendar: Calendar) -> SyncState:
    """Return a state in which the events are in this account's calendar."""
    return replace(
        state,
        account=account_memo(account),
        collection=calendar.address,
        calendar_name=account.name,
    )


def follow_spelling(ledger: Ledger, account: CalendarSettings, calendar: Calendar) -> None:
    """Remember how the same collection is spelt now, with all that the ledger knows by address.

    Nothing is written where nothing is spelt otherwise: the next pass then needs no more than a
    glance.
    """
    before = state_of(ledger)
    state = replace(before, account=account_memo(account), collection=calendar.address)
    if state == before:
        return
    if before.collection is not None:
        # What is known of the collection's server, but that it refuses: that is asked once more.
        if before.ignores_preconditions == before.collection:
            state = replace(state, ignores_preconditions=calendar.address)
        if before.names_no_versions == before.collection:
            state = replace(state, names_no_versions=calendar.address)
    # Events keep the names of their resources, which a client may have given them (S11).
    folder = calendar.href_for(Uid("x")).rpartition("/")[0]
    entries = ledger.entries().values()
    spelt = [replace(e, href=f"{folder}/{e.href.rpartition('/')[2]}") for e in entries]
    ledger.save(
        (entry for entry, old in zip(spelt, entries, strict=True) if entry.href != old.href),
        memos=changes(ledger, state),
    )


def has_moved(ledger: LedgerReader, account: CalendarSettings) -> bool:
    """Tell by how it is spelt whether the config names another account than the events are in.

    It may still be the same: a login has aliases, a server has names, a calendar has an address of
    its own. Only the collection itself can tell.
    """
    state = state_of(ledger)
    if state.account in (None, account_memo(account)):
        return False
    former = former_account(ledger, account)
    if account_key(former) == account_key(account):
        return False
    # The calendar's own address may stand in place of its server's.
    own = None if account.url is None else comparable(account.url)
    same_login = (former.provider, former.username) == (account.provider, account.username)
    return not (same_login and own == comparable(state.collection or ""))


def awaits_move(account: CalendarSettings, state: Path) -> bool:
    """Tell by a state folder whether its events are in another account than the config names."""
    if not has_ledger(state):
        return False
    with open_ledger(state) as ledger:
        return has_moved(ledger, account)


def former_account(ledger: LedgerReader, account: CalendarSettings) -> CalendarSettings:
    """Return the account that the events are in; how to sign in is as the config has it now."""
    return account_from(former_memo(ledger, account), account)


def former_memo(ledger: LedgerReader, account: CalendarSettings) -> str:
    """Return the memo of the account that the events are in, before the first pass of this one."""
    return state_of(ledger).account or account_memo(account)


def account_from(memo: str, account: CalendarSettings) -> CalendarSettings:
    """Return the account of a memo; how to sign in is as the config has it now."""
    was = json.loads(memo)
    return replace(
        account,
        provider=Provider(was["provider"]),
        url=was["url"],
        username=was["username"],
        path=was["path"],
    )


def with_own_secret(memo: str, account: CalendarSettings) -> CalendarSettings:
    """Return the account of a memo, and no way to a secret that is not its own.

    Where the config says otherwise than before how to sign in, that is for the account that it
    names now: no other server gets that secret. What the keyring has is kept by account.
    """
    former = account_from(memo, account)
    kept = json.loads(memo).get("signs_in_by")
    same = kept is not None and kept == _signs_in_by(account)
    if same or _is_one_login(former, account):
        return former
    return replace(former, password_command=None, keyring_only=True)


def check_account(account: CalendarSettings, ledger: Ledger) -> None:
    """Ask before going on with another account: every event would look deleted there (S19).

    Raises ConfigError, which says what a move would do.
    """
    if not has_moved(ledger, account):
        return
    former = former_account(ledger, account)
    where: object = former.url or former.path or former.provider
    what = "account"
    if _is_one_login(former, account):
        what, where = "calendar", collection_of(ledger)
    number = sum(entry.state not in AWAY for entry in ledger.entries().values())
    msg = (
        f"[calendar] names another {what} than the one these {number} events are in ({where}). "
        "Nothing was written. To move them all, with what you changed of them, run: "
        "lorsync sync --move. Otherwise change it back, or give this config its own --state-dir."
    )
    raise ConfigError(msg)


def _is_one_login(one: CalendarSettings, other: CalendarSettings) -> bool:
    """Tell whether two accounts are one login on one host, so that only the calendar differs."""
    hosts = {urlsplit(comparable(each.url)).netloc for each in (one, other) if each.url is not None}
    named = (one.provider, one.username) == (other.provider, other.username)
    return named and one.path is None and len(hosts) == 1


def account_memo(account: CalendarSettings) -> str:
    """Return how the config spells an account, as text from which it can be made again."""
    return json.dumps(
        {
            "provider": account.provider,
            "url": account.url,
            "username": account.username,
            "path": account.path,
            "signs_in_by": _signs_in_by(account),
        }
    )


def _signs_in_by(account: CalendarSettings) -> str | None:
    """Return what tells one password_command from another; None where there is none."""
    command = account.password_command
    return None if command is None else hashlib.sha256(repr(command).encode()).hexdigest()[:16]


def account_key(account: CalendarSettings) -> str:
    """Return what all spellings of an account have in common, as text, and others have not."""
    return json.dumps(
        {
            "provider": account.provider,
            "url": None if account.url is None else comparable(account.url),
            "username": account.username,
            "path": None if account.path is None else os.path.realpath(account.path),
        }
    )


def renamed_warning(account: CalendarSettings, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Say that a changed name in the config does not rename the calendar: its href counts (S19)."""
    name = state_of(ledger).calendar_name
    if name is None or name == account.name:
        return ()
    message = (
        f"The events stay in the calendar “{name}”; calendar.name = “{account.name}” only counts "
        "when a calendar is made. Rename it in your calendar app."
    )
    return (PlanWarning(code="calendar-name", subject="calendar", message=message),)


@contextmanager
def counted(account: CalendarSettings, ledger: Ledger, now: datetime) -> Iterator[RateLimiter]:
    """Give what may still be sent to an account, and remember what was.

    ``now``, aware, is when the pass begins; its time is counted from there.
    """
    known = traits(account)
    if known.budget is None:
        yield RateLimiter(None)
        return
    name, kept = account_key(account), state_of(ledger).requests_sent or {}
    began = time.monotonic()

    def clock() -> float:
        return now.timestamp() + time.monotonic() - began

    limiter = RateLimiter(known.budget, clock=clock, kept=kept.get(name, "{}"))
    # A pass that is killed has said beforehand that all are used up.
    keep(ledger, replace(state_of(ledger), requests_sent={name: limiter.dumped_as_spent()}))
    try:
        yield limiter
    finally:
        keep(ledger, replace(state_of(ledger), requests_sent={name: limiter.dumped()}))
