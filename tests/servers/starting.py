"""Real CalDAV servers from their packages, on free loopback ports, each in a folder of its own."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import warm

USERNAME = "user"
PASSWORD = "correct horse"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server; ``url`` is its bare address."""

    url: str
    pid: int
    username: str = USERNAME
    password: str = PASSWORD


def free_port() -> int:
    """Return a loopback port that nothing listens on, and that nobody else gets in this run.

    It stays bound until this process ends, so the kernel hands it to no one; whoever binds it by
    its number, as servers do with SO_REUSEADDR, may listen there all the same.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port


def wait_until(condition, limit: float = 120.0) -> None:
    """Wait for a condition; fail when it does not come true within ``limit`` seconds.

    That is far more than a busy machine needs, and costs nothing where all is well.
    """
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:g} s: {condition}")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def answers(port: int) -> bool:
    """Tell whether something listens on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[Server]:
    with log.open("wb") as output:
        process = warm.servers().starts(
            command, environment=os.environ, folder=Path.cwd(), out=output, err=output
        )
        try:
            wait_until(lambda: process.poll() is not None or answers(port))
            if process.poll() is not None:
                raise AssertionError(log.read_text())
            yield Server(url=f"http://127.0.0.1:{port}/", pid=process.pid)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:  # Xandikos waits for connections that are open
                process.kill()
                process.wait()


@contextlib.contextmanager
def radicale(folder: Path) -> Iterator[Server]:
    """Serve with Radicale."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users"
    users.write_text(f"{USERNAME}:{PASSWORD}\n")
    port = free_port()
    options = {
        "server-hosts": f"127.0.0.1:{port}",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(users),
        "auth-htpasswd-encryption": "plain",
        "auth-delay": "0.01",
        "storage-filesystem-folder": str(folder / "storage"),
        "rights-type": "owner_only",
        "logging-level": "warning",
    }
    command = ["-m", "radicale", "--config", ""]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with _running(command, port, folder / "log") as server:
        yield server


@contextlib.contextmanager
def xandikos(folder: Path) -> Iterator[Server]:
    """Serve with Xandikos, which asks for no password over plain HTTP."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        *("-m", "xandikos", "serve", "--no-detect-systemd"),
        *("--directory", str(folder / "storage"), "--state-dir", str(folder / "state")),
        *("--listen-address", "127.0.0.1", "--port", str(port)),
        *("--current-user-principal", "/user/", "--defaults"),
    ]
    with _running(command, port, folder / "log") as server:
        yield server
