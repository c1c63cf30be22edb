"""Check by one request whether a pass would do nothing, and spare it then (S5).

A pass follows from the config, the applicant's day, the ledger and the calendar. Where one changed
nothing at all, and the first three are as they were, only the calendar has to be asked, and one
sync-report does that (S5). This is what has to be the same, kept in the ledger, where every other
write forgets it.
"""

import json
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from lorsync import __version__
from lorsync.adapters.connect import Prefetched
from lorsync.adapters.ledger.store import FILE_NAME, SqliteLedger, open_ledger
from lorsync.config import digest_of
from lorsync.config.zone import machine_zone
from lorsync.core.errors import LorsyncError
from lorsync.core.model import PlanWarning, Reason, Uid
from lorsync.core.ports import Ledger, SyncToken
from lorsync.core.providers import SignIn, traits
from lorsync.core.settings import CalendarSettings, Provider, Settings
from lorsync.sync.account import collection_of, counted, former_account
from lorsync.sync.backoff import AT_MOST_APART
from lorsync.sync.listing import listed_until, stored_token
from lorsync.sync.report import Change, Summary, pass_memo
from lorsync.sync.state import keep, state_of

_CHANGES = ("kept", "missing", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoopTerms:
    """The terms under which a pass does nothing, and what it then says.

    ``token`` is that of the collection, ``text`` how this is kept.
    """

    token: SyncToken
    summary: Summary
    text: str


def dumped(summary: Summary, settings: Settings, ledger: Ledger, now: datetime) -> str | None:
    """Write down the terms of a pass that did nothing and can be repeated; None for any other."""
    listed = listed_until(ledger)
    if not summary.repeatable or listed is None or not settings.digest:
        return None
    zone = settings.season.applicant.timezone
    tomorrow = datetime.combine(now.astimezone(zone) + timedelta(days=1), time(), zone)
    return json.dumps(
        {
            "version": __version__,
            "config": settings.digest,
            "machine": str(machine_zone()),
            "since": now.isoformat(),
            "until": min(tomorrow.astimezone(now.tzinfo), listed).isoformat(),
            "warnings": [asdict(warning) for warning in summary.warnings],
            **{name: [asdict(one) for one in getattr(summary, name)] for name in _CHANGES},
        },
        default=date.isoformat,
    )


def recalled(ledger: Ledger, digest: str, now: datetime) -> NoopTerms | None:
    """Return the last pass's terms where they hold for a config (its digest) and an instant."""
    text, token = state_of(ledger).noop_terms, stored_token(ledger)
    if text is None or token is None:
        return None
    kept = json.loads(text)
    begins, ends = (datetime.fromisoformat(kept[name]) for name in ("since", "until"))
    same = (kept["version"], kept["config"]) == (__version__, digest)
    # What day it is may hang on the machine's zone, which travels with its owner.
    if not same or kept["machine"] != str(machine_zone()) or not begins <= now < ends:
        return None
    changes: dict[str, Any] = {name: tuple(map(_change, kept[name])) for name in _CHANGES}
    summary = Summary(
        **changes,
        requests=1,
        warnings=tuple(map(_warning, kept["warnings"])),
        repeatable=True,
    )
    return NoopTerms(token=token, summary=summary, text=text)


def _change(kept: Mapping[str, Any]) -> Change:
    return Change(
        uid=Uid(kept["uid"]),
        kind=kept["kind"],
        mentor=kept["mentor"],
        day=date.fromisoformat(kept["day"]),
        summary=kept["summary"],
        changed=tuple(kept["changed"]),
    )


def _warning(kept: Mapping[str, Any]) -> PlanWarning:
    return PlanWarning(
        code=kept["code"],
        subject=kept["subject"],
        message=kept["message"],
        reasons=tuple(
            Reason(
                rule=reason["rule"],
                text=reason["text"],
                ideal=None if reason["ideal"] is None else date.fromisoformat(reason["ideal"]),
            )
            for reason in kept["reasons"]
        ),
    )


log = logging.getLogger(__name__)

_SIGN_INS = frozenset({SignIn.PASSWORD, SignIn.APP_PASSWORD})


def check_noop(config: Path, state: Path, *, now: datetime) -> Summary | Prefetched | None:
    """Return what a pass would say, if it would do nothing, and remember that as its outcome.

    Else what was learned ahead of the pass, or None where nothing was. ``now`` is aware. Nothing is
    raised: whatever is wrong, the pass meets it too, and says it with all that it knows.
    """
    try:
        if not config.is_file():
            return None  # what is read of a pipe is gone
        content = config.read_bytes()
        if (state / FILE_NAME).stat().st_size == 0:
            return None  # it is damaged, which the pass repairs
        with open_ledger(state, lock=0) as ledger:
            return _looked(content, ledger, now)
    except (LorsyncError, OSError) as error:
        log.debug("A first look was not possible: %s", error)
        return None


def _looked(content: bytes, ledger: SqliteLedger, now: datetime) -> Summary | Prefetched | None:
    from lorsync.adapters.caldav.noop import ask, can_glance, unchanged
    from lorsync.adapters.credentials import password_for

    digest = digest_of(content)
    still, address = recalled(ledger, digest, now), collection_of(ledger)
    if still is None or address is None or not can_glance(address):
        return None
    account = _account(content, ledger)
    if account is None:
        return None
    secret = password_for(account)
    with counted(account, ledger, now) as limiter:
        if limiter.spend() is not None:
            return None  # the pass finds the same, and says so
        exchange = ask(address, username=account.username or "", password=secret, token=still.token)
    if exchange is not None:
        token, stated = unchanged(exchange.answer), exchange.answer.stated_time
        # With the clocks apart nothing is believed, and the pass says why (S21).
        if token is not None and (stated is None or abs(stated - now) <= AT_MOST_APART):
            return _remembered(still, token, ledger, now)
    return Prefetched(config=digest, secret=secret, exchange=exchange)


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
    return account if traits(account).sign_in in _SIGN_INS else None


def _remembered(still: NoopTerms, token: SyncToken, ledger: SqliteLedger, now: datetime) -> Summary:
    state = replace(state_of(ledger), last_pass=pass_memo(still.summary, now), sync_token=token)
    keep(ledger, state, noop_terms=still.text)
    return still.summary
