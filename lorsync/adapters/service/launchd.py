"""A person's launch agent on macOS: its property list, and what launchctl makes of it."""

import os
import plistlib
import re
import shutil
from pathlib import Path
from typing import Any

from lorsync.adapters.service.files import stamp
from lorsync.adapters.service.launch import Launch, ServiceState, ask, order
from lorsync.adapters.unit import LABEL
from lorsync.core.errors import UnavailableError

THROTTLE_SECONDS = 60
"""launchd starts it again whatever its exit code says; this long it waits before each time."""

_UMASK = 0o077


class Launchd:
    """The launchd of a logged-in person, reached by ``launchctl`` (launchd.plist(5))."""

    name = "launchd"

    def __init__(self) -> None:
        self.path = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self.log = Path.home() / "Library" / "Logs" / "lorsync.log"
        self._domain = f"gui/{os.getuid()}"
        self._service = f"{self._domain}/{LABEL}"

    def missing(self) -> str | None:
        """Tell where there is no launchctl."""
        if shutil.which("launchctl") is None:
            return "There is no launchctl here. Leave “lorsync run” in a terminal instead."
        return None

    def check(self, launch: Launch) -> list[str]:  # noqa: ARG002 -- it hides no path, as others do
        """Raise UnavailableError where there is no launchctl."""
        missing = self.missing()
        if missing is not None:
            raise UnavailableError(f"Nothing was written. {missing}")
        return []

    def text(self, launch: Launch) -> str:
        """Return the property list."""
        agent: dict[str, Any] = {
            "Label": LABEL,
            "ProgramArguments": list(launch.command),
            # A password_command is found where it was when this was written: launchd's own PATH
            # knows neither Homebrew nor MacPorts.
            "EnvironmentVariables": {"PATH": os.environ.get("PATH", os.defpath)},
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": THROTTLE_SECONDS,
            "ProcessType": "Background",
            "Umask": _UMASK,
            # No core file: what is in memory, the password too, would stand in it.
            "HardResourceLimits": {"Core": 0},
            "StandardErrorPath": str(self.log),
        }
        text = plistlib.dumps(agent).decode()
        xml, doctype, rest = text.split("\n", 2)
        return f"{xml}\n{doctype}\n<!-- {stamp(text)} -->\n{rest}"

    def start(self, *, changed: bool) -> list[str]:
        """Load the agent, which starts it; where it is loaded as it is now, restart it."""
        ran = []
        loaded = self._loaded() is not None
        if loaded and changed:
            ran.append(order(("launchctl", "bootout", self._service)))
            loaded = False
        ran.append(order(("launchctl", "enable", self._service)))
        if loaded:
            ran.append(order(("launchctl", "kickstart", "-k", self._service)))
        else:
            ran.append(order(("launchctl", "bootstrap", self._domain, str(self.path))))
        return ran

    def stop(self) -> list[str]:
        """Unload the agent, which stops it."""
        if self._loaded() is None:
            return []
        return [order(("launchctl", "bootout", self._service))]

    def forget(self) -> list[str]:
        """Do nothing: launchd knows what is loaded, and the agent is not."""
        return []

    def state(self) -> ServiceState:
        """Ask launchd."""
        told = self._loaded()
        if told is None:
            return ServiceState(
                enabled=False, active=False, failed=False, pid=None, says="not loaded"
            )
        state = re.search(r"(?m)^\s*state = (.+)$", told)
        pid = re.search(r"(?m)^\s*pid = (\d+)$", told)
        code = re.search(r"(?m)^\s*last exit code = (\d+)", told)
        running = state is not None and state[1].strip() == "running"
        return ServiceState(
            enabled=True,
            active=running,
            failed=not running and code is not None and code[1] != "0",
            pid=int(pid[1]) if pid else None,
            says=state[1].strip() if state else "unknown",
            outlives_login=False,
        )

    def advice(self, state: ServiceState) -> list[str]:  # noqa: ARG002 -- the protocol's
        """Tell where the log is, and when it runs."""
        return [f"Its log: {self.log}", "It runs while you are logged in."]

    def _loaded(self) -> str | None:
        """Return what launchd says of the agent, None where it is not loaded."""
        done = ask(("launchctl", "print", self._service))
        return None if done is None or done.returncode else done.stdout
