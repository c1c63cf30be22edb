"""What one event looks like in the calendar, before it is written as iCalendar.

Comparing contents says whether the plan changed (S1) without writing or parsing a VEVENT.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lorsync.core.model import Event, EventStyle, Uid
from lorsync.core.stamp import stamped

DURATION = timedelta(minutes=30)
"""How long a timed event lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The properties that lorsync writes into one VEVENT.

    ``start`` is a day for an all-day event, else an instant in UTC. ``alarms`` are offsets from the
    start (RFC 5545 section 3.8.6.3), in order.
    """

    uid: Uid
    start: date | datetime
    end: date | datetime
    summary: str
    description: str
    alarms: tuple[timedelta, ...]

    @property
    def digest(self) -> str:
        """A hash of everything above, for the ledger to compare with the next plan's."""
        parts = (
            self.uid,
            self.start.isoformat(),
            self.end.isoformat(),
            self.summary,
            self.description,
            ",".join(str(int(alarm.total_seconds())) for alarm in self.alarms),
        )
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def content_of(event: Event, style: EventStyle) -> Content:
    """Return the content of an event: all-day, or timed in the applicant's zone (written in UTC).

    UTC needs no VTIMEZONE, which readers disagree on; the instant is the zone's on that very day.
    """
    start: date | datetime = event.day
    end: date | datetime = event.day + timedelta(days=1)
    stamp_start = event.day.isoformat()
    if style.at is not None:
        start = datetime.combine(event.day, style.at, style.zone).astimezone(UTC)
        end = start + DURATION
        stamp_start += f" {style.at:%H:%M}"
    summary = _writable(event.summary)
    return Content(
        uid=event.uid,
        start=start,
        end=end,
        summary=summary,
        description=stamped(summary, stamp_start, _writable(event.text)),
        alarms=_alarms(event.day, start, style),
    )


def _writable(text: str) -> str:
    """Return a text that every reader takes: an empty one, a leading blank, U+2028 break some."""
    for separator in ("\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\r\n", "\r"):
        text = text.replace(separator, "\n")
    cleaned = "".join(c for c in text if c in "\n\t" or (c >= " " and c != "\x7f")).strip()
    return cleaned or "(untitled)"


def _alarms(day: date, start: date | datetime, style: EventStyle) -> tuple[timedelta, ...]:
    offsets = []
    for alarm in style.alarms:
        wall = datetime.combine(day - timedelta(days=alarm.days_before), alarm.at)
        if isinstance(start, datetime):
            # Between two instants: a night of changing clocks is an hour longer or shorter.
            offsets.append(wall.replace(tzinfo=style.zone).astimezone(UTC) - start)
        else:
            # An all-day event starts at midnight of whatever zone its reader is in.
            offsets.append(wall - datetime.combine(day, datetime.min.time()))
    return tuple(sorted(set(offsets)))
