"""The embedded server: started once, shared, remembered, and gone with its last user."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.local.server import LocalServer
from lorsync.adapters.local.server import ensure_running as ensure_running_soon
from lorsync.core.errors import ConfigError, CredentialsError, StateError, TryAgainError
from lorsync.core.settings import CalendarSettings, Provider
from tests.servers.starting import is_running, wait_until

pytestmark = pytest.mark.slow


def ensure_running(state: Path) -> LocalServer:
    """Have patience with a busy machine."""
    return ensure_running_soon(state, limit=120)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def server_pid(state: Path) -> int:
    return int((state / "local-server.lock").read_text().splitlines()[0])


def kept_password(state: Path) -> str:
    """Return the password that calendar apps use."""
    return str(json.loads((state / "local-server.json").read_text())["password"])


def sign_in(server: LocalServer, password: str) -> None:
    """Open the calendar as lorsync does. Raises CredentialsError where the password is refused."""
    settings = CalendarSettings(provider=Provider.LOCAL, url=server.url, username=server.username)
    open_collection(settings, password, remembered=None).close()


def is_free(lock: Path) -> bool:
    """Tell whether nobody holds a lock; a killed process does until its last thread has ended."""
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


USER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from lorsync.adapters.local.server import ensure_running
    server = ensure_running(Path(sys.argv[1]), limit=120)
    print(server.url, flush=True)
    sys.stdin.read()
    server.close()
""")


@pytest.fixture
def other(state: Path) -> Iterator["list[subprocess.Popen[str]]"]:
    """Other lorsync processes; ended after the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        with process:
            process.kill()


def start_other(
    started: "list[subprocess.Popen[str]]", state: Path
) -> "tuple[subprocess.Popen[str], str]":
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_it_serves_calendars_to_its_own_user_only(state: Path) -> None:
    with ensure_running(state) as server:
        settings = CalendarSettings(
            provider=Provider.LOCAL, url=server.url, username=server.username, color="#aa3377"
        )
        calendar = open_collection(settings, server.password, remembered=None)
        assert calendar.created
        assert calendar.listing(None).entries == {}
        calendar.close()
        with pytest.raises(CredentialsError):
            sign_in(server, "wrong")


def test_port_and_password_are_kept_in_private_files(state: Path) -> None:
    with ensure_running(state) as first:
        url, kept = first.url, json.loads((state / "local-server.json").read_text())
        sign_in(first, kept["password"])
    with ensure_running(state) as second:
        assert second.url == url
        sign_in(second, kept["password"])
    assert json.loads((state / "local-server.json").read_text()) == kept
    assert f":{kept['port']}/" in url
    for file in state.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_lorsync_signs_in_with_a_password_of_one_run(state: Path) -> None:
    with ensure_running(state) as first:
        sign_in(first, first.password)
        assert first.password != kept_password(state)
        for file in state.glob("local-server.*"):
            assert first.password not in file.read_text()
    with ensure_running(state) as second:
        with pytest.raises(CredentialsError):
            sign_in(second, first.password)
        sign_in(second, second.password)


def test_the_password_is_in_no_representation(state: Path) -> None:
    with ensure_running(state) as server:
        assert server.password not in repr(server)
        command = Path(f"/proc/{server_pid(state)}/cmdline").read_bytes().decode()
        for password in (server.password, kept_password(state)):
            assert password not in repr(vars(server))
            assert password not in command


def test_it_listens_on_loopback_only(state: Path) -> None:
    with ensure_running(state) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
    assert listening == [f"0100007F:{port:04X}"]


def test_close_stops_it(state: Path) -> None:
    server = ensure_running(state)
    pid = server_pid(state)
    server.close()
    assert not is_running(pid)
    server.close()


def test_a_second_use_shares_the_server_and_keeps_it_up(state: Path) -> None:
    first = ensure_running(state)
    second = ensure_running(state)
    pid = server_pid(state)
    assert second.url == first.url
    first.close()
    assert is_running(pid)
    second.close()
    wait_until(lambda: not is_running(pid))


def test_many_that_start_at_once_share_one_server(state: Path) -> None:
    with ThreadPoolExecutor(6) as threads:
        servers = list(threads.map(lambda _: ensure_running(state), range(6)))
    assert len({server.url for server in servers}) == 1
    assert len({server.password for server in servers}) == 1
    pid = server_pid(state)
    for server in servers:
        server.close()
    wait_until(lambda: not is_running(pid))


def test_another_process_shares_it_and_outlives_the_starter(
    state: Path, other: "list[subprocess.Popen[str]]"
) -> None:
    server = ensure_running(state)
    process, url = start_other(other, state)
    assert url == server.url
    pid = server_pid(state)
    server.close()
    assert is_running(pid)
    process.communicate()
    wait_until(lambda: not is_running(pid))


def test_it_dies_with_a_parent_that_is_killed(
    state: Path, other: "list[subprocess.Popen[str]]"
) -> None:
    process, _ = start_other(other, state)
    pid = server_pid(state)
    assert is_running(pid)
    process.kill()
    wait_until(lambda: not is_running(pid))


def test_it_takes_no_notice_of_signals_meant_for_its_parent(state: Path) -> None:
    with ensure_running(state) as server:
        pid = server_pid(state)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            os.kill(pid, number)
        sign_in(server, server.password)
        assert is_running(pid)


def test_a_server_that_was_killed_is_started_again(state: Path) -> None:
    first = ensure_running(state)
    os.kill(server_pid(state), signal.SIGKILL)
    wait_until(lambda: is_free(state / "local-server.lock"))
    with ensure_running(state) as second:
        assert second.url == first.url
        assert is_running(server_pid(state))
    first.close()


def test_a_port_that_another_program_holds_is_named(state: Path) -> None:
    ensure_running(state).close()
    port = json.loads((state / "local-server.json").read_text())["port"]
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", port))
        foreign.listen()
        with pytest.raises(TryAgainError, match=rf"{port}.*local-server\.json"):
            ensure_running(state)


THIEF = textwrap.dedent("""
    import os, socket, sys, time
    port, age = int(sys.argv[1]), float(sys.argv[2])
    if os.geteuid() == 0:
        os.setuid(65534)  # another user of the machine
    print("ready", flush=True)

    def commands():
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{number}/cmdline", "rb") as file:
                    yield file.read()
            except OSError:
                pass

    server = [b"lorsync.adapters.local.process", sys.argv[3].encode()]
    while not any(line.split(b"\\0")[2:4] == server for line in commands()):
        pass
    began = time.monotonic()
    while time.monotonic() < began + age:
        pass
    while True:
        thief = socket.socket()
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            thief.bind(("127.0.0.1", port))
            thief.listen()
            break
        except OSError:
            thief.close()
    while True:
        caller, _ = thief.accept()
        print(caller.recv(65536), flush=True)
        caller.close()
