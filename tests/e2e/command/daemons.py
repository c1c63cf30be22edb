"""A daemon with a manager that listens and a clock that can be moved, as systemd and time are."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from uuid import uuid4

import pytest

from tests.e2e.command.running import STOPS_WITHIN, User
from tests.needs import libfaketime
from tests.servers.starting import wait_until

needs_faketime = pytest.mark.needs("faketime")


class Manager:
    """Hears what a daemon says to its service manager."""

    def __init__(self, address: str) -> None:
        """Listen at ``address``, of which ``@`` in front means the abstract namespace."""
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while words := self._socket.recv(65536):
            self.heard.append(words.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def said(self, word: str) -> list[str]:
        """Return what began with this word, in its order."""
        return [words for words in self.heard if words.startswith(word)]

    @property
    def status(self) -> str:
        return self.said("STATUS=")[-1]


@contextmanager
def listening(user: User, *, watchdog_seconds: float = 1.0) -> Iterator[Manager]:
    """Be the manager of what ``user`` starts, by a name that nobody else has."""
    manager = Manager(f"@lorsync-test-{uuid4()}")  # a folder's may be too long for a socket
    user.environment["NOTIFY_SOCKET"] = manager.address
    user.environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1_000_000))
    try:
        yield manager
    finally:
        manager.close()


@dataclass(kw_only=True)
class Watch:
    """The wall clock of all that ``user`` starts; monotonic time goes on as it is."""

    user: User
    file: Path = field(init=False)

    def __post_init__(self) -> None:
        library = libfaketime()
        assert library is not None
        # In a folder that nothing watches: it is read whenever anybody asks for the time.
        self.file = self.user.home.with_name("clock")
        self.user.environment |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, instant: datetime) -> None:
        """Make it ``instant`` (aware) now; time goes on from there."""
        self._write(f"{(instant - datetime.now(UTC)).total_seconds():+.3f}")

    def stand(self, instant: datetime) -> None:
        """Make it ``instant`` (aware), and let it stand there. The user's TZ is UTC."""
        self._write(f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}")

    def _write(self, time: str) -> None:
        aside = self.file.with_suffix(".new")
        aside.write_text(f"{time}\n")
        aside.replace(self.file)  # whoever reads it reads a whole one


_REASONS = {signal.SIGUSR1: "asked", signal.SIGHUP: "reload"}
"""What a signal is as a reason for a pass."""


def journal() -> tuple[TextIO, int, dict[str, str]]:
    """Return what the journal reads, where a process writes that, and how the latter knows it."""
    ours, theirs = os.pipe()
    found = os.fstat(theirs)
    return os.fdopen(ours), theirs, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}


class Daemon:
    """A running ``lorsync -v run``, with what it has logged so far."""

    def __init__(self, user: User, config: Path, command: list[str] | None = None) -> None:
        installed, *arguments = user.arguments("run", config=config)
        self._journal, end, environment = journal()
        self.process = subprocess.Popen(
            [*(command or [installed]), "-v", *arguments],
            env=user.environ() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=end,
            cwd=user.home,
        )
        os.close(end)
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._journal:
            self.lines.append(line.rstrip("\n"))

    def said(self, words: str) -> list[str]:
        return [line for line in self.lines if words in line]

    def wait_for(self, words: str, times: int = 1) -> None:
        """Wait until it has logged this so often."""
        with suppress(AssertionError):  # what it said tells more
            wait_until(lambda: len(self.said(words)) >= times or self.ended)
        assert len(self.said(words)) >= times, (words, self.lines)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def passes(self, number: int) -> None:
        """Ask for a pass with a signal, and wait for its end, good or bad.

        Not for the end of another one, which may be under way, or come of the clock or the config.
        """
        reason = _REASONS[number]
        before = self.over_for(reason)
        self.process.send_signal(number)
        wait_until(lambda: self.over_for(reason) > before or self.ended)
        assert not self.ended, self.lines

    def reads(self, config: Path) -> None:
        """Touch the config, and wait until the daemon has looked at it: nobody asks for a pass."""
        before = self.over_for("config")
        config.touch()
        wait_until(lambda: self.over_for("config") > before or self.ended)
        assert not self.ended, self.lines

    def over_for(self, reason: str) -> int:
        """How many passes that this was a reason for have come to an end, good or bad."""
        ends = [line.partition("A pass has ended: ")[2] for line in self.lines]
        return len([1 for reasons in ends if reason in reasons.rstrip(".").split(", ")])

    @property
    def over(self) -> int:
        """How many passes have come to an end, good or bad."""
        return len(self.said("A pass has ended"))

    def stop(self, number: int) -> None:
        """Send a signal that ends it, and wait until it has; it does not take long."""
        self.process.send_signal(number)
        self.process.wait(STOPS_WITHIN)
        self._thread.join()

    def kill(self) -> None:
        if not self.ended:
            self.process.kill()
            self.process.wait()
        self._thread.join()
        self._journal.close()


@contextmanager
def running(user: User, config: Path, command: list[str] | None = None) -> Iterator[Daemon]:
    """Run a daemon, by another command than the installed one; end it hard if the test has not."""
    daemon = Daemon(user, config, command)
    try:
        yield daemon
    finally:
        daemon.kill()
