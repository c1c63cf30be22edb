"""``lorsync doctor`` as its user meets it: what it says when all is well, and when nothing is."""

import contextlib
import io
import json
import os
import re
import resource
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lorsync.adapters.state_dir import DaemonLock
from lorsync.cli import main
from lorsync.doctor.machine import look_at_daemon
from lorsync.monitoring.health import standing
from lorsync.monitoring.state import Keeper
from lorsync.sync.report import Record
from tests.e2e.command.conftest import config_text
from tests.e2e.command.running import User, plain
from tests.servers.relay import passed_on
from tests.servers.starting import Server, free_port, radicale, wait_until
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request, hostile

__all__ = ["hostile"]

MINIMAL = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "folder"
path = "events"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""


def examined(user: User, config: Path, *arguments: str, code: int = 0) -> dict[str, str]:
    """Run doctor, and return what it found, by the codes of the findings."""
    done = user.types("doctor", "--json", *arguments, config=config)
    assert "Traceback" not in done.stderr
    return judged(done.stdout, done.returncode, code)


def in_process(user: User, config: Path, *arguments: str, code: int = 0) -> dict[str, str]:
    """Do the same without a process of its own, which takes most of the time."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        done = main(user.arguments("doctor", "--json", *arguments, config=config)[1:])
    return judged(told.getvalue(), done, code)


def judged(document: str, done: int, code: int) -> dict[str, str]:
    found = json.loads(document)
    assert done == code, found
    problems = [each["finding"] for each in found if each["verdict"] == "problem"]
    assert bool(problems) == bool(code), problems
    assert all(each["means"] for each in found)
    return {each["finding"]: each["found"] for each in found}


def synced(user: User, config: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(user.arguments("sync", config=config)[1:]) == 0


def test_late_daemon_with_an_older_config_and_its_last_error(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    record = Record(
        next_pass=(now - timedelta(minutes=11)).isoformat(),
        config_error="The config is broken.",
        last_error={"at": now.isoformat(), "message": "It went wrong."},
    )
    with DaemonLock(tmp_path):
        found = {each.code: each.found for each in look_at_daemon(tmp_path, record, now)}
    assert found == {
        "daemon-late": f"Process {os.getpid()} is 11 minutes late.",
        "daemon-old-config": "The config is broken.",
        "last-error": "It went wrong.",
    }
    # status judges by the same.
    judged = standing(
        record, pid=os.getpid(), keeper=Keeper.DAEMON, every=timedelta(hours=1), now=now
    )
    assert "stuck" in {need.code for need in judged.needs}


def test_machine_without_time_zones(user: User, folder: Path) -> None:
    # The system's are not looked for, and the package that brings some is another, empty one.
    (user.home / "tzdata").mkdir()
    (user.home / "tzdata" / "__init__.py").touch()
    user.environment |= {"PYTHONTZPATH": "", "PYTHONPATH": str(user.home)}
    found = examined(user, folder, code=1)
    assert "applicant.timezone" in found["config-broken"]
    assert "zone-data-missing" in found


@pytest.fixture
def folder(user: User) -> Path:
    path = user.home / "config.toml"
    path.write_text(MINIMAL)
    return path


def test_all_is_well_before_and_after_the_first_sync(
    user: User, server: Server, config: Path
) -> None:
    before = examined(user, config, "--probe")
    assert {"config-fine", "zone-known", "state-new", "calendar-to-be-made"} <= before.keys()
    assert "probe-skipped" in before
    user.json("sync", config=config)
    after = examined(user, config, "--probe")
    assert {
        "state-fine", "ledger-fine", "daemon-off", "secret-found", "account-found", "clock-right",
        "calendar-found", "calendar-writable", "create-guarded", "update-guarded",
        "delete-guarded", "etag-told", "sync-works", "parts-kept", "delete-works",
    } <= after.keys()  # fmt: skip
    # Nothing that came and went is anybody's event, and nothing of ours was touched.
    report = user.json("sync", config=config)
    assert report["requests"] == 1
    assert not any(report[name] for name in ("created", "updated", "deleted", "kept", "missing"))


def test_table_says_what_was_found_what_it_means_and_what_to_do(user: User, folder: Path) -> None:
    synced(user, folder)
    done = user.types("doctor", "--probe", config=folder)
    said = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "Europe/Madrid, where it is" in said
    assert "→ Start “lorsync run”" in said
    assert "What is there already is not written over (If-None-Match)." in said
    assert said.endswith("Nothing is wrong.")
    assert list((user.home / "events").glob("lorsync-probe*")) == []


def test_broken_config_is_shown_line_by_line_and_the_machine_is_looked_at_all_the_same(
    user: User, folder: Path
) -> None:
    folder.write_text(MINIMAL.replace("Madrid", "Madird").replace("folder", "foldr"))
    found = in_process(user, folder, "--probe", code=1)
    assert "applicant.timezone" in found["config-broken"]
    assert "calendar.provider" in found["config-broken"]
    assert {"state-new", "daemon-off"} <= found.keys()
    assert not found.keys() & {"secret-found", "account-found"}
    shown = user.types("doctor", config=folder)
    assert shown.returncode == 1
    assert "1 problem was found." in shown.stdout


def test_unknown_holidays_are_a_problem(user: User, folder: Path) -> None:
    folder.write_text(MINIMAL + '[policy]\nholidays = "XX"\n')
    assert "'XX'" in in_process(user, folder, code=1)["config-holidays"]


def test_offline(user: User, folder: Path) -> None:
    server = Server(url=f"http://127.0.0.1:{free_port()}/", pid=0)
    folder.write_text(config_text(server))
    found = in_process(user, folder, "--probe", code=1)
    assert "refuses connections" in found["account-unreachable"]
    assert {"secret-found", "probe-skipped"} <= found.keys()


def test_secret_that_cannot_be_had_is_said_without_asking_the_server(
    user: User, folder: Path
) -> None:
    text = config_text(Server(url=f"http://127.0.0.1:{free_port()}/", pid=0))
    folder.write_text(text.replace('["echo", "correct horse"]', '["false"]'))
    found = examined(user, folder, code=1)
    assert "exit code 1" in found["secret-missing"]
    assert "account-unreachable" not in found
    lines = [line for line in text.splitlines() if not line.startswith("password_command")]
    folder.write_text("\n".join(lines))
    user.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    assert "no keyring" in examined(user, folder, code=1)["keyring-unusable"]
    user.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    found = examined(user, folder, code=1)
    assert "lorsync login" in found["secret-missing"]
    assert "null" in found["keyring-fine"]


@pytest.fixture
def relayed(user: User, hostile: Hostile, tmp_path: Path) -> object:
    """A synced calendar behind a relay."""
    with radicale(tmp_path / "radicale") as real:
        hostile.answer = passed_on(real)
        config = user.home / "config.toml"
        config.write_text(config_text(replace(real, url=hostile.url)))
        synced(user, config)
        yield config


def dated(answer: Callable[[Request], Reply], date: datetime | None) -> Callable[[Request], Reply]:
    def stamped(request: Request) -> Reply:
        reply = answer(request)
        headers = {k: v for k, v in reply.headers.items() if k.lower() != "date"}
        if date is not None:
            headers["Date"] = format_datetime(date, usegmt=True)
        return replace(reply, headers=headers)

    return stamped


def test_what_a_server_may_say_of_itself(user: User, hostile: Hostile, relayed: Path) -> None:
    real, now = hostile.answer, datetime.now(UTC)
    for apart, code, expected in (
        (timedelta(hours=3), 1, "clock-wrong"),
        (timedelta(minutes=-20), 0, "clock-slow-or-fast"),
        (None, 0, "clock-unknown"),
    ):
        hostile.answer = dated(real, None if apart is None else now + apart)
        assert expected in in_process(user, relayed, code=code)
    hostile.always(Reply(status=401, headers={"WWW-Authenticate": "Basic"}))
    found = in_process(user, relayed, "--probe", code=1)
    assert "app password" in found["account-refused"]
    hostile.always(Reply(status=503, headers={"Retry-After": "600"}))
    assert "Nothing is sent there before" in in_process(user, relayed)["account-resting"]
    asked = len(hostile.requests)
    assert "account-resting" in in_process(user, relayed, "--probe")
    assert "Nothing is sent there before" in plain(user.types("sync", config=relayed), 75)
    assert len(hostile.requests) == asked


def test_killed_probe_is_tidied_up_by_the_next_one(
    user: User, hostile: Hostile, relayed: Path
) -> None:
    real, written = hostile.answer, []

    def answer(request: Request) -> Reply:
        reply = real(request)
        if request.method == "PUT":
            written.append(request.path)
            return replace(reply, hang=True)
        return reply

    hostile.answer = answer
    running = user.starts("doctor", "--probe", config=relayed)
    wait_until(lambda: bool(written) or running.poll() is not None)
    running.kill()
    running.communicate()
    hostile.answer = real
    # A pass in between takes it neither for the person's event nor for one of its own.
    report = user.json("sync", config=relayed)
    names = ("created", "updated", "deleted", "adopted", "kept", "missing", "warnings")
    assert not any(report[name] for name in names if name != "warnings")
    found = in_process(user, relayed, "--probe")
    assert written[0].rpartition("/")[2] in found["probe-left-over"]
    assert "probe-left-over" not in in_process(user, relayed, "--probe")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_probe_leaves_nothing(
    user: User, hostile: Hostile, relayed: Path, number: signal.Signals
) -> None:
    real, puts, deleted, started = hostile.answer, [], [], threading.Event()

    def answer(request: Request) -> Reply:
        reply = real(request)
        if request.method == "DELETE":
            deleted.append(request.path)
        if request.method == "PUT":
            puts.append(request.path)
            assert started.wait(60)
            running.send_signal(number)
            hostile.closing.wait(0.2)  # so that it is stopped while it waits
        return reply

    hostile.answer = answer
    running = user.starts("doctor", "--probe", config=relayed)
    started.set()
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 130, output
    assert output.endswith("lorsync: Stopped.\n")
    assert len(puts) == 1
    assert deleted == puts


def test_probe_waits_for_its_turn_beside_a_daemon(user: User, folder: Path) -> None:
    running = user.starts("run", config=folder)
    try:
        wait_until(lambda: user.record.next_pass is not None or running.poll() is not None)
        found = examined(user, folder, "--probe")
        again = rf"Process {running.pid} looks again in \d+ minutes\."
        assert re.fullmatch(again, found["daemon-running"])
        assert "delete-works" in found
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=120)


def test_state_folder_that_others_can_read(user: User, folder: Path) -> None:
    synced(user, folder)
    user.state.chmod(0o755)
    assert "0755" in in_process(user, folder, code=1)["state-open"]


@pytest.mark.not_root
def test_state_folder_that_cannot_be_written(user: User, folder: Path) -> None:
    synced(user, folder)
    user.state.chmod(0o500)
    try:
        found = in_process(user, folder, "--probe", code=1)
    finally:
        user.state.chmod(0o700)
    assert "Permission denied" in found["state-unwritable"]
    assert "probe-skipped" in found


def test_state_folder_that_cannot_be_made(user: User, folder: Path) -> None:
    below_a_file = str(folder / "state")
    arguments = user.arguments("doctor", "--probe", "--json", config=folder)
    arguments[arguments.index(str(user.state))] = below_a_file
    done = subprocess.run(
        arguments, env=user.environ(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr
    found = {each["finding"]: each["found"] for each in json.loads(done.stdout)}
    assert below_a_file in found["state-unwritable"]
    assert "probe-skipped" in found


def test_full_disk(user: User, folder: Path) -> None:
    synced(user, folder)
    done = subprocess.run(
        user.arguments("doctor", "--probe", "--json", config=folder),
        env=user.environ(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        # What a full disk does to whoever writes, for this one process.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert done.returncode == 1, done.stderr
    found = {each["finding"] for each in json.loads(done.stdout)}
    assert {"state-full", "probe-skipped"} <= found


def test_damaged_ledger(user: User, folder: Path) -> None:
    synced(user, folder)
    ledger = user.state / "ledger.sqlite3"
    for file in user.state.glob("ledger.sqlite3-*"):
        file.unlink()
    ledger.write_bytes(b"no ledger at all, but a text of some length" * 100)
    found = in_process(user, folder, code=1)
    assert "is damaged" in found["ledger-unusable"]
    assert "calendar-writable" in found


def test_changed_account_and_vanished_calendar(user: User, folder: Path) -> None:
    synced(user, folder)
    folder.write_text(MINIMAL.replace('path = "events"', 'path = "elsewhere"'))
    found = in_process(user, folder, "--probe", code=1)
    assert str(user.home / "events") in found["account-moved"]
    assert "probe-skipped" in found
    folder.write_text(MINIMAL)
    (user.home / "events").rename(user.home / "gone")
    assert "has vanished" in in_process(user, folder, "--probe", code=1)["calendar-gone"]


def test_calendar_of_a_server_that_is_gone_or_stands_twice(
    user: User, hostile: Hostile, relayed: Path
) -> None:
    for file in user.state.glob("ledger.sqlite3*"):
        file.unlink()
    real = hostile.answer
    name = b"Letters of recommendation"
    elsewhere = "MKCALENDAR"
    body = (
        b'<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
        b"<d:displayname>" + name + b"</d:displayname></d:prop></d:set></c:mkcalendar>"
    )
    headers = {"authorization": hostile.requests[-1].headers["authorization"]}
    made = real(Request(method=elsewhere, path="/user/second/", headers=headers, body=body))
    assert made.status == 201
    assert "2 are called" in in_process(user, relayed, code=1)["calendar-twice"]
    deleted = real(Request(method="DELETE", path="/user/second/", headers=headers, body=b""))
    assert deleted.status == 200
    synced(user, relayed)
    path = hostile.requests[-1].path.rpartition("/")[0] + "/"
    assert real(Request(method="DELETE", path=path, headers=headers, body=b"")).status == 200
    assert path in in_process(user, relayed, code=1)["calendar-gone"]
