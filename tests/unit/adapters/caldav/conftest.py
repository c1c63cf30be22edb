"""The real servers, and one that misbehaves as it is told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.contract.conftest import radicale_server, xandikos_server
from tests.servers.exchange import Reply, Request

__all__ = ["Reply", "Request", "radicale_server", "xandikos_server"]


Answering = Callable[[Request], Reply]


class Hostile:
    """A loopback HTTP server whose every answer a test decides."""

    def __init__(self) -> None:
        self.answer: Answering
        self.always(Reply(status=404))
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.closed = threading.Semaphore(0)  # released for each connection that was closed
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.shutdown_request = self._shut
        self._server.daemon_threads = True
        self._scheme = "http"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/"

    def _shut(self, request: socket.socket) -> None:
        ThreadingHTTPServer.shutdown_request(self._server, request)
        self.closed.release()

    def encrypt(self, certificate: Path) -> None:
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._server.handle_error = lambda *_: None  # a handshake that a client gives up
        self._scheme = "https"

    def always(self, reply: Reply) -> None:
        """Answer everything alike."""
        self.answer = lambda _: reply

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    method=self.command,
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                )
                hostile.requests.append(request)
                reply = hostile.answer(request)
                if reply.hang:
                    hostile.closing.wait(600)
                    self.close_connection = True
                    return
                self.send_response_only(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = reply.drop

            do_PROPFIND = do_REPORT = do_PUT = do_DELETE = do_MKCALENDAR = _serve  # noqa: N815
            do_GET = do_POST = do_MOVE = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()
