"""Write an event as a VEVENT, read one back by meaning, and put new content into an old body.

RFC 5545. Bodies are never compared: servers refold, reorder and rewrite them. :class:`Meaning` is
what is compared (S1).

icalendar is loaded by the first body that is read or written: a pass that finds nothing changed
has none, and would spend a sixth of its time on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lorsync.core.content import (
    DURATION,
    EVERY,
    Content,
    Digests,
    Property,
    alarms_digest,
    block_digest,
    date_digest,
    text_digest,
    trigger,
)
from lorsync.core.facts import Fact
from lorsync.core.model import Uid
from lorsync.core.stamp import Block, find_block, restamped, touched, vouches_for_text, with_block
from lorsync.core.ticks import with_stated, without_tick

if TYPE_CHECKING:
    import icalendar
    from icalendar import Component

_FIRST_YEAR, _LAST_YEAR = 1900, 2300
"""What lies outside is a slip or a trick, and arithmetic with it may overflow."""

_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What neither a text (RFC 5545 section 3.1) nor XML may hold."""

PRODID = "-//lorsync//lorsync//EN"

_EXTRAS = (
    ("LOCATION", "place"),
    ("COLOR", "color"),
    ("CATEGORIES", "categories"),
    ("ATTENDEE", "guests"),
    ("URL", "link"),
    ("ATTACH", "attachment"),
)
"""What a person may add beside our properties, and the word under which it is reported."""


