"""What wakes a daemon: the requests for a pass, and a clock that was set."""

import threading
import time
from dataclasses import dataclass

JUMP_SECONDS = 5.0
"""From how far wall time and monotonic time drift apart the clock counts as set (OPERATIONS)."""


class Requests:
    """Reasons for a pass, gathered until the worker takes them all at once."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._reasons: set[str] = set()

    def add(self, reason: str) -> None:
        """Ask for a pass."""
        with self._condition:
            self._reasons.add(reason)
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
