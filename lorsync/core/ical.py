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
    CANCELLED,
    DURATION,
    EVERY,
    GUESTS,
    SERIES,
    Content,
    Digests,
    Property,
    alarms_digest,
    block_digest,
    date_digest,
    is_noted,
    noted,
    text_digest,
    trigger,
    without_note,
)
from lorsync.core.facts import Fact
from lorsync.core.model import Uid
from lorsync.core.stamp import (
    Block,
    find_block,
    restamped,
    touched,
    vouches_for_text,
    with_block,
    with_release,
)
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
    ("URL", "link"),
    ("ATTACH", "attachment"),
)
"""What a person may add beside our properties, and the word under which it is reported."""

_FOLDS = re.compile(rb"\r?\n[ \t]")


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
    LAST-MODIFIED names, in UTC. ``released``: it says that lorsync left it to the person as no
    longer needed, in its stamp, or in its title where that is gone (S10). ``exceptions`` are the
    titles of the occurrences of a series that differ from it.
    """

    meaning: Meaning
    sequence: int
    touched: frozenset[Property]
    block: Block | None
    modified: datetime | None
    released: bool
    exceptions: tuple[str, ...]


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


def release(body: bytes, uid: Uid, *, sequence: int) -> bytes:
    """Return a body with a note before its title and without alarms: it is the person's now (S10).

    Raises UnreadableError where the body is not one VEVENT with this UID.
    """
    calendar, event = _single_event(body, uid)
    _set(event, "SUMMARY", noted(str(event.get("SUMMARY", ""))))
    _set_release(event, released=True)
    event.subcomponents = [c for c in event.subcomponents if c.name != "VALARM"]
    _set(event, "SEQUENCE", sequence)
    return bytes(calendar.to_ical())


def need_again(
    body: bytes,
    content: Content,
    *,
    sequence: int,
    properties: Collection[Property],
    before: bytes | None,
) -> bytes:
    """Return a released body as the event that it was, with these properties of ours in it (S10).

    ``before`` is the body from before the release: alarms of the person's own, which are not among
    ``properties``, come back from there. Raises UnreadableError as :func:`rewrite` does.
    """
    calendar, event = _single_event(body, content.uid)
    _set(event, "SUMMARY", without_note(str(event.get("SUMMARY", ""))))
    _set_release(event, released=False)
    rings = any(c.name == "VALARM" for c in event.subcomponents)
    if before is not None and not rings:
        alarms = _single_event(before, content.uid)[1].walk("VALARM")
        event.subcomponents = [*event.subcomponents, *alarms]
    _put(event, content, sequence=sequence, properties=properties)
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


def has_guests(body: bytes) -> bool:
    """Tell whether a body has a guest list, also one that does not parse: an ATTENDEE (S10).

    That of an alarm by mail (RFC 5545 section 3.6.6) is the alarm's own.
    """
    in_alarm = False
    for line in _FOLDS.sub(b"", body).upper().splitlines():
        if line.startswith((b"BEGIN:VALARM", b"END:VALARM")):
            in_alarm = line.startswith(b"BEGIN")
        elif not in_alarm and line.startswith((b"ATTENDEE:", b"ATTENDEE;")):
            return True
    return False


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
    _, event, exceptions = _events(body, uid)
    start = _moment(event, "DTSTART")
    if start is None:
        msg = "it has no readable DTSTART"
        raise UnreadableError(msg)
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        msg = "its time is out of range"
        raise UnreadableError(msg)
    end, recurrence = _end(event, start), _recurrence(event)
    description, summary = str(event.get("DESCRIPTION", "")), _summary(event)
    block = find_block(description)
    released = is_noted(summary) if block is None else block.released
    title = without_tick(without_note(summary) if released else summary)
    extras = _extras(event, description, block)
    if has_guests(body):
        extras += (GUESTS,)
    if exceptions:
        extras += (SERIES,)
    meaning = Meaning(
        start=start,
        end=end,
        summary=summary,
        digests={
            Property.DATE: date_digest(start, end) + "".join(recurrence),
            Property.TITLE: text_digest(title),
            Property.TEXT: block_digest(description),
            Property.ALARMS: alarms_digest(_alarms_of(event)),
        },
        extras=extras,
    )
    names = touched(title, start, block)
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
        released=released,
        exceptions=tuple(map(_summary, exceptions)),
    )


def _summary(event: Component) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())


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


def _set_release(event: icalendar.Event, *, released: bool) -> None:
    """Say in the stamp of an event whether it is the person's, as no longer needed (S10)."""
    description = str(event.get("DESCRIPTION", ""))
    stamped = with_release(description, released=released)
    if stamped != description:
        _set(event, "DESCRIPTION", stamped)


def _single_event(body: bytes, uid: Uid) -> tuple[icalendar.Calendar, icalendar.Event]:
    """Return the one VEVENT of a body that may be written. Raises UnreadableError."""
    calendar, event, exceptions = _events(body, uid)
    if exceptions:
        msg = f"it is a series with {len(exceptions)} exceptions"
        raise UnreadableError(msg)
    return calendar, event


def _events(
    body: bytes, uid: Uid
) -> tuple[icalendar.Calendar, icalendar.Event, list[icalendar.Event]]:
    """Return the VEVENT of a body, and those of its occurrences that differ from it.

    A series has one VEVENT without a RECURRENCE-ID, and one with it for each exception (RFC 5545
    section 3.8.4.4). Raises UnreadableError where the body is no event with this UID.
    """
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
    exceptions = [e for e in events if e.get("RECURRENCE-ID") is not None]
    masters = [e for e in events if e.get("RECURRENCE-ID") is None]
    if events and not masters:
        # Of a series that the person was asked into, a client may have one occurrence alone.
        masters = exceptions[:1]
    if len(masters) != 1:
        msg = f"it holds {len(events)} VEVENTs instead of one"
        raise UnreadableError(msg)
    if any(str(each.get("UID", "")) != uid for each in events):
        msg = "its UID is another one"
        raise UnreadableError(msg)
    return calendar, masters[0], exceptions


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


def _extras(event: Component, description: str, block: Block | None) -> tuple[str, ...]:
    """Name what stands beside what lorsync writes: it came from a person."""
    names = [word for name, word in _EXTRAS if event.get(name)]
    around = description.strip() if block is None else block.before + block.after
    notes = ["notes"] if around else []
    cancelled = [CANCELLED] if str(event.get("STATUS", "")).upper() == "CANCELLED" else []
    return (*notes, *names, *cancelled)