class UnreadableError(ValueError):
    """Meet a body that is not one VEVENT with the UID that it should have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a VEVENT says, free of how it is written.

    ``start`` and ``end`` are days, instants in UTC, or naive where the body has floating time.
    ``digests`` say of each property that lorsync writes what those of a Content say. ``extras``
    name what a person added beside them.
    """

    start: date | datetime
    end: date | datetime | None
    summary: str
    digests: Digests
    extras: tuple[str, ...]

    def day(self, zone: ZoneInfo) -> date:
        """Return the day on which the event stands for somebody in ``zone``."""
        if isinstance(self.start, datetime):
            return (self.start if self.start.tzinfo is None else self.start.astimezone(zone)).date()
        return self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A body that was read: its meaning, its SEQUENCE, and what disagrees with its stamp (S3).

    ``block`` is the managed block, None where it is gone. ``modified`` is the instant that
    LAST-MODIFIED names, in UTC.
    """

    meaning: Meaning
    sequence: int
    touched: frozenset[Property]
    block: Block | None
    modified: datetime | None


def write(contents: Sequence[Content], *, stamp: date | None = None) -> bytes:
    """Return one VCALENDAR with a VEVENT per content, in their order; the same bytes each time.

    ``stamp`` is the day of a file that is handed on: of two with the same SEQUENCE, the later
    DTSTAMP is the one to take (RFC 5546 section 2.1.5).
    """
    import icalendar

    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    for content in contents:
        event = icalendar.Event()
        event.add("UID", content.uid)
        event.add("TRANSP", "TRANSPARENT")
        event.add("DESCRIPTION", content.block)
        _put(event, content, sequence=0, properties=EVERY)
        if stamp is not None:
            _set(event, "DTSTAMP", datetime.combine(stamp, time(), UTC))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def rewrite(
    body: bytes, content: Content, *, sequence: int, properties: Collection[Property]
) -> bytes:
    """Return a body of the server's with these properties of ours in it; all else survives (S2).

    Raises UnreadableError where the body is not one VEVENT with this UID.
    """
    calendar, event = _single_event(body, content.uid)
    _put(event, content, sequence=sequence, properties=properties)
    return bytes(calendar.to_ical())


def release(body: bytes, uid: Uid, *, sequence: int, note: str) -> bytes:
    """Return a body with a note before its title and without alarms: it is the person's now (S10).

    Raises UnreadableError where the body is not one VEVENT with this UID.
    """
    calendar, event = _single_event(body, uid)
    _set(event, "SUMMARY", note + str(event.get("SUMMARY", "")))
    event.subcomponents = [c for c in event.subcomponents if c.name != "VALARM"]
    _set(event, "SEQUENCE", sequence)
    return bytes(calendar.to_ical())


def description_of(body: bytes, uid: Uid) -> str:
    """Return the description of a body. Raises UnreadableError as :func:`rewrite` does."""
    return str(_single_event(body, uid)[1].get("DESCRIPTION", ""))


def sequence_of(body: bytes, uid: Uid) -> int:
    """Return the SEQUENCE of a body, 0 where it has none or cannot be read."""
    try:
        return _sequence(_single_event(body, uid)[1])
    except UnreadableError:
        return 0


def replace_text(body: bytes, uid: Uid, block: str) -> bytes:
    """Return a body with this managed block, also where its own was damaged.

    Raises UnreadableError as :func:`rewrite` does.
    """
    calendar, event = _single_event(body, uid)
    description = str(event.get("DESCRIPTION", ""))
    whole = find_block(description) is not None
    _set(event, "DESCRIPTION", with_block(description, block) if whole else block)
    _set(event, "SEQUENCE", _sequence(event) + 1)
    return bytes(calendar.to_ical())


def acknowledge(
    body: bytes, uid: Uid, *, sequence: int, title: str, facts: Iterable[tuple[Fact, date]]
) -> bytes:
    """Return a body whose title states a fact in the one form, and whose block keeps it (S13).

    It is history from now on, so its alarms go. A block that the person changed stays as it is.
    Raises UnreadableError where the body is not one VEVENT with this UID.
    """
    calendar, event = _single_event(body, uid)
    _set(event, "SUMMARY", title)
    description = str(event.get("DESCRIPTION", ""))
    block = find_block(description)
    if block is not None and vouches_for_text(block):
        text = restamped(block, with_stated(block.text, facts))
        _set(event, "DESCRIPTION", with_block(description, text))
    event.subcomponents = [c for c in event.subcomponents if c.name != "VALARM"]
    _set(event, "SEQUENCE", sequence)
    return bytes(calendar.to_ical())


def read(body: bytes, uid: Uid, zone: ZoneInfo) -> Reading:
    """Return what a body says; ``zone`` is the applicant's, where its day has to be a possible one.

    Raises UnreadableError where the body is not one VEVENT with this UID and a start.
    """
    try:
        reading = _read(body, uid)
        reading.meaning.day(zone)
    except OverflowError as error:
        msg = "its time is out of range"
        raise UnreadableError(msg) from error
    return reading


def _read(body: bytes, uid: Uid) -> Reading:
    _, event = _single_event(body, uid)
    start = _moment(event, "DTSTART")
    if start is None:
        msg = "it has no readable DTSTART"
        raise UnreadableError(msg)
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        msg = "its time is out of range"
        raise UnreadableError(msg)
    end, recurrence = _end(event, start), _recurrence(event)
    description, summary = str(event.get("DESCRIPTION", "")), str(event.get("SUMMARY", ""))
    meaning = Meaning(
        start=start,
        end=end,
        summary=" ".join(summary.split()),
        digests={
            Property.DATE: date_digest(start, end) + "".join(recurrence),
            Property.TITLE: text_digest(without_tick(summary)),
            Property.TEXT: block_digest(description),
            Property.ALARMS: alarms_digest(_alarms_of(event)),
        },
        extras=_extras(event, description),
    )
    block = find_block(description)
    names = touched(without_tick(summary), start, block)
    modified = _moment(event, "LAST-MODIFIED")
    # Lorsync's events never recur, and recurring is a matter of when: the person's date (S10).
    usual = start + (DURATION if isinstance(start, datetime) else timedelta(days=1))
    repeated = {Property.DATE} if recurrence or end not in (None, usual) else set()
    return Reading(
        meaning=meaning,
        sequence=_sequence(event),
        touched=frozenset(Property(name) for name in names) | repeated,
        block=block,
        modified=modified if isinstance(modified, datetime) and modified.tzinfo else None,
    )


def _sequence(event: Component) -> int:
    """Return the SEQUENCE of an event, 0 where it has none that is a number."""
    sequence = event.get("SEQUENCE", 0)
    return int(sequence) if isinstance(sequence, int) else 0


def _put(
    event: icalendar.Event, content: Content, *, sequence: int, properties: Collection[Property]
) -> None:
    if Property.DATE in properties:
        for name in ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE"):
            event.pop(name, None)
        event.add("DTSTART", content.start)
        event.add("DTEND", content.end)
    if Property.TITLE in properties:
        _set(event, "SUMMARY", content.summary)
    if Property.TEXT in properties:
        _set(event, "DESCRIPTION", with_block(str(event.get("DESCRIPTION", "")), content.block))
    if Property.ALARMS in properties:
        others = [c for c in event.subcomponents if c.name != "VALARM"]
        event.subcomponents = [*others, *(_alarm(a, content.summary) for a in content.alarms)]
    _set(event, "SEQUENCE", sequence)
    # Deterministic (I8): a property of the content, not of the moment of writing.
    day = content.start.date() if isinstance(content.start, datetime) else content.start
    _set(event, "DTSTAMP", datetime.combine(day, time(), UTC))


def _set(event: icalendar.Event, name: str, value: object) -> None:
    event.pop(name, None)
    event.add(name, value)


def _alarm(offset: timedelta, summary: str) -> icalendar.Alarm:
    import icalendar

    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("TRIGGER", offset)
    alarm.add("DESCRIPTION", summary)
    return alarm


def _single_event(body: bytes, uid: Uid) -> tuple[icalendar.Calendar, icalendar.Event]:
    import icalendar

    if _NO_TEXT.search(body) is not None:
        msg = "it holds control characters, which no answer in XML can bring back"
        raise UnreadableError(msg)
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
    from icalendar.prop.broken import vBroken

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


def _alarms_of(event: Component) -> Iterable[tuple[str, str]]:
    """Return action and trigger of each alarm; what else is in them is the client's (S15)."""
    for alarm in event.subcomponents:
        if alarm.name == "VALARM":
            value = getattr(_property(alarm, "TRIGGER"), "dt", None)
            yield str(alarm.get("ACTION", "")).upper(), _trigger(value)


def _trigger(value: object) -> str:
    if isinstance(value, timedelta):
        return trigger(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return str(value)


def _recurrence(event: Component) -> list[str]:
    found = []
    for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
        value = event.get(name)
        values: Iterable[object] = value if isinstance(value, list) else [value]
        found += [
            f"{name}:{v.to_ical().decode() if hasattr(v, 'to_ical') else v}"
            for v in values
            if v is not None
        ]
    return sorted(found)


def _extras(event: Component, description: str) -> tuple[str, ...]:
    """Name what stands beside what lorsync writes: it came from a person."""
    names = [word for name, word in _EXTRAS if event.get(name)]
    block = find_block(description)
    around = description.strip() if block is None else block.before + block.after
    return (*(["notes"] if around else []), *names)
