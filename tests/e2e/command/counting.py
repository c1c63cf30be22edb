"""A listener in front of a server, which counts the requests that have set out to it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.servers.starting import wait_until


class Counting:
    """Passes bytes on both ways, and counts connections.

    Radicale answers one request per connection (HTTP/1.0), so connections are requests.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._open = 0
        self._last: tuple[str, int] | None = None
        self.count = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Wait until no request is under way, not even one whose sender is gone.

        The listener takes connections in their order: once it has taken this one, none that a dead
        process has left behind is still to come.
        """
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._last = last.getsockname()
            last.connect(self._listener.getsockname())
            assert last.recv(1) == b""
        wait_until(lambda: self._open == 0)

    def close(self) -> None:
        # Closing alone does not wake a thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            if address == self._last:
                client.close()
                continue
            with self._lock:
                self.count += 1
                self._open += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, socket.create_connection(self._upstream) as server:
                asking = threading.Thread(target=_pass_on, args=(client, server), daemon=True)
                asking.start()
                _pass_on(server, client)
                asking.join()
        finally:
            with self._lock:
                self._open -= 1


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    # The other direction may still be under way: say only that this one has ended.
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting(upstream: str) -> Iterator[Counting]:
    """Count the requests to a server meanwhile."""
    running = Counting(upstream)
    try:
        yield running
    finally:
        running.close()
