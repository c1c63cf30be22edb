"""The installed daemon as a process: what it shows, notices, survives and refuses."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.command.conftest import config_text
from tests.e2e.command.daemons import running as in_journal
from tests.e2e.command.running import STOPS_WITHIN, User, child_of, is_in, plain, rewrite
from tests.servers.starting import Server, is_running, wait_until

CONFIG = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "local"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""


@pytest.fixture
def config(user: User) -> Path:
    path = user.home / "config.toml"
    path.write_text(CONFIG)
    return path


@contextmanager
def daemon(user: User, config: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a daemon past its first pass; end it hard if the test has not."""
    before = user.record

    def passed() -> bool:
        # What comes next is remembered once the pass was shown.
        now = user.record
        return now.last_pass != before.last_pass and now.next_pass is not None

    running = user.starts("run", config=config)
    try:
        wait_until(lambda: passed() or running.poll() is not None)
        assert running.poll() is None, running.communicate()[0]
        yield running
    finally:
        end(running)


def end(running: subprocess.Popen[str]) -> None:
    """End a process that a failed test has left."""
    if running.poll() is None:
        running.kill()
    if running.stdout is not None and not running.stdout.closed:
        running.communicate()


def stopped(running: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> str:
    """Send what Ctrl-C sends, or another signal, and return all that was printed."""
    running.send_signal(number)
    output, _ = running.communicate(timeout=STOPS_WITHIN)
    assert running.returncode == 0
    return output


def test_run_shows_the_plan_the_address_and_the_next_pass_and_stops(
    user: User, config: Path
) -> None:
    with daemon(user, config) as running:
        status = user.json("status", config=config)
        assert status["daemon"] == {"running": True, "pid": running.pid}
        assert status["next_pass"] is not None
        output = stopped(running)
    assert "Ask Prof. Ana Ruiz for a letter" in output
    assert status["calendar"]["address"] in output
    for app in ("Apple Calendar", "Thunderbird", "GNOME"):
        assert app in output
    assert "The next pass is at" in output
    # As `plan` shows it, by month; and nothing is wider than a terminal but what is to be copied.
    assert "\nDecember 2098\n" in output
    to_copy = (status["calendar"]["address"], str(user.state))
    told = [line for line in output.splitlines() if not any(text in line for text in to_copy)]
    assert max(map(len, told)) <= 80, told
    assert "Traceback" not in output
    assert user.json("status", config=config)["daemon"] == {"running": False, "pid": None}


def test_run_again_writes_nothing_and_serves_the_same_address(user: User, config: Path) -> None:
    with daemon(user, config) as running:
        address = user.json("status", config=config)["calendar"]["address"]
        stopped(running)
    with daemon(user, config) as running:
        output = stopped(running)
    assert "Nothing to write (1 request)" in output
    assert address in output


def test_a_changed_config_is_noticed_and_a_broken_one_leaves_the_last_good_one(
    user: User, config: Path
) -> None:
    def due() -> list[str]:
        return [e["due"] for e in user.json("status", config=config)["letters"]]

    in_folder = CONFIG.replace('"local"', '"folder"\npath = "events"')
    config.write_text(in_folder)
    with daemon(user, config) as running:
        rewrite(config, in_folder.replace("2099-01-15", "2099-02-19"))
        wait_until(lambda: is_in(user.home / "events", "20990219"))
        good = config.read_text()
        rewrite(config, "[applicant")
        wait_until(lambda: user.record.config_error is not None)
        rewrite(config, good)
        wait_until(lambda: user.record.config_error is None)
        output = stopped(running)
    assert output.count("The config is broken") == 1
    assert due() == ["2099-02-19"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_asks_for_a_pass(user: User, config: Path, number: signal.Signals) -> None:
    with daemon(user, config) as running:
        before = user.record.last_pass
        running.send_signal(number)
        wait_until(lambda: user.record.last_pass != before)
        stopped(running)


def test_a_second_daemon_is_refused_with_the_first_ones_process(user: User, config: Path) -> None:
    with daemon(user, config) as running:
        message = plain(user.types("run", config=config), 75)
        assert str(running.pid) in message
        assert user.json("sync", config=config)["requests"] == 1
        stopped(running)


def test_killed_hard_it_leaves_no_server_and_starts_again(user: User, config: Path) -> None:
    with daemon(user, config) as running:
        server = child_of(running.pid)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        wait_until(lambda: not is_running(server))
    with daemon(user, config) as running:
        assert "Nothing to write" in stopped(running)


def test_a_broken_config_from_the_start_is_said_and_exits_78(user: User, config: Path) -> None:
    config.write_text("[applicant")
    plain(user.types("run", config=config), 78)


def test_sigterm_stops_it_too(user: User, config: Path) -> None:
    with daemon(user, config) as running:
        stopped(running, signal.SIGTERM)


def test_a_server_that_comes_back_is_written_to(user: User, config: Path) -> None:
    config.write_text(CONFIG.replace('provider = "local"', 'provider = "folder"\npath = "events"'))
    (user.home / "events").write_text("a file in the way")
    running = user.starts("run", config=config)
    try:
        wait_until(lambda: user.record.last_error is not None)
        (user.home / "events").unlink()
        running.send_signal(signal.SIGUSR1)
        wait_until(lambda: user.record.last_error is None)
        assert len(list((user.home / "events").glob("*.ics"))) == 6 + 1  # the memory
        stopped(running)
    finally:
        end(running)


def test_in_the_journal_every_line_has_its_level(user: User, config: Path) -> None:
    with in_journal(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        rewrite(config, "[applicant")
        daemon.wait_for("The config is broken")
        daemon.stop(signal.SIGTERM)
        assert all(line.startswith("<") and line[2] == ">" for line in daemon.lines), daemon.lines
    # What ends it is an error there, too, and not a line among others.
    with in_journal(user, config) as daemon:
        wait_until(lambda: daemon.ended)
    told = next(line for line in daemon.lines if not line.startswith("<7>"))
    assert told.startswith("<3>lorsync: ")


def test_what_only_inherits_the_name_of_the_journal_writes_no_levels(
    user: User, config: Path
) -> None:
    user.environment["JOURNAL_STREAM"] = "8:12345"  # as in a terminal that is a service
    config.write_text("[applicant")
    assert plain(user.types("check", config=config), 78).startswith("lorsync: ")


def test_a_stop_does_not_wait_for_a_server_that_says_nothing(user: User, config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.settimeout(120)
        config.write_text(config_text(Server(url=url, pid=0)))
        running = user.starts("run", config=config)
        try:
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(9) == b"PROPFIND "
                assert "in the middle of a pass" in stopped(running)
        finally:
            end(running)
