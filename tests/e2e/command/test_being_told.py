"""The installed command tells the outside of its passes, and status by its exit code."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.adapters.state_dir import DaemonLock
from tests.e2e.command.running import User, noon_zone, plain
from tests.e2e.command.test_daemon import daemon, stopped
from tests.servers.starting import wait_until
from tests.unit.monitoring.test_notifier import CONFIG, Listener, listener  # noqa: F401 -- a fixture


@pytest.fixture
def config(user: User, listener: Listener) -> Path:  # noqa: F811 -- the fixture's name
    path = user.home / "config.toml"
    text = CONFIG.format(due="2099-01-15").replace('"lorsync.prom"', '"m/lorsync.prom"')
    text = text.replace("Europe/Madrid", noon_zone())  # a new day would bring a pass of its own
    path.write_text(f'{text}\n[ping]\nurl = "{listener.url}"\n')
    (user.home / "m").mkdir()
    return path


def test_passes_by_hand_and_of_a_daemon_are_told(
    user: User,
    config: Path,
    listener: Listener,  # noqa: F811 -- the fixture's name
) -> None:
    metrics = user.home / "m/lorsync.prom"
    assert user.types("status", config=config).returncode == 2
    assert user.types("sync", "--dry-run", config=config).returncode == 0
    assert listener.heard == []
    assert user.types("sync", config=config).returncode == 0
    assert listener.heard == ["/ping/me"]
    assert 'lorsync_last_try_success{config="config"} 1.0' in metrics.read_text()
    well = user.types("status", config=config)
    assert well.returncode == 0
    assert well.stdout.startswith(
        "All is well: no daemon is up, and the last pass was “lorsync sync”."
    )

    with daemon(user, config) as running:
        wait_until(lambda: listener.heard == ["/ping/me"] * 2)
        told = user.types("status", "--json", config=config)
        assert told.returncode == 0
        assert json.loads(told.stdout)["health"] == "healthy"
        (user.home / "events").rename(user.home / "aside")
        (user.home / "events").touch()
        assert user.types("sync", config=config).returncode not in {0, 70}
        assert listener.heard[2:] == ["/ping/me/fail"]
        (user.home / "events").unlink()
        (user.home / "aside").rename(user.home / "events")
        stopped(running)
    down = user.types("status", config=config)
    assert down.returncode == 2
    assert down.stdout.startswith("Nothing runs lorsync: no daemon is up.")
    assert "Start lorsync: " in down.stdout


def test_a_timer_leaves_the_calendar_to_a_daemon(user: User, config: Path) -> None:
    with daemon(user, config) as running:
        before = user.record.last_pass
        told = user.types("sync", "--unattended", config=config)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.startswith(f"Left to the daemon (process {running.pid})")
        as_json = user.types("sync", "--unattended", "--json", config=config)
        assert json.loads(as_json.stdout) == {"left_to": running.pid}
        assert user.record.last_pass == before
        stopped(running)
    assert user.types("sync", "--unattended", config=config).returncode == 0
    assert user.record.last_pass != before


def test_a_daemon_that_ends_before_its_first_pass_is_missed(user: User, config: Path) -> None:
    assert user.types("sync", config=config).returncode == 0
    needs_a_login = config.read_text().replace(
        'provider = "folder"', 'provider = "caldav"\nurl = "http://127.0.0.1:9/"\nusername = "maya"'
    )
    config.write_text(re.sub(r"(?m)^path = .*\n", "", needs_a_login))
    user.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    assert user.types("run", config=config).returncode == 78
    down = user.types("status", config=config)
    assert (down.returncode, down.stdout.splitlines()[0]) == (
        2,
        "Nothing runs lorsync: no daemon is up.",
    )


def test_status_shows_a_broken_config_beside_what_is_known(user: User, config: Path) -> None:
    config_text = config.read_text()
    config.write_text("[applicant")
    plain(user.types("status", config=config), 78)  # nothing else is known
    config.write_text(config_text)
    assert user.types("sync", config=config).returncode == 0
    config.write_text("[applicant")
    told = user.types("status", config=config)
    assert told.returncode == 1
    assert "Something needs you" in told.stdout
    assert "config.toml" in told.stdout
    assert "Last pass" in told.stdout
    document = user.json("status", config=config)
    assert (document["health"], document["letters"]) == ("needs-you", None)
    assert [need["code"] for need in document["needs"]] == ["config"]


def test_status_says_by_its_code_that_the_ledger_is_unusable(user: User, config: Path) -> None:
    user.state.mkdir()
    (user.state / "ledger.sqlite3").write_text("no ledger, but long enough to be taken for one" * 9)
    told = user.types("status", config=config)
    assert told.returncode == 2
    assert "is damaged" in " ".join(told.stdout.split())
    assert "Last pass" not in told.stdout  # nobody knows
    with DaemonLock(user.state):
        document = user.json("status", config=config)
    assert (document["health"], document["letters"]) == ("needs-you", None)
    assert [need["code"] for need in document["needs"]] == ["state"]
    assert document["daemon"]["running"]


def test_status_fits_80_columns_and_has_no_colour_in_a_pipe(user: User, config: Path) -> None:
    long = "Prof. " + " ".join(["Wilhelmina-Charlotte"] * 6)
    config.write_text(config.read_text().replace("Prof. Ana Ruiz", long))
    assert user.types("sync", config=config).returncode == 0
    told = user.types("status", config=config)
    lines = [line for line in told.stdout.splitlines() if "://" not in line]
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in told.stdout
    for heading in ("Next", "Letters", "Follow-ups"):
        assert f"\n{heading}\n" in told.stdout
    assert "0 of 2 used, 2 left" in " ".join(told.stdout.split())


def test_a_timer_spares_a_refused_login_and_a_person_does_not(
    user: User,
    config: Path,
    listener: Listener,  # noqa: F811 -- the fixture's name
) -> None:
    def refused(ago: timedelta, times: int = 3) -> None:
        at = (datetime.now(UTC) - ago).isoformat()
        memo = {"at": at, "message": "Refused.", "times": times}
        ledger = SqliteLedger(user.state)
        ledger.remember({"login_refused": json.dumps(memo)})
        ledger.close()

    refused(timedelta(minutes=50), times=2)
    assert "Not tried again yet" in plain(user.types("sync", "--unattended", config=config), 77)
    refused(timedelta(minutes=70), times=2)
    assert user.types("sync", "--unattended", config=config).returncode == 0
    listener.heard.clear()
    refused(timedelta(hours=5))
    message = plain(user.types("sync", "--unattended", config=config), 77)
    assert "Refused. Not tried again yet" in message
    assert listener.heard == ["/ping/me/fail"]
    assert user.types("sync", config=config).returncode == 0
    refused(timedelta(hours=7))
    assert user.types("sync", "--unattended", config=config).returncode == 0
    assert listener.heard[1:] == ["/ping/me"] * 2
