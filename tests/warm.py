"""Start many Python programs as copies of one process that has loaded already what they need.

Starting Python and importing a CalDAV client, or a CalDAV server, takes most of a second of work,
and the tests do it a thousand times. Each program here is still a process that ends by itself, with
a pid, an environment, a folder, descriptors and an exit of its own, running what is installed; what
it imports is there, and what Python and the loader read as they start is not read again (see
:func:`can_be_warm`).

As a module this is the tests' end; as a script, with a socket's number and the names of modules, it
is the process that is copied. That end knows nothing of lorsync but the names.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# Read by an interpreter, a loader or a C library as it starts, and never again.
_AT_START = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "LOUD_LIBRARIES")
# These two are read later, or read again here.
_LATER = frozenset({"PYTHONPATH", "PYTHON_KEYRING_BACKEND"})


def can_be_warm(environment: Mapping[str, str]) -> bool:
    """Tell whether nothing of an environment has to be there when Python starts."""
    return not any(name.startswith(_AT_START) and name not in _LATER for name in environment)


class Process:
    """A program that was started warm; what subprocess.Popen offers, as far as tests need it."""

    def __init__(self, warm: "Warm", pid: int, life: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.memory = 0.0  # the most that it held, in MB; known when it has ended
        self._warm, self._life = warm, life

    def poll(self) -> int | None:
        if self.returncode is None and self._has_ended(0):
            self._ends()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not self._has_ended(timeout):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self._ends()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        # Nobody else gets its pid before it was waited for.
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        # The other end of the pipe is the program's alone, and nobody writes there.
        return bool(select.select([self._life], [], [], timeout)[0])

    def _ends(self) -> None:
        self.returncode, used = self._warm.asks({"wait": self.pid})
        self.memory = used / 1024
        os.close(self._life)


class Warm:
    """The process that is copied, with these modules loaded, of ``x.*`` all of them."""

    def __init__(self, *modules: str) -> None:
        self._here, there = socket.socketpair()
        self._asking = threading.Lock()
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(there.fileno()), *modules],
            env=environment | {"TZ": "UTC", "PYDANTIC_DISABLE_PLUGINS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
        )
        there.close()

    def close(self) -> None:
        self._here.close()
        self._process.wait(timeout=20)

    def starts(
        self,
        program: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path,
        out: IO[Any] | int,
        err: IO[Any] | int,
        told: IO[Any] | int | None = None,
        before: str = "",
    ) -> Process:
        """Start a program: a script and its arguments, or ``-m``, a module and its arguments.

        ``told`` is what it has for stdin, nothing if None. ``before`` is Python that runs first.
        """
        ours, life = os.pipe()
        with open(os.devnull) as nothing:  # noqa: PTH123 -- no path, but a device
            files = (nothing if told is None else told, out, err)
            numbers = [file if isinstance(file, int) else file.fileno() for file in files]
            job = {
                "program": [str(part) for part in program],
                "environment": dict(environment),
                "folder": str(folder),
                "before": before,
            }
            try:
                pid: int = self.asks(job, *numbers, life)
            finally:
                os.close(life)
        return Process(self, pid, ours)

    def runs(
        self,
        program: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path,
        typed: str = "",
        limit: float = 60,
        before: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as subprocess.run does with text."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as told,
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
            tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        ):
            told.write(typed)
            told.seek(0)
            process = self.starts(
                program,
                environment=environment,
                folder=folder,
                told=told,
                out=out,
                err=err,
                before=before,
            )
            try:
                process.wait(limit)
            finally:
                process.kill()
                process.wait()
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                [*map(str, program)], process.wait(), out.read(), err.read()
            )

    def asks(self, job: dict[str, Any], *descriptors: int) -> Any:
        with self._asking:
            message = json.dumps(job).encode() + b"\n"
            sent = socket.send_fds(self._here, [message], [*descriptors])
            self._here.sendall(message[sent:])
            answer = b""
            while not answer.endswith(b"\n"):
                read = self._here.recv(4096)
                assert read, "the process that is copied is gone"
                answer += read
            return json.loads(answer)


@functools.cache
def commands() -> Warm:
    """Return the process of which the commands of lorsync are copies."""
    libraries = "icalendar", "holidays", "keyring.core", "keyring.backends.chainer", "rich.table"
    return _until_the_end(Warm("lorsync.*", *libraries))


@functools.cache
def servers() -> Warm:
    """Return the process of which the servers are copies."""
    late = "aiohttp.web", "dulwich.gc", "dulwich.worktree"  # what Xandikos imports when it starts
    return _until_the_end(Warm("radicale.server", "xandikos.web", "xandikos.multi_user", *late))


def _until_the_end(warm: Warm) -> Warm:
    atexit.register(warm.close)
    return warm


# The other end


def _load(name: str) -> None:
    module = importlib.import_module(name.removesuffix(".*"))
    if name.endswith(".*"):
        for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)


def _copies(channel: socket.socket) -> list[str]:
    """Copy this process for each job; return the program to be run, in the copies alone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 4)
        while message and not message.endswith(b"\n"):
            message += channel.recv(1 << 16)
        if not message:
            os._exit(0)  # whoever asks is gone
        job = json.loads(message)
        if "wait" in job:
            _, status, used = os.wait4(job["wait"], 0)
            answer: Any = [os.waitstatus_to_exitcode(status), used.ru_maxrss]
        else:
            answer = os.fork()
            if not answer:
                channel.close()
                return _became(job, descriptors)
            for number in descriptors:
                os.close(number)
        channel.sendall(json.dumps(answer).encode() + b"\n")


def _became(job: dict[str, Any], descriptors: Sequence[int]) -> list[str]:
    """Turn this copy into a process of its own; return the program to be run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.set_inheritable(descriptors[3], False)  # its end is that of this process
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    os.chdir(job["folder"])
    if "PYTHONPATH" in os.environ:
        sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
        sys.modules.pop("sitecustomize", None)
        site.execsitecustomize()
    exec(job["before"], {})  # noqa: S102 -- of the test that starts it
    program: list[str] = job["program"]
    return program


def _run(program: list[str]) -> int:
    """Run a program as Python would, and return its exit code."""
    try:
        if program[0] == "-m":
            sys.argv = program[1:]
            runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = program
            runpy.run_path(program[0], run_name="__main__")
    except SystemExit as done:
        if done.code is None or isinstance(done.code, int):
            return done.code or 0
        print(done.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 -- what Python itself does with it
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _end(code: int) -> None:
    """End as copies by multiprocessing do: to take a thousand modules down takes 50 ms."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for _name in sys.argv[2:]:
        _load(_name)
    gc.freeze()
    _end(_run(_copies(socket.socket(fileno=int(sys.argv[1])))))
