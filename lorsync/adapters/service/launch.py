"""What a service manager is told and asked, whichever it is."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lorsync.core.errors import UnavailableError

_SECONDS = 120.0
"""A start waits for READY=1; systemd itself gives up after 90 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the daemon is started; every path is absolute.

    ``program`` is the command with what comes before its options. ``writes`` are folders that it
    writes to beside the state folder.
    """

    program: tuple[str, ...]
    config: Path
    state: Path
    writes: tuple[Path, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line of the daemon."""
        options = ("--config", str(self.config), "--state-dir", str(self.state))
        return (*self.program, *options, "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """What the manager says of the service; ``says`` is its own word for it.

    ``outlives_login``: whether it goes on while the person is logged out, None where nobody knows.
    """

    enabled: bool
    active: bool
    failed: bool
    pid: int | None
    says: str
    outlives_login: bool | None = None


class Manager(Protocol):
    """A manager of services: systemd or launchd, asked through its own command."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def path(self) -> Path:
        """Where the service's file belongs."""

    def missing(self) -> str | None:
        """Say why no manager answers here, and what to do instead; None where one does."""

    def check(self, launch: Launch) -> list[str]:
        """Return what to know of the paths. Raises UnavailableError where no manager answers."""

    def text(self, launch: Launch) -> str:
        """Return the service's file, stamped."""

    def start(self, *, changed: bool) -> list[str]:
        """Enable and start it, or restart it where it runs; return the commands that were run.

        ``changed``: its file is another than before. Where it is not, lorsync itself may be.
        """

    def stop(self) -> list[str]:
        """Stop it and do not start it again; return the commands that were run."""

    def forget(self) -> list[str]:
        """Tell the manager that the file is gone; return the commands that were run."""

    def state(self) -> ServiceState:
        """Ask how the service is doing."""

    def advice(self, state: ServiceState) -> list[str]:
        """Return what the person may want to know or to run beside it."""


def ask(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a manager's command to its end; None where it is not there or does not come to an end."""
    try:
        return subprocess.run(  # noqa: S603 -- the manager's own command, and no shell
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _environment() -> dict[str, str]:
    """Return the environment in which a person's own manager is found.

    After ``su`` or from cron there is no XDG_RUNTIME_DIR, though one with lingering has a manager.
    """
    runtime = f"/run/user/{os.getuid()}"
    found = {"XDG_RUNTIME_DIR": runtime} if Path(runtime).is_dir() else {}
    return found | dict(os.environ)


def order(command: Sequence[str]) -> str:
    """Run a manager's command that has to succeed, and return it as a person would type it.

    Raises UnavailableError with the last line of what the manager says.
    """
    shown = " ".join(command)
    done = ask(command)
    if done is None:
        msg = f"“{shown}” could not be run, or did not end within {_SECONDS:.0f} s."
        raise UnavailableError(msg)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = lines[0].strip() if lines else f"exit code {done.returncode}"
        msg = f"“{shown}” failed: {said}"
        raise UnavailableError(msg)
    return shown
