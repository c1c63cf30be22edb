"""Spare the whole pass where one request shows that it would do nothing.

For whoever starts lorsync every few minutes, by a timer or by hand: planning, reading the config
and loading an HTTP client are most of what a pass with nothing to do takes.
"""

import logging
import tomllib
from datetime import datetime
from pathlib import Path

from lorsync.accounts import collection_of, former_account
from lorsync.adapters.ledger import FILE_NAME, STILL, SqliteLedger
from lorsync.adapters.state import pass_lock
from lorsync.clocks import AT_MOST_APART
from lorsync.config import digest_of
from lorsync.counting import counted
from lorsync.errors import LorsyncError
from lorsync.listings import TOKEN
from lorsync.opening import Ahead
from lorsync.ports import SyncToken
from lorsync.providers import SignIn, traits
from lorsync.records import LAST_RUN, pass_memo
from lorsync.report import Summary
from lorsync.settings import CalendarSettings, Provider
from lorsync.stillness import Stillness, recalled

log = logging.getLogger(__name__)

_SIGN_INS = frozenset({SignIn.PASSWORD, SignIn.APP_PASSWORD})


def glance(config: Path, state: Path, *, now: datetime) -> Summary | Ahead | None:
    """Return what a pass would say, if it would do nothing, and remember that as its outcome.

    Else what was learned ahead of the pass, or None where nothing was. ``now`` is aware. Nothing is
    raised: whatever is wrong, the pass meets it too, and says it with all that it knows.
    """
    try:
        if not config.is_file():
            return None  # what is read of a pipe is gone
        content = config.read_bytes()
        if (state / FILE_NAME).stat().st_size == 0:
            return None  # it is damaged, which the pass mends
        with pass_lock(state, wait_seconds=0):
            ledger = SqliteLedger(state)
            try:
                return _looked(content, ledger, now)
            finally:
                ledger.close()
    except (LorsyncError, OSError) as error:
        log.debug("A first look was not possible: %s", error)
        return None


def _looked(content: bytes, ledger: SqliteLedger, now: datetime) -> Summary | Ahead | None:
    from lorsync.adapters.caldav.glance import ask, can_glance, unchanged
    from lorsync.adapters.credentials import password_for

    digest = digest_of(content)
    still, address = recalled(ledger, digest, now), collection_of(ledger)
    if still is None or address is None or not can_glance(address):
        return None
    account = _account(content, ledger)
    if account is None:
        return None
    secret = password_for(account)
    with counted(account, ledger, now) as allowance:
        if allowance.spend() is not None:
            return None  # the pass finds the same, and says so
        exchange = ask(address, username=account.username or "", password=secret, token=still.token)
    if exchange is not None:
        token, stated = unchanged(exchange.answer), exchange.answer.stated_time
        # With the clocks apart nothing is believed, and the pass says why (S21).
        if token is not None and (stated is None or abs(stated - now) <= AT_MOST_APART):
            return _remembered(still, token, ledger, now)
    return Ahead(config=digest, secret=secret, exchange=exchange)


def _account(content: bytes, ledger: SqliteLedger) -> CalendarSettings | None:
    """Return the account of a config that a pass has used, or None where a glance cannot serve.

    What tells it apart is in the ledger; how to get at its secret is in the config alone.
    """
    table = tomllib.loads(content.decode("utf-8-sig"))["calendar"]
    if "ca_file" in table:
        return None  # whom to trust then, the transport knows
    words = table.get("password_command")
    stated = CalendarSettings(
        provider=Provider(table["provider"]),
        password_command=None if words is None else tuple(words),
    )
    account = former_account(ledger, stated)
    if account.provider in {Provider.LOCAL, Provider.FOLDER}:
        return None
    return account if traits(account).sign_in in _SIGN_INS else None


def _remembered(still: Stillness, token: SyncToken, ledger: SqliteLedger, now: datetime) -> Summary:
    memos = {LAST_RUN: pass_memo(still.summary, now), TOKEN: token, STILL: still.text}
    ledger.remember(memos)
    return still.summary
