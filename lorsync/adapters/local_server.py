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
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import TracebackType

from lorsync.errors import ConfigError, LorsyncError, StateError, TryAgainError

USERNAME = "lorsync"
SETTINGS_NAME = "local-server.json"
_HOST = "127.0.0.1"
_POLL = 0.01
_PORT_TAKEN = 3
_SERVED_ALREADY = 4
_FIRST_PORTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The server's files in a state folder."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / SETTINGS_NAME

    @property
    def lock(self) -> Path:
        return self.folder / "local-server.lock"

    @property
    def users(self) -> Path:
        return self.folder / "local-server.users"

    @property
    def log(self) -> Path:
        return self.folder / "local-server.log"

    @property
    def passwords(self) -> Path:
        return self.folder / "local-server.htpasswd"

    @property
    def storage(self) -> Path:
        return self.folder / "local-calendar"


class _State(Enum):
    ABSENT = auto()
    STARTING = auto()
    ANSWERING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    port: int
    password: str = field(repr=False)


class LocalServer:
    """A running server and our use of it; ``close`` ends the use."""

    username = USERNAME

    def __init__(
        self, settings: _Settings, users: int, process: "subprocess.Popen[bytes] | None"
    ) -> None:
        self._settings = settings
        self._users: int | None = users
        self._process = process

    @property
    def url(self) -> str:
        """The address of the principal, whose calendars are below it."""
        return f"http://{_HOST}:{self._settings.port}/{USERNAME}/"

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
        alone = _try_lock(users, fcntl.LOCK_EX)
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
    files = _Files(folder=state_dir)
    deadline = time.monotonic() + limit
    with _state_errors(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = os.open(files.users, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _try_lock(users, fcntl.LOCK_SH):
                _pause(deadline, files)  # the last one is on its way out
            settings, process = _served(files, deadline)
        except BaseException:
            os.close(users)
            raise
    return LocalServer(settings, users, process)


def _served(files: _Files, deadline: float) -> "tuple[_Settings, subprocess.Popen[bytes] | None]":
    """Return the settings of a server that answers, and its process if it is ours."""
    for attempt in range(_FIRST_PORTS):
        settings, new = _settings(files)
        code: int | None = _SERVED_ALREADY
        while code == _SERVED_ALREADY:
            state = _state(files, settings.port)
            if state is _State.ANSWERING:
                return settings, None
            if state is _State.STARTING:
                _pause(deadline, files)
                continue
            process, code = _start(files, deadline)
            if process is not None:
                return settings, process
        if code != _PORT_TAKEN:
            raise TryAgainError(f"The local calendar server does not start: see {files.log}.")
        if not new or attempt == _FIRST_PORTS - 1:
            break
        files.settings.unlink()  # somebody took the port that we had just found free
    raise TryAgainError(
        f"Port {settings.port} of the local calendar server is in use by another program: stop "
        f"that one, or write another port into {files.settings} and into your calendar app."
    )


def _settings(files: _Files) -> tuple[_Settings, bool]:
    """Return port and password, chosen now if there are none, and whether they are new."""
    new = False
    if not files.settings.exists():
        chosen = {"port": _free_port(), "password": secrets.token_urlsafe(32)}
        with contextlib.suppress(FileExistsError):  # another process was quicker
            _write_new(files.settings, json.dumps(chosen, indent=2) + "\n")
            new = True
    try:
        kept = json.loads(files.settings.read_text(encoding="utf-8"))
        port, password = kept["port"], kept["password"]
    except (ValueError, KeyError, TypeError):
        port, password = None, None
    if not isinstance(port, int) or not isinstance(password, str) or not 0 < port < 65536:
        raise StateError(
            f"{files.settings} cannot be read: delete it, and lorsync will choose a new port and "
            "password for the local calendar."
        )
    return _Settings(port=port, password=password), new


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _write_new(file: Path, text: str) -> None:
    """Write a file that only the user can read, whole or not at all, and never over another."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        file.hardlink_to(written)
    finally:
        written.unlink()


def _state(files: _Files, port: int) -> _State:
    """Tell whether a server of this folder answers.

    The port alone would not do: a foreign program on it would be given the password. Nor would
    the lock: a server that was killed holds it until its last thread has ended.
    """
    lock = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if _try_lock(lock, fcntl.LOCK_SH):
            return _State.ABSENT
        return _State.ANSWERING if os.read(lock, 1) and _accepts(port) else _State.STARTING
    finally:
        os.close(lock)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _start(files: _Files, deadline: float) -> "tuple[subprocess.Popen[bytes] | None, int | None]":
    """Start a server; return it once it answers, else None and its exit code."""
    descriptor = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "lorsync.adapters.local_server", str(files.folder.absolute())],
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


def _pause(deadline: float, files: _Files) -> None:
    if time.monotonic() > deadline:
        raise TryAgainError(f"The local calendar server does not answer: see {files.log}.")
    time.sleep(_POLL)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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


# From here on: the server's own process. Nothing above imports Radicale.


def main(folder: Path) -> int:
    """Serve a state folder until its last user has ended."""
    # The server ends with its users and not before, whatever a terminal or service manager sends
    # to all processes at once: a pass that is being stopped finishes the request in flight.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    files = _Files(folder=folder)
    lock = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try_lock(lock, fcntl.LOCK_EX):
        return _SERVED_ALREADY
    os.ftruncate(lock, 0)
    settings, _ = _settings(files)
    if not _port_is_free(settings.port):
        return _PORT_TAKEN

    import radicale.config
    import radicale.log
    import radicale.server

    radicale.log.setup()
    radicale.log.set_level("warning", False, "")
    configuration = radicale.config.load()
    configuration.update(_configuration(files, settings), "lorsync", privileged=True)
    stop, stopped = socket.socketpair()
    threading.Thread(target=_announce, args=(settings.port, lock), daemon=True).start()
    threading.Thread(target=_leave_with_users, args=(files, stop), daemon=True).start()
    radicale.server.serve(configuration, stopped)
    return 0


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind((_HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def _configuration(files: _Files, settings: _Settings) -> dict[str, dict[str, str]]:
    from passlib.hash import sha512_crypt  # type: ignore[import-untyped]

    # Radicale checks the password at every request. The usual rounds cost 0.4 s each time, and
    # slow down nobody who would have to guess 256 random bits.
    digest = sha512_crypt.using(rounds=1000).hash(settings.password)
    files.passwords.unlink(missing_ok=True)
    _write_new(files.passwords, f"{USERNAME}:{digest}\n")
    return {
        "server": {"hosts": f"{_HOST}:{settings.port}"},
        "auth": {
            "type": "htpasswd",
            "htpasswd_filename": str(files.passwords),
            "htpasswd_encryption": "sha512",
        },
        "rights": {"type": "owner_only"},
        "storage": {"filesystem_folder": str(files.storage)},
        "web": {"type": "none"},
        "logging": {"level": "warning"},
    }


def _announce(port: int, lock: int) -> None:
    """Say that the server answers: to the starter on stdout, to others in the lock file."""
    while not _accepts(port):
        time.sleep(_POLL)
    os.write(lock, f"{os.getpid()}\n".encode())
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"ready\n")


def _leave_with_users(files: _Files, stop: socket.socket) -> None:
    """Wait, without waking, until nobody uses the server; then end it."""
    users = os.open(files.users, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_EX)
    stop.close()
    # Whoever had asked for something is gone; half a second is for a write to reach the disk.
    time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
