"""An internet of a few hosts on this machine: TLS with a CA of its own, names that resolve here."""

import contextlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import trustme

from tests.servers.exchange import Reply, Request

SITE = Path(__file__).with_name("site")

App = Callable[[Request], Reply | None]
"""Answers a request, or breaks the connection off without an answer."""


class Internet:
    """One TLS server that plays every host it is told about; any other host is not there.

    ``clock``: what it says the time is; None says nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._apps: dict[str, App] = {}
        self._folder = folder
        self._authority = trustme.CA()
        self._bundle = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self._bundle))
        self._server: ThreadingHTTPServer | None = None
        self.asked: list[tuple[str, str, str]] = []  # host, method, path
        self.clock: Callable[[], datetime] | None = lambda: datetime.now(UTC)

    def host(self, name: str, app: App) -> None:
        """Let a host of this name answer: known before :meth:`open`, and changed at any time."""
        self._apps[name] = app

    def app(self, name: str) -> App:
        """Return what answers for a host."""
        return self._apps[name]

    def open(self) -> dict[str, str]:
        """Serve, and return the environment in which the hosts are reached."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*self._apps).configure_cert(context)
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self._server = server
        hosts = self._folder / "hosts.json"
        hosts.write_text(json.dumps(dict.fromkeys(self._apps, server.server_port)))
        return {
            "EMULATED_HOSTS": str(hosts),
            "PYTHONPATH": str(SITE),
            "SSL_CERT_FILE": str(self._bundle),
        }

    @contextlib.contextmanager
    def reached(self) -> Iterator[None]:
        """Serve, and let this process reach the hosts; certificates are checked as ever."""
        environment = self.open()
        server, resolve = self._server, socket.getaddrinfo
        assert server is not None

        def emulated(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name in self._apps and int(port or 0) == 443:
                return resolve("127.0.0.1", server.server_port, *rest, **more)
            return resolve(host, port, *rest, **more)

        # Whatever this machine itself trusts, in whichever of these it says so.
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        trusted = dict.fromkeys(names, environment["SSL_CERT_FILE"])
        try:
            with (
                mock.patch.object(socket, "getaddrinfo", emulated),
                mock.patch.dict(os.environ, trusted),
            ):
                yield
        finally:
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                host = (self.headers.get("Host") or "").partition(":")[0]
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    method=self.command,
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                )
                internet.asked.append((host, self.command, self.path))
                reply = internet._apps[host](request)
                if reply is None:
                    self.close_connection = True
                    return
                self.send_response_only(reply.status)
                if internet.clock is not None:
                    self.send_header("Date", format_datetime(internet.clock(), usegmt=True))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PROPFIND = do_REPORT = do_PUT = do_DELETE = _serve  # noqa: N815
            do_MKCALENDAR = do_PROPPATCH = do_MOVE = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler
