"""A relay on loopback in front of an HTTP server: it counts requests, and can be a slow link.

With ``delay``, opening a connection costs one round trip and so does every request on it, as over
TCP without TLS. Requests are counted by their request lines, so that it does not matter whether a
server keeps connections alive.
"""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

_NO_BODY = frozenset({204, 304})


class Relay:
    """A running relay; ``url`` stands for the server's."""

    def __init__(self, upstream: str, *, delay: float = 0.0) -> None:
        """Listen; ``delay`` is seconds per round trip."""
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path or '/'}"
        threading.Thread(target=self._accept, daemon=True).start()

    def taken(self) -> Counter[str]:
        """Return the requests by method since the last call, and count from zero again."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def close(self) -> None:
        """Take no more connections."""
        # Closing alone does not wake a thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        time.sleep(self._delay)  # the handshake's round trip
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with (
                socket.create_connection(self._upstream) as server,
                client.makefile("rb") as asked,
                server.makefile("rb") as answered,
            ):
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while self._exchange(client, asked, server, answered):
                    pass

    def _exchange(
        self, client: socket.socket, asked: BinaryIO, server: socket.socket, answered: BinaryIO
    ) -> bool:
        """Pass one request and its answer on; tell whether both sides go on after it."""
        request = _Head.read(asked)
        if request is None:
            return False
        method = request.start.split(maxsplit=1)[0]
        with self._lock:
            self._counts[method] += 1
        server.sendall(request.raw + request.body(asked))
        answer = _Head.read(answered)
        if answer is None:
            return False
        status = int(answer.start.split(maxsplit=2)[1])
        empty = method == "HEAD" or status in _NO_BODY
        unbounded = not empty and not answer.has_length
        body = b"" if empty else answered.read() if unbounded else answer.body(answered)
        time.sleep(self._delay)
        client.sendall(answer.raw + body)
        return not unbounded and answer.keeps_alive and request.keeps_alive


class _Head:
    """The first line and the headers of a message, raw as well as read."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.start, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        self._headers = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}

    @classmethod
    def read(cls, stream: BinaryIO) -> "_Head | None":
        """Read a head; None where the stream has ended."""
        raw = b""
        while line := stream.readline():
            raw += line
            if line == b"\r\n":
                return cls(raw)
        return None

    @property
    def has_length(self) -> bool:
        return "content-length" in self._headers or self._is_chunked

    @property
    def keeps_alive(self) -> bool:
        wish = self._headers.get("connection", "")
        return wish == "keep-alive" or ("HTTP/1.1" in self.start and wish != "close")

    @property
    def _is_chunked(self) -> bool:
        return self._headers.get("transfer-encoding") == "chunked"

    def body(self, stream: BinaryIO) -> bytes:
        """Read the body that belongs to this head, raw."""
        if not self._is_chunked:
            return stream.read(int(self._headers.get("content-length", 0)))
        raw = b""
        while True:
            line = stream.readline()
            size = int(line.split(b";")[0], 16)
            raw += line + stream.read(size + 2)
            if size == 0:
                return raw


@contextlib.contextmanager
def relayed(upstream: str, *, delay: float = 0.0) -> Iterator[Relay]:
    """Run a relay meanwhile."""
    relay = Relay(upstream, delay=delay)
    try:
        yield relay
    finally:
        relay.close()
