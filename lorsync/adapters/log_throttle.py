"""Say what goes wrong the first time, and then at most once an hour: a log is not to be flooded."""

import re
import time
from collections.abc import Callable

AGAIN_SECONDS = 3600.0
"""How long the same trouble stays unsaid after it was said."""

_MOST_TOPICS = 100
"""So many are remembered; trouble does not have more faces."""


class LogThrottle:
    """What was said, and when. ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}
        self._open = False

    def is_due(self, message: str, *, topic: str | None = None, lasting: bool = False) -> bool:
        """Tell whether this is to be said now, and take it for said if so.

        Messages that differ in their numbers alone (times, ports) are one; so are those with the
        same ``topic``. What is ``lasting`` is not settled by a pass.
        """
        about = topic or re.sub(r"\d+", "#", message)
        now = self._clock()
        before = self._said.get(about)
        if before is not None and now - before < AGAIN_SECONDS:
            return False
        if len(self._said) >= _MOST_TOPICS:
            self._said.clear()
        self._said[about] = now
        self._open = self._open or not lasting
        return True

    def settled(self) -> bool:
        """Take all as well again; tell whether anything was said since the last time.

        What was said is still remembered: trouble that comes and goes is no news each time.
        """
        was_open, self._open = self._open, False
        return was_open
