"""The state folder: where it is, and the two locks in it.

One daemon at a time holds the daemon's lock; a pass holds the pass lock, so that the
daemon and the command line take turns. Locks are ``flock``: the kernel drops them with the process.
"""

import fcntl
import hashlib
import logging
import os
import shlex
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lorsync.core.errors import StateError, TryAgainError

log = logging.getLogger(__name__)

TURN_SECONDS = 60.0
"""How long the daemon and the command line wait for each other's turn."""

_DAEMON_LOCK = "daemon.lock"
_TURN_LOCK = "pass.lock"
_LOCKS = Path("/proc/locks")
_POLL_SECONDS = 0.05
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
"""What tells one installation of an operating system from another (machine-id(5))."""
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


def place_of(path: Path) -> str:
    """Return a short name for a state folder on this machine: the same each time, and no address.

    Another folder, or the same one on another machine, has another one.
    """
    ids = (found for each in _MACHINE_IDS if (found := _read_id(each)))
    machine = next(ids, "") or socket.gethostname()
    text = f"{machine}\n{path.resolve()}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]


def _read_id(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""  # a machine without systemd and D-Bus, or a container


def refuse_others(path: Path, found: os.stat_result) -> None:
    """Raise StateError where another user owns a file or folder, or may write to it.

    ``found`` is the stat of ``path``.
    """
    if found.st_uid != os.geteuid():
        msg = (
            f"{path} belongs to another user of this machine, so no password is kept there. "
            "Name another state folder with --state-dir."
        )
        raise StateError(msg)
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        msg = (
            f"{path} can be written by other users of this machine (mode {mode:04o}), so no "
            f"password is kept there. Run: chmod go-w {shlex.quote(str(path))}"
        )
        raise StateError(msg)


def why_unwritable(path: Path) -> str | None:
    """Say why a pass could not keep anything in the state folder; None where it could."""
    there = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
    if os.access(there, os.W_OK | os.X_OK):
        return None
    what = "written to" if there == path else f"made in {there}"
    return (
        f"The state folder {path} cannot be {what}, so no pass can come. Give yourself the right "
        "to write there, or name another one with --state-dir."
    )


class DaemonLock:
    """The daemon's lock, held in a ``with`` block, with this process's id in its file."""

    def __init__(self, state: Path) -> None:
        self._path = state / _DAEMON_LOCK
        self._descriptor = -1
        self._named = False

    def __enter__(self) -> "DaemonLock":
        """Take it. Raises TryAgainError, naming the other process, where a daemon runs already."""
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        if self._named:
            _write(self._path, b"")
        os.close(self._descriptor)

    def renew(self) -> None:
        """Make good what became of its file: it goes with its folder, and a full disk has no name.

        Raises TryAgainError where another daemon has taken a new one.
        """
        try:
            make_state_dir(self._path.parent)
            if not self._stands():
                self._take()
        except StateError as error:
            log.debug("%s", error)
        if not self._named:
            self._named = _write(self._path, f"{os.getpid()}\n".encode())

    def _take(self) -> None:
        descriptor = _open_somehow(self._path)
        try:
            if not _lock_within(descriptor, _GLANCE_SECONDS):
                msg = (
                    f"Another lorsync daemon (process {_holder(descriptor) or 'unknown'}) already "
                    f"serves {self._path.parent}. Stop it first, or give this one its own "
                    "--state-dir."
                )
                raise TryAgainError(msg)
        except BaseException:
            os.close(descriptor)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._named = _write(self._path, f"{os.getpid()}\n".encode())

    def _stands(self) -> bool:
        """Tell whether its file is still the one that others come upon."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self._path.parent, error) from None


def daemon_pid(state: Path) -> int | None:
    """Return the process id of the daemon that serves this folder, or None where none does."""
    try:
        descriptor = os.open(state / _DAEMON_LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(state, error) from None
    try:
        # Shared, so that two who look at once do not take each other for a daemon.
        return None if try_lock(descriptor, fcntl.LOCK_SH) else _holder(descriptor)
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


def _write(path: Path, text: bytes) -> bool:
    """Make this all that a lock's file says; a disk that is full or read-only is no obstacle."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
        try:
            # In this order it needs no room where there was a number before.
            os.pwrite(descriptor, text, 0)
            os.ftruncate(descriptor, len(text))
        finally:
            os.close(descriptor)
    except OSError as error:
        log.debug("The lock does not say whose it is: %s.", error)
        return False
    return True


def _holder(descriptor: int) -> int | None:
    """Return who holds the lock of a file, by the kernel (proc_locks(5)), else by its text.

    The text may be missing, or another's, where nothing could be written.
    """
    found = os.fstat(descriptor)
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    try:
        rows = [line.split() for line in _LOCKS.read_text().splitlines()]
    except OSError:
        rows = []
    for row in rows:
        if row[1:4:2] == ["FLOCK", "WRITE"] and row[5] == f"{device}:{found.st_ino}":
            text = row[4]
            break
    else:
        text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    # Of a process that cannot be seen from here, the kernel says 0.
    return int(text) if text.isdigit() and int(text) > 0 else None


def _unusable(state: Path, error: OSError) -> StateError:
    return StateError(
        f"The state folder {state} cannot be used: {error.strerror}. "
        "Name another one with --state-dir."
    )


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Take a ``flock`` of a kind if it is free; tell whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
