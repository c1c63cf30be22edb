"""How long an account that asked for it is left alone, counted over passes and restarts."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lorsync.sync.backoff import LONGEST, LONGEST_WISH, PutOff, dumped, loaded, put_off

NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)
MAYA, SAM = '{"username": "maya"}', '{"username": "sam"}'
MINUTE = timedelta(minutes=1)


def refused(
    times: int = 1, *, retry_after: float | None = None, account: str = MAYA, now: datetime = NOW
) -> PutOff:
    """Return what comes of so many refusals in a row."""
    rest = None
    for _ in range(times):
        rest = put_off(rest, account=account, why="busy", retry_after=retry_after, now=now)
    assert rest is not None
    return rest


@pytest.mark.parametrize(
    ("times", "minutes"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (8, 128), (9, 256), (10, 360), (60, 360)],
)
def test_each_refusal_after_another_doubles_the_time_up_to_six_hours(
    times: int, minutes: int
) -> None:
    wait = refused(times).until - NOW
    least = minutes * MINUTE
    assert least < wait <= least + min(least / 4, 15 * MINUTE) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("wish", "least"),
    [
        (None, MINUTE),
        (-5.0, MINUTE),
        (17.0, MINUTE),
        (3600.0, timedelta(hours=1)),
        (8 * 3600.0, timedelta(hours=8)),
        (86_401.0, LONGEST_WISH),
        (1e12, LONGEST_WISH),
        (math.inf, LONGEST_WISH),
    ],
)
def test_what_the_server_asks_for_is_honoured_up_to_a_day(
    wish: float | None, least: timedelta
) -> None:
    wait = refused(retry_after=wish).until - NOW
    assert least < wait <= least + min(least / 4, 15 * MINUTE) + timedelta(seconds=1)


def test_a_short_wish_does_not_shorten_what_refusals_have_earned() -> None:
    assert refused(9, retry_after=30).until - NOW >= 256 * MINUTE


def test_accounts_refused_together_do_not_come_back_together() -> None:
    ends = {refused(5, account=f"account {number}").until for number in range(50)}
    assert len(ends) > 40
    assert refused(5) == refused(5)


def test_refusals_of_one_account_are_not_anothers() -> None:
    rest = put_off(refused(9), account=SAM, why="busy", retry_after=None, now=NOW)
    assert rest.times == 1
    assert not refused(9).holds(SAM, NOW)


def test_it_holds_until_its_end_and_not_by_a_clock_that_was_wrong() -> None:
    rest = refused(retry_after=600)
    assert rest.holds(MAYA, NOW)
    assert rest.holds(MAYA, rest.until - timedelta(seconds=1))
    assert not rest.holds(MAYA, rest.until)
    assert not rest.holds(MAYA, NOW - timedelta(days=2))
    longest = refused(20, retry_after=math.inf)
    assert longest.holds(MAYA, NOW)
    assert longest.until - NOW > LONGEST


def test_the_ledger_gives_back_what_it_was_given() -> None:
    assert loaded(dumped(refused(3))) == refused(3)
    assert loaded(None) is None


def test_the_message_gives_the_reason_and_the_time_where_the_person_is() -> None:
    rest = refused(retry_after=0)
    message = rest.message(ZoneInfo("Europe/Madrid"))
    assert message.startswith("busy Nothing is sent there before 2027-05-03 14:01:")
    assert "CEST; try again then." in message
