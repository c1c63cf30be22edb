"""Write an event as a VEVENT, read one back by meaning, and put new content into an old body.

RFC 5545. Bodies are never compared: servers refold, reorder and rewrite them. :class:`Meaning` is
what is compared (S1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
from icalendar import Component
from icalendar.prop.broken import vBroken

from lorsync.core.content import Content
from lorsync.core.model import Uid
from lorsync.core.stamp import touched

PRODID = "-//lorsync//lorsync//EN"

_OURS = ("DTSTART", "DTEND", "SUMMARY", "DESCRIPTION")
"""The properties that an update replaces; all others of a body stay as they are (S2)."""


class UnreadableError(ValueError):
    """Meet a body that is not one VEVENT with the UID that it should have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a VEVENT says, free of how it is written.

    ``start`` and ``end`` are days, instants in UTC, or naive where the body has floating time.
    Texts have their white space folded. ``alarms`` are action and trigger of each VALARM (S15).
    """

    start: date | datetime
    end: date | datetime | None
    summary: str
    description: str
    location: str
    alarms: frozenset[tuple[str, str]]
    recurrence: frozenset[str]

    def day(self, zone: ZoneInfo) -> date:
        """Return the day on which the event stands for somebody in ``zone``."""
        if isinstance(self.start, datetime):
            return (self.start if self.start.tzinfo is None else self.start.astimezone(zone)).date()
        return self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A body that was read: its meaning, its SEQUENCE, and what disagrees with its stamp (S3)."""

    meaning: Meaning
    sequence: int
    touched: tuple[str, ...]


def write(contents: Sequence[Content], *, sequence: int = 0) -> bytes:
    """Return one VCALENDAR with a VEVENT per content, in their order; the same bytes each time."""
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    for content in contents:
        event = icalendar.Event()
        event.add("UID", content.uid)
        event.add("TRANSP", "TRANSPARENT")
        _put(event, content, sequence)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def rewrite(body: bytes, content: Content, *, sequence: int) -> bytes:
    """Return a body of the server's with our content in it; what is not ours survives (S2).

    Raises UnreadableError where the body is not one VEVENT with this UID.
    """
    calendar, event = _single_event(body, content.uid)
    _put(event, content, sequence)
    return bytes(calendar.to_ical())


def read(body: bytes, uid: Uid, zone: ZoneInfo) -> Reading:
    """Return what a body says; ``zone`` is the applicant's, for the day that the stamp names.

    Raises UnreadableError where the body is not one VEVENT with this UID and a start.
    """
    _, event = _single_event(body, uid)
    start = _moment(event, "DTSTART")
    if start is None:
        msg = "it has no readable DTSTART"
        raise UnreadableError(msg)
    description = str(event.get("DESCRIPTION", ""))
    summary = str(event.get("SUMMARY", ""))
    meaning = Meaning(
        start=start,
        end=_end(event, start),
        summary=_folded(summary),
        description=_folded(description),
        location=_folded(str(event.get("LOCATION", ""))),
        alarms=_meaning_of(c for c in event.subcomponents if c.name == "VALARM"),
        recurrence=_recurrence(event),
    )
    sequence = event.get("SEQUENCE", 0)
    return Reading(
        meaning=meaning,
        sequence=int(sequence) if isinstance(sequence, int) else 0,
        touched=touched(summary, _stamp_start(start, zone), description),
    )


def changed(before: Meaning, after: Meaning) -> tuple[str, ...]:
    """Name what differs between two meanings: date, title, notes, place, alarms, recurrence."""
    differences = (
        ("date", (before.start, before.end) != (after.start, after.end)),
        ("title", before.summary != after.summary),
        ("notes", before.description != after.description),
        ("place", before.location != after.location),
        ("alarms", before.alarms != after.alarms),
        ("recurrence", before.recurrence != after.recurrence),
    )
    return tuple(name for name, differs in differences if differs)


def _put(event: icalendar.Event, content: Content, sequence: int) -> None:
    for name in (*_OURS, "DURATION", "DTSTAMP", "SEQUENCE"):
        event.pop(name, None)
    start = content.start
    event.add("DTSTART", start)
    event.add("DTEND", content.end)
    event.add("SUMMARY", content.summary)
    event.add("DESCRIPTION", content.description)
    event.add("SEQUENCE", sequence)
    # Deterministic (I8): a property of the content, not of the moment of writing.
    event.add("DTSTAMP", _midnight(start))
    alarms = [_alarm(offset, content.summary) for offset in content.alarms]
    standing = [c for c in event.subcomponents if c.name == "VALARM"]
    if _meaning_of(standing) != _meaning_of(alarms):
        others = [c for c in event.subcomponents if c.name != "VALARM"]
        event.subcomponents = [*others, *alarms]


def _midnight(start: date | datetime) -> datetime:
    day = start.date() if isinstance(start, datetime) else start
    return datetime.combine(day, time(), UTC)


def _alarm(offset: timedelta, summary: str) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("TRIGGER", offset)
    alarm.add("DESCRIPTION", summary)
    return alarm


def _single_event(body: bytes, uid: Uid) -> tuple[icalendar.Calendar, icalendar.Event]:
    try:
        calendar = icalendar.Calendar.from_ical(body)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        msg = f"it is not iCalendar ({type(error).__name__})"
        raise UnreadableError(msg) from error
    events = [c for c in calendar.walk("VEVENT") if isinstance(c, icalendar.Event)]
    if len(events) != 1:
        msg = f"it holds {len(events)} VEVENTs instead of one"
        raise UnreadableError(msg)
    if str(events[0].get("UID", "")) != uid:
        msg = "its UID is another one"
        raise UnreadableError(msg)
    return calendar, events[0]


def _property(component: Component, name: str) -> object:
    """Return a property, or None. Raises UnreadableError where its value does not parse."""
    value = component.get(name)
    if isinstance(value, vBroken):
        msg = f"its {name} is broken"
        raise UnreadableError(msg)
    return value


def _moment(event: Component, name: str) -> date | datetime | None:
    value = getattr(_property(event, name), "dt", None)
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC)
    return value if isinstance(value, date) else None


def _end(event: Component, start: date | datetime) -> date | datetime | None:
    """Return the end, from DTEND or DURATION, or as RFC 5545 section 3.6.1 implies it."""
    end = _moment(event, "DTEND")
    if end is not None:
        return end
    duration = getattr(_property(event, "DURATION"), "dt", None)
    if isinstance(duration, timedelta):
        return start + duration
    return None if isinstance(start, datetime) else start + timedelta(days=1)


def _stamp_start(start: date | datetime, zone: ZoneInfo) -> str:
    if not isinstance(start, datetime):
        return start.isoformat()
    local = start if start.tzinfo is None else start.astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M")


def _meaning_of(alarms: Iterable[Component]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (
            str(alarm.get("ACTION", "")).upper(),
            _trigger(getattr(_property(alarm, "TRIGGER"), "dt", None)),
        )
        for alarm in alarms
    )


def _trigger(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())} s"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return str(value)


def _recurrence(event: Component) -> frozenset[str]:
    found = []
    for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
        value = event.get(name)
        values: Iterable[object] = value if isinstance(value, list) else [value]
        found += [
            f"{name}:{v.to_ical().decode() if hasattr(v, 'to_ical') else v}"
            for v in values
            if v is not None
        ]
    return frozenset(found)


def _folded(text: str) -> str:
    return " ".join(text.split())
