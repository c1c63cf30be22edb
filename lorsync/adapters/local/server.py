"""The embedded CalDAV server (Radicale) of ``provider = "local"``, in a process of its own.

It serves 127.0.0.1 alone, and lives exactly as long as somebody uses it. Three files in the state
folder arrange that, and none of it needs a timer:

``local-server.json``
    The port and the password, chosen once, so that a calendar app keeps working.
``local-server.lock``
    Held by who starts the server, and then by the server: one for a state folder. It holds the
    server's PID and the name of its run once that answers.
``local-server.users``
    Held, shared, by every lorsync that uses the server. The server waits for an exclusive hold,
    gets it when the last user has ended (the kernel lets go even for one that was killed), and
    leaves. A user that comes while the server leaves waits, and starts the next one.

Other users of the machine may listen on any free port. So the port is bound before the server's
process is started, which inherits the socket; the server proves who it is before anything is asked
of it; and lorsync signs in with a password of this one run. The lasting password is the calendar
apps' alone.
"""

import contextlib
import errno
import fcntl
import importlib.util
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lorsync.adapters.local.files import (
    USERNAME,
    LocalFiles,
    LocalSettings,
    chosen_settings,
    is_proved,
    kept_settings,
    opened_private,
    password_of_run,
)
from lorsync.adapters.loopback import HOST
from lorsync.adapters.state_dir import refuse_others, try_lock
from lorsync.core.errors import ConfigError, LorsyncError, StateError, TryAgainError

_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of the server, which has proved itself; ``process`` where this process started it."""

    settings: LocalSettings
    name: str
    process: "subprocess.Popen[bytes] | None"


class LocalServer:
    """A running server and our use of it; ``close`` ends the use."""

    username = USERNAME

    def __init__(self, run: _Run, users: int) -> None:
        self._settings = run.settings
        self._run = run.name
        self._process = run.process
        self._users: int | None = users

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
        """What lorsync signs in with as :attr:`username`; it ends with this run of the server."""
        return password_of_run(self._settings, self._run)

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

    Raises ConfigError if Radicale is not installed, StateError if the folder cannot be used or
    others may write to it, and TryAgainError if the port is taken or the server does not start.
    """
    if importlib.util.find_spec("radicale") is None:
        raise ConfigError(
            'calendar.provider = "local" needs Radicale: run `pip install "lorsync[local]"`.'
        )
    files = LocalFiles(folder=state_dir)
    deadline = time.monotonic() + limit
    with _state_errors(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_others(files.folder, files.folder.stat())
        users = opened_private(files.users, os.O_RDWR | os.O_CREAT)
        try:
            while not try_lock(users, fcntl.LOCK_SH):
                _pause(deadline, files)  # the last one is on its way out
            run = _running(files, deadline)
        except BaseException:
            os.close(users)
            raise
    return LocalServer(run, users)


def _running(files: LocalFiles, deadline: float) -> _Run:
    """Return a run of the server that has proved itself, started where there is none."""
    process: subprocess.Popen[bytes] | None = None
    while True:
        lock = opened_private(files.lock, os.O_RDWR | os.O_CREAT)
        try:
            if try_lock(lock, fcntl.LOCK_EX):
                if process is not None:
                    process.wait()  # killed since
                process = _started(files, lock, deadline)
            # Not by os.read: a server of ours has the same descriptor, and so the same offset.
            name = os.pread(lock, 128, 0).decode(errors="replace").partition("\n")[2].strip()
        finally:
            os.close(lock)
        settings = kept_settings(files)
        proved = is_proved(settings, name) if settings is not None and name else None
        if settings is not None and proved:
            return _Run(settings=settings, name=name, process=process)
        # One that was killed holds the lock until its last thread has ended, and its port is free
        # for anybody by then.
        _pause(deadline, files, taken=settings if proved is False else None)


def _started(files: LocalFiles, lock: int, deadline: float) -> "subprocess.Popen[bytes]":
    """Start a server, which takes over the lock and a bound port; return it once it is ready."""
    os.ftruncate(lock, 0)
    with _bound(files) as listener:
        log = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        words = (str(files.folder.absolute()), str(lock), str(listener.fileno()))
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                [sys.executable, "-m", "lorsync.adapters.local.process", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(lock, listener.fileno()),
                # Ctrl-C reaches a whole process group; a pass that is ending needs the server.
                start_new_session=True,
            )
        finally:
            os.close(log)
    assert process.stdout is not None  # noqa: S101 - asked for just above
    with process.stdout as ready:
        if not select.select([ready], [], [], max(0.0, deadline - time.monotonic()))[0]:
            process.kill()
        elif ready.read(1):
            return process
    process.wait()
    raise TryAgainError(f"The local calendar server does not start: see {files.log}.")


def _bound(files: LocalFiles) -> socket.socket:
    """Return a socket that listens on the port of the settings, which are made where missing.

    For the holder of the lock.
    """
    settings = kept_settings(files)
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over TIME_WAIT
        listener.bind((HOST, settings.port if settings is not None else 0))
        listener.listen(socket.SOMAXCONN)
        if settings is None:
            chosen_settings(files, listener.getsockname()[1])
    except OSError as error:
        listener.close()
        if settings is not None and error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise _taken(files, settings) from None
        raise
    except BaseException:
        listener.close()
        raise
    return listener


def _taken(files: LocalFiles, settings: LocalSettings) -> TryAgainError:
    return TryAgainError(
        f"Port {settings.port} of the local calendar server is in use by another program: stop "
        f"that one, or write another port into {files.settings} and into your calendar app."
    )


def _pause(deadline: float, files: LocalFiles, *, taken: LocalSettings | None = None) -> None:
    """Wait a moment. Raises TryAgainError after the deadline; ``taken``: a stranger answers."""
    if time.monotonic() > deadline:
        if taken is not None:
            raise _taken(files, taken)
        raise TryAgainError(f"The local calendar server does not answer: see {files.log}.")
    time.sleep(_POLL_SECONDS)


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
