"""The installed daemon in trouble: it stays, says so once, and makes all good in one pass."""

import resource
import signal
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.command.conftest import config_text
from tests.e2e.command.daemons import Daemon, Watch, listening, needs_faketime, running
from tests.e2e.command.running import User, is_in, rewrite
from tests.e2e.command.test_service import in_folder
from tests.servers import starting
from tests.servers.relay import passed_on
from tests.servers.starting import wait_until
from tests.unit.adapters.caldav.conftest import Hostile, Reply

PORTAL = b"<!DOCTYPE html><html><body>Welcome to our wireless network!</body></html>"

FAULTS = {
    "a portal's page": Reply(status=200, body=PORTAL, headers={"Content-Type": "text/html"}),
    "a portal elsewhere": Reply(status=302, headers={"Location": "http://portal.example.org/"}),
    "not found, by a portal": Reply(status=404, body=PORTAL, headers={"Content-Type": "text/html"}),
    "broken": Reply(status=500),
    "a bad gateway": Reply(status=502, body=PORTAL, headers={"Content-Type": "text/html"}),
    "garbage": Reply(status=207, body=b"\xff\xfe\x00garbage"),
    "half an answer": Reply(
        status=207, body=b"<mult", headers={"Content-Length": "900"}, drop=True
    ),
    "forbidden": Reply(status=403),
}


@pytest.fixture
def config(user: User) -> Path:
    path = user.home / "config.toml"
    path.write_text(in_folder())
    return path


def in_trouble(daemon: Daemon, user: User, passes: int) -> None:
    """Let so many passes fail, and hold that each did."""
    for _ in range(passes):
        daemon.passes(signal.SIGUSR1)
        assert user.record.last_error is not None, daemon.lines
    assert not daemon.said("nternal error"), daemon.lines
    assert not daemon.said("Traceback"), daemon.lines


def recovered(daemon: Daemon, user: User) -> None:
    """One pass, and all is well."""
    daemon.passes(signal.SIGUSR1)
    assert user.record.last_error is None, user.record.last_error


def errors(daemon: Daemon) -> list[str]:
    return [line for line in daemon.lines if line.startswith("<3>")]


def test_whatever_a_network_answers_one_pass_makes_it_good(user: User, config: Path) -> None:
    hostile = Hostile()
    with starting.radicale(user.home / "radicale") as server:
        through = passed_on(server)
        hostile.answer = through
        config.write_text(config_text(replace(server, url=hostile.url)))
        with running(user, config) as daemon:
            daemon.wait_for("A pass has ended")
            for name, reply in FAULTS.items():
                hostile.always(reply)
                said = len(errors(daemon))
                in_trouble(daemon, user, 2)
                assert len(errors(daemon)) <= said + 1, (name, errors(daemon))
                hostile.answer = through
                recovered(daemon, user)
            daemon.stop(signal.SIGTERM)
    hostile.close()
    assert 1 <= len(errors(daemon)) <= len(FAULTS)
    assert not daemon.said("updated")
    assert not daemon.said("deleted")


def test_offline_it_tries_ever_more_seldom_and_says_so_once(user: User, config: Path) -> None:
    nobody = starting.Server(url=f"http://127.0.0.1:{starting.free_port()}/", pid=0)
    config.write_text(config_text(nobody) + '\n[sync]\nevery = "1d"\n')
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        waits = []
        for _ in range(5):
            record = user.record
            tried = datetime.fromisoformat(str((record.last_error or {})["at"]))
            waits.append(datetime.fromisoformat(str(record.next_pass)) - tried)
            daemon.passes(signal.SIGUSR1)
        # From a minute to a quarter of an hour, and what the attempt took.
        assert timedelta(minutes=1) <= waits[0]
        assert waits == sorted(waits)
        assert timedelta(minutes=15) <= waits[-1]
        assert len(errors(daemon)) == 1, daemon.lines
        daemon.stop(signal.SIGTERM)


def test_a_name_that_nobody_knows_is_trouble_and_no_end(user: User, config: Path) -> None:
    nowhere = starting.Server(url="https://calendar.invalid/", pid=0)
    config.write_text(config_text(nowhere))
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        in_trouble(daemon, user, 2)
        assert len(errors(daemon)) == 1
        daemon.stop(signal.SIGTERM)


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux'")
def test_a_full_disk_is_trouble_until_there_is_room(user: User, config: Path) -> None:
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        unlimited = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        # No file may grow beyond its first page, as on a disk without room.
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (100, unlimited[1]))
        rewrite(config, in_folder(due="2099-02-19"))
        daemon.passes(signal.SIGUSR1)
        daemon.passes(signal.SIGUSR1)
        assert errors(daemon)
        assert len(errors(daemon)) <= 3, errors(daemon)
        assert not daemon.said("mistake"), daemon.lines
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)
        recovered(daemon, user)
        daemon.stop(signal.SIGTERM)
    assert is_in(user.home / "events", "20990219")


def test_a_state_folder_that_goes_away_and_comes_back(user: User, config: Path) -> None:
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        good = config.read_text()
        rewrite(config, "[applicant")
        daemon.wait_for("The config is broken")
        wait_until(lambda: user.record.config_error is not None)
        aside = user.state.rename(user.home / "aside")
        user.state.write_text("a file in the way, which no user's rights get past")
        for _ in range(3):
            daemon.passes(signal.SIGUSR1)
        rewrite(config, good)
        daemon.wait_for("nothing in it has changed")
        for _ in range(2):  # a change that was seen twice is read twice
            daemon.passes(signal.SIGUSR1)
        assert errors(daemon)
        # The folder of this test has "state" in its name, and so has the config's path.
        of_config = "The config is broken"
        troubles = [e for e in errors(daemon) if "state" in e.lower() and of_config not in e]
        assert 1 <= len(troubles) <= 3, "\n".join(daemon.lines)
        assert not daemon.said("mistake"), daemon.lines
        user.state.unlink()
        aside.rename(user.state)
        recovered(daemon, user)
        assert user.record.config_error is None
        daemon.stop(signal.SIGTERM)


