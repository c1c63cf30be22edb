"""Read the config in a thread of its own, so that a file that hangs holds up nothing else."""

import threading
from dataclasses import dataclass
from pathlib import Path

from lorsync.config import load
from lorsync.core.errors import TryAgainError
from lorsync.core.settings import Settings
from lorsync.daemon.wakeups import FileStamp

LIMIT_SECONDS = 60.0
"""How long the file is waited for: on a mount whose server is gone a read never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A config as it was read, with what it allows and its owner had better know.

    ``file`` is which file that was; one that differs by now has changed since.
    """

    settings: Settings
    cautions: tuple[str, ...]
    file: FileStamp


class ConfigLoader:
    """Reads one config file as often as it is asked to, and never twice at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: _Read | None = None

    def load(self) -> Loaded:
        """Read the config, and wait for it no longer than the limit.

        Raises ConfigError with every problem of the file, and TryAgainError where the file does not
        answer. A read that hangs is left alone, and no other one begins before it has ended.
        """
        if self._read is None or not self._read.is_alive():
            self._read = _Read(self._path)
            try:
                self._read.start()
            except RuntimeError as error:  # the system has no thread left
                self._read = None
                msg = f"The config cannot be read now: {error}. Trying again later."
                raise TryAgainError(msg) from None
            self._read.join(LIMIT_SECONDS)
        if self._read.is_alive():
            msg = (
                "The config cannot be read now: its file has not answered for "
                f"{LIMIT_SECONDS:g} seconds. Trying again later."
            )
            raise TryAgainError(msg)
        read, self._read = self._read, None
        return read.outcome()


class _Read(threading.Thread):
    """One read of the config. The process may end without it."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="lorsync-config", daemon=True)
        self._path = path
        self._loaded: Loaded | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            from lorsync.config.account import cautions

            file = FileStamp.of(self._path)
            settings = load(self._path)
            self._loaded = Loaded(
                settings=settings, cautions=cautions(settings.calendar), file=file
            )
        except Exception as error:  # noqa: BLE001 -- for the thread that waits for the outcome
            self._error = error

    def outcome(self) -> Loaded:
        """Return what was read. Raises what reading raised."""
        if self._error is not None:
            raise self._error
        assert self._loaded is not None  # noqa: S101 -- one of the two is there at the end
        return self._loaded
