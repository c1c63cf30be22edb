"""Tell whether the server's clock and ours agree on what day it is, near enough to write by (S21).

What is spent and what is history follows from the day. A clock that is hours off would follow up a
second time, or hold for deleted what the person may still bring back.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lorsync.errors import ClockError

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