def test_a_secret_that_is_locked_away_at_first_and_not_later(user: User, config: Path) -> None:
    with starting.radicale(user.home / "radicale") as server:
        key = user.home / "key"
        config.write_text(config_text(server).replace('"echo", "correct horse"', f'"cat", "{key}"'))
        with running(user, config) as daemon:
            daemon.wait_for("A pass has ended")
            in_trouble(daemon, user, 2)
            assert len(errors(daemon)) == 1
            key.write_text(server.password)
            recovered(daemon, user)
            daemon.stop(signal.SIGTERM)


@needs_faketime
def test_a_clock_that_starts_in_1970_sends_nothing_until_it_is_right(
    user: User, config: Path
) -> None:
    watch = Watch(user=user)
    watch.set(datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC))
    with listening(user) as manager, running(user, config) as daemon:
        daemon.wait_for("which cannot be")
        daemon.passes(signal.SIGUSR1)
        assert manager.said("READY=1")
        assert not (user.home / "events").exists()
        assert len(errors(daemon)) == 1, errors(daemon)
        watch.set(datetime(2027, 5, 3, 12, tzinfo=UTC))
        daemon.wait_for("6 created")
        daemon.stop(signal.SIGTERM)


@needs_faketime
def test_a_suspend_and_a_clock_that_was_set_bring_a_pass_at_once(user: User, config: Path) -> None:
    watch = Watch(user=user)
    now = datetime(2027, 5, 3, 12, tzinfo=UTC)
    watch.set(now)
    with listening(user), running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        for number, hours in enumerate((3, -2), start=1):
            now += timedelta(hours=hours)
            watch.set(now)
            daemon.wait_for("A pass begins: clock", number)
            daemon.wait_for("A pass has ended", number + 1)
            # The next one is where the clock is now, and not two hours further off.
            next_pass = datetime.fromisoformat(str(user.record.next_pass))
            assert abs(next_pass - now) < timedelta(minutes=30)
        daemon.stop(signal.SIGTERM)


NIGHTS = {
    "America/New_York": (2027, 3, 14, 11, 7),
    "Europe/Berlin": (2027, 3, 28, 10, 31),
    "Africa/Cairo": (2027, 4, 30, 10, 28),
    "America/Santiago": (2027, 9, 5, 4, 3),
    "Australia/Lord_Howe": (2027, 10, 3, 4, 4),
}
"""By zone: the year, and month and day on which clocks go forward, and back."""


def day_begins(zone: ZoneInfo, day: date) -> datetime:
    """Return the first instant of a local day, which need not be midnight there."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while instant.astimezone(zone).date() != day:
        instant += timedelta(minutes=30)
    return instant


def a_day_begins(user: User, daemon: Daemon, watch: Watch, at: datetime, zone: ZoneInfo) -> None:
    """Let a day begin with the next second: one pass comes of it, on the right day."""
    eve = at - timedelta(seconds=1)
    assert eve.astimezone(zone).date() < at.astimezone(zone).date()
    watch.stand(eve)
    # Whoever hears a signal looks at the clock and the day as well: after this pass, whatever the
    # jump to the eve and a new zone have brought about is over.
    daemon.passes(signal.SIGUSR1)
    assert last_pass(user) == eve
    noticed = daemon.over_for("new day")
    watch.stand(at)  # by a second alone, no clock was set
    wait_until(lambda: daemon.over_for("new day") > noticed or daemon.ended)
    assert last_pass(user) == at
    daemon.passes(signal.SIGUSR1)
    assert daemon.over_for("new day") == noticed + 1, daemon.lines


def last_pass(user: User) -> datetime:
    """Return when the last pass was."""
    return datetime.fromisoformat(str((user.record.last_pass or {})["at"])).replace(microsecond=0)


def nights_are_noticed(user: User, config: Path, zones: list[str]) -> None:
    """On the nights around a change of the clocks, the new day brings one pass, and no more."""
    watch = Watch(user=user)
    watch.set(datetime(2027, 1, 1, 12, tzinfo=UTC))
    read = 0
    config.write_text(in_folder(every="1d"))
    with listening(user), running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        for name in zones:
            zone = ZoneInfo(name)
            rewrite(config, in_folder(every="1d", zone=name))
            read += 1
            daemon.wait_for("The config was read again.", read)
            year, *dates = NIGHTS[name]
            for month, day in (dates[:2], dates[2:]):
                begin = day_begins(zone, date(year, month, day))
                a_day_begins(user, daemon, watch, begin, zone)
                begin = day_begins(zone, date(year, month, day) + timedelta(days=1))
                a_day_begins(user, daemon, watch, begin, zone)
        daemon.stop(signal.SIGTERM)
    assert not errors(daemon)


@needs_faketime
def test_a_day_without_a_midnight_begins_all_the_same(user: User, config: Path) -> None:
    nights_are_noticed(user, config, ["Africa/Cairo"])


@pytest.mark.long
@needs_faketime
def test_every_night_of_changing_clocks_is_noticed(user: User, config: Path) -> None:
    nights_are_noticed(user, config, [*NIGHTS])
