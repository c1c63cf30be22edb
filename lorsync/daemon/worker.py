"""The daemon's one worker: it reads the config again and runs passes, but for a refused login.

Requests coalesce, and the worker takes them before it begins, so that one which comes during a pass
is not lost. Whatever goes wrong is said and tried again later, but never ends the worker.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from lorsync.adapters.connect import holding_server, login_mark
from lorsync.adapters.log_throttle import LogThrottle
from lorsync.adapters.unit import system_unit
from lorsync.config.zone import machine_says
from lorsync.core.errors import (
    ClockError,
    ConfigError,
    LoginRefusedError,
    LorsyncError,
    NoCredentialError,
    PutOffError,
    TryAgainError,
    as_mistake,
)
from lorsync.core.settings import CalendarSettings, Settings
from lorsync.daemon.config_loader import Loaded
from lorsync.daemon.scheduler import Scheduler
from lorsync.daemon.sd_notify import ServiceManager
from lorsync.daemon.wakeups import Heartbeat, Requests
from lorsync.sync.account import account_key
from lorsync.sync.backoff import pause
from lorsync.sync.engine import Options
from lorsync.sync.report import Report
from lorsync.sync.runner import BELIEVED_AFTER, pass_once, record_of, remember_next

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.3
"""How long a changed config is left alone: editors write in several steps."""

_ASKED = frozenset({"start", "asked", "reload"})
"""The reasons that are a person's wish, for which a refused login is tried once more."""

_TO_READ = frozenset({"config", "reload"})
"""The reasons to read the config again: it changed, or somebody said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One pass of the daemon, for who shows it: its report, and when the next one comes."""

    settings: Settings
    report: Report
    next_pass: datetime
    first: bool


