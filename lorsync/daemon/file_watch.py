"""Tell when a file changes, by watching its folder: editors rename a new file into place.

watchdog sleeps in the kernel until something happens; libraries that poll would wake the machine
many times a second for a file that changes once a week.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from watchdog import events
from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

log = logging.getLogger(__name__)

# It logs overflows of its queue and threads that are late; the daemon looks for itself anyway.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)

_PERMITTED: type[FileSystemEvent] = getattr(events, "FileAttribEvent", FileModifiedEvent)
"""What a chmod is; watchdog 6 has no event of its own for it."""

_CHANGES: list[type[FileSystemEvent]] = [
    *(FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent),
    _PERMITTED,
]
"""Not those of somebody reading: ourselves, for one."""

_CONFIG_MAP_LINK = "..data"
"""What a mounted config map replaces, when any file in it changes."""


class FileWatch:
    """Watch one file while in a ``with`` block; ``changed`` is called from another thread.

    Where the path is a symbolic link, as in mounted config maps, what it points to is watched too.
    What the kernel has no room to watch is left to a look at the file now and then.
    """

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path = path
        self._changed = changed
        self._observer = Observer()
        self._observer.daemon = True

    def follow(self) -> None:
        """Watch what the path leads to now; it may be elsewhere since the last time."""
        named, real = self._path.absolute(), self._path.resolve()
        handler = _Handler({named.name, real.name, _CONFIG_MAP_LINK}, self._changed)
        self._observer.unschedule_all()
        for folder in sorted({named.parent, real.parent}):
            try:
                self._observer.schedule(handler, str(folder), event_filter=_CHANGES)
            except OSError as error:
                log.debug("%s is not watched: %s.", folder, error)

    def __enter__(self) -> "FileWatch":
        try:
            self._observer.start()
        except OSError as error:
            log.debug("Nothing is watched: %s.", error)
        self.follow()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, names: set[str], changed: Callable[[], None]) -> None:
        self._names = names
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        touched = {Path(os.fsdecode(p)).name for p in (event.src_path, event.dest_path) if p}
        # The ledger may be a neighbour of the config: its writes are none of our business.
        if touched & self._names:
            self._changed()
