"""What is well, what needs the person, and what does not run, by what is remembered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.config import load
from lorsync.monitoring.health import Health, standing
from lorsync.monitoring.state import FILE_NAME, Keeper, NotificationState, read_state, write_state
from lorsync.sync import runner
from lorsync.sync.backoff import PutOff
from lorsync.sync.engine import Options
from lorsync.sync.report import Record

NOW = datetime(2026, 9, 23, 12, tzinfo=UTC)
EVERY = timedelta(minutes=15)
DAEMON, COMMAND = Keeper.DAEMON, Keeper.COMMAND


def memo(minutes_ago: float, **more: object) -> dict[str, object]:
    return {"at": (NOW - timedelta(minutes=minutes_ago)).isoformat(), **more}


def trouble(minutes_ago: float, code: int) -> dict[str, object]:
    return memo(minutes_ago, message="Something is wrong.", code=code)


def soon(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("record", "pid", "keeper", "health", "needs"),
    [
        (Record(), None, None, Health.NOT_RUNNING, []),
        (Record(last_pass=memo(5)), 7, DAEMON, Health.HEALTHY, []),
        # The daemon is missed at once, a timer or cron after three passes that did not come.
        (Record(last_pass=memo(1)), None, DAEMON, Health.NOT_RUNNING, []),
        (Record(last_pass=memo(44)), None, COMMAND, Health.HEALTHY, []),
        (Record(last_pass=memo(46)), None, COMMAND, Health.NOT_RUNNING, []),
        # One that fails runs all the same.
        (
            Record(last_pass=memo(900), last_error=trouble(5, 69)),
            None,
            COMMAND,
            Health.HEALTHY,
            [],
        ),
        # No network for an hour is nobody's business; for more than a day it is.
        (Record(last_pass=memo(60), last_error=trouble(1, 69)), 7, DAEMON, Health.HEALTHY, []),
        (
            Record(last_pass=memo(1500), last_error=trouble(1, 69)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["silence"],
        ),
        (Record(last_error=trouble(1, 69)), 7, DAEMON, Health.NEEDS_YOU, ["error"]),
        (
            Record(last_pass=memo(60), last_error=trouble(1, 73)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["error"],
        ),
        (
            Record(last_pass=memo(60), last_error=trouble(1, 77), login_refused=trouble(1, 77)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["login"],
        ),
        # One refusal may pass: it is tried again, and the person is not called for it.
        (
            Record(
                last_pass=memo(60),
                last_error=trouble(1, 77),
                login_refused=trouble(1, 77),
                next_pass=soon(59),
            ),
            7,
            DAEMON,
            Health.HEALTHY,
            [],
        ),
        (
            Record(last_error=trouble(1, 77), login_refused=trouble(1, 77), next_pass=soon(59)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["error"],
        ),
        (
            Record(last_pass=memo(1), config_error="It is broken."),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["config"],
        ),
        (Record(last_pass=memo(1, held=6)), 7, DAEMON, Health.NEEDS_YOU, ["held"]),
        (
            Record(last_pass=memo(1, asks=["Where is it?"], troubles=["It does not take it."])),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["question", "refused"],
        ),
        (
            Record(last_pass=memo(90), next_pass=soon(-75)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["stuck"],
        ),
        (Record(last_pass=memo(16), next_pass=soon(-1)), 7, DAEMON, Health.HEALTHY, []),
        (
            Record(last_pass=memo(26), next_pass=soon(-11)),
            7,
            DAEMON,
            Health.NEEDS_YOU,
            ["stuck"],
        ),
        (
            Record(
                last_pass=memo(900),
                last_error=trouble(300, 75),
                next_pass=soon(60),
                put_off=PutOff(account="", until=NOW + timedelta(hours=1), times=5, why=""),
            ),
            7,
            DAEMON,
            Health.HEALTHY,
            [],
        ),
    ],
)
def test_standing(
    record: Record, pid: int | None, keeper: Keeper | None, health: Health, needs: list[str]
) -> None:
    judged = standing(record, pid=pid, keeper=keeper, every=EVERY, now=NOW)
    assert (judged.health, [need.code for need in judged.needs]) == (health, needs)


def test_a_longer_interval_gives_a_timer_more_patience() -> None:
    record = Record(last_pass=memo(60 * 60))

    def health(every: timedelta) -> Health:
        return standing(record, pid=None, keeper=COMMAND, every=every, now=NOW).health

    assert health(timedelta(days=1)) is Health.HEALTHY
    assert health(timedelta(hours=12)) is Health.NOT_RUNNING


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"keeper": 1, "notices": []}', "\0"])
def test_what_was_told_is_kept_and_nothing_hangs_on_it(tmp_path, damaged) -> None:
    told = NotificationState(keeper=DAEMON, notices=frozenset({"login", "today:2026-09-23"}))
    write_state(tmp_path, told)
    assert read_state(tmp_path) == told
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0
    (tmp_path / FILE_NAME).write_text(damaged)
    assert read_state(tmp_path) == NotificationState()


def test_a_pass_that_ends_by_a_mistake_of_lorsyncs_is_remembered_as_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise TypeError("nobody foresaw this")

    monkeypatch.setattr(runner, "run_pass", stumble)
    config, state = tmp_path / "config.toml", tmp_path / "state"
    config.write_text(
        '[applicant]\nname = "Sam Reyes"\ntimezone = "UTC"\n[calendar]\nprovider = "folder"\n'
        'path = "events"\n[[letters]]\nmentor = "Prof. Ana Ruiz"\ndeadline = 2099-01-15\n'
    )
    at = datetime.now(UTC)
    with pytest.raises(TypeError):
        runner.pass_once(load(config), state, now=at, options=Options())
    record = runner.record_of(state)
    found = standing(record, pid=None, keeper=None, every=timedelta(minutes=15), now=at)
    assert found.health is not Health.HEALTHY
    (need,) = found.needs
    assert "Internal error (TypeError" in need.message
    assert "foresaw" not in need.message