class Worker:
    """What runs in the worker's thread; the settings are read by other threads too."""

    def __init__(
        self,
        loaded: Loaded,
        state: Path,
        *,
        load: Callable[[], Loaded],
        tell: Callable[[Passed], None],
        after: Callable[[Settings], None],
        manager: ServiceManager,
    ) -> None:
        """Prepare. ``load`` reads the config again, ``tell`` is called after each whole pass.

        ``after`` is called then and also where a pass failed, when what comes next is remembered.
        """
        self._after = after
        self._cautions: set[str] = set()
        self._caution(loaded)
        self.settings = loaded.settings
        self.requests = Requests()
        self.heartbeat = Heartbeat()
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.scheduler = Scheduler(lambda: self.requests.add("scheduled"))
        self.fatal: LorsyncError | None = None
        self._state = state
        self._load = load
        self._tell = tell
        self._manager = manager
        self._complaints = LogThrottle()
        self._refusal: LoginLockout | None = None
        unit = system_unit()
        # Another user than the service's can read neither its credential nor write its ledger.
        self._to_ask = "lorsync sync" if unit is None else f"systemctl reload {unit}"
        self._holding = _Holding(state)
        self._unread = False
        self._broken: str | None = None
        self._passes = self._failures = 0
        self._early = False

    def run(self, begin: Callable[[], None], over: Callable[[], None]) -> None:
        """Serve requests until told to stop.

        ``begin`` is called first; what it raises is the end. ``over`` is called at the end, however
        it comes.
        """
        try:
            self._begin(begin)
            while self.fatal is None:
                reasons = self.requests.take()
                if self.stopping.is_set():
                    self._forget_next()
                    return
                self.heartbeat.beat()
                self._serve(reasons)
                self.heartbeat.rest()
        except BaseException as error:
            what = type(error).__name__
            self.fatal = LorsyncError(f"The passes ended by an internal error: {what}.")
            raise
        finally:
            self._holding.close()
            self.ended.set()
            over()

    def _begin(self, begin: Callable[[], None]) -> None:
        self.heartbeat.beat()
        try:
            begin()
        except LorsyncError as error:
            self.fatal = error
        self.heartbeat.rest()

    def _forget_next(self) -> None:
        try:
            remember_next(self._state, None)
        except LorsyncError as error:
            log.error("%s", error)

    def say(
        self, error: Exception, *, more: str = "", lasting: bool = False, asked: bool = False
    ) -> None:
        """Show an error to the manager, and in the log, unless it was there within the hour.

        Somebody who ``asked`` has an answer in the log each time.
        """
        if self.stopping.is_set():
            return
        if isinstance(error, LorsyncError):
            message = f"{error} {more}".rstrip()
        else:
            message = str(as_mistake(error))
        # A ClockError tells the time, and so is another one each pass.
        topic = "clock" if isinstance(error, ClockError) else None
        if self._complaints.is_due(message, topic=topic, lasting=lasting) or asked:
            log.error("%s", message)
        self._manager.status(message)

    def _caution(self, loaded: Loaded) -> None:
        """Say what a config allows and its owner had better know, once each."""
        for caution in loaded.cautions:
            if caution not in self._cautions:
                self._cautions.add(caution)
                log.warning("%s", caution)

    def _serve(self, reasons: frozenset[str]) -> None:
        """Do what was asked for; every error ends here."""
        try:
            if self._unread or reasons & _TO_READ or self._has_travelled():
                self._reload(said="reload" in reasons)
            if reasons & _ASKED or not self._is_refused():
                self._pass(reasons)
        except PutOffError as error:
            self.scheduler.put_off(error.until)
            self.say(error)
        except LoginRefusedError as error:
            self._refused(error)
        except NoCredentialError as error:
            if self._passes:
                self._failed(error)
            else:
                # Since the start nothing has ever worked, and only a person changes that.
                self.fatal = error
                return
        except Exception as error:  # noqa: BLE001 -- a mistake must not end the season's daemon
            self._failed(error)
        self._remember()
        try:
            self._after(self.settings)
        except Exception as error:  # noqa: BLE001 -- what is told outside must not end it either
            self.say(error)
        log.debug("A pass has ended: %s.", _named(reasons))

    def _remember(self) -> None:
        """Remember what comes next and what is wrong with the config, for ``status``."""
        believed = self._refusal is not None and self._refusal.again_at is None
        following = None if believed else self.scheduler.next_pass()
        try:
            remember_next(self._state, following, config_error=self._broken)
        except LorsyncError as error:
            self.say(error)

    def _has_travelled(self) -> bool:
        """Tell whether the machine is in another zone by now, and the config leaves it to that."""
        machine = self.settings.machine
        return machine is not None and machine_says() != machine

    def _is_refused(self) -> bool:
        """Tell whether the login is still the one that was refused."""
        return self._refusal is not None and self._refusal.stands(
            self.settings.calendar, self._state, datetime.now(UTC)
        )

    def _refused(self, error: LoginRefusedError) -> None:
        """Leave the login alone, for an hour at first: the server may have meant something else."""
        account, now = self.settings.calendar, datetime.now(UTC)
        self._refusal = LoginLockout.of(account, error, self._refusal, now)
        if self._refusal is None:
            self.say(error, more=f"{UNTIL_CHANGED}{self._to_ask}")
            return
        if self._refusal.again_at is not None:
            self._early = True
            self.scheduler.put_off(self._refusal.again_at)
        zone = self.settings.season.applicant.timezone
        self.say(error, more=self._refusal.what_follows(zone, self._to_ask))

    def _failed(self, error: Exception) -> None:
        """Try again, sooner than usual at first and then later and later."""
        self._failures += 1
        account = account_key(self.settings.calendar)
        wait = pause(self._failures, every=self.settings.sync.every, account=account)
        self.scheduler.put_off(datetime.now(UTC) + wait)
        self.say(error)

    def _reload(self, *, said: bool) -> None:
        """Take the changed config, or keep the last good one and say so."""
        self._manager.reloading()
        try:
            self.stopping.wait(SETTLE_SECONDS)
            self._unread = True  # until it was
            loaded = self._load()
        except ConfigError as error:
            self._unread = False
            self._broken = f"The config is broken, so the last good one stays in force. {error}"
            self.say(ConfigError(self._broken), lasting=True, asked=said)
            self._remember()
            return
        except TryAgainError as error:
            # Passes go on, and each of them first tries to read it.
            self._broken = f"{error} The last good one stays in force."
            self.say(TryAgainError(self._broken), lasting=True, asked=said)
            self._remember()
            return
        finally:
            self._manager.ready()
        self._unread = False
        self._take(loaded.settings, said=said)
        self._caution(loaded)
        self._remember()

    def _take(self, settings: Settings, *, said: bool) -> None:
        before, self.settings = self.settings, settings
        mended, self._broken = self._broken is not None, None
        if settings == before:
            log.log(
                logging.INFO if said or mended else logging.DEBUG,
                "The config was read again: nothing in it has changed.",
            )
            return
        zones = before.season.applicant.timezone, settings.season.applicant.timezone
        if zones[0] != zones[1]:
            time.tzset()  # the log's times, too
            log.info("Days are meant in %s from now on, and no longer in %s.", zones[1], zones[0])
        log.info("The config was read again.")
        if (settings.sync.every, settings.calendar) != (before.sync.every, before.calendar):
            self._failures = 0
            self.scheduler.follow(settings.sync.every, account_key(settings.calendar))

    def _pass(self, reasons: frozenset[str]) -> None:
        settings, now = self.settings, datetime.now(UTC)
        log.debug("A pass begins: %s.", _named(reasons))
        self._holding.hold(settings.calendar)
        report = pass_once(
            settings,
            self._state,
            now=now,
            options=Options(full="start" in reasons, stopping=self._is_stopping),
        )
        self._refusal = None
        if self._failures or self._early:
            self._failures, self._early = 0, False
            self.scheduler.resume()
        if report.again_at is not None and report.again_at < self.scheduler.next_pass():
            # What waits for the config to rest need not wait for the regular pass.
            self._early = True
            self.scheduler.put_off(report.again_at)
        if self._complaints.settled():
            log.info("Passes come to their end again.")
        self._passes += 1
        passed = Passed(
            settings=settings,
            report=report,
            next_pass=self.scheduler.next_pass(),
            first=self._passes == 1,
        )
        self._manager.status(self._broken or _in_words(passed, now))
        self._tell(passed)
        self._tidy(passed)

    def _is_stopping(self) -> bool:
        """Tell the pass, between two writes, whether to end; that it asks is a sign of life."""
        self.heartbeat.beat()
        return self.stopping.is_set()

    def _tidy(self, passed: Passed) -> None:
        """Collect what a pass left, each time: it adds up over a season."""
        gc.collect()
        if passed.first:
            # What is loaded by now stays; looking through it for garbage is in vain.
            gc.freeze()


