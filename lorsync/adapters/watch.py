"""Tell when a file changes, by watching its folder: editors rename a new file into place.

watchdog sleeps in the kernel until something happens; libraries that poll would wake the machine
many times a second for a file that changes once a week.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

_LOOKS = frozenset({"opened", "closed_no_write"})
"""Events of somebody reading: ourselves, for one."""

_CONFIG_MAP_LINK = "..data"
"""What a mounted config map replaces, when any file in it changes."""


class FileWatch:
    """Watch one file while in a ``with`` block; ``changed`` is called from another thread.

    Where the path is a symbolic link, as in mounted config maps, what it points to is watched too.
    """

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._observer = Observer()
        self._observer.daemon = True
        named, real = path.absolute(), path.resolve()
        handler = _Handler({named.name, real.name, _CONFIG_MAP_LINK}, changed)
        for folder in sorted({named.parent, real.parent}):
            self._observer.schedule(handler, str(folder), recursive=False)

    def __enter__(self) -> "FileWatch":
        self._observer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observer.stop()
        self._observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, names: set[str], changed: Callable[[], None]) -> None:
        self._names = names
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        touched = {Path(os.fsdecode(p)).name for p in (event.src_path, event.dest_path) if p}
        # The ledger may be a neighbour of the config: its writes are none of our business.
        if event.event_type not in _LOOKS and touched & self._names:
            self._changed()
