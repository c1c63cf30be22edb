"""Run passes for months: APScheduler asks for them, one worker runs them, the main thread watches.

The main thread waits for signals and for what other threads tell it, at most half a minute at a
time; then it looks whether the applicant's day has changed and whether the clock was set. Jobs of
the scheduler only ask for a pass, so they cannot fail, and requests coalesce: the worker clears
them before it runs, so that one which comes meanwhile is not lost.
"""

import logging
import selectors
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from lorsync.adapters.state import daemon_lock, make_state_dir
from lorsync.adapters.watch import FileWatch
from lorsync.config.account import cautions
from lorsync.errors import (
    ClockError,
    ConfigError,
    LoginRefusedError,
    LorsyncError,
    PutOffError,
    mistake,
)
from lorsync.opening import holding_server, login_mark
from lorsync.passes import pass_once, record_of, remember_config_error, remember_next
from lorsync.planning import today_of
from lorsync.report import Report
from lorsync.settings import CalendarSettings, Settings
from lorsync.sync import Options
from lorsync.waking import Clocks, Requests

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""How long the main thread sleeps at most, so how late a changed day or clock is noticed."""

STOP_SECONDS = 1.0
"""How long a stop waits for the request in flight; the next pass resolves what is cut off (I7)."""

_SETTLE_SECONDS = 0.3
"""How long a changed config is left alone: editors write in several steps."""

_ASKED = frozenset({"start", "asked"})
"""The reasons that are a person's wish, for which a refused login is tried once more."""

_UNTIL_CHANGED = (
    "Nothing is sent until it or [calendar] changes; to try it once more, run: lorsync sync"
)

_TOLD = b"\x00"
"""What another thread writes to wake the main one; a signal writes its own number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One pass of the daemon, for whoever shows it: its report, and when the next one comes."""

    settings: Settings
    report: Report
    next_pass: datetime
    first: bool


