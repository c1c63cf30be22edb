"""The installed daemon under a service manager: what it says of itself, and how it ends."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.adapters.state_dir import daemon_pid
from tests.chance import seed
from tests.e2e.command.conftest import config_text
from tests.e2e.command.daemons import Daemon, journal, listening, running
from tests.e2e.command.running import STOPS_WITHIN, User, is_in, plain, rewrite
from tests.servers.starting import Server, free_port, wait_until
from tests.unit.adapters.caldav.conftest import Hostile, Reply

HUNG = """
import os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from lorsync.daemon.sd_notify import ServiceManager
from lorsync.daemon.supervisor import Daemon
from lorsync.daemon.config_loader import ConfigLoader
config, state = map(Path, sys.argv[1:])
loader = ConfigLoader(config)
Daemon(
    config, state, loaded=loader.load(), load=loader.load,
    tell=print, manager=ServiceManager.of(os.environ), hung_seconds=1.0,
).run()
os._exit(0)
"""


SLOW = """
import sys
import lorsync.daemon.config_loader
lorsync.daemon.config_loader.LIMIT_SECONDS = 0.5
from lorsync.cli import main
sys.exit(main(sys.argv[1:]))
"""


UPGRADED = """
import sys
from pathlib import Path
import lorsync.daemon.supervisor
lorsync.daemon.supervisor._PROGRAM = Path(sys.argv.pop(1))
from lorsync.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def config(user: User) -> Path:
    """A config of a calendar in a folder, which needs no server."""
    path = user.home / "config.toml"
    path.write_text(in_folder())
    return path


def in_folder(*, due: str = "2099-01-15", zone: str = "Europe/Madrid", every: str = "15m") -> str:
    return f"""
[applicant]
name = "Sam Reyes"
timezone = "{zone}"

[calendar]
provider = "folder"
path = "events"

[sync]
every = "{every}"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = {due}
"""


def test_it_is_ready_after_its_plan_reloads_lives_and_stops(user: User, config: Path) -> None:
    with listening(user) as manager, running(user, config) as daemon:
        wait_until(lambda: bool(manager.said("READY=1")))
        wait_until(lambda: "Last pass" in manager.status)
        assert manager.heard.index("READY=1") < manager.heard.index(manager.status)
        wait_until(lambda: len(manager.said("WATCHDOG=1")) >= 2)
        assert manager.heard.index("READY=1") < manager.heard.index("WATCHDOG=1")
        manager.heard.clear()
        before = time.monotonic_ns() // 1000
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(manager.said("READY=1")))
        (reloading,) = manager.said("RELOADING=1")
        assert manager.heard.index(reloading) < manager.heard.index("READY=1")
        stamp = int(reloading.partition("MONOTONIC_USEC=")[2])
        assert before <= stamp <= time.monotonic_ns() // 1000
        daemon.wait_for("nothing in it has changed")
        daemon.stop(signal.SIGTERM)
        assert daemon.process.returncode == 0
        assert "STOPPING=1" in manager.heard


def test_it_is_ready_offline_and_says_what_is_wrong(user: User, config: Path) -> None:
    nobody = Server(url=f"http://127.0.0.1:{free_port()}/", pid=0)
    config.write_text(config_text(nobody))
    with listening(user) as manager, running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        assert manager.said("READY=1")
        assert "does not answer" in manager.status or "refuse" in manager.status, manager.status
        next_pass = user.record.next_pass
        assert next_pass is not None
        assert user.record.last_error is not None
        daemon.stop(signal.SIGTERM)


def test_a_worker_that_hangs_is_no_longer_vouched_for(user: User, config: Path) -> None:
    hostile = Hostile()
    hostile.always(Reply(hang=True))
    config.write_text(config_text(Server(url=hostile.url, pid=0)))
    with listening(user, watchdog_seconds=0.2) as manager:
        command = [sys.executable, "-c", HUNG, str(config), str(user.state)]
        process = subprocess.Popen(command, env=user.environ())
        try:
            wait_until(lambda: bool(manager.said("WATCHDOG=1")))
            wait_until(lambda: bool(hostile.requests))
            count = -1

            def quiet() -> bool:
                nonlocal count
                before, count = count, len(manager.said("WATCHDOG=1"))
                time.sleep(0.5)  # five times as long as between two signs of life
                return before == count

            wait_until(quiet)
        finally:
            process.terminate()
            assert process.wait(STOPS_WITHIN) == 0
            hostile.close()


