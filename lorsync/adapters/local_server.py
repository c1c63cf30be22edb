"""The embedded CalDAV server (Radicale) of ``provider = "local"``, in a process of its own.

It serves 127.0.0.1 alone, and lives exactly as long as somebody uses it. Three files in the state
folder arrange that, and none of it needs a timer:

``local-server.json``
    The port and the password, chosen once, so that a calendar app keeps working.
``local-server.lock``
    Held by the server: one for a state folder. It holds the server's PID once that answers.
``local-server.users``
    Held, shared, by every lorsync that uses the server. The server waits for an exclusive hold,
    gets it when the last user has ended (the kernel lets go even for one that was killed), and
    leaves. A user that comes while the server leaves waits, and starts the next one.
"""

import contextlib
import fcntl
import importlib.util
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from types import TracebackType

from lorsync.adapters.local_files import (
    HOST,
    POLL_SECONDS,
    PORT_TAKEN,
    SERVED_ALREADY,
    USERNAME,
    LocalFiles,
    LocalSettings,
    accepts,
    kept_settings,
    try_lock,
)
from lorsync.errors import ConfigError, LorsyncError, StateError, TryAgainError

_FIRST_PORTS = 5


class _State(Enum):
    ABSENT = auto()
    STARTING = auto()
    ANSWERING = auto()


class LocalServer:
    """A running server and our use of it; ``close`` ends the use."""

    username = USERNAME

    def __init__(
        self, settings: LocalSettings, users: int, process: "subprocess.Popen[bytes] | None"
    ) -> None:
        self._settings = settings
        self._users: int | None = users
        self._process = process

    @property
    def url(self) -> str:
        """The address of the principal, whose calendars are below it."""
        return f"http://{HOST}:{self._settings.port}/{USERNAME}/"

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, the same every time."""
        return self._settings.port

    @property
    def password(self) -> str:
        """The password of :attr:`username`."""
        return self._settings.password

    def close(self) -> None:
        """Stop using the server; it ends, within a second, when nobody else uses it."""
        users, self._users = self._users, None
        if users is None:
            return
        alone = try_lock(users, fcntl.LOCK_EX)
        os.close(users)
        process, self._process = self._process, None
        if process is None:
            return
        if not alone:
            # Another lorsync goes on with it. Whenever it ends, no zombie is to stay.
            threading.Thread(target=process.wait, daemon=True).start()
            return
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def ensure_running(state_dir: Path, *, limit: float = 10.0) -> LocalServer:
    """Return the server of this state folder, started if none runs; waits ``limit`` s at most.

    Raises ConfigError if Radicale is not installed, StateError if the folder cannot be used, and
    TryAgainError if the port is taken or the server does not start.
    """
    if importlib.util.find_spec("radicale") is None:
        raise ConfigError(
            'calendar.provider = "local" needs Radicale: run `pip install "lorsync[local]"`.'
        )
    files = LocalFiles(folder=state_dir)
    deadline = time.monotonic() + limit
    with _state_errors(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = os.open(files.users, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not try_lock(users, fcntl.LOCK_SH):
                _pause(deadline, files)  # the last one is on its way out
            settings, process = _served(files, deadline)
        except BaseException:
            os.close(users)
            raise
    return LocalServer(settings, users, process)


def _served(
    files: LocalFiles, deadline: float
) -> "tuple[LocalSettings, subprocess.Popen[bytes] | None]":
    """Return the settings of a server that answers, and its process if it is ours."""
    for attempt in range(_FIRST_PORTS):
        settings, new = kept_settings(files)
        code: int | None = SERVED_ALREADY
        while code == SERVED_ALREADY:
            state = _state(files, settings.port)
            if state is _State.ANSWERING:
                return settings, None
            if state is _State.STARTING:
                _pause(deadline, files)
                continue
            process, code = _start(files, deadline)
            if process is not None:
                return settings, process
        if code != PORT_TAKEN:
            raise TryAgainError(f"The local calendar server does not start: see {files.log}.")
        if not new or attempt == _FIRST_PORTS - 1:
            break
        files.settings.unlink()  # somebody took the port that we had just found free
    raise TryAgainError(
        f"Port {settings.port} of the local calendar server is in use by another program: stop "
        f"that one, or write another port into {files.settings} and into your calendar app."
    )


def _state(files: LocalFiles, port: int) -> _State:
    """Tell whether a server of this folder answers.

    The port alone would not do: a foreign program on it would be given the password. Nor would
    the lock: a server that was killed holds it until its last thread has ended.
    """
    lock = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if try_lock(lock, fcntl.LOCK_SH):
            return _State.ABSENT
        return _State.ANSWERING if os.read(lock, 1) and accepts(port) else _State.STARTING
    finally:
        os.close(lock)


def _start(
    files: LocalFiles, deadline: float
) -> "tuple[subprocess.Popen[bytes] | None, int | None]":
    """Start a server; return it once it answers, else None and its exit code."""
    descriptor = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "lorsync.adapters.local_radicale", str(files.folder.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            # Ctrl-C reaches a whole process group; a pass that is ending still needs the server.
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    assert process.stdout is not None  # noqa: S101 - asked for just above
    with process.stdout as ready:
        if not select.select([ready], [], [], max(0.0, deadline - time.monotonic()))[0]:
            process.kill()
        elif ready.read(1):
            return process, None
    return None, process.wait()


def _pause(deadline: float, files: LocalFiles) -> None:
    if time.monotonic() > deadline:
        raise TryAgainError(f"The local calendar server does not answer: see {files.log}.")
    time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def _state_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except LorsyncError:
        raise
    except OSError as error:
        raise StateError(
            f"The state folder {folder} cannot be used ({error.strerror or error}): check its "
            "rights and the space on its disk, or name another with --state-dir."
        ) from None
