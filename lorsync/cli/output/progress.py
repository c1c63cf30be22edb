"""Show on a terminal that something goes on, once it takes more than a second."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0
"""Seconds without a sign that nobody wonders about."""

_WORTH_A_BAR = 20
"""From so many writes on, there is a bar at once."""


class Waiting:
    """A moving line on stderr while the ``with`` block runs; a bar once it is known how far it is.

    Nothing is shown where stderr is no terminal, or one that cannot take a line back.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._live: Progress | None = None
        self._lock = threading.Lock()
        self._over = not sys.stderr.isatty() or os.environ.get("TERM") == "dumb"
        self._timer = threading.Timer(_PATIENCE, self._show)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if not self._over:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
        self._timer.cancel()
        if self._live is not None:
            self._live.stop()

    def advance(self, done: int, total: int) -> None:
        """Say that so many of all writes are done."""
        if total >= _WORTH_A_BAR:
            self._show()
        live = self._live
        if live is not None:
            live.update(live.task_ids[0], description="Writing events", completed=done, total=total)

    def _show(self) -> None:
        with self._lock:
            if self._over or self._live is not None:
                return
            from rich.console import Console
            from rich.progress import Progress

            live = Progress(console=Console(stderr=True), transient=True)
            live.add_task(self._what, total=None)
            live.start()
            self._live = live
