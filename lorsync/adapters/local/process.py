"""The process of the local calendar's server: Radicale on 127.0.0.1, until its last user ended.

Started by ``local_server``, from which it inherits the lock of its folder and the socket. Anybody
on this machine may connect, so whom it serves is decided here, before Radicale sees a request.
"""

import binascii
import contextlib
import fcntl
import hmac
import os
import re
import secrets
import signal
import socket
import sys
from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from lorsync.adapters.local.files import (
    PROOF_PATH,
    USERNAME,
    LocalFiles,
    LocalSettings,
    kept_settings,
    password_of_run,
    proof,
)
from lorsync.adapters.loopback import HOST, Loopback

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_ENDING_SECONDS: Final = 0.5
"""How long a request that is being answered may go on after the last user has ended."""

_CHALLENGE = re.compile(r"[0-9a-f]{64}")


def main(folder: Path, lock: int, listener: socket.socket) -> None:
    """Serve a state folder until its last user has ended, and end the process.

    ``lock`` is the descriptor of its lock, held, and ``listener`` listens on its port.
    """
    # The server ends with its users and not before, whatever a terminal or service manager sends
    # to all processes at once: a pass that is being stopped finishes the request in flight.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    files = LocalFiles(folder=folder)
    settings, run = kept_settings(files), secrets.token_hex(16)
    if settings is None or settings.port != listener.getsockname()[1]:
        sys.exit(f"{files.settings} was changed by another program just now.")
    server = _Server(listener, _Door(_radicale(files, settings), settings, run))
    server.loopback.begin()
    os.pwrite(lock, f"{os.getpid()}\n{run}\n".encode(), 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"ready\n")
    users = os.open(files.users, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_EX)  # waits, without waking, until nobody uses the server
    server.loopback.finish(_ENDING_SECONDS)
    os._exit(0)


def _radicale(files: LocalFiles, settings: LocalSettings) -> "WSGIApplication":
    import radicale.config
    import radicale.log
    from radicale.app import Application

    radicale.log.setup()
    radicale.log.set_level("warning", False, "")
    configuration = radicale.config.load()
    chosen = {
        "server": {"hosts": f"{HOST}:{settings.port}"},
        # Who it is stands in the request already: _Door has asked.
        "auth": {"type": "remote_user"},
        "rights": {"type": "owner_only"},
        "storage": {"filesystem_folder": str(files.storage)},
        "web": {"type": "none"},
        "logging": {"level": "warning"},
    }
    configuration.update(chosen, "lorsync", privileged=True)
    # Bodies are read by their Content-Length, and no longer ones than Radicale allows.
    configuration.update({"server": {"_internal_server": "True"}}, "lorsync", privileged=True)
    application: WSGIApplication = Application(configuration)
    return application


class _Door:
    """Pass on the requests of who has a password, and prove to anybody whose server this is."""

    def __init__(self, application: "WSGIApplication", settings: LocalSettings, run: str) -> None:
        self._application = application
        self._settings = settings
        self._run = run
        passwords = (settings.password, password_of_run(settings, run))
        self._logins = tuple(f"{USERNAME}:{password}".encode() for password in passwords)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        challenge = str(environ["PATH_INFO"]).removeprefix(PROOF_PATH)
        if _CHALLENGE.fullmatch(challenge):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [proof(self._settings, self._run, challenge).encode()]
        if not self._is_let_in(str(environ.get("HTTP_AUTHORIZATION", ""))):
            asking = ("WWW-Authenticate", 'Basic realm="lorsync", charset="UTF-8"')
            start_response("401 Unauthorized", [asking, ("Content-Length", "0")])
            return []
        return self._application({**environ, "REMOTE_USER": USERNAME}, start_response)

    def _is_let_in(self, authorization: str) -> bool:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            login = b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return any(hmac.compare_digest(login, known) for known in self._logins)


class _Server(WSGIServer):
    """What a request has to know of its server, which listens already."""

    def __init__(self, listener: socket.socket, application: "WSGIApplication") -> None:
        super().__init__(listener.getsockname(), _Request, bind_and_activate=False)
        self.socket.close()
        self.server_name, self.server_port = listener.getsockname()
        self.setup_environ()
        self.set_app(application)
        self.loopback = Loopback(listener, self._answer)

    def _answer(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            self.finish_request(connection, address)
        except OSError:
            raise  # of the connection
        except Exception:  # noqa: BLE001 - one request never ends the server
            self.handle_error(connection, address)


class _Handler(ServerHandler):
    os_environ: dict[str, str] = {}  # noqa: RUF012 - nothing of it belongs into a request


class _Request(WSGIRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            return
        if not self.parse_request():
            return
        self.server.loopback.heard(self.connection)
        answer = cast("IO[bytes]", self.wfile)
        handler = _Handler(self.rfile, answer, sys.stderr, self.get_environ(), multithread=True)
        handler.request_handler = self  # type: ignore[attr-defined]  # so wsgiref does it
        handler.run(self.server.get_app())  # type: ignore[arg-type]

    def get_environ(self) -> dict[str, Any]:
        # As Radicale's own server has it: in UTF-8, where WSGI says Latin-1.
        return {**super().get_environ(), "PATH_INFO": unquote(self.path.partition("?")[0])}

    def log_message(self, *_: object) -> None:
        """Say nothing: anybody on this machine can connect, and fill a disk."""


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), socket.socket(fileno=int(sys.argv[3])))
