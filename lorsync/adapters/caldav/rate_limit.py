"""How many requests an account is sent in a minute: fewer than its provider is known to refuse.

It is counted over passes and restarts. Nothing sleeps: where it is used up, the pass ends, and the
account is put off until there is room again.
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

MINUTE: Final = 60


class RateLimiter:
    """The requests that were sent within the last minute, and how many more may be; thread-safe.

    ``per_minute`` is None where there is no limit. ``clock`` gives seconds since 1970: what was
    counted has to be told from a later process's.
    """

    def __init__(
        self, per_minute: int | None, *, clock: Callable[[], float] = time.time, kept: str = "{}"
    ) -> None:
        """Begin with what :meth:`dumped` has written, of this account."""
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        # By the second. A clock that was set back leaves some in the future, which do not count.
        self._sent = Counter({int(second): int(n) for second, n in json.loads(kept).items()})

    def spend(self) -> float | None:
        """Count one request; where none is left, return in how many seconds there will be room.

        That is when all of the last minute's are over: to go on by single requests would only
        spread one refusal over many passes.
        """
        if self._per_minute is None:
            return None
        with self._lock:
            now = self._now()
            if sum(self._sent.values()) < self._per_minute:
                self._sent[now] += 1
                return None
            return float(max(self._sent) + MINUTE - now)

    def dumped(self) -> str:
        """Return what is known of the last minute, as text."""
        with self._lock:
            self._now()
            return json.dumps(self._sent)

    def dumped_as_spent(self) -> str:
        """Return the same as if all were used up now: true enough of a process that was killed."""
        with self._lock:
            now = self._now()
            left = (self._per_minute or 0) - sum(self._sent.values())
            return json.dumps(self._sent + Counter({now: max(left, 0)}))

    def _now(self) -> int:
        """Return the current second, and forget what is not of the minute before it."""
        now = math.floor(self._clock())
        for second in [each for each in self._sent if not now - MINUTE < each <= now]:
            del self._sent[second]
        return now