""")
"""Waits for a server to be started, and says what it hears on the port once it could bind that."""


@pytest.mark.parametrize("age", [0.0, 0.2, 0.4])
def test_another_user_who_races_for_the_port_gets_no_password(state: Path, age: float) -> None:
    ensure_running(state).close()
    port = json.loads((state / "local-server.json").read_text())["port"]
    command = [sys.executable, "-c", THIEF, str(port), str(age), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as thief:
        assert thief.stdout is not None
        try:
            assert thief.stdout.readline() == "ready\n"
            with ensure_running(state) as server:
                sign_in(server, server.password)
        finally:
            thief.kill()
        assert thief.stdout.read() == ""


def test_who_took_the_port_of_a_killed_server_is_told_nothing(state: Path) -> None:
    with ensure_running(state) as server:
        os.kill(server_pid(state), signal.SIGKILL)
        wait_until(lambda: is_free(state / "local-server.lock"))
        heard: list[bytes] = []
        # The kernel lets go of the port before the lock.
        with socket.socket() as thief, (state / "local-server.lock").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", server.port))
            thief.listen()

            def answer() -> None:
                caller, _ = thief.accept()
                with caller:
                    heard.append(caller.recv(65536))
                    caller.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"0" * 64)

            with ThreadPoolExecutor(1) as thread:
                answered = thread.submit(answer)
                with pytest.raises(TryAgainError, match=rf"{server.port}.*another program"):
                    ensure_running_soon(state, limit=0)
                answered.result(timeout=60)
    (request,) = heard
    assert b"uthorization" not in request
    for password in (server.password, kept_password(state)):
        assert password.encode() not in request


def test_half_open_connections_keep_nobody_out(state: Path) -> None:
    with ensure_running(state) as server, ExitStack() as stack:
        begun = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for _ in range(200)
        ]
        for number, connection in enumerate(begun):
            with suppress(OSError):  # the oldest are closed
                connection.sendall(b"PROPFIND / HTTP/1.1\r\nHost: "[: number % 30])
        sign_in(server, server.password)
        with ensure_running_soon(state, limit=5) as another:
            sign_in(another, kept_password(state))


def test_a_request_without_a_password_is_asked_for_one(state: Path) -> None:
    answers = []
    with ensure_running(state) as server:
        for said in (b"", b"Authorization: Basic !\r\n", b"Authorization: Bearer x\r\n"):
            with socket.create_connection(("127.0.0.1", server.port)) as caller:
                caller.sendall(b"OPTIONS /lorsync/ HTTP/1.1\r\nHost: x\r\n" + said + b"\r\n")
                answers.append(caller.makefile("rb").read().split(b"\r\n"))
    for answer in answers:
        assert answer[0] == b"HTTP/1.0 401 Unauthorized"
        assert any(line.startswith(b"WWW-Authenticate: Basic ") for line in answer)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("", 0o770), ("", 0o703), ("local-server.json", 0o620), ("local-server.json", 0o640)],
)
def test_a_folder_or_settings_that_others_may_change_are_refused(
    state: Path, name: str, mode: int
) -> None:
    ensure_running(state).close()
    (state / name).chmod(mode)
    with pytest.raises(StateError, match="by other"):
        ensure_running(state)


def test_broken_settings_are_named(state: Path) -> None:
    state.mkdir()
    (state / "local-server.json").touch(mode=0o600)
    (state / "local-server.json").write_text("{")
    with pytest.raises(StateError, match=r"local-server\.json"):
        ensure_running(state)


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file"):
        ensure_running(tmp_path / "file" / "state")


def test_without_radicale_it_says_what_to_install(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"lorsync\[local\]"):
        ensure_running(state)


def test_radicale_is_not_imported_by_its_user() -> None:
    code = "import sys, lorsync.adapters.local.server; print('radicale' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
