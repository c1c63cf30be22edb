"""Let a person stop a probe at any moment, and let the probe tidy up all the same."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """Turns what asks a process to stop into one KeyboardInterrupt, where it may interrupt.

    Use it in a ``with`` block, in the main thread. Elsewhere than in :meth:`interruptible` the wish
    is only noted, and granted at the end of the block: what was begun is tidied up first, however
    often the impatient press Ctrl-C.
    """

    def __init__(self) -> None:
        self._may_interrupt = False
        self._is_asked = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Stopping":
        for number in _STOPS:
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself gave
        if self._is_asked and kind is None:
            raise KeyboardInterrupt

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in here when asked to stop, once."""
        if self._is_asked:
            raise KeyboardInterrupt
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def _heard(self, _: int, __: FrameType | None) -> None:
        first, self._is_asked = not self._is_asked, True
        if first and self._may_interrupt:
            raise KeyboardInterrupt
