"""The service manager of this machine, as far as one person's own service goes."""

import sys

from lorsync.adapters.service.launch import Launch, Manager, ServiceState
from lorsync.adapters.service.launchd import Launchd
from lorsync.adapters.service.systemd import Systemd

__all__ = ["Launch", "Launchd", "Manager", "ServiceState", "Systemd", "manager_here"]


def manager_here() -> Manager:
    """Return the one that this system has: launchd on macOS, systemd elsewhere."""
    return Launchd() if sys.platform == "darwin" else Systemd()
