"""A listener in front of a server, which counts the requests that have set out to it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


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
        self.count = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def quiet(self) -> bool:
        """Whether no request is under way, not even one whose sender is gone."""
        with self._lock:
            return self._open == 0

    def close(self) -> None:
        # Closing alone does not wake a thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
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
