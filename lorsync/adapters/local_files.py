"""What the local calendar's server and those who use it share: its files, settings and locks."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lorsync.errors import StateError

USERNAME = "lorsync"
SETTINGS_NAME = "local-server.json"
HOST = "127.0.0.1"
POLL_SECONDS = 0.01
PORT_TAKEN, SERVED_ALREADY = 3, 4
"""Exit codes of the server's process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFiles:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    port: int
    password: str = field(repr=False)


def kept_settings(files: LocalFiles) -> tuple[LocalSettings, bool]:
    """Return port and password, chosen now if there are none, and whether they are new."""
    new = False
    if not files.settings.exists():
        chosen = {"port": _free_port(), "password": secrets.token_urlsafe(32)}
        with contextlib.suppress(FileExistsError):  # another process was quicker
            write_new(files.settings, json.dumps(chosen, indent=2) + "\n")
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
    return LocalSettings(port=port, password=password), new


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def write_new(file: Path, text: str) -> None:
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


def accepts(port: int) -> bool:
    """Tell whether something listens on this port of the loopback."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def try_lock(descriptor: int, kind: int) -> bool:
    """Take a ``flock`` of a kind if it is free; tell whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
