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
from pathlib import Path

import pytest

from lorsync.adapters.caldav.choosing import open_collection
from lorsync.adapters.local_server import LocalServer
from lorsync.adapters.local_server import ensure_running as ensure_running_soon
from lorsync.errors import ConfigError, CredentialsError, StateError, TryAgainError
from lorsync.settings import CalendarSettings, Provider
from tests.servers import is_running, wait_until


def ensure_running(state: Path) -> LocalServer:
    """Have patience with a busy machine."""
    return ensure_running_soon(state, limit=120)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def server_pid(state: Path) -> int:
    return int((state / "local-server.lock").read_text())


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
    from lorsync.adapters.local_server import ensure_running
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
            open_collection(settings, "wrong", remembered=None)


def test_port_and_password_are_kept_in_private_files(state: Path) -> None:
    with ensure_running(state) as first:
        once = (first.url, first.password)
    with ensure_running(state) as second:
        assert (second.url, second.password) == once
    kept = json.loads((state / "local-server.json").read_text())
    assert f":{kept['port']}/" in once[0]
    assert kept["password"] == once[1]
    for file in state.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert once[1] not in (state / "local-server.htpasswd").read_text()


def test_the_password_is_in_no_representation(state: Path) -> None:
    with ensure_running(state) as server:
        assert server.password not in repr(server)
        assert server.password not in repr(vars(server))
        command = Path(f"/proc/{server_pid(state)}/cmdline").read_bytes()
        assert server.password.encode() not in command


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
        settings = CalendarSettings(
            provider=Provider.LOCAL, url=server.url, username=server.username
        )
        open_collection(settings, server.password, remembered=None).close()
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


def test_broken_settings_are_named(state: Path) -> None:
    state.mkdir()
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
    code = "import sys, lorsync.adapters.local_server; print('radicale' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
