"""A TLS server for many names that answers as a test says: honestly, falsely, or for ever."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import trustme

from tests import ROOT
from tests.unit.adapters.caldav.conftest import Reply, Request

SITE = ROOT / "tests" / "emulators" / "site"

GOOD, SISTER, EVIL = "cal.example.org", "dav.example.org", "evil.example.net"
EXPIRED, OTHER_NAME, OWN_CA = "expired.example.org", "misnamed.example.org", "own.example.org"
IN_CLEAR = "nas.example.org"
NAMES = (GOOD, SISTER, EVIL, EXPIRED, OTHER_NAME, OWN_CA)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An answer that is written by hand, down to its first line; it may never end."""

    write: Callable[[Callable[[bytes], None]], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived, with the host that it was meant for."""

    host: str
    request: Request

    @property
    def signed(self) -> bool:
        return "authorization" in self.request.headers


Answering = Callable[[Asked], Reply | Stream]


class Villain:
    """Serves all names on one port, with a certificate for each, and http in clear on another.

    ``held`` keeps every TLS handshake from coming to its end.
    """

    def __init__(self, folder: Path) -> None:
        self.asked: list[Asked] = []
        self.answer: Answering = lambda _: Reply(status=404)
        self.held = False
        self.closing = threading.Event()
        self.bundle, self.own = folder / "ca.pem", folder / "own-ca.pem"
        self._contexts = self._certified()
        self._tls, self._clear = self._serve(encrypted=True), self._serve(encrypted=False)
        hosts = folder / "hosts.json"
        ports = dict.fromkeys(NAMES, self._tls.server_address[1])
        hosts.write_text(json.dumps({**ports, IN_CLEAR: self._clear.server_address[1]}))
        self.environment = {
            "EMULATED_HOSTS": str(hosts),
            "PYTHONPATH": str(SITE),
            "SSL_CERT_FILE": str(self.bundle),
        }

    def close(self) -> None:
        self.closing.set()
        for server in (self._tls, self._clear):
            server.shutdown()
            server.server_close()

    def _certified(self) -> dict[str, ssl.SSLContext]:
        """Make two certificate authorities, one of them trusted, and what they vouch for."""
        known, own = trustme.CA(), trustme.CA()
        known.cert_pem.write_to_path(str(self.bundle))
        own.cert_pem.write_to_path(str(self.own))
        yesterday = datetime.now(UTC) - timedelta(days=1)
        issued = {
            EXPIRED: known.issue_cert(EXPIRED, not_after=yesterday),
            OTHER_NAME: known.issue_cert("somewhere.else.example"),
            OWN_CA: own.issue_cert(OWN_CA),
        }
        contexts = {}
        for name in NAMES:
            contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (issued.get(name) or known.issue_cert(name)).configure_cert(contexts[name])
        return contexts

    def _serve(self, *, encrypted: bool) -> socketserver.ThreadingTCPServer:
        server = _Server(("127.0.0.1", 0), self._handler())
        if encrypted:
            server.socket = self._front().wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    def _front(self) -> ssl.SSLContext:
        """Return what shows the certificate of the name that is asked for."""

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = self._contexts[name or GOOD]

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        return context

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        villain = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                if villain.held:
                    villain.closing.wait(60)
                super().setup()

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(
                    method=self.command,
                    path=self.path,
                    headers=headers,
                    body=self.rfile.read(length),
                )
                asked = Asked(host=headers.get("host", "").partition(":")[0], request=request)
                villain.asked.append(asked)
                reply = villain.answer(asked)
                if isinstance(reply, Stream):
                    self.close_connection = True
                    reply.write(self._write)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def _write(self, some: bytes) -> None:
                self.wfile.write(some)
                self.wfile.flush()

            do_GET = do_PROPFIND = do_REPORT = do_PUT = do_DELETE = do_MKCALENDAR = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """Leave it unsaid that a client has gone away, as it ought to."""
