"""Put a pass together: the lock, the ledger, the calendar, and the record of how it went.

The command line and the daemon both come through here, and take turns by the pass lock.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from lorsync.adapters.connect import Prefetched, found_calendar, opened_calendar
from lorsync.adapters.ledger.file import mend, set_aside
from lorsync.adapters.ledger.store import FILE_NAME, SqliteLedger, has_ledger, open_ledger
from lorsync.adapters.state_dir import TURN_SECONDS, make_state_dir, pass_lock
from lorsync.core.errors import (
    AllowanceSpentError,
    BusyError,
    DamagedLedgerError,
    LoginRefusedError,
    LorsyncError,
    PutOffError,
    TryAgainError,
    UsageError,
    as_mistake,
)
from lorsync.core.event.ical import forget_readings
from lorsync.core.merge.memory import memory_uid
from lorsync.core.model import PlanWarning
from lorsync.core.ports import Calendar
from lorsync.core.settings import CalendarSettings, Settings
from lorsync.sync.account import (
    account_key,
    check_account,
    collection_of,
    counted,
    follow_spelling,
    has_moved,
    remember_account,
    renamed_warning,
)
from lorsync.sync.backoff import check_clock, dumped, held_back, loaded, put_off
from lorsync.sync.engine import Options, run_pass
from lorsync.sync.move_account import check_whole, finished, holds_copies, move
from lorsync.sync.noop import dumped as dumped_terms
from lorsync.sync.plan import frozen_key, observing, today_of, zone_warning
from lorsync.sync.report import Record, Report, pass_memo
from lorsync.sync.same_collection import address_now, go_on
from lorsync.sync.state import SyncState, keep, state_of

BELIEVED_AFTER = 3
"""From how many refusals on a login is believed to be wrong: one may be the server's trouble."""

_NOTHING_TO_MOVE = (
    "There was nothing to move: no events are in another account than the one that [calendar] "
    "names."
)


def pass_once(
    settings: Settings,
    state: Path,
    *,
    now: datetime,
    options: Options,
    ahead: Prefetched | None = None,
) -> Report:
    """Run one pass and remember how it went; ``now`` is aware.

    ``ahead`` is what was learned before, believed if it is of the same config.

    Raises a LorsyncError where it did not come to its end; that is remembered too. While the
    account is put off, or the clock is before any lorsync was made, no request is sent: these are
    a PutOffError and a ClockError. A damaged ledger is set aside, and rebuilt by this very pass.
    """
    check_clock(now, settings.season.applicant.timezone)
    began = time.monotonic()

    def later() -> datetime:
        """Return what ``now`` has become, in seconds begun."""
        return now + timedelta(seconds=math.ceil(time.monotonic() - began))

    make_state_dir(state)
    with pass_lock(state, wait_seconds=TURN_SECONDS):
        mended = mend(state / FILE_NAME, now)
        observed = observing(settings, state, today_of(settings, now))
        same = mended is None and ahead is not None and ahead.config == settings.digest
        known = ahead if same else None
        try:
            report = _with_ledger(observed, state, later, now=now, options=options, ahead=known)
        except DamagedLedgerError:
            # What is damaged further inside is met on the way.
            mended = set_aside(state / FILE_NAME, now)
            report = _with_ledger(observed, state, later, now=now, options=options, ahead=None)
    return report if mended is None else _warned(report, mended)


def mend_ledger(state: Path, now: datetime) -> str | None:
    """Read the whole ledger, set it aside where it is damaged, and say so; ``now`` is aware.

    Raises NewerLedgerError, and another StateError where it cannot be told now.
    """
    if not has_ledger(state):
        return None
    try:
        with pass_lock(state, wait_seconds=0):
            return mend(state / FILE_NAME, now, look=True)
    except TryAgainError:
        return None  # the pass that is at work meets the damage, too


def record_of(state: Path) -> Record:
    """Return what is remembered of the passes in a state folder, nothing where there is none."""
    if not has_ledger(state):
        return Record()
    with open_ledger(state) as ledger:
        kept = state_of(ledger)
        return Record(
            last_pass=kept.last_pass,
            last_error=kept.last_error,
            config_error=kept.config_error,
            next_pass=kept.next_pass,
            calendar=kept.collection,
            put_off=loaded(kept.put_off),
            login_refused=kept.login_refused,
            memory_gone=kept.memory_gone,
        )


def remember_next(state: Path, at: datetime | None, *, config_error: str | None = None) -> None:
    """Remember when the daemon means to run its next pass, or that it no longer means to.

    ``config_error`` says that it goes on with an older config, and why.
    """
    with open_ledger(state) as ledger:
        following = None if at is None else at.isoformat()
        known = state_of(ledger)
        keep(ledger, replace(known, next_pass=following, config_error=config_error))


def remember_busy(settings: Settings, state: Path, error: BusyError, now: datetime) -> PutOffError:
    """Remember what a server asked for outside of a pass, and return until when it holds."""
    with open_ledger(state) as ledger:
        return _put_off(settings, ledger, error, now)


def _with_ledger(
    settings: Settings,
    state: Path,
    later: Callable[[], datetime],
    *,
    now: datetime,
    options: Options,
    ahead: Prefetched | None,
) -> Report:
    try:
        with open_ledger(state) as ledger:
            _check_put_off(settings, ledger, now)
            return _recorded(settings, state, ledger, later, now=now, options=options, ahead=ahead)
    finally:
        forget_readings()


def _warned(report: Report, message: str) -> Report:
    """Add to a report that the ledger was set aside."""
    warning = PlanWarning(code="ledger", subject="ledger", message=message)
    return replace(report, warnings=(*report.warnings, warning))


def _recorded(
    settings: Settings,
    state: Path,
    ledger: SqliteLedger,
    later: Callable[[], datetime],
    *,
    now: datetime,
    options: Options,
    ahead: Prefetched | None,
) -> Report:
    """Run a pass, and remember how it went."""
    try:
        report = _passed(settings, state, ledger, now=now, options=options, ahead=ahead)
    except (BusyError, AllowanceSpentError) as error:
        # What a server asks for counts from when it did so: a pass may have gone on for minutes.
        late = _put_off(settings, ledger, error, later())
        if not options.dry_run:
            keep(ledger, replace(state_of(ledger), last_error=_error_memo(late, now)))
        raise late from None
    except LorsyncError as error:
        # A slip on the command line is answered there, and no pass has gone wrong by it.
        if not options.dry_run and not isinstance(error, UsageError):
            kept = replace(state_of(ledger), last_error=_error_memo(error, now))
            if isinstance(error, LoginRefusedError):
                kept = _with_refusal(kept, error.fingerprint)
            keep(ledger, kept)
        raise
    except Exception as error:
        # An internal error ends a pass as well, and status has to say so.
        if not options.dry_run:
            memo = _error_memo(as_mistake(error), now)
            keep(ledger, replace(state_of(ledger), last_error=memo))
        raise
    if not options.dry_run:
        terms = dumped_terms(report, settings, ledger, now)
        kept = replace(
            state_of(ledger),
            last_pass=pass_memo(report, now),
            last_error=None,
            put_off=None,
            login_refused=None,
        )
        keep(ledger, kept, noop_terms=terms)
    return report


def _passed(
    settings: Settings,
    state: Path,
    ledger: SqliteLedger,
    *,
    now: datetime,
    options: Options,
    ahead: Prefetched | None,
) -> Report:
    """Move the events to another account first, where that is asked for, and run a pass."""
    # After any error the token is not believed (S16).
    failed_before = state_of(ledger).last_error is not None
    chosen = replace(options, full=options.full or failed_before)
    moved, to_move = _settled(settings.calendar, state, ledger, now=now, options=options)
    with _calendar(settings, state, ledger, ahead, now=now, dry_run=options.dry_run) as calendar:
        report = run_pass(settings, calendar, ledger, now=now, options=chosen)
    more = (*moved, *renamed_warning(settings.calendar, ledger), *zone_warning(settings))
    report = replace(report, warnings=(*report.warnings, *more)) if more else report
    if options.move and not to_move:
        report = replace(report, idle=(*report.idle, _NOTHING_TO_MOVE))
    return report


