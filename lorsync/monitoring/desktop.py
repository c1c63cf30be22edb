"""Show something on the desktop, where there is one: org.freedesktop.Notifications over D-Bus.

jeepney is loaded when there is something to show; it comes with keyring on Linux, and there is no
such thing elsewhere.
"""

import html
import logging
import os
from pathlib import Path
from typing import Final

from lorsync.core.display import visible

log = logging.getLogger(__name__)

_SECONDS: Final = 2.0
_ANY_TIME: Final = -1
_NORMAL, _CRITICAL = 1, 2


def show_on_desktop(title: str, text: str, *, urgent: bool) -> bool:
    """Show a notification, and tell whether a desktop took it; an urgent one stays until closed.

    Source: Desktop Notifications Specification 1.2, ``Notify``.
    """
    address = _bus()
    if address is None:
        return False
    try:
        from jeepney import DBusAddress, MessageType, new_method_call
        from jeepney.io.blocking import open_dbus_connection
    except ImportError:
        return False
    server = DBusAddress(
        "/org/freedesktop/Notifications",
        bus_name="org.freedesktop.Notifications",
        interface="org.freedesktop.Notifications",
    )
    urgency = _CRITICAL if urgent else _NORMAL
    # Of the text a server may take <, > and & for mark-up; of the title it takes nothing.
    told = html.escape(visible(text), quote=False)
    body: tuple[object, ...] = (
        "lorsync", 0, "x-office-calendar", visible(title), told, [],
        {"urgency": ("y", urgency), "category": ("s", "x-lorsync")}, _ANY_TIME,
    )  # fmt: skip
    call = new_method_call(server, "Notify", "susssasa{sv}i", body)
    try:
        with open_dbus_connection(address, auth_timeout=_SECONDS) as bus:
            reply = bus.send_and_get_reply(call, timeout=_SECONDS)
    except (OSError, ValueError, EOFError, RuntimeError, StopIteration) as error:
        log.debug("No desktop could be told: %s.", type(error).__name__)
        return False
    return reply.header.message_type is MessageType.method_return


def _bus() -> str | None:
    """Return the address of the session's bus; systemd puts it at a known place."""
    named = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if named:
        return named
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not (Path(runtime) / "bus").exists():
        return None
    return f"unix:path={runtime}/bus"
