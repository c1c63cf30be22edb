"""How often a login that was refused is tried again before it is believed to be wrong."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lorsync.core.errors import LoginRefusedError
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.daemon.worker import LoginLockout

ACCOUNT = CalendarSettings(provider=Provider.CALDAV, url="https://cal.example/", username="maya")
OTHER = CalendarSettings(provider=Provider.CALDAV, url="https://cal.example/", username="sam")
NOON = datetime(2027, 5, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refused(
    before: LoginLockout | None,
    now: datetime,
    *,
    account: CalendarSettings = ACCOUNT,
    login: str = "a",
) -> LoginLockout:
    error = LoginRefusedError("No.", login=login.encode())
    found = LoginLockout.of(account, error, before, now)
    assert found is not None
    return found


def test_a_login_is_tried_after_an_hour_twice_and_then_believed_wrong() -> None:
    first = refused(None, NOON)
    second = refused(first, NOON + HOUR)
    third = refused(second, NOON + 2 * HOUR)
    assert (first.again_at, second.again_at) == (NOON + HOUR, NOON + 2 * HOUR)
    assert third.again_at is None
    assert refused(third, NOON + 30 * HOUR).again_at is None


def test_who_asks_meanwhile_does_not_use_up_a_try() -> None:
    first = refused(None, NOON)
    asked = refused(first, NOON + HOUR / 2)
    assert (asked.times, asked.again_at) == (1, NOON + HOUR)


def test_another_login_or_account_is_another_matter() -> None:
    third = refused(refused(refused(None, NOON), NOON + HOUR), NOON + 2 * HOUR)
    assert refused(third, NOON + 3 * HOUR, login="b").again_at == NOON + 4 * HOUR
    assert refused(third, NOON + 3 * HOUR, account=OTHER).again_at == NOON + 4 * HOUR
    assert LoginLockout.of(ACCOUNT, LoginRefusedError("No."), third, NOON) is None


def test_it_says_when_it_is_tried_again_where_the_person_is() -> None:
    zone = ZoneInfo("America/New_York")
    told = refused(None, NOON).what_follows(zone, "lorsync sync")
    assert "2027-05-03 09:00 EDT; sooner by: lorsync sync" in told
    third = refused(refused(refused(None, NOON), NOON + HOUR), NOON + 2 * HOUR)
    told = third.what_follows(zone, "systemctl reload lorsync@maya")
    assert "until it or [calendar] changes" in told
    assert told.endswith("run: systemctl reload lorsync@maya")