class Daemon:
    """A daemon over one config file and one state folder."""

    def __init__(
        self,
        config: Path,
        state: Path,
        *,
        load: Callable[[Path], Settings],
        tell: Callable[[Passed], None],
        after: Callable[[Settings], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing runs before :meth:`run`.

        ``tell`` is called after each pass that came to its end, ``after`` then and also where one
        failed, when what comes next is remembered.
        """
        self._after = after
        self._config = config
        self._state = state
        self._load = load
        self._tell = tell
        self._requests = Requests()
        self._stopping = threading.Event()
        self._ears, self._mouth = socket.socketpair()
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None}
        )
        self._last_error: str | None = None
        self._cautions: set[str] = set()
        self._refused: _RefusedLogin | None = None
        self._passes = 0

    def run(self) -> bool:
        """Run until a signal says stop; tell whether the pass under way came to its end.

        Where it did not, threads still wait for a server: the process has to be left without them.
        Raises ConfigError for a config that is broken from the start, and TryAgainError where
        another daemon serves the state folder.
        """
        settings = self._load(self._config)
        make_state_dir(self._state)
        with daemon_lock(self._state), holding_server(settings.calendar, self._state):
            self._settings = settings
            self._caution()
            remember_config_error(self._state, None)
            self._listen()
            worker = threading.Thread(target=self._work, name="lorsync-passes", daemon=True)
            with FileWatch(self._config, self._wake):
                self._schedule(settings)
                self._scheduler.start()
                self._requests.add("start")
                worker.start()
                try:
                    self._watch()
                finally:
                    ended = self._stop(worker)
        return ended

    # The main thread.

    def _listen(self) -> None:
        """Have every signal written to a socket, where the main loop hears it."""
        self._ears.setblocking(False)
        self._mouth.setblocking(False)
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)

    def _watch(self) -> None:
        """Wait for signals and changes; notice a new day and a clock that was set."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._ears, selectors.EVENT_READ)
            day = self._today()
            clocks = Clocks.now()
            while not self._stopping.is_set():
                selector.select(LOOK_SECONDS)
                self._hear()
                before, clocks = clocks, Clocks.now()
                if clocks.jumped_since(before):
                    self._requests.add("clock")
                    # Its wait is measured by the clock that was set.
                    self._scheduler.wakeup()
                if (today := self._today()) != day:
                    day = today
                    self._requests.add("new day")

    def _hear(self) -> None:
        try:
            heard = self._ears.recv(4096)
        except BlockingIOError:
            return
        if signal.SIGTERM in heard or signal.SIGINT in heard:
            self._stopping.set()
        if signal.SIGHUP in heard or _TOLD[0] in heard:
            self._requests.add("config")
        if signal.SIGUSR1 in heard:
            self._requests.add("asked")

    def _wake(self) -> None:
        """Tell the main thread that the config has changed; called from other threads."""
        try:
            self._mouth.send(_TOLD)
        except BlockingIOError:
            log.debug("The main thread has more than it can read: it is awake.")

    def _today(self) -> date:
        return today_of(self._settings, datetime.now(UTC))

    def _stop(self, worker: threading.Thread) -> bool:
        """End everything, and tell whether the worker did; a cut-off pass has left its intents."""
        self._stopping.set()
        self._requests.add("stop")
        self._scheduler.shutdown(wait=False)
        worker.join(STOP_SECONDS)
        if worker.is_alive():
            log.warning("Stopped in the middle of a pass; the next one goes on from there.")
        else:
            remember_next(self._state, None)
        signal.set_wakeup_fd(-1)
        return not worker.is_alive()

    # The scheduler.

    def _schedule(self, settings: Settings) -> None:
        every = settings.sync.every.total_seconds()
        self._scheduler.add_job(
            self._requests.add,
            IntervalTrigger(seconds=int(every), timezone=UTC),
            args=["scheduled"],
            id="pass",
            replace_existing=True,
        )

    def _put_off(self, until: datetime) -> None:
        """Let the next pass come then, be that earlier or later; the interval goes on from it."""
        self._scheduler.modify_job("pass", next_run_time=until)

    def _next_pass(self) -> datetime:
        job = self._scheduler.get_job("pass")
        at: datetime = job.next_run_time
        return at

    # The worker.

    def _work(self) -> None:
        """Run one pass for each set of requests, until told to stop."""
        while True:
            reasons = self._requests.take()
            if self._stopping.is_set():
                return
            try:
                if "config" in reasons:
                    self._reload()
                try:
                    if reasons & _ASKED or not self._is_refused():
                        self._pass(reasons)
                finally:
                    resting = self._refused is not None
                    remember_next(self._state, None if resting else self._next_pass())
            except LoginRefusedError as error:
                self._say(f"{error} {_UNTIL_CHANGED}")
            except ClockError as error:
                self._say(str(error), topic="clock")  # it tells the time, another one each pass
            except LorsyncError as error:
                self._say(str(error))
            except Exception as error:  # noqa: BLE001 -- a mistake must not end the season's daemon
                self._say(f"This is a mistake of lorsync's: {mistake(error)}. Please report it.")
            self._after(self._settings)

    def _reload(self) -> None:
        """Take the changed config, or keep the last good one and say so."""
        self._stopping.wait(_SETTLE_SECONDS)
        try:
            settings = self._load(self._config)
        except ConfigError as error:
            message = f"The config is broken, so the last good one stays in force. {error}"
            remember_config_error(self._state, message)
            log.error("%s", message)
            return
        remember_config_error(self._state, None)
        if settings.sync.every != self._settings.sync.every:
            self._schedule(settings)
        self._settings = settings
        log.info("The config was read again.")
        self._caution()

    def _caution(self) -> None:
        """Say what a config allows and its owner had better know, once each."""
        for caution in cautions(self._settings.calendar):
            if caution not in self._cautions:
                self._cautions.add(caution)
                log.warning("%s", caution)

    def _pass(self, reasons: frozenset[str]) -> None:
        settings, now = self._settings, datetime.now(UTC)
        log.debug("A pass begins: %s.", ", ".join(sorted(reasons)))
        try:
            report = pass_once(
                settings,
                self._state,
                now=now,
                options=Options(full="start" in reasons, stopping=self._stopping.is_set),
            )
        except PutOffError as error:
            self._put_off(error.until)
            raise
        except LoginRefusedError as error:
            if error.login is not None:
                self._refused = _RefusedLogin(account=settings.calendar, login=error.login)
            raise
        self._refused = self._last_error = None
        self._passes += 1
        self._tell(
            Passed(
                settings=settings,
                report=report,
                next_pass=self._next_pass(),
                first=self._passes == 1,
            )
        )

    def _is_refused(self) -> bool:
        """Tell whether the login is still the one that was refused: trying it could lock it.

        It is another one when [calendar] or the stored password has changed, and worth trying
        again when a `lorsync sync` has got through with it.
        """
        refused = self._refused
        return (
            refused is not None
            and self._settings.calendar == refused.account
            and record_of(self._state).login_refused is not None
            and login_mark(self._settings.calendar) == refused.login
        )

    def _say(self, message: str, *, topic: str | None = None) -> None:
        """Log an error, once as long as it, or its topic, stays the same."""
        said = topic or message
        if said != self._last_error and not self._stopping.is_set():
            log.error("%s", message)
        self._last_error = said


@dataclass(frozen=True, slots=True, kw_only=True)
class _RefusedLogin:
    """The account whose login its server refused, and what tells that login from another."""

    account: CalendarSettings
    login: bytes
