"""What wakes a daemon: signals, other threads, requests for a pass, and a clock that was set."""

import logging
import math
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

JUMP_SECONDS = 5.0
"""From how far wall time and monotonic time drift apart the clock counts as set (OPERATIONS)."""

INSTALLED_SECONDS = 5.0
"""How long a replaced program is left alone before the daemon makes room for it."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)

_TOLD = 0
"""What another thread writes to wake the main one; a signal writes its own number."""


class SignalPipe:
    """Where the main thread hears signals and other threads."""

    def __init__(self) -> None:
        self._ears, self._mouth = socket.socketpair()
        self._ears.setblocking(False)
        self._mouth.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ears, selectors.EVENT_READ)
        self._signals: set[int] = set()

    def listen(self) -> None:
        """Have every signal written to the socket from now on; only in the main thread."""
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._signals.add(number))

    def deaf(self) -> None:
        """Hear nothing more: the signals that come do nothing."""
        signal.set_wakeup_fd(-1)
        for open_one in (self._selector, self._mouth, self._ears):
            open_one.close()

    def tell(self) -> None:
        """Wake the main thread; called from others."""
        try:
            self._mouth.send(bytes([_TOLD]))
        except OSError:
            log.debug("The main thread has more than it can read, or has ended.")

    def hear(self, seconds: float) -> frozenset[int]:
        """Wait so long at most; return the numbers of the signals that came, 0 for being told."""
        self._selector.select(seconds)
        try:
            told = {_TOLD} & set(self._ears.recv(65536))
        except BlockingIOError:
            told = set()
        # Its number in the socket only wakes: one that finds it full is lost there.
        noted, self._signals = self._signals, set()
        return frozenset(told | noted)


class Requests:
    """Reasons for a pass, gathered until the worker takes them all at once."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._reasons: set[str] = set()

    def add(self, *reasons: str) -> None:
        """Ask for one pass, for these reasons; for none where there are none."""
        if not reasons:
            return
        with self._condition:
            self._reasons.update(reasons)
            self._condition.notify()

    def take(self) -> frozenset[str]:
        """Wait until a pass is asked for, and take all reasons for it."""
        with self._condition:
            while not self._reasons:
                self._condition.wait()
            taken = frozenset(self._reasons)
            self._reasons.clear()
            return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The wall clock and the monotonic one at one moment, in seconds."""

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> "Clocks":
        """Read both."""
        return cls(wall=time.time(), monotonic=time.monotonic())

    def jumped_since(self, before: "Clocks") -> bool:
        """Tell whether the wall clock was set, or the machine slept, since ``before``."""
        drift = (self.wall - before.wall) - (self.monotonic - before.monotonic)
        return abs(drift) > JUMP_SECONDS


class Heartbeat:
    """The signs of life of a thread that is at work now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> None:
        """Be at work, and get on with it."""
        self._last = self._clock()

    def rest(self) -> None:
        """Have nothing to do."""
        self._last = None

    def beats(self, within: float) -> bool:
        """Tell whether the thread rests, or has got on within so many seconds."""
        last = self._last
        return last is None or self._clock() - last <= within


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """What of a file changes when it is written, replaced, or allowed to others.

    ``changed`` is the time (ns) of its last change, of its mode and owner too: a config that could
    not be read is read as soon as it can be. All is 0 where there is no file.
    """

    device: int = 0
    inode: int = 0
    size: int = 0
    changed: int = 0

    @classmethod
    def of(cls, path: Path) -> "FileStamp":
        """Look at the file itself, wherever symbolic links lead."""
        try:
            found = path.stat()
        except OSError:
            return cls()
        return cls(
            device=found.st_dev,
            inode=found.st_ino,
            size=found.st_size,
            changed=found.st_ctime_ns,
        )


class Installed:
    """Whether a program, known by one of its files, was replaced since it was started.

    An installer writes its files one after another, so it has to have rested for a while; a file
    that is not there at all has yet to come. ``clock`` gives seconds that only grow.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._running = self._seen = _written(path)
        self._since = clock()

    def is_replaced(self) -> bool:
        """Look, and tell so once for each time it was replaced."""
        seen = _written(self._path)
        if seen != self._seen:
            self._seen, self._since = seen, self._clock()
        if seen in {self._running, None} or self.rests_for() > 0:
            return False
        self._running = seen
        return True

    def rests_for(self) -> float:
        """Return in how many seconds to look again: infinite where nothing has been replaced."""
        if self._seen in {self._running, None}:
            return math.inf
        return max(0.0, self._since + INSTALLED_SECONDS - self._clock())


def _written(path: Path) -> tuple[int, int] | None:
    """Return what changes of a file when an installer writes it, and not when its mode does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
