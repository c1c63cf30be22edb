"""Tell the service manager how the daemon is: the notification protocol of sd_notify(3).

One datagram for each word, to the socket that ``NOTIFY_SOCKET`` names; an address that begins with
``@`` is in Linux' abstract namespace. Without one, nothing is said. A manager that does not listen
is never a reason to fail.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping, MutableMapping

from lorsync.adapters.unit import LABEL
from lorsync.core.display import excerpt

log = logging.getLogger(__name__)

_SEND_SECONDS = 1.0
"""How long a manager whose socket is full is waited for."""

_STATUS_LENGTH = 1000
"""So many characters of a status are said; a datagram has its limit."""


class ServiceManager:
    """What started the daemon, if it wants to hear of it. ``address`` is that of its socket."""

    def __init__(
        self,
        address: str | None,
        *,
        watchdog_seconds: float | None = None,
        restarts: bool | None = None,
    ) -> None:
        """Prepare. ``restarts``: whether the daemon is started again where it ends by an error."""
        self._address = address
        self.watchdog_seconds = watchdog_seconds
        self.restarts = restarts if restarts is not None else address is not None

    @classmethod
    def of(cls, environ: MutableMapping[str, str]) -> "ServiceManager":
        """Read and remove what the manager left in the environment.

        Removed, since a password program that the daemon starts is not to speak for it.
        """
        seconds = _watchdog_seconds(environ)
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            environ.pop(name, None)
        address = environ.pop("NOTIFY_SOCKET", None) or None
        # launchd has no such socket, and names the job in the environment.
        restarts = address is not None or environ.get("XPC_SERVICE_NAME") == LABEL
        return cls(address, watchdog_seconds=seconds, restarts=restarts)

    def ready(self) -> None:
        """Say that the start, or a reload, has come to its end."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that the config is being read again; :meth:`ready` ends that."""
        # Type=notify-reload compares this with the moment of its signal.
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, text: str) -> None:
        """Say in words how things stand; ``systemctl status`` shows it."""
        self._send(f"STATUS={excerpt(text, _STATUS_LENGTH)}")

    def alive(self) -> None:
        """Ask not to be restarted for another ``watchdog_seconds``."""
        if self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def _send(self, words: str) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.settimeout(_SEND_SECONDS)
                out.connect(address)
                out.send(words.encode())
        except OSError as error:
            log.debug("The service manager does not hear %r: %s.", words, error)


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """Return how often a sign of life is wanted, None where it is not, or not of this process."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not (microseconds.isdigit() and int(microseconds) > 0):
        return None
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000
