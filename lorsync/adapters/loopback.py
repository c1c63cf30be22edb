"""Listen on 127.0.0.1, where every user and program of this machine can connect.

A client that only connects, or sends a byte now and then, keeps nobody out: each connection has a
thread of its own, and when there are too many, the one that has waited longest for its request is
closed.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from typing import Final

HOST: Final = "127.0.0.1"

_MOST_CONNECTIONS: Final = 64
_SILENCE_SECONDS: Final = 30.0


class Loopback:
    """Takes the connections of a listening socket until :meth:`finish`.

    ``answer`` is given each connection with its address, in a thread of its own, and calls
    :meth:`heard` once a whole request has come. The connection is closed after it.
    """

    def __init__(
        self, listener: socket.socket, answer: Callable[[socket.socket, tuple[str, int]], None]
    ) -> None:
        self._listener = listener
        self._answer = answer
        self._going_on, self._finished = socket.socketpair()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._silent: dict[socket.socket, None] = {}  # the oldest first
        self._thread = threading.Thread(target=self._attend, name="lorsync-loopback", daemon=True)

    def begin(self) -> None:
        """Take connections from now on."""
        self._thread.start()

    def heard(self, connection: socket.socket) -> None:
        """Take note that a whole request has come."""
        with self._changed:
            self._silent.pop(connection, None)

    def finish(self, seconds: float) -> None:
        """Take no more connections; what is being answered may go on for so long at most."""
        self._going_on.close()
        self._thread.join()
        self._listener.close()
        self._finished.close()
        with self._changed:
            for connection in self._silent:
                _break_off(connection)
            self._changed.wait_for(lambda: not self._open, seconds)

    def _attend(self) -> None:
        while self._finished not in select.select([self._listener, self._finished], [], [])[0]:
            try:
                connection, address = self._listener.accept()
            except OSError:
                continue  # broken off before it was taken
            connection.settimeout(_SILENCE_SECONDS)
            with self._changed:
                if len(self._open) >= _MOST_CONNECTIONS and self._silent:
                    oldest = next(iter(self._silent))
                    del self._silent[oldest]
                    _break_off(oldest)
                self._changed.wait_for(lambda: len(self._open) < _MOST_CONNECTIONS)
                self._open.add(connection)
                self._silent[connection] = None
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            with contextlib.suppress(OSError):  # the other side left, or was silent for too long
                self._answer(connection, address)
        finally:
            _break_off(connection)
            connection.close()
            with self._changed:
                self._open.discard(connection)
                self._silent.pop(connection, None)
                self._changed.notify_all()


def _break_off(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RDWR)
