"""What one event looks like in the calendar, before it is written as iCalendar.

An event has four properties that lorsync writes and a person may take over, one by one: its date,
its title, its text (the managed block), its alarms. Each has a digest, so that the plan, what was
sent and what is there can be compared (S1, S2) without writing or parsing a VEVENT.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from lorsync.core.event.stamp import BY_YOU, Block, bare, composed, find_block, stamped
from lorsync.core.event.title_ticks import folded
from lorsync.core.model import Event, EventStyle, Uid

DURATION = timedelta(minutes=30)
"""How long a timed event lasts."""


NOT_NEEDED = "Not needed:"
"""What the title of an event begins with that is no longer needed and holds the person's words."""


GUESTS, SERIES, CANCELLED = "guests", "series", "cancelled"
"""What makes an event wholly the person's (S10), by the word under which it is reported.

A server may mail each change of an event with an ATTENDEE to them (RFC 6638 section 3.2); a series
with an exception is more than one VEVENT; and nobody else takes back a STATUS:CANCELLED.
"""


class Property(StrEnum):
    """A property that lorsync writes, by the word under which it is reported."""

    DATE = "date"
    TITLE = "title"
    TEXT = "text"
    ALARMS = "alarms"


_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNWRITABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f]")

EVERY = frozenset(Property)

Digests = Mapping[Property, str]
"""What each property says, hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What lorsync wants to stand in one VEVENT.

    ``start`` is a day for an all-day event, else an instant in UTC; it is the planned one, also
    where the person has pinned the event to another. ``block`` is the managed text with markers and
    stamp. ``alarms`` are offsets from the start (RFC 5545 section 3.8.6.3), in order.
    """

    uid: Uid
    start: date | datetime
    end: date | datetime
    summary: str
    block: str
    alarms: tuple[timedelta, ...]

    @property
    def digests(self) -> Digests:
        """The digest of each property, comparable with that of a body's meaning."""
        return {
            Property.DATE: date_digest(self.start, self.end),
            Property.TITLE: text_digest(self.summary),
            Property.TEXT: block_digest(find_block(self.block)),
            Property.ALARMS: alarms_digest(("DISPLAY", trigger(alarm)) for alarm in self.alarms),
        }


def content_of(event: Event, style: EventStyle) -> Content:
    """Return the content of an event: all-day, or timed in the applicant's zone (written in UTC).

    UTC needs no VTIMEZONE, which readers disagree on; the instant is the zone's on that very day.
    """
    day = event.planned_day
    start, end = span_of(day, style)
    stamp_start = day.isoformat()
    if style.at is not None:
        local = datetime.combine(day, style.at, style.zone)
        stamp_start = local.isoformat(sep=" ", timespec="minutes")
    if event.pinned and event.planned_day == event.day:
        # The stamp must not vouch for the person's own day, be it the plan's by chance (S10).
        stamp_start += BY_YOU
    # As it will be read back, lest a mark that nobody sees makes it another title.
    summary = _writable(folded(composed(event.summary)))
    return Content(
        uid=event.uid,
        start=start,
        end=end,
        summary=summary,
        block=stamped(summary, stamp_start, _writable(event.text())),
        alarms=alarms_for(start, style),
    )


def span_of(day: date, style: EventStyle) -> tuple[date | datetime, date | datetime]:
    """Return when an event on a day starts and ends, a timed one in UTC."""
    if style.at is None:
        return day, day + timedelta(days=1)
    start = datetime.combine(day, style.at, style.zone).astimezone(UTC)
    return start, start + DURATION


def alarms_for(start: date | datetime, style: EventStyle) -> tuple[timedelta, ...]:
    """Return the offsets of the alarms of an event that starts then, on its day in the zone (S10).

    A naive start, as floating time has it, counts as wall time.
    """
    offsets = []
    for alarm in style.alarms:
        if isinstance(start, datetime):
            local = start if start.tzinfo is None else start.astimezone(style.zone)
            day = local.date() - timedelta(days=alarm.days_before)
            wall = datetime.combine(day, alarm.at, local.tzinfo)
            # Between two instants: a night of changing clocks is an hour longer or shorter.
            offsets.append(
                wall - local
                if local.tzinfo is None
                else wall.astimezone(UTC) - local.astimezone(UTC)
            )
        else:
            # An all-day event starts at midnight of whatever zone its reader is in.
            day = start - timedelta(days=alarm.days_before)
            offsets.append(
                datetime.combine(day, alarm.at) - datetime.combine(start, datetime.min.time())
            )
    return tuple(sorted(set(offsets)))


def is_noted(title: str) -> bool:
    """Tell whether a title begins with the note that the event is not needed (S10)."""
    return title.startswith(NOT_NEEDED)


def noted(title: str) -> str:
    """Return a title with the note that the event is not needed, once."""
    return title if is_noted(title) else f"{NOT_NEEDED} {title}"


def without_note(title: str) -> str:
    """Return a title without the note that the event is not needed."""
    return title.removeprefix(NOT_NEEDED).strip()


def date_digest(start: date | datetime, end: date | datetime | None) -> str:
    """Return the digest of when an event is; a day and its midnight differ."""
    return _digest(start.isoformat(), "" if end is None else end.isoformat())


def text_digest(text: str) -> str:
    """Return the digest of a text, its white space folded and its characters composed."""
    return _digest(composed(text))


def block_digest(block: Block | None) -> str:
    """Return the digest of a managed block, or of there being none."""
    if block is None:
        return "none"
    return _digest(composed(bare(block.text)), block.start)


def alarms_digest(alarms: Iterable[tuple[str, str]]) -> str:
    """Return the digest of alarms, each an action and a trigger (S15)."""
    return _digest(*(part for alarm in sorted(set(alarms)) for part in alarm))


def trigger(offset: timedelta) -> str:
    """Return an offset in words that do not depend on how it was written."""
    return f"{int(offset.total_seconds())} s"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]


def _writable(text: str) -> str:
    """Return a text that every reader takes: an empty one, a leading blank, U+2028 break some."""
    return _UNWRITABLE.sub("", _LINE_ENDS.sub("\n", text)).strip() or "(untitled)"
