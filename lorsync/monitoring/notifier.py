"""Tell the outside how a pass went: a file of metrics, a ping, the desktop.

One entry point, :meth:`Notifier.after`, for the daemon and ``lorsync sync``. Whatever goes wrong in
here is a line in the log, and never more: the calendar is what matters.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lorsync.adapters.files import write_aside
from lorsync.adapters.log_throttle import LogThrottle
from lorsync.adapters.state_dir import daemon_pid
from lorsync.core.errors import LorsyncError, as_mistake
from lorsync.core.model import Plan
from lorsync.core.settings import Settings
from lorsync.monitoring.desktop import show_on_desktop
from lorsync.monitoring.health import standing
from lorsync.monitoring.metrics import metrics
from lorsync.monitoring.notifications import Notification, notices
from lorsync.monitoring.state import (
    Keeper,
    NotificationState,
    read_state,
    write_keeper,
    write_state,
)
from lorsync.sync.plan import planned, today_of
from lorsync.sync.report import Record
from lorsync.sync.runner import record_of

log = logging.getLogger(__name__)

WAIT_SECONDS = 12.0
"""How long a command waits at most for what goes out; the daemon does not."""

_READABLE_BY_ALL = 0o644
"""The node exporter is another user; nobody's name is in the file."""


class Notifier:
    """What tells of the passes of one state folder. Use it from one thread."""

    def __init__(self, state: Path, *, keeper: Keeper, desktop: bool = True) -> None:
        """Prepare. ``desktop``: whether notifications are shown; a terminal says it all itself."""
        self._state = state
        self._keeper = keeper
        self._desktop = desktop
        self._passed: _Passed | None = None
        self._going_out: threading.Thread | None = None
        self._complaints = LogThrottle()
        self._seen: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Remember who runs the passes from now on, for ``status``, whatever becomes of them."""
        with self._complaining(level=logging.DEBUG):  # the first pass says it louder
            self._keep()

    def note(self, plan: Plan | None, next_pass: datetime | None) -> None:
        """Take note that a pass has just succeeded; of its plan, so that it is not made again."""
        self._passed = _Passed(plan=plan, next_pass=next_pass)

    def after(self, settings: Settings) -> None:
        """Tell how the pass went that has just ended: well if :meth:`note` says so, else badly."""
        passed, self._passed = self._passed, None
        plan, next_pass = (passed.plan, passed.next_pass) if passed is not None else (None, None)
        now = datetime.now(UTC)
        record = Record()
        due: list[Notification] = []
        # Of a state folder that cannot be used, a failed pass has told already.
        with self._complaining(level=_level(passed)):
            self._keep()
        with self._complaining(level=_level(passed)):
            record = record_of(self._state)
            if plan is None and self._needs_plan(settings):
                plan = planned(settings, self._state, today_of(settings, now))
        if next_pass is None and record.next_pass is not None:
            next_pass = datetime.fromisoformat(record.next_pass)
        if plan is not None:
            with self._complaining():
                self._write_metrics(settings, record, plan, now=now, next_pass=next_pass)
            with self._complaining():
                due = self._due(notices(settings, record, plan, now=now, next_pass=next_pass))
        address = _ping_address(settings, well=passed is not None)
        self._go_out(self._outward(address, due))

    def wait(self) -> None:
        """Let what goes out come to its end, for a process that is about to end."""
        if self._going_out is not None:
            self._going_out.join(WAIT_SECONDS)

    def _needs_plan(self, settings: Settings) -> bool:
        return self._desktop or settings.metrics.textfile is not None

    def _keep(self) -> None:
        """Remember who runs the passes; a command beside a daemon changes nothing about that."""
        if self._keeper is Keeper.DAEMON or daemon_pid(self._state) is None:
            write_keeper(self._state, self._keeper)

    def _write_metrics(
        self,
        settings: Settings,
        record: Record,
        plan: Plan,
        *,
        now: datetime,
        next_pass: datetime | None,
    ) -> None:
        path = settings.metrics.textfile
        if path is None:
            return
        judged = standing(
            record,
            pid=daemon_pid(self._state),
            keeper=self._keeper,
            every=settings.sync.every,
            now=now,
            plan=plan,
        )
        text = metrics(settings, record, judged, plan, next_pass=next_pass)
        write_aside(Path(path), text, mode=_READABLE_BY_ALL)

    def _due(self, current: tuple[Notification, ...]) -> list[Notification]:
        """Return what the desktop does not know yet, and forget what is over."""
        if not self._desktop:
            return []
        told = read_state(self._state)
        keys = {key for notice in current for key in notice.keys}
        # On a disk without room only this process knows what it has shown.
        still, self._seen = told.notices & keys, self._seen & keys
        if still != told.notices:
            with self._complaining():
                write_state(self._state, NotificationState(keeper=told.keeper, notices=still))
        return [notice for notice in current if not notice.keys <= still | self._seen]

    def _outward(self, address: str | None, due: list[Notification]) -> Callable[[], None] | None:
        """Return what is to go out: the ping, what the desktop does not know; None if nothing."""
        if address is None and not due:
            return None

        def go() -> None:
            if address is not None:
                self._ping(address)
            for notice in due:
                if show_on_desktop(notice.title, notice.text, urgent=notice.urgent):
                    self._shown(notice)

        return go

    def _ping(self, address: str) -> None:
        from lorsync.adapters.caldav.ping import fetch

        wrong = fetch(address)
        if wrong is not None:
            self._complain(f"The ping did not get through: {wrong}.", level=logging.INFO)

    def _shown(self, notice: Notification) -> None:
        """Remember that the desktop knows of it; called where things go out."""
        self._seen |= notice.keys
        with self._complaining():
            told = read_state(self._state)
            known = told.notices | notice.keys
            write_state(self._state, NotificationState(keeper=told.keeper, notices=known))

    def _go_out(self, work: Callable[[], None] | None) -> None:
        """Do what may have to wait for others, without the pass waiting for it.

        Where the last one still does, this one is left out: the next pass tells the same.
        """
        if work is None or (self._going_out is not None and self._going_out.is_alive()):
            return
        self._going_out = threading.Thread(target=work, name="lorsync-telling", daemon=True)
        self._going_out.start()

    @contextmanager
    def _complaining(self, *, level: int = logging.WARNING) -> Iterator[None]:
        """Log what goes wrong; nothing is raised."""
        try:
            yield
        except LorsyncError as error:
            self._complain(str(error), level=level)
        except Exception as error:  # noqa: BLE001 -- what is told is never worth a pass
            message = str(as_mistake(error))
            self._complain(message, level=level)

    def _complain(self, message: str, *, level: int) -> None:
        """Log it, once an hour at most but for debugging."""
        if level == logging.DEBUG or not self._complaints.is_due(message):
            log.debug("%s", message)
        else:
            log.log(level, "%s", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    """A pass that has succeeded, with its plan where that is at hand."""

    plan: Plan | None
    next_pass: datetime | None


def _level(passed: _Passed | None) -> int:
    return logging.DEBUG if passed is None else logging.WARNING


def _ping_address(settings: Settings, *, well: bool) -> str | None:
    url = settings.ping.url
    if url is None or well:
        return url
    # healthchecks.io and its like; what comes after a "?" stays there.
    path, mark, query = url.partition("?")
    return f"{path.rstrip('/')}/fail{mark}{query}" if settings.ping.failures else None