def _settled(
    account: CalendarSettings,
    state: Path,
    ledger: SqliteLedger,
    *,
    now: datetime,
    options: Options,
) -> tuple[tuple[PlanWarning, ...], bool]:
    """Settle where the events are (S19): recognize their calendar, or move them where asked for.

    Returns what is to be said, and whether the config names another account. Raises a LorsyncError
    where it cannot be told, or nothing was moved.
    """
    check_whole(account, ledger)
    if not has_moved(ledger, account):
        return (() if options.dry_run else finished(account, state, ledger)), False
    with counted(account, ledger, now) as limiter:
        if not holds_copies(account, ledger):
            address = address_now(account, state, ledger, limiter=limiter)
            if address is not None:
                return go_on(account, state, ledger, address), False
        if not options.move:
            return (), True
        return move(account, state, ledger, now=now, limiter=limiter), True


def _check_put_off(settings: Settings, ledger: SqliteLedger, now: datetime) -> None:
    """Raise PutOffError while the account is to be left alone."""
    rest = loaded(state_of(ledger).put_off)
    if rest is not None and rest.holds(account_key(settings.calendar), now):
        zone = settings.season.applicant.timezone
        raise PutOffError(rest.message(zone), until=rest.until)


def _put_off(
    settings: Settings,
    ledger: SqliteLedger,
    error: BusyError | AllowanceSpentError,
    now: datetime,
) -> PutOffError:
    """Remember that the account is to be left alone from now on, and say until when."""
    before, account = loaded(state_of(ledger).put_off), account_key(settings.calendar)
    if isinstance(error, BusyError):
        rest = put_off(
            before, account=account, why=str(error), retry_after=error.retry_after, now=now
        )
    else:
        rest = held_back(
            before, account=account, why=str(error), seconds=error.retry_after, now=now
        )
    keep(ledger, replace(state_of(ledger), put_off=dumped(rest)))
    return PutOffError(rest.message(settings.season.applicant.timezone), until=rest.until)


@contextmanager
def _calendar(
    settings: Settings,
    state: Path,
    ledger: SqliteLedger,
    ahead: Prefetched | None,
    *,
    now: datetime,
    dry_run: bool,
) -> Iterator[Calendar]:
    """Open the calendar of the config; the ledger remembers which collection it is (S19)."""
    account = settings.calendar
    check_account(account, ledger)
    remembered = collection_of(ledger)
    memory = memory_uid(frozen_key(settings.season, ledger), 0)
    with counted(account, ledger, now) as limiter:
        if dry_run and remembered is None:
            with found_calendar(account, state, holding=memory, limiter=limiter) as calendar:
                yield calendar
            return
        with opened_calendar(
            account,
            state,
            remembered=remembered,
            holding=memory,
            ahead=ahead,
            limiter=limiter,
        ) as calendar:
            if remembered is None:
                remember_account(ledger, account, calendar)
            else:
                follow_spelling(ledger, account, calendar)
            yield calendar


def _error_memo(error: LorsyncError, now: datetime) -> dict[str, object]:
    at = now.isoformat(timespec="milliseconds")
    return {"at": at, "message": str(error), "code": error.exit_code}


def _with_refusal(state: SyncState, fingerprint: str | None) -> SyncState:
    """Return a state with its last error as a refused login, so often in a row by now."""
    before = state.login_refused or {}
    same = before.get("fingerprint") == fingerprint
    times = int(str(before.get("times", 0))) + 1 if same else 1
    refused = {**(state.last_error or {}), "times": times, "fingerprint": fingerprint}
    return replace(state, login_refused=refused)