class _Holding:
    """The local calendar's server, kept up for the account that the config names now."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._account: CalendarSettings | None = None
        self._held = ExitStack()

    def hold(self, account: CalendarSettings) -> None:
        """Keep it up for this account, and no longer for another. Raises as ``holding_server``."""
        if account == self._account:
            return
        self.close()
        self._held.enter_context(holding_server(account, self._state))
        self._account = account

    def close(self) -> None:
        """Let it go."""
        self._account = None
        self._held.close()


def _named(reasons: frozenset[str]) -> str:
    return ", ".join(sorted(reasons))


def _in_words(passed: Passed, now: datetime) -> str:
    zone = passed.settings.season.applicant.timezone
    last, following = (at.astimezone(zone) for at in (now, passed.next_pass))
    return f"Last pass {last:%Y-%m-%d %H:%M}, next one {following:%H:%M} ({zone.key})."


AGAIN_AFTER = timedelta(hours=1)
"""When a refused login is tried again that may be right."""

UNTIL_CHANGED = "Nothing is sent until it or [calendar] changes; to try it once more, run: "


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLockout:
    """The account whose login its server refused, and what tells that login from another.

    ``times`` counts the refusals that were an hour apart; ``again_at`` (aware) is when it is tried
    again, None once it is believed.
    """

    account: CalendarSettings
    login: bytes
    times: int
    again_at: datetime | None

    @classmethod
    def of(
        cls,
        account: CalendarSettings,
        error: LoginRefusedError,
        before: "LoginLockout | None",
        now: datetime,
    ) -> "LoginLockout | None":
        """Return what was refused, None where the error does not say which login it was.

        ``before`` is the refusal that stood until now, ``now`` is aware. One that comes because
        somebody asked in between changes nothing.
        """
        if error.login is None:
            return None
        same = before is not None and (before.account, before.login) == (account, error.login)
        if before is None or not same:
            return cls(account=account, login=error.login, times=1, again_at=now + AGAIN_AFTER)
        if before.again_at is None or now < before.again_at:
            return before
        times = before.times + 1
        again_at = None if times >= BELIEVED_AFTER else now + AGAIN_AFTER
        return cls(account=account, login=error.login, times=times, again_at=again_at)

    def stands(self, account: CalendarSettings, state: Path, now: datetime) -> bool:
        """Tell whether the login is still the one that was refused, and not to be tried ``now``.

        It is another one when [calendar] or the stored password has changed, and worth trying
        again when a `lorsync sync` has got through with it. Raises CredentialsError where the
        password cannot be read.
        """
        return (
            (self.again_at is None or now < self.again_at)
            and account == self.account
            and record_of(state).login_refused is not None
            and login_mark(account) == self.login
        )

    def what_follows(self, zone: ZoneInfo, command: str) -> str:
        """Say when the login is tried again, for a person in ``zone``; ``command`` does it now."""
        if self.again_at is None:
            return f"{UNTIL_CHANGED}{command}"
        at = f"{self.again_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        return f"That may pass, so it is tried again at {at}; sooner by: {command}"
