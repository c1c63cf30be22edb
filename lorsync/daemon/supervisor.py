"""Run passes for months: a timetable asks for them, one worker runs them, the main thread watches.

The main thread waits for signals and for what other threads tell it, at most half a minute at a
time; then it looks whether the applicant's day has changed, whether the clock was set or the
machine slept, and whether the worker lives.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, SIGUSR1

import lorsync
from lorsync.adapters.state_dir import DaemonLock, make_state_dir
from lorsync.core.errors import ConfigError, NewerLedgerError
from lorsync.core.settings import Settings
from lorsync.daemon.config_loader import Loaded
from lorsync.daemon.file_watch import FileWatch
from lorsync.daemon.sd_notify import ServiceManager
from lorsync.daemon.wakeups import Clocks, FileStamp, Installed, SignalPipe
from lorsync.daemon.worker import Passed, Worker
from lorsync.sync.account import account_key
from lorsync.sync.plan import planned, today_of
from lorsync.sync.runner import mend_ledger, remember_next

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""How long the main thread sleeps at most, so how late a changed day or clock is noticed."""

STOP_SECONDS = 1.0
"""How long a stop waits for the request in flight; the next pass resolves what is cut off (I7)."""

HUNG_SECONDS = 600.0
"""How long the worker may go without a sign of life, which it gives between two writes.

All that a pass does before its first write (a turn, a secret, discovery, a listing), each up to its
own limit, takes less.
"""

_TOLD = 0

_PROGRAM = Path(lorsync.__file__)
"""A file of the running lorsync that every upgrade replaces."""