def test_what_it_starts_does_not_speak_for_it(user: User, config: Path) -> None:
    spy = user.home / "spy"
    nobody = Server(url=f"http://127.0.0.1:{free_port()}/", pid=0)
    command = f'["sh", "-c", "env > {spy}; echo x"]'
    config.write_text(config_text(nobody).replace('["echo", "correct horse"]', command))
    with listening(user), running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        daemon.stop(signal.SIGTERM)
    said = spy.read_text()
    assert "HOME=" in said
    assert "NOTIFY_SOCKET" not in said
    assert "WATCHDOG" not in said


def test_without_any_credential_it_ends_with_78_and_says_why(user: User, config: Path) -> None:
    text = config_text(Server(url="https://cal.example.org/", pid=0))
    config.write_text("\n".join(s for s in text.splitlines() if "password_command" not in s))
    user.environment["CREDENTIALS_DIRECTORY"] = str(user.home)
    said = plain(user.types("run", config=config), 78)
    assert "The systemd credential lorsync-password is missing" in said
    assert "password_command" in said


def test_a_state_folder_of_a_newer_lorsync_is_refused_and_left(user: User, config: Path) -> None:
    import sqlite3
    from contextlib import closing

    user.types("sync", config=config)
    ledger = user.state / "ledger.sqlite3"
    with closing(sqlite3.connect(ledger)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "newer lorsync" in plain(user.types("run", config=config), 73)
    assert "newer lorsync" in plain(user.types("sync", config=config), 73)
    assert not list(user.state.glob("*damaged*"))


def upgraded(program: Path) -> None:
    """Install a file of the program in the place of the one before."""
    aside = program.with_suffix(".new")
    aside.write_text("")
    aside.replace(program)


def test_an_upgraded_program_is_made_room_for_where_something_starts_it(
    user: User, config: Path, tmp_path: Path
) -> None:
    program = tmp_path / "__init__.py"
    program.touch()
    command = [sys.executable, "-c", UPGRADED, str(program)]
    with (
        listening(user, watchdog_seconds=600) as manager,
        running(user, config, command) as daemon,
    ):
        daemon.wait_for("A pass has ended")
        upgraded(program)
        daemon.passes(signal.SIGUSR1)
        assert daemon.process.wait(STOPS_WITHIN) == 75
        assert "lorsync was upgraded" in manager.status
    assert daemon.said("is started again as the new one")


def test_an_upgraded_program_is_told_of_where_nothing_would_start_it(
    user: User, config: Path, tmp_path: Path
) -> None:
    program = tmp_path / "__init__.py"
    program.touch()
    command = [sys.executable, "-c", UPGRADED, str(program)]
    with running(user, config, command) as daemon:
        daemon.wait_for("A pass has ended")
        upgraded(program)
        daemon.passes(signal.SIGUSR1)
        daemon.wait_for("This daemon is still the old one: start it again.")
        daemon.passes(signal.SIGUSR1)
        daemon.stop(signal.SIGTERM)
    assert len(daemon.said("lorsync was upgraded")) == 1


def test_a_damaged_ledger_is_said_once_and_rebuilt_from_the_calendar(
    user: User, config: Path
) -> None:
    first = user.json("sync", config=config)
    (user.state / "ledger.sqlite3").write_bytes(b"garbage" * 1000)
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        assert len(daemon.said("was damaged")) == 1
        assert len(daemon.said(f"{len(first['created'])} adopted")) == 1, daemon.lines
        daemon.passes(signal.SIGUSR1)
        assert len(daemon.said("was damaged")) == 1
        daemon.stop(signal.SIGTERM)
    again = user.json("sync", config=config)
    assert not again["created"] + again["updated"] + again["deleted"]
    assert len(list(user.state.glob("*.damaged-*"))) == 1


def test_a_broken_config_is_said_until_it_is_mended(user: User, config: Path) -> None:
    with listening(user) as manager, running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        good = config.read_text()
        rewrite(config, "[applicant")
        daemon.wait_for("The config is broken")
        daemon.passes(signal.SIGUSR1)
        assert "The config is broken" in manager.status
        assert not daemon.said("again.")
        rewrite(config, good)
        daemon.wait_for("nothing in it has changed")
        wait_until(lambda: "Last pass" in manager.status)
        assert len(daemon.said("The config is broken")) == 1
        daemon.stop(signal.SIGTERM)


def test_a_signal_or_a_change_while_it_starts_is_survived_and_noticed(
    user: User, config: Path
) -> None:
    good = config.read_text()
    config.unlink()
    os.mkfifo(config)  # which keeps the start waiting
    pipe = -1

    def is_read() -> bool:
        nonlocal pipe
        pipe = opened_to_write(config)
        return pipe >= 0

    with running(user, config) as daemon:
        wait_until(is_read)
        for number in (signal.SIGHUP, signal.SIGUSR1):
            daemon.process.send_signal(number)
        config.unlink()
        config.write_text(in_folder(due="2099-02-19"))
        with os.fdopen(pipe, "w") as file:
            file.write(good)
        daemon.wait_for("The config was read again.")
        daemon.wait_for("A pass has ended")
        daemon.stop(signal.SIGTERM)
    assert any(b"20990219" in file.read_bytes() for file in user.home.glob("events/*.ics"))


def test_a_config_that_hangs_holds_no_pass_up(user: User, config: Path) -> None:
    """A pipe nobody writes to is waited for as long as a read of it lasts, beyond the limit."""
    good = config.read_text()
    command = [sys.executable, "-c", SLOW]
    with listening(user) as manager, running(user, config, command) as daemon:
        daemon.wait_for("A pass has ended")
        aside = config.with_suffix(".new")
        os.mkfifo(aside)
        aside.replace(config)
        daemon.wait_for("has not answered for 0.5 seconds")
        daemon.passes(signal.SIGUSR1)
        assert len(daemon.said("The last good one stays in force.")) == 1
        assert "The last good one stays in force." in manager.status
        assert "has not answered" in str(user.record.config_error)
        rewrite(config, good.replace("2099-01-15", "2099-02-19"))
        wait_until(lambda: _reads_again(daemon))
        wait_until(lambda: is_in(user.home / "events", "20990219"))
        assert user.record.config_error is None
        daemon.stop(signal.SIGTERM)


def _reads_again(daemon: Daemon) -> bool:
    daemon.passes(signal.SIGUSR1)
    return bool(daemon.said("The config was read again."))


def test_another_zone_of_the_machine_is_noticed_with_the_next_pass(
    user: User, config: Path
) -> None:
    """As when its owner travels, where the config names no zone."""
    localtime = user.home / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    user.environment["TZ"] = f":{localtime}"
    config.write_text(in_folder().replace('timezone = "Europe/Madrid"\n', ""))
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        daemon.passes(signal.SIGUSR1)
        assert not daemon.said("Days are meant")
        localtime.unlink()
        localtime.symlink_to("/usr/share/zoneinfo/America/Lima")
        daemon.passes(signal.SIGUSR1)
        told = "Days are meant in America/Lima from now on, and no longer in Asia/Tokyo."
        assert len(daemon.said(told)) == 1
        daemon.passes(signal.SIGUSR1)
        assert len(daemon.said("Days are meant")) == 1
        daemon.stop(signal.SIGTERM)


def test_what_waits_for_the_config_to_rest_is_done_by_itself(user: User, config: Path) -> None:
    config.write_text(in_folder(every="1d"))
    with running(user, config) as daemon:
        wait_until(lambda: is_in(user.home / "events", "Check in with"))
        daemon.wait_for("A pass has ended")
        aside = config.with_suffix(".new")
        aside.write_text(
            in_folder(every="1d").replace("[sync]", "[policy]\nfollow_ups = 0\n[sync]")
        )
        saved = datetime.now(UTC).timestamp() - 35
        os.utime(aside, (saved, saved))
        aside.replace(config)
        daemon.wait_for("A pass has ended: config")
        assert is_in(user.home / "events", "Check in with"), daemon.lines
        # With no change, no signal, and the regular pass half a day away at the least.
        daemon.wait_for("A pass has ended: scheduled")
        assert not is_in(user.home / "events", "Check in with")
        following = datetime.fromisoformat(str(user.record.next_pass))
        assert following - datetime.now(UTC) > timedelta(hours=11)
        daemon.stop(signal.SIGTERM)


def opened_to_write(pipe: Path) -> int:
    """Open a pipe to write, if anybody reads it by now; else return -1."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return -1


def test_a_ledger_that_another_program_keeps_delays_no_stop(user: User, config: Path) -> None:
    user.types("sync", config=config)
    other = sqlite3.connect(user.state / "ledger.sqlite3")
    other.execute("BEGIN EXCLUSIVE")
    with running(user, config) as daemon:
        wait_until(lambda: daemon_pid(user.state) is not None)
        daemon.stop(signal.SIGTERM)
        assert daemon.process.returncode == 0
    other.rollback()
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        other.execute("BEGIN EXCLUSIVE")
        daemon.stop(signal.SIGTERM)
        assert daemon.process.returncode == 0
    other.close()


def stopped_at_any_time(user: User, config: Path, times: int) -> None:
    """Stop it at random moments; it leaves soon each time, and the next one goes on."""
    draw = random.Random(seed("LORSYNC_STOP_SEED"))  # noqa: S311 -- no secret is drawn
    for _ in range(times):
        with running(user, config) as daemon:
            number = draw.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
            if number == signal.SIGINT:
                # Earlier it may hit the interpreter at its own start, which knows no good answer.
                daemon.wait_for("A pass begins")
            time.sleep(draw.uniform(0, 2))
            daemon.stop(number)
            assert daemon.process.returncode in {0, -number}, daemon.lines
            assert not daemon.said("Traceback"), daemon.lines
            assert not daemon.said("nternal error"), daemon.lines
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        assert user.record.last_error is None
        daemon.stop(signal.SIGTERM)
    settled = user.json("sync", config=config)
    assert not settled["created"] + settled["updated"] + settled["deleted"]


def test_it_can_be_stopped_at_any_time(user: User, config: Path) -> None:
    stopped_at_any_time(user, config, 3)


@pytest.mark.long
def test_it_can_be_stopped_at_any_time_often(user: User, config: Path) -> None:
    config.write_text(in_folder().replace('"folder"\npath = "events"', '"local"'))
    stopped_at_any_time(user, config, 40)


def test_each_line_says_what_it_is_about_and_an_idle_pass_says_nothing(
    user: User, config: Path
) -> None:
    import json

    command = [*user.arguments("run", "--log-format", "json", config=config)]
    log, end, environment = journal()
    process = subprocess.Popen(
        [command[0], "-v", *command[1:]],
        env=user.environ() | environment,
        stderr=end,
        stdout=subprocess.DEVNULL,
        cwd=user.home,
    )
    os.close(end)
    try:
        wait_until(lambda: user.record.next_pass is not None)
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: (user.record.last_pass or {}).get("created") == 0)
    finally:
        process.terminate()
        process.wait(STOPS_WITHIN)
    with log:
        lines = [json.loads(line) for line in log]
    assert [line["message"] for line in lines if line["level"] == "info"] == ["6 created."]
    changes = [line for line in lines if line["logger"] == "lorsync.changes" and "uid" in line]
    assert len(changes) == 6
    assert all(line["uid"].startswith("lorsync-") and line["mentor"] for line in changes)


def test_a_config_by_links_is_followed_wherever_they_lead(user: User, config: Path) -> None:
    """As a config map is mounted: the file is a link through ``..data``, which is swapped."""
    folder = user.home / "mounted"
    for name, due in (("..one", "2099-01-15"), ("..two", "2099-02-19"), ("..three", "2099-03-19")):
        (folder / name).mkdir(parents=True)
        text = in_folder(due=due).replace('"events"', f'"{user.home}/events"')
        (folder / name / "config.toml").write_text(text)
    (folder / "..data").symlink_to("..one")
    (folder / "config.toml").symlink_to("..data/config.toml")
    with running(user, folder / "config.toml") as daemon:
        daemon.wait_for("A pass has ended")
        for number, name in enumerate(("..two", "..three"), start=1):
            (folder / "..new").symlink_to(name)
            (folder / "..new").replace(folder / "..data")
            daemon.wait_for("The config was read again.", number)
        wait_until(lambda: is_in(user.home / "events", "20990319"))
        daemon.stop(signal.SIGTERM)
