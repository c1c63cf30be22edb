"""What the local calendar's server and those who use it share: files, settings, locks, proof."""

import hashlib
import hmac
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from lorsync.adapters.files import replace_file
from lorsync.adapters.loopback import HOST
from lorsync.adapters.state_dir import refuse_others
from lorsync.core.errors import StateError

USERNAME = "lorsync"
SETTINGS_NAME = "local-server.json"
PROOF_PATH = "/.lorsync/"
"""Below it the server proves that it is the one of this folder; see :func:`proof`."""

_ANSWER_SECONDS = 1.0
_LONGEST_ANSWER = 4096


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
    def storage(self) -> Path:
        return self.folder / "local-calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """The port, and the password that calendar apps use."""

    port: int
    password: str = field(repr=False)


def kept_settings(files: LocalFiles) -> LocalSettings | None:
    """Return port and password, None where none were chosen yet.

    Raises StateError where they cannot be read, or somebody else could have read or written them.
    """
    try:
        descriptor = opened_private(files.settings, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise StateError(
                f"{files.settings} can be read by other users, and a password is in it: delete it, "
                "and lorsync will choose a new port and password for the local calendar."
            )
        try:
            kept = json.load(file)
            port, password = kept["port"], kept["password"]
        except (ValueError, KeyError, TypeError):
            port, password = None, None
    if not isinstance(port, int) or not isinstance(password, str) or not 0 < port < 65536:
        raise StateError(
            f"{files.settings} cannot be read: delete it, and lorsync will choose a new port and "
            "password for the local calendar."
        )
    return LocalSettings(port=port, password=password)


def chosen_settings(files: LocalFiles, port: int) -> LocalSettings:
    """Choose a password, and keep it beside the port of a socket that is bound already."""
    chosen = LocalSettings(port=port, password=secrets.token_urlsafe(32))
    text = json.dumps({"port": port, "password": chosen.password}, indent=2) + "\n"
    replace_file(files.settings, text.encode(), mode=0o600)
    return chosen


def opened_private(path: Path, flags: int) -> int:
    """Open a file of the state folder, made for the user alone.

    Raises OSError, and StateError where it is not the user's alone to write.
    """
    descriptor = os.open(path, flags, 0o600)
    try:
        refuse_others(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def password_of_run(settings: LocalSettings, run: str) -> str:
    """Return what lorsync signs in with, as long as one run of the server lasts.

    A program that comes upon the port after that run is told nothing that opens the calendar.
    """
    return _keyed(settings, f"password {run}")


def proof(settings: LocalSettings, run: str, challenge: str) -> str:
    """Return what only a server of this folder can answer to a challenge."""
    return _keyed(settings, f"proof {settings.port} {run} {challenge}")


def is_proved(settings: LocalSettings, run: str) -> bool | None:
    """Ask whatever listens on the port to prove that it is this run of the server.

    None: there was no answer within a second. No secret is sent.
    """
    challenge = secrets.token_hex(32)
    deadline = time.monotonic() + _ANSWER_SECONDS
    answer = b""
    try:
        with socket.create_connection((HOST, settings.port), timeout=_ANSWER_SECONDS) as asked:
            asked.sendall(f"GET {PROOF_PATH}{challenge} HTTP/1.0\r\n\r\n".encode())
            while len(answer) < _LONGEST_ANSWER:
                asked.settimeout(max(0.001, deadline - time.monotonic()))
                part = asked.recv(_LONGEST_ANSWER)
                if not part:
                    break
                answer += part
    except OSError:
        return None
    said = answer.rpartition(b"\r\n\r\n")[2]
    return hmac.compare_digest(said, proof(settings, run, challenge).encode())


def _keyed(settings: LocalSettings, text: str) -> str:
    return hmac.new(settings.password.encode(), text.encode(), hashlib.sha256).hexdigest()