class Daemon:
    """A daemon over one config file and one state folder."""

    def __init__(
        self,
        config: Path,
        state: Path,
        *,
        loaded: Loaded,
        load: Callable[[], Loaded],
        tell: Callable[[Passed], None],
        begin: Callable[[], None] = lambda: None,
        after: Callable[[Settings], None] = lambda _: None,
        manager: ServiceManager,
        hung_seconds: float = HUNG_SECONDS,
    ) -> None:
        """Prepare; nothing runs before :meth:`run`.

        ``load`` reads the config again, ``begin`` is called once before the first pass, ``tell``
        after each pass that came to its end, ``after`` then and also where one failed. A worker
        without a sign of life for ``hung_seconds`` is no longer vouched for.

        ``upgraded`` tells, once it has ended, that it did so for another lorsync to be started.
        """
        self._hung_seconds = hung_seconds
        self._config = config
        self._state = state
        self._manager = manager
        self._begun = self.upgraded = False
        self._announce = begin
        self._ears = SignalPipe()
        self._worker = Worker(loaded, state, load=load, tell=tell, after=after, manager=manager)
        self._signature = loaded.file
        self._installed = Installed(_PROGRAM)
        look = LOOK_SECONDS if manager.watchdog_seconds is None else manager.watchdog_seconds / 2
        self._nap = min(LOOK_SECONDS, look)

    def run(self) -> bool:
        """Run until a signal says stop; tell whether the pass under way came to its end.

        Where it did not, threads still wait for a server: the process has to be left without them.
        Raises ConfigError where the config or the credentials are such that nothing can ever work,
        TryAgainError where another daemon serves the state folder, and StateError where there is
        none or a newer lorsync's.
        """
        make_state_dir(self._state)
        with DaemonLock(self._state) as lock:
            self._ears.listen()
            thread = threading.Thread(
                target=self._worker.run,
                args=(self._begin, self._ears.tell),
                name="lorsync-passes",
                daemon=True,
            )
            settings = self._worker.settings
            with FileWatch(self._config, self._ears.tell) as watch:
                scheduler = self._worker.scheduler
                scheduler.follow(settings.sync.every, account_key(settings.calendar))
                scheduler.start()
                self._worker.requests.add("start", *self._config_reasons(watch))
                thread.start()
                try:
                    self._watch(watch, lock)
                finally:
                    ended = self._stop(thread)
        if self._worker.fatal is not None:
            # Else the manager goes on to show what was said before.
            self._manager.status(str(self._worker.fatal))
            raise self._worker.fatal
        return ended

    def _begin(self) -> None:
        """Look after the ledger and make a first plan, which needs nobody else; then be ready.

        That is the worker's to do: where another program keeps the ledger, it takes its time.
        A folder that cannot be used for now is no reason to end: a disk gets room again.
        """
        now = datetime.now(UTC)
        try:
            mended = mend_ledger(self._state, now)
            if mended is not None:
                log.warning("%s", mended)
            planned(self._worker.settings, self._state, today_of(self._worker.settings, now))
            remember_next(self._state, None)  # of one that was killed
        except (ConfigError, NewerLedgerError):
            raise
        except Exception as error:  # noqa: BLE001 -- the passes meet it again, and may get over it
            self._worker.say(error)
        else:
            self._manager.status("The plan is made; the first pass comes now.")
        self._announce()
        self._manager.ready()
        self._begun = True

    def _watch(self, watch: FileWatch, lock: DaemonLock) -> None:
        """Wait for signals and changes; notice a new day and a clock that was set."""
        worker = self._worker
        day, clocks = self._today(), Clocks.now()
        while not (worker.stopping.is_set() or worker.ended.is_set()):
            if self._installed.is_replaced() and self._yields_to_upgrade():
                return
            if self._begun and self._lives():
                self._manager.alive()
            nap = min(self._nap, self._installed.rests_for())
            reasons = [*self._heard(self._ears.hear(nap)), *self._config_reasons(watch)]
            lock.renew()
            before, clocks = clocks, Clocks.now()
            if clocks.jumped_since(before):
                log.debug("The clock was set, or the machine slept.")
                worker.scheduler.resume()
                reasons.append("clock")
            if (today := self._today()) != day:
                day = today
                reasons.append("new day")
            worker.requests.add(*reasons)

    def _lives(self) -> bool:
        """Tell whether the worker gets on, and the timetable asks for what is due."""
        worker = self._worker
        return worker.heartbeat.beats(self._hung_seconds) and worker.scheduler.turns(
            datetime.now(UTC)
        )

    def _yields_to_upgrade(self) -> bool:
        """Tell whether to end, so that what was installed is started; where nobody does, say so."""
        if not self._manager.restarts:
            log.warning("lorsync was upgraded. This daemon is still the old one: start it again.")
            return False
        ends = "lorsync was upgraded. This daemon ends, and is started again as the new one."
        log.info(ends)
        self._manager.status(ends)
        self.upgraded = True
        return True

    def _heard(self, heard: frozenset[int]) -> Iterator[str]:
        """Yield the reasons for a pass in what was heard."""
        if heard & {SIGTERM, SIGINT}:
            self._worker.stopping.set()
        if SIGHUP in heard:
            yield "reload"
        if SIGUSR1 in heard:
            yield "asked"
        if _TOLD in heard:
            yield "config"

    def _config_reasons(self, watch: FileWatch) -> Iterator[str]:
        """Notice what the watch cannot: a link that points elsewhere, a folder made again."""
        before, self._signature = self._signature, FileStamp.of(self._config)
        if self._signature != before:
            watch.follow()
            yield "config"

    def _today(self) -> date:
        return today_of(self._worker.settings, datetime.now(UTC))

    def _stop(self, thread: threading.Thread) -> bool:
        """End everything, and tell whether the worker did; a cut-off pass has left its intents."""
        self._manager.stopping()
        self._worker.stopping.set()
        self._worker.requests.add("stop")
        self._worker.scheduler.stop()
        thread.join(STOP_SECONDS)
        ended = not thread.is_alive()
        if not ended:
            log.warning("Stopped in the middle of a pass; the next one goes on from there.")
        self._ears.deaf()
        return ended
