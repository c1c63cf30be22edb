"""When nothing may be sent: back-off of an account, and clocks that disagree (S21).

What a server asks for with ``Retry-After`` (RFC 9110 section 10.2.3) is honoured up to a day. It is
often less than it means, so each refusal after another doubles the least time, up to six hours.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lorsync.core.errors import ClockError

FIRST = timedelta(minutes=1)
"""The least time after the first refusal; each further one doubles it."""

LONGEST = timedelta(hours=6)
"""Up to where it doubles."""

SHORTEST_LIMIT = timedelta(minutes=15)
"""Up to where it doubles, at the least, however often passes are wanted, while nothing answers."""

LONGEST_WISH = timedelta(days=1)
"""What is cut from a longer ``Retry-After``: a slip there must not end the season."""

_MOST_JITTER = timedelta(minutes=15)
_JITTER_SHARE = 4
"""Up to a fourth is added, so that accounts refused together do not come back together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """Back-off of an account: do not send before ``until`` (aware); consecutive rejections; why."""

    account: str
    until: datetime
    times: int
    why: str

    def holds(self, account: str, now: datetime) -> bool:
        """Tell whether nothing may be sent to this account now.

        An end that is further off than any wait lasts comes of a clock that was wrong then.
        """
        left = self.until - now
        return self.account == account and timedelta(0) < left <= LONGEST_WISH + _MOST_JITTER

    def message(self, zone: ZoneInfo) -> str:
        """Say why and until when, for a person in ``zone``."""
        until = f"{self.until.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        return f"{self.why} Nothing is sent there before {until}; try again then."


def put_off(
    before: PutOff | None, *, account: str, why: str, retry_after: float | None, now: datetime
) -> PutOff:
    """Return for how long an account is left alone after a refusal.

    ``before`` is the last such time, unless a pass has come to its end since. ``retry_after`` is
    the server's wish in seconds, ``now`` aware.
    """
    same = before is not None and before.account == account
    times = before.times + 1 if before is not None and same else 1
    least = min(FIRST * 2 ** min(times - 1, 20), LONGEST)
    wish = timedelta(seconds=min(max(retry_after or 0, 0), LONGEST_WISH.total_seconds()))
    wait = max(least, wish)
    jitter = min(wait / _JITTER_SHARE, _MOST_JITTER) * _share(account, times)
    until = (now + wait + jitter).replace(microsecond=0) + timedelta(seconds=1)
    return PutOff(account=account, until=until, times=times, why=why)


def held_back(
    before: PutOff | None, *, account: str, why: str, seconds: float, now: datetime
) -> PutOff:
    """Return for how long an account is left alone before it has to ask for it.

    That is no refusal, so it counts as none: how long the next one lasts stays as it was.
    """
    times = before.times if before is not None and before.account == account else 0
    until = (now + timedelta(seconds=seconds)).replace(microsecond=0) + timedelta(seconds=1)
    return PutOff(account=account, until=until, times=times, why=why)


def pause(failures: int, *, every: timedelta, account: str) -> timedelta:
    """Return how long to wait after so many failed passes in a row, none of them by request.

    A minute at first, so that a short outage is over soon, then twice as long each time up to
    ``every``, at least a quarter of an hour and at most six hours; with the same jitter on top.
    """
    longest = min(max(every, SHORTEST_LIMIT), LONGEST)
    wait: timedelta = min(FIRST * 2 ** min(failures - 1, 20), longest)
    return wait + min(wait / _JITTER_SHARE, _MOST_JITTER) * _share(account, failures)


def dumped(rest: PutOff) -> str:
    """Return it as the ledger keeps it."""
    return json.dumps(asdict(rest) | {"until": rest.until.isoformat()})


def loaded(text: str | None) -> PutOff | None:
    """Return what the ledger kept."""
    if text is None:
        return None
    fields = json.loads(text)
    return PutOff(**fields | {"until": datetime.fromisoformat(fields["until"])})


def _share(account: str, times: int) -> float:
    """Return a number from 0 to 1 that another account does not share, the same each time."""
    digest = hashlib.sha256(f"{account}\0{times}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""No lorsync has run before: a machine without a battery starts in 1970, or where it was built."""

AT_MOST_APART = timedelta(hours=1)
"""How far the two clocks may differ before nothing is written."""


def disagreement(stated: datetime | None, now: datetime, zone: ZoneInfo) -> str | None:
    """Say what both clocks say where they are more than an hour apart; else return None.

    ``stated`` is the server's, ``now`` ours, both aware; compared as instants, shown in ``zone``.
    """
    if stated is None or abs(stated - now) <= AT_MOST_APART:
        return None
    return (
        f"It is {_shown(now, zone)} by this machine's clock and {_shown(stated, zone)} by the "
        "calendar server's, so nothing is written. Set this machine's clock; if it is right, wait "
        "until the server's is."
    )


def check_clock(now: datetime, zone: ZoneInfo) -> None:
    """Raise ClockError where ``now``, aware, lies before any lorsync; shown in ``zone``."""
    if now < EARLIEST:
        msg = (
            f"It is {_shown(now, zone)} by this machine's clock, which cannot be. Nothing is sent "
            "until it is set."
        )
        raise ClockError(msg)


def _shown(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"
