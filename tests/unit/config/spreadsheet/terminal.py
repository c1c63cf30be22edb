"""The installed command on a pseudo-terminal of its own, and the person who types at it."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = Path(sys.executable).with_name("lorsync")
CTRL_C, CTRL_D = "\x03", "\x04"
_SECONDS = 120
# A process gets Ctrl-C from the terminal only if it is that session's own, and heeds it only if it
# was not told to ignore it, as what a shell starts in the background is.
_OWN_SESSION = (
    "import fcntl, os, signal, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """What is shown, and what is typed. ``shown`` grows as it is read."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process
        self.shown = ""
        self._seen = 0

    def sees(self, text: str) -> None:
        """Wait until this stands on the screen, after all that was waited for before."""
        end = time.monotonic() + _SECONDS
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < end, f"{text!r} is not shown: {self.shown}"
            assert self._read(), f"ended without {text!r}: {self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def types(self, text: str) -> None:
        """Type this, as it is."""
        os.write(self._descriptor, text.encode())

    def answers(self, question: str, answer: str) -> None:
        """Wait for a question, and type a line."""
        self.sees(question)
        self.types(answer + "\n")

    def stops(self, key: str) -> None:
        """Press a key until lorsync says that it stops.

        Python's readline misses a Ctrl-C that comes in the instant between the prompt and its wait
        for a key; whoever presses it presses it again, but not so soon that it would be pressed
        while lorsync is stopping.
        """
        end = time.monotonic() + _SECONDS
        while "Stopped." not in self.shown:
            assert time.monotonic() < end, f"it does not stop: {self.shown}"
            self.types(key)
            while select.select([self._descriptor], [], [], 10)[0] and self._read():
                pass

    def leaves(self) -> int:
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        return self._process.wait(_SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], _SECONDS)
        try:
            data = os.read(self._descriptor, 4096) if ready else b""
        except OSError:  # Linux says so when the other side is closed
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)


@contextmanager
def terminal(home: Path, *arguments: str | Path) -> Iterator[Terminal]:
    """Start ``lorsync`` with these arguments on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb",
               "TZ": "Europe/Berlin", "COLUMNS": "80",
               "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_SESSION, str(COMMAND), *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        cwd=home,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
