"""An internet of a few hosts on this machine: TLS with a CA of its own, names that resolve here."""

import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from tests.caldav.conftest import Reply, Request

SITE = Path(__file__).with_name("site")

App = Callable[[Request], Reply]


class Internet:
    """One TLS server that plays every host it is told about; any other host is not there."""

    def __init__(self, folder: Path) -> None:
        self._apps: dict[str, App] = {}
        self._folder = folder
        self._authority = trustme.CA()
        self._bundle = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self._bundle))
        self._server: ThreadingHTTPServer | None = None
        self.asked: list[tuple[str, str, str]] = []  # host, method, path

    def host(self, name: str, app: App) -> None:
        """Let a host of this name answer, before the first request."""
        self._apps[name] = app

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
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PROPFIND = do_REPORT = do_PUT = do_DELETE = _serve  # noqa: N815
            do_MKCALENDAR = do_PROPPATCH = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler
