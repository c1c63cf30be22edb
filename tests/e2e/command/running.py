"""Run the installed ``lorsync`` as a process, in a home of its own."""

import contextlib
import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lorsync.sync.report import Record
from lorsync.sync.runner import record_of
from tests import ROOT, warm
from tests.servers.starting import is_running, wait_until

COMMAND = Path(sys.executable).with_name("lorsync")
EXAMPLES = ROOT


@dataclass(kw_only=True)
class User:
    """Somebody with a home, who types commands. Nothing of this machine's environment leaks in."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def record(self) -> Record:
        """What the ledger remembers of the passes; cheaper to wait on than a command."""
        return record_of(self.state)

    def environ(self) -> dict[str, str]:
        path = os.environ["PATH"]
        base = {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "TZ": "UTC"}
        return base | self.environment

    def arguments(self, *arguments: str | Path, config: Path | None = None) -> list[str]:
        chosen = ["-c", str(config)] if config is not None else []
        return [str(COMMAND), "--state-dir", str(self.state), *chosen, *map(str, arguments)]

    def types(
        self, *arguments: str | Path, config: Path | None = None, limit: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return self.runs(self.arguments(*arguments, config=config), limit=limit)

    def runs(
        self, program: list[str], *, typed: str = "", limit: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the installed package to its end, warm where nothing is against it."""
        if warm.can_be_warm(self.environment):
            return warm.commands().runs(
                program, environment=self.environ(), folder=self.home, typed=typed, limit=limit
            )
        return subprocess.run(
            program,
            env=self.environ(),
            input=typed,
            capture_output=True,
            text=True,
            timeout=limit,
            cwd=self.home,
            check=False,
        )

    def json(self, *arguments: str | Path, config: Path | None = None) -> dict:
        """Run a command with ``--json`` and return its one document."""
        done = self.types(*arguments, "--json", config=config)
        # That of status tells how things stand.
        fine = {0, 1, 2} if arguments[0] == "status" else {0}
        assert done.returncode in fine, done.stderr
        return json.loads(done.stdout)

    def starts(self, *arguments: str | Path, config: Path | None = None) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            self.arguments(*arguments, config=config),
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
        )


STOPS_WITHIN = 25.0
"""Seconds in which what is told to stop does so, however busy the machine.

It is less than what a wrong one would wait for: half a minute of sleep, or of a silent server.
"""


@functools.cache
def noon_zone() -> str:
    """Name a time zone in which it is noon now, so that no midnight comes between two commands.

    It is one for the whole run: another one would be another config.
    """
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"  # POSIX counts westward


def rewrite(path: Path, text: str) -> None:
    """Replace a file that a daemon watches, so that it never reads half of it, as editors do."""
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.replace(path)


def is_in(folder: Path, words: str) -> bool:
    """Tell whether an event with these words is in a folder, in which a pass may be writing."""
    for file in folder.glob("*.ics"):
        with contextlib.suppress(FileNotFoundError):
            if words in file.read_text("utf-8"):
                return True
    return False


def child_of(pid: int) -> int:
    """Return the process id of the one child of a process."""

    def children() -> list[int]:
        found = []
        for task in Path(f"/proc/{pid}/task").glob("*/children"):  # of the thread that started it
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                found += [int(word) for word in task.read_text().split()]
        return found

    wait_until(lambda: bool(children()))
    (child,) = children()
    assert is_running(child)
    return child


def plain(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Assert that a command failed with one plain message, and return it."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stderr.startswith("lorsync: ")
    return done.stderr
