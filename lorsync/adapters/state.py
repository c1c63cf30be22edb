"""The state folder: where it is, and the two locks in it.

One daemon at a time holds the daemon's lock; whoever runs a pass holds the pass lock, so that the
daemon and the command line take turns. Locks are ``flock``: the kernel drops them with the process.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lorsync.errors import StateError, TryAgainError

log = logging.getLogger(__name__)

TURN_SECONDS = 60.0
"""How long the daemon and the command line wait for each other's turn."""

_DAEMON_LOCK = "daemon.lock"
_TURN_LOCK = "pass.lock"
_POLL_SECONDS = 0.05
_GLANCE_SECONDS = 1.0
"""How long :func:`daemon_pid` of another process may hold the lock at the very most."""


def state_dir(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the state folder: ``--state-dir``, else ``$STATE_DIRECTORY``, else the user's."""
    if option is not None:
        return option.expanduser()
    # systemd passes a colon-separated list where a unit names several.
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    from platformdirs import user_state_path

    return user_state_path("lorsync")


def make_state_dir(path: Path) -> None:
    """Make the state folder where it is missing, for the user alone.

    Raises StateError where that is impossible.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = (
            f"The state folder {path} cannot be made: {error.strerror}. "
            "Name another one with --state-dir."
        )
        raise StateError(msg) from None


@contextmanager
def daemon_lock(state: Path) -> Iterator[None]:
    """Hold the daemon's lock, with this process's id in its file.

    Raises TryAgainError, naming the other process, where a daemon runs already.
    """
    descriptor = _open_somehow(state / _DAEMON_LOCK)
    try:
        if not _lock_within(descriptor, _GLANCE_SECONDS):
            pid = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            msg = (
                f"Another lorsync daemon (process {pid}) already serves {state}. "
                "Stop it first, or give this one its own --state-dir."
            )
            raise TryAgainError(msg)
        _write(descriptor, f"{os.getpid()}\n".encode())
        yield
        _write(descriptor, b"")
    finally:
        os.close(descriptor)


def daemon_pid(state: Path) -> int | None:
    """Return the process id of the daemon that serves this folder, or None where none does."""
    try:
        descriptor = os.open(state / _DAEMON_LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(state, error) from None
    try:
        if _try_lock(descriptor):
            return None
        text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)


@contextmanager
def pass_lock(state: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of one pass, waiting for another's to end.

    Raises TryAgainError where that takes longer than ``wait_seconds``.
    """
    descriptor = _open(state / _TURN_LOCK)
    try:
        if not _lock_within(descriptor, wait_seconds):
            msg = (
                f"Another lorsync is at work on {state} and has not finished within "
                f"{wait_seconds:.0f} s. Try again in a moment."
            )
            raise TryAgainError(msg)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(path.parent, error) from None


def _open_somehow(path: Path) -> int:
    """Open a lock where nothing can be written, too, if it is there from an earlier time."""
    try:
        return _open(path)
    except StateError:
        try:
            return os.open(path, os.O_RDONLY)
        except OSError:
            log.debug("%s cannot be read either.", path)
        raise


def _write(descriptor: int, text: bytes) -> None:
    """Make this all that a lock's file says; a disk that is full or read-only is no obstacle."""
    try:
        # In this order it needs no room where there was a number before.
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))
    except OSError as error:
        log.debug("The lock does not say whose it is: %s.", error)


def _unusable(state: Path, error: OSError) -> StateError:
    return StateError(
        f"The state folder {state} cannot be used: {error.strerror}. "
        "Name another one with --state-dir."
    )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
