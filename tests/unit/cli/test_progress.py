"""When the daemon tries again, says something again, and is believed to be alive."""

import math
import os
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from lorsync.adapters.log_throttle import AGAIN_SECONDS, LogThrottle
from lorsync.adapters.unit import unit_over
from lorsync.daemon.scheduler import Scheduler, first_moment
from lorsync.daemon.sd_notify import ServiceManager
from lorsync.daemon.wakeups import (
    INSTALLED_SECONDS,
    Clocks,
    FileStamp,
    Heartbeat,
    Installed,
    Requests,
    SignalPipe,
)
from lorsync.sync.backoff import pause
from tests.servers.starting import wait_until

MINUTE = timedelta(minutes=1)


class Clock:
    """Seconds that go on when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_same_trouble_is_said_once_an_hour_whatever_its_numbers() -> None:
    clock = Clock()
    throttle = LogThrottle(clock)
    assert throttle.is_due("no answer on port 80 at 12:01")
    assert not throttle.is_due("no answer on port 8080 at 12:02")
    assert throttle.is_due("the disk is full")
    clock.now = AGAIN_SECONDS - 1
    assert not throttle.is_due("no answer on port 80 at 13:00")
    clock.now = AGAIN_SECONDS
    assert throttle.is_due("no answer on port 80 at 13:01")


def test_trouble_that_comes_and_goes_is_not_said_each_time() -> None:
    throttle = LogThrottle(Clock())
    assert throttle.is_due("no answer")
    assert throttle.settled()
    assert not throttle.is_due("no answer")
    assert not throttle.settled()


def test_what_was_said_does_not_grow_without_end() -> None:
    throttle = LogThrottle(Clock())
    words = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(5000)]
    assert all(throttle.is_due(word) for word in words)


@pytest.mark.parametrize(
    ("every", "failures", "minutes"),
    [
        (15, 1, 1),
        (15, 3, 4),
        (15, 5, 15),
        (15, 700, 15),
        (1, 700, 15),
        (1440, 7, 64),
        (1440, 10_000, 360),
    ],
)
def test_a_pause_doubles_up_to_the_usual_time(every: int, failures: int, minutes: int) -> None:
    wait = pause(failures, every=every * MINUTE, account="maya")
    assert minutes * MINUTE <= wait <= minutes * MINUTE * 1.25
    assert wait == pause(failures, every=every * MINUTE, account="maya")
    assert wait != pause(failures, every=every * MINUTE, account="sam")


@pytest.mark.parametrize("seconds", [60, 900, 86_400])
def test_the_first_moment_has_the_accounts_own_phase(seconds: int) -> None:
    every = timedelta(seconds=seconds)
    now = datetime(2027, 5, 3, 12, 0, 7, tzinfo=UTC)
    moments = [first_moment(every, "maya", now + n * MINUTE) for n in range(100)]
    assert len({m.timestamp() % seconds for m in moments}) == 1
    for number, moment in enumerate(moments):
        assert every / 2 <= moment - (now + number * MINUTE) <= every * 1.5
    others = {first_moment(every, name, now) for name in ("maya", "sam", "jo", "ed")}
    assert len(others) == 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_timetable_whose_thread_has_died_does_not_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    asked = threading.Event()
    scheduler = Scheduler(asked.set)
    scheduler.follow(15 * MINUTE, "maya")
    scheduler.start()
    scheduler.put_off(now - 5 * MINUTE)
    assert asked.wait(20)
    wait_until(lambda: scheduler.turns(now))

    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(IntervalTrigger, "get_next_fire_time", broken)
    scheduler.put_off(now - 5 * MINUTE)
    wait_until(lambda: all(thread.name != "APScheduler" for thread in threading.enumerate()))
    assert not scheduler.turns(now)
    scheduler.stop()


def test_a_pulse_is_missed_only_while_there_is_work() -> None:
    clock = Clock()
    heartbeat = Heartbeat(clock)
    clock.now = 1000
    assert heartbeat.beats(10)
    heartbeat.beat()
    clock.now = 1010
    assert heartbeat.beats(10)
    clock.now = 1011
    assert not heartbeat.beats(10)
    heartbeat.beat()
    assert heartbeat.beats(10)
    clock.now = 5000
    assert not heartbeat.beats(10)
    heartbeat.rest()
    assert heartbeat.beats(10)


def test_a_signal_is_heard_however_much_else_there_is_to_hear() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    signal_pipe = SignalPipe()
    signal_pipe.listen()
    try:
        for _ in range(10_000):  # more than the socket holds
            signal_pipe.tell()
        signal.raise_signal(signal.SIGTERM)
        assert signal.SIGTERM in signal_pipe.hear(0)
        assert signal.SIGTERM not in signal_pipe.hear(0)
    finally:
        signal_pipe.deaf()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_requests_coalesce_and_none_is_lost() -> None:
    requests = Requests()
    requests.add()
    requests.add("asked", "clock")
    requests.add("asked")
    assert requests.take() == {"asked", "clock"}
    requests.add("new day")
    assert requests.take() == {"new day"}


@pytest.mark.parametrize(("wall", "jumped"), [(30, False), (34, False), (36, True), (-7200, True)])
def test_a_clock_was_set_when_it_left_the_other_behind(wall: float, *, jumped: bool) -> None:
    before = Clocks(wall=1000, monotonic=50)
    assert Clocks(wall=1000 + wall, monotonic=80).jumped_since(before) is jumped


def test_a_file_has_another_signature_once_it_is_another(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    assert FileStamp.of(link) == FileStamp()
    file.write_text("a")
    first = FileStamp.of(link)
    assert first == FileStamp.of(file) != FileStamp()
    aside = tmp_path / "aside"
    aside.write_text("b")
    aside.replace(file)
    assert FileStamp.of(link) != first


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "never"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_that_it_names(
    given: dict[str, str], seconds: float | None
) -> None:
    environ = {"HOME": "/", **given}
    assert ServiceManager.of(environ).watchdog_seconds == seconds
    assert environ == {"HOME": "/"}


def test_a_manager_is_told_by_a_path_in_one_line_each(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as signal_pipe:
        signal_pipe.bind(str(path))
        signal_pipe.settimeout(120)
        manager = ServiceManager(str(path))
        manager.ready()
        manager.status("two\nlines\nREADY=1")
        manager.alive()  # no watchdog was asked for
        manager.stopping()
        heard = [signal_pipe.recv(4096) for _ in range(3)]
    assert heard == [b"READY=1", b"STATUS=two lines READY=1", b"STOPPING=1"]


@pytest.mark.parametrize("address", [None, "/nowhere/at/all", "@nobody-listens-here", "x" * 300])
def test_a_manager_that_does_not_listen_is_no_trouble(address: str | None) -> None:
    ServiceManager(address, watchdog_seconds=1.0).alive()


def test_a_replaced_program_is_noticed_once_it_has_rested(tmp_path: Path) -> None:
    clock, program = Clock(), tmp_path / "__init__.py"
    program.write_text("old")
    installed = Installed(program, clock)
    assert (installed.is_replaced(), installed.rests_for()) == (False, math.inf)
    program.chmod(0o600)  # that is no upgrade
    program.unlink()  # and that is the first half of one
    clock.now += INSTALLED_SECONDS
    assert (installed.is_replaced(), installed.rests_for()) == (False, math.inf)
    for text in ("new", "newer"):
        aside = tmp_path / "aside"
        aside.write_text(text)
        aside.replace(program)
        os.utime(program, ns=(0, len(text)))
        assert (installed.is_replaced(), installed.rests_for()) == (False, INSTALLED_SECONDS)
        clock.now += INSTALLED_SECONDS - 1
        assert (installed.is_replaced(), installed.rests_for()) == (False, 1)
    clock.now += 1
    assert installed.is_replaced()
    assert not installed.is_replaced()


def test_what_starts_the_daemon_again_is_known_by_its_environment() -> None:
    assert ServiceManager.of({"NOTIFY_SOCKET": "@systemd"}).restarts
    assert ServiceManager.of({"XPC_SERVICE_NAME": "lorsync"}).restarts
    assert not ServiceManager.of({"XPC_SERVICE_NAME": "com.apple.Terminal"}).restarts


@pytest.mark.parametrize(
    ("folder", "unit"),
    [
        ("/var/lib/private/lorsync/maya", "lorsync@maya"),
        ("/var/lib/lorsync/maya", "lorsync@maya"),
        ("/var/lib/lorsync", None),
        ("/home/maya/.local/state/lorsync", None),
    ],
)
def test_a_state_folder_tells_whose_service_it_is_of(folder: str, unit: str | None) -> None:
    assert unit_over(Path(folder)) == unit
