"""The installed daemon as a process: how soon it speaks and stops, and what it costs idle."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.processes import environment, lorsync
from benchmarks.request_counts import account_at
from benchmarks.seasons import Account, write_season
from benchmarks.table import Row, at_most, plain
from tests.servers.starting import radicale

EVENTS = 20
PASSES = 20
IDLE_SECONDS = 65.0
_LONGEST_IDLE = 150.0
_LIMIT = 60.0
# A daemon that has just passed still closes files and connections: it is idle once it has slept on.
_QUIET_SECONDS = 5.0


def measure(folder: Path) -> Iterator[Row]:
    """Yield the rows for the embedded server, then for a server of its own."""
    local = folder / "local"
    local.mkdir()
    config = write_season(local / "season.toml", Account(provider="local"), EVENTS)
    yield from _life("local", config, local)
    remote = folder / "caldav"
    with radicale(remote / "server") as server:
        account = account_at(server.url, server)
        config = write_season(remote / "season.toml", account, EVENTS)
        yield from _life("caldav", config, remote)


def _life(name: str, config: Path, home: Path) -> Iterator[Row]:
    """Follow a daemon from its start to its stop."""
    state = home / "state"
    with _running(config, state, home) as daemon:
        daemon.wait_for_pass()
        first = daemon.resident_mb()
        yield plain(f"daemon on {name}: start to first output", f"{daemon.first_output():.2f} s")
        yield at_most(f"daemon on {name}: resident after the first pass", first, 85, " MB")
        for _ in range(PASSES):
            os.kill(daemon.pid, signal.SIGUSR1)
            daemon.wait_for_pass()
        what = f"daemon on {name}: resident after {PASSES} more passes"
        yield at_most(what, daemon.resident_mb(), 85, " MB")
        idle = daemon.idle()
        what = f"daemon on {name}: wake-ups a minute, all threads"
        yield at_most(what, idle.wakes_a_minute, 2, note=f" ({idle.seconds:.0f} s watched)")
        yield plain(f"daemon on {name}: processor meanwhile", f"{idle.cpu:.2f} s")
        server = _embedded_server(state)
        if server is not None:
            yield plain(
                f"its embedded server on {name}: resident", f"{_resident_mb(server):.1f} MB"
            )
        yield at_most(f"daemon on {name}: SIGINT to its end", daemon.stop(), 2, " s")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Idle:
    """What a process did while nothing was asked of it."""

    seconds: float
    wakes: int
    cpu: float

    @property
    def wakes_a_minute(self) -> float:
        return self.wakes * 60 / self.seconds


class _Daemon:
    """A running ``lorsync run``."""

    def __init__(self, process: "subprocess.Popen[bytes]", started: float) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._started = started
        self._passed: queue.Queue[None] = queue.Queue()
        self._output: queue.Queue[float] = queue.Queue()
        self._errors: list[bytes] = []
        for reader, stream in ((self._read_log, process.stderr), (self._read, process.stdout)):
            threading.Thread(target=reader, args=(stream,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_pass(self) -> None:
        """Wait for the end of the pass that was asked for."""
        try:
            self._passed.get(timeout=_LIMIT)
        except queue.Empty:
            said = b"".join(self._errors).decode()
            msg = f"The daemon made no pass within {_LIMIT:g} s. It said: {said}"
            raise AssertionError(msg) from None

    def first_output(self) -> float:
        """Return the seconds from the start to the first line on stdout."""
        return self._output.get(timeout=_LIMIT)

    def resident_mb(self) -> float:
        return _resident_mb(self.pid)

    def idle(self) -> _Idle:
        """Watch the idle daemon, from one wake-up to another, at least so long as promised.

        From wake-up to wake-up, since a window of any fixed length would hold one too many or one
        too few. A daemon that never wakes is watched to the limit.
        """
        self._wait_for_quiet()
        self._wait_for_wake(time.monotonic() + _LONGEST_IDLE)
        start, wakes, cpu = time.monotonic(), _wakes(self.pid), _cpu_seconds(self.pid)
        end = start + _LONGEST_IDLE
        while time.monotonic() < min(start + IDLE_SECONDS, end):
            self._wait_for_wake(end)
        return _Idle(
            seconds=time.monotonic() - start,
            wakes=_wakes(self.pid) - wakes,
            cpu=_cpu_seconds(self.pid) - cpu,
        )

    def stop(self) -> float:
        """Press Ctrl-C, and return the seconds until the process has ended."""
        start = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(timeout=_LIMIT)
        assert code == 0, f"the daemon ended with {code}: {b''.join(self._errors).decode()}"
        return time.monotonic() - start

    def _wait_for_quiet(self) -> None:
        limit = time.monotonic() + _LIMIT
        before = None
        while before != (before := _wakes(self.pid)) and time.monotonic() < limit:
            time.sleep(_QUIET_SECONDS)

    def _wait_for_wake(self, end: float) -> None:
        before = _wakes(self.pid)
        while _wakes(self.pid) == before and time.monotonic() < end:
            time.sleep(0.05)
        # One wake-up may sleep and go on several times before it is over; that is still counted.
        time.sleep(0.2)

    def _read_log(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._errors.append(line)
            if b"Next pass" in line:
                self._passed.put(None)

    def _read(self, stream: IO[bytes]) -> None:
        if stream.read(1):
            self._output.put(time.monotonic() - self._started)
        while stream.read(4096):
            pass


@contextlib.contextmanager
def _running(config: Path, state: Path, home: Path) -> Iterator[_Daemon]:
    # With -v it logs the end of each pass.
    command = lorsync(config, state, "run")
    command.insert(1, "-v")
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield _Daemon(process, started)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _resident_mb(pid: int) -> float:
    return int(_status(Path(f"/proc/{pid}/status"))["VmRSS"].split()[0]) / 1024


def _wakes(pid: int) -> int:
    """Return how often the threads of a process have slept and been woken."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
            total += int(_status(task / "status")["voluntary_ctxt_switches"])
    return total


def _status(file: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in file.read_text().splitlines())
    return {name: value.strip() for name, _, value in pairs}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _embedded_server(state: Path) -> int | None:
    lock = state / "local-server.lock"
    # Its process is in the first line, and the name of its run in the second.
    return int(lock.read_text().splitlines()[0]) if lock.exists() else None
