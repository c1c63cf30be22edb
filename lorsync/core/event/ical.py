"""Write an event as a VEVENT, read one back by meaning, and put new content into an old body.

RFC 5545. Bodies are never compared: servers refold, reorder and rewrite them. :class:`Meaning` is
what is compared (S1). What other programs put into a body is never parsed and written again: lines
of ours are exchanged, and each other line stays byte for byte (``content_lines``).
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from lorsync.core.event.content import (
    CANCELLED,
    DURATION,
    GUESTS,
    NOT_NEEDED,
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
from lorsync.core.event.content_lines import (
    Component,
    ContentLine,
    MalformedError,
    component,
    content_line,
    content_lines,
    escaped,
    escaped_offset,
    parse,
    unescaped,
)
from lorsync.core.event.stamp import (
    Block,
    Place,
    block_place,
    composed,
    find_block,
    release_place,
    restamped,
    touched,
    vouches_for_text,
)
from lorsync.core.event.times import duration_value, read_duration, read_time, time_line
from lorsync.core.event.title_ticks import with_stated, without_tick
from lorsync.core.facts import Fact
from lorsync.core.model import Uid

_FIRST_YEAR, _LAST_YEAR = 1900, 2300
"""What lies outside is a slip or a trick, and arithmetic with it may overflow."""

_LAST_SEQUENCE: Final = 2**31 - 1
"""The greatest INTEGER (RFC 5545 section 3.3.8): an event that has it cannot be changed again."""

_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What neither a text (RFC 5545 section 3.1) nor XML may hold."""

PRODID = "-//lorsync//lorsync//EN"

_CRLF: Final = b"\r\n"
_SILENT: Final = "NONE"
"""The ACTION with which Apple says that there is no alarm, not even its default one."""

_RECURRENCE: Final = ("RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_DATE_NAMES: Final = frozenset(
    {
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "EXRULE",
        "RDATE",
        "EXDATE",
        "X-MICROSOFT-CDO-ALLDAYEVENT",
        "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT",
        "X-FUNAMBOL-ALLDAY",
        "X-MS-OLK-ORIGINALSTART",
        "X-MS-OLK-ORIGINALEND",
    }
)
"""What says when an event is, the twins that Outlook and others write of it included (S12)."""

_TEXT_NAMES: Final = frozenset({"DESCRIPTION", "STYLED-DESCRIPTION", "X-ALT-DESC"})
"""The text and its twins in HTML, from RFC 9073 section 6.5 and Outlook; ALTREP is a parameter."""

_EXTRAS = (
    ("LOCATION", "place"),
    ("COLOR", "color"),
    ("CATEGORIES", "categories"),
    ("URL", "link"),
    ("ATTACH", "attachment"),
)
"""What a person may add beside our properties, and the word under which it is reported."""
_NOTES = "notes"
"""The word for text of the person's around ours."""


class UnreadableError(ValueError):
    """Meet a body that is not one VEVENT with the UID that it should have."""


class UnwritableError(ValueError):
    """Find that a body would not say what was meant once it is written: it is left as it is."""


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


def write(contents: Sequence[Content], *, stamp: date | None = None, sequence: int = 0) -> bytes:
    """Return one VCALENDAR with a VEVENT per content, in their order; the same bytes each time.

    ``stamp`` is the day of a file that is handed on: of two with the same SEQUENCE, the later
    DTSTAMP is the one to take (RFC 5546 section 2.1.5). ``sequence`` is above that of what this
    stands in the place of.
    """
    head = {"VERSION": b"2.0", "PRODID": PRODID.encode()}
    lines = [content_line(name, value, line_end=_CRLF) for name, value in head.items()]
    events = [_new_event(content, stamp, sequence) for content in contents]
    return component("VCALENDAR", [*lines, *events], line_end=_CRLF).raw


def create(content: Content) -> bytes:
    """Return the body of a new event, once it reads as it should (see :func:`rewrite`)."""
    body = write([content])
    if _read(body, content.uid).meaning.digests != content.digests:
        msg = "it would not read as it should"
        raise UnwritableError(msg)
    return body


def rewrite(
    body: bytes, content: Content, *, sequence: int, properties: Collection[Property]
) -> bytes:
    """Return a body of the server's with these properties of ours in it; all else survives (S2).

    Each line that says none of them stays byte for byte. Raises UnreadableError where the body is
    not one VEVENT with this UID, and UnwritableError where the outcome would not say what it
    should: it is read again before anybody sends it.
    """
    edit = _Edit(body, content.uid)
    edit.put(content, properties, sequence=sequence)
    return edit.checked()


def release(body: bytes, uid: Uid, *, sequence: int) -> bytes:
    """Return a body with a note before its title and without alarms: it is the person's now (S10).

    Raises UnreadableError and UnwritableError as :func:`rewrite` does.
    """
    edit = _Edit(body, uid)
    before = composed(edit.event.text("SUMMARY"))
    note = b"" if is_noted(before) else noted("").encode()
    edit.put_title(note + edit.title, meant=without_note(noted(before)))
    edit.put_release(released=True)
    edit.silence()
    edit.put_sequence(sequence)
    return edit.checked()


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
    ``properties``, come back from there. Raises UnreadableError and UnwritableError as
    :func:`rewrite` does.
    """
    edit = _Edit(body, content.uid)
    title = edit.title.lstrip().removeprefix(NOT_NEEDED.encode()).strip()
    edit.put_title(title, meant=without_note(composed(edit.event.text("SUMMARY"))))
    edit.put_release(released=False)
    if before is not None and all(map(_is_the_clients, edit.event.components("VALARM"))):
        edit.bring_back(_single_event(before, content.uid)[1].components("VALARM"))
    edit.put(content, properties, sequence=sequence)
    return edit.checked()


def description_of(body: bytes, uid: Uid) -> str:
    """Return the description of a body. Raises UnreadableError as :func:`rewrite` does."""
    return _single_event(body, uid)[1].text("DESCRIPTION")


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
    for line in content_lines(body):
        if line.name in {"BEGIN", "END"} and line.value.strip().upper() == b"VALARM":
            in_alarm = line.name == "BEGIN"
        elif not in_alarm and line.name == "ATTENDEE":
            return True
    return False


def replace_text(body: bytes, uid: Uid, block: str) -> bytes:
    """Return a body with this managed block, also where its own was damaged.

    Raises UnreadableError and UnwritableError as :func:`rewrite` does.
    """
    edit = _Edit(body, uid)
    if find_block(edit.event.text("DESCRIPTION")) is None:
        edit.put_whole_text(block)
    else:
        edit.put_block(block)
    edit.put_sequence(sequence_of(body, uid) + 1)
    return edit.checked()


def acknowledge(
    body: bytes, uid: Uid, *, sequence: int, title: str, facts: Iterable[tuple[Fact, date]]
) -> bytes:
    """Return a body whose title states a fact in the one form, and whose block keeps it (S13).

    It is history from now on, so its alarms go. A block that the person changed stays as it is.
    Raises UnreadableError and UnwritableError as :func:`rewrite` does.
    """
    edit = _Edit(body, uid)
    edit.put_title(escaped(title).encode(), meant=title)
    block = find_block(edit.event.text("DESCRIPTION"))
    if block is not None and vouches_for_text(block):
        edit.put_block(restamped(block, with_stated(block.text, facts)))
    edit.silence()
    edit.put_sequence(sequence)
    return edit.checked()


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


def read_or_none(body: bytes, uid: Uid, zone: ZoneInfo) -> Reading | None:
    """Return what a body says, None where it cannot be read.

    The ledger may hold one that an earlier version of lorsync could read.
    """
    try:
        return read(body, uid, zone)
    except UnreadableError:
        return None


def forget_readings() -> None:
    """Forget what was read, at the end of a pass: within one, each body is parsed once."""
    _read.cache_clear()


@lru_cache(maxsize=1024)
def _read(body: bytes, uid: Uid) -> Reading:
    whole, event, exceptions = _events(body, uid)
    start = _moment(whole, event, "DTSTART")
    if start is None:
        msg = "it has no readable DTSTART"
        raise UnreadableError(msg)
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        msg = "its time is out of range"
        raise UnreadableError(msg)
    end, recurrence = _end(whole, event, start), _recurrence(event)
    block, summary = find_block(event.text("DESCRIPTION")), composed(event.text("SUMMARY"))
    released = is_noted(summary) if block is None else block.released
    title = without_tick(without_note(summary) if released else summary)
    extras = _extras(event, block)
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
            Property.TEXT: block_digest(block),
            Property.ALARMS: alarms_digest(_alarms_of(whole, event)),
        },
        extras=extras,
    )
    names = touched(title, start, block)
    modified = _moment(whole, event, "LAST-MODIFIED")
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
        exceptions=tuple(composed(each.text("SUMMARY")) for each in exceptions),
    )


def _single_event(body: bytes, uid: Uid) -> tuple[Component, Component]:
    """Return a whole body, and the one VEVENT in it that may be written. Raises UnreadableError."""
    whole, event, exceptions = _events(body, uid)
    if exceptions:
        msg = f"it is a series with {len(exceptions)} exceptions"
        raise UnreadableError(msg)
    return whole, event


def _events(body: bytes, uid: Uid) -> tuple[Component, Component, list[Component]]:
    """Return a whole body, its VEVENT, and those of its occurrences that differ from that.

    A series has one VEVENT without a RECURRENCE-ID, and one with it for each exception (RFC 5545
    section 3.8.4.4). Raises UnreadableError where the body is no event with this UID.
    """
    if _NO_TEXT.search(body) is not None:
        msg = "it holds control characters, which no answer in XML can bring back"
        raise UnreadableError(msg)
    try:
        whole = parse(body)
    except MalformedError as error:
        msg = f"it is not iCalendar: {error}"
        raise UnreadableError(msg) from error
    calendars = whole.components("VCALENDAR")
    events = [event for calendar in calendars for event in calendar.components("VEVENT")]
    exceptions = [event for event in events if event.lines("RECURRENCE-ID")]
    # Of a series that the person was asked into, a client may have one occurrence alone.
    masters = [event for event in events if not event.lines("RECURRENCE-ID")] or exceptions[:1]
    if len(calendars) != 1 or len(masters) != 1:
        msg = f"it holds {len(events)} VEVENTs instead of one"
        raise UnreadableError(msg)
    if any(event.text("UID") != uid for event in events):
        msg = "its UID is another one"
        raise UnreadableError(msg)
    (event,) = masters
    for line in event.lines("SUMMARY", "DESCRIPTION"):
        stated = line.parameters
        if "ENCODING" in stated or stated.get("VALUE", "TEXT").upper() != "TEXT":
            msg = f"its {line.name} is no text"
            raise UnreadableError(msg)
    return whole, event, exceptions


def _sequence(event: Component) -> int:
    """Return the SEQUENCE of an event, 0 where it has none that is a number.

    Raises UnreadableError where none comes after it: no later version could be told from this one.
    """
    stated = event.text("SEQUENCE").strip()
    if not (stated.isascii() and stated.isdigit()):
        return 0
    if len(stated.lstrip("0")) > len(str(_LAST_SEQUENCE)) or int(stated) >= _LAST_SEQUENCE:
        msg = "no SEQUENCE comes after its own"
        raise UnreadableError(msg)
    return int(stated)


def _moment(whole: Component, event: Component, name: str) -> date | datetime | None:
    """Return the time of a property, in UTC where it has a zone; None where there is none.

    Raises UnreadableError where it is stated twice, or is none.
    """
    lines = event.lines(name)
    if not lines:
        return None
    moment = None
    if len(lines) == 1:
        moment = read_time(lines[0], zones=whole)
    if moment is None:
        msg = f"its {name} is broken"
        raise UnreadableError(msg)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return moment


def _end(whole: Component, event: Component, start: date | datetime) -> date | datetime | None:
    """Return the end, from DTEND or DURATION, or as RFC 5545 section 3.6.1 implies it."""
    end = _moment(whole, event, "DTEND")
    if end is not None:
        return end
    for line in event.lines("DURATION"):
        duration = read_duration(line)
        if duration is None:
            msg = "its DURATION is broken"
            raise UnreadableError(msg)
        return start + duration
    return None if isinstance(start, datetime) else start + timedelta(days=1)


def _is_the_clients(alarm: Component) -> bool:
    """Tell whether an alarm is a client's own business, and no wish of the person's (S15).

    That is Apple's default alarm, or that there is none of these, and a snooze (RFC 9074 section
    8.2).
    """
    apples = {"X-APPLE-DEFAULT-ALARM", "X-APPLE-LOCAL-DEFAULT-ALARM"}
    silent = alarm.text("ACTION").strip().upper() == _SILENT
    return silent or bool(alarm.lines("RELATED-TO", *apples))


def _alarms_of(whole: Component, event: Component) -> Iterable[tuple[str, str]]:
    """Return action and trigger of each alarm; what else is in them is the client's (S15)."""
    for alarm in event.components("VALARM"):
        if not _is_the_clients(alarm):
            triggers = [_trigger(line, whole) for line in alarm.lines("TRIGGER")]
            yield alarm.text("ACTION").strip().upper(), " ".join(triggers)


def _trigger(line: ContentLine, whole: Component) -> str:
    """Return what an alarm is triggered by, free of how it is written."""
    offset = read_duration(line)
    if offset is not None:
        behind = " from the end" if line.parameters.get("RELATED", "").upper() == "END" else ""
        return trigger(offset) + behind
    moment = read_time(line, zones=whole)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC).isoformat()
    return line.text


def _recurrence(event: Component) -> list[str]:
    """Return what makes an event recur, free of the order in which it is written."""
    return sorted(
        f"{line.name}:" + ";".join(sorted(line.text.strip().upper().split(";")))
        for line in event.lines(*_RECURRENCE)
    )


def _extras(event: Component, block: Block | None) -> tuple[str, ...]:
    """Name what stands beside what lorsync writes: it came from a person."""
    names = [
        word for name, word in _EXTRAS if any(line.value.strip() for line in event.lines(name))
    ]
    around = event.text("DESCRIPTION").strip() if block is None else block.before + block.after
    notes = [_NOTES] if around else []
    cancelled = [CANCELLED] if event.text("STATUS").strip().upper() == "CANCELLED" else []
    return (*notes, *names, *cancelled)


class _Edit:
    """A body of the server's while properties of ours are put into it.

    ``event`` is the VEVENT as it is now, ``line_end`` how its lines end.
    """

    def __init__(self, body: bytes, uid: Uid) -> None:
        """Begin with a body. Raises UnreadableError where it is not one VEVENT with this UID."""
        self._uid = uid
        self._before = _read(body, uid)
        self._whole, self._found = _single_event(body, uid)
        self.event = self._found
        self._wanted: dict[Property, str] = dict(self._before.meaning.digests)
        self._kept = set(self._before.meaning.extras)
        self.line_end = self._found.line_end

    @property
    def title(self) -> bytes:
        """The title as it is now, to the byte, as a value of type TEXT."""
        return next((line.value for line in self.event.lines("SUMMARY")), b"")

    def put(self, content: Content, properties: Collection[Property], *, sequence: int) -> None:
        """Put in these properties of a content, and what goes with every version of it."""
        if Property.DATE in properties:
            lines = _date_lines(content, self.line_end)
            self.event = self.event.with_lines(lines, drop=_DATE_NAMES)
            self._wanted[Property.DATE] = content.digests[Property.DATE]
        if Property.TITLE in properties:
            self.put_title(escaped(content.summary).encode(), meant=content.summary)
            self._wanted[Property.TITLE] = content.digests[Property.TITLE]
        if Property.TEXT in properties:
            self.put_block(content.block)
        if Property.ALARMS in properties:
            kept = [alarm for alarm in self.event.components("VALARM") if _is_the_clients(alarm)]
            ours = [_alarm(offset, content.summary, self.line_end) for offset in content.alarms]
            self.event = self.event.with_components([*kept, *ours], without="VALARM")
            self._wanted[Property.ALARMS] = content.digests[Property.ALARMS]
        self.put_sequence(sequence)
        stamp = _stamp_line(content.start, self.line_end)
        self.event = self.event.with_lines([stamp], drop=["DTSTAMP"])

    def put_title(self, title: bytes, *, meant: str) -> None:
        """Put in a title, as a value of type TEXT; alarms that show the old one show it too.

        ``meant`` is how it should read, without the note that the event is not needed.
        """
        before = " ".join(self.event.text("SUMMARY").split())
        self.event = self._with_title(self.event, "SUMMARY", title)
        self._wanted[Property.TITLE] = text_digest(without_tick(meant))

        def retitled(alarm: Component) -> Component:
            for shown in alarm.lines("DESCRIPTION", "SUMMARY"):
                if before and " ".join(shown.text.split()) == before:
                    alarm = self._with_title(alarm, shown.name, title)
            return alarm

        self.event = self.event.with_each("VALARM", retitled)

    def put_block(self, block: str) -> None:
        """Put in a managed block in the place of its own; damaged, it stays as it is (S12).

        The person's text around it stays byte for byte; what repeats the old text as HTML goes.
        """
        if self._exchange(lambda description: block_place(description, block)):
            self._wanted[Property.TEXT] = block_digest(find_block(block))

    def put_release(self, *, released: bool) -> None:
        """Say in the stamp whether the event is the person's, as no longer needed (S10)."""
        self._exchange(lambda description: release_place(description, released=released))

    def put_whole_text(self, block: str) -> None:
        """Put in a managed block as the whole description; what else stood there goes."""
        self._put_description(escaped(block).encode())
        self._kept.discard(_NOTES)
        self._wanted[Property.TEXT] = block_digest(find_block(block))

    def bring_back(self, alarms: Iterable[Component]) -> None:
        """Put in alarms that were taken out."""
        there = self.event.components("VALARM")
        back = [alarm for alarm in alarms if not _is_the_clients(alarm)]
        self.event = self.event.with_components([*there, *back], without="VALARM")
        self._wanted[Property.ALARMS] = alarms_digest(_alarms_of(self._whole, self.event))

    def silence(self) -> None:
        """Take out all alarms; that there is none of Apple's own stays, or one would come."""
        kept = [
            alarm
            for alarm in self.event.components("VALARM")
            if alarm.text("ACTION").strip().upper() == _SILENT
        ]
        self.event = self.event.with_components(kept, without="VALARM")
        self._wanted[Property.ALARMS] = alarms_digest(())

    def put_sequence(self, sequence: int) -> None:
        """Put in a SEQUENCE."""
        line = content_line("SEQUENCE", str(sequence).encode(), line_end=self.line_end)
        self.event = self.event.with_lines([line], drop=["SEQUENCE"])

    def checked(self) -> bytes:
        """Return the body as it is now, once it reads as it should.

        Raises UnwritableError where it says something else.
        """
        body = self._whole.exchanged(self._found, self.event).raw
        try:
            now = _read(body, self._uid)
        except UnreadableError as error:
            msg = f"once it is changed, {error}"
            raise UnwritableError(msg) from error
        told = now.meaning
        lost = [str(p) for p in Property if told.digests[p] != self._wanted[p]]
        lost += sorted(self._kept.symmetric_difference(told.extras))
        if lost:
            msg = f"once it is changed, its {lost[0]} would not be what it should"
            raise UnwritableError(msg)
        return body

    def _with_title(self, shown: Component, name: str, title: bytes) -> Component:
        line = content_line(name, title, line_end=self.line_end)
        return shown.with_lines([line], drop=[name])

    def _exchange(self, place_in: Callable[[str], Place | None]) -> bool:
        """Exchange a text in the description, to the byte, and tell whether it has its place."""
        for line in self.event.lines("DESCRIPTION")[:1]:
            # Bytes that are no UTF-8 are the person's as well.
            value = line.value.decode(errors="surrogateescape")
            place = place_in(unescaped(value))
            if place is not None:
                begin, end = (escaped_offset(value, at) for at in (place.begin, place.end))
                text = value[:begin] + escaped(place.text) + value[end:]
                self._put_description(text.encode(errors="surrogateescape"))
                return True
        return False

    def _put_description(self, value: bytes) -> None:
        line = content_line("DESCRIPTION", value, line_end=self.line_end)
        self.event = self.event.with_lines([line], drop=_TEXT_NAMES)


def _new_event(content: Content, stamp: date | None, sequence: int) -> Component:
    lines = [
        content_line("SUMMARY", escaped(content.summary).encode(), line_end=_CRLF),
        *_date_lines(content, _CRLF),
        _stamp_line(stamp or content.start, _CRLF),
        content_line("UID", escaped(content.uid).encode(), line_end=_CRLF),
        content_line("SEQUENCE", str(sequence).encode(), line_end=_CRLF),
        content_line("DESCRIPTION", escaped(content.block).encode(), line_end=_CRLF),
        content_line("TRANSP", b"TRANSPARENT", line_end=_CRLF),
    ]
    alarms = [_alarm(offset, content.summary, _CRLF) for offset in content.alarms]
    return component("VEVENT", [*lines, *alarms], line_end=_CRLF)


def _date_lines(content: Content, line_end: bytes) -> list[ContentLine]:
    moments = (("DTSTART", content.start), ("DTEND", content.end))
    return [time_line(name, moment, line_end=line_end) for name, moment in moments]


def _stamp_line(day: date | datetime, line_end: bytes) -> ContentLine:
    """Return the DTSTAMP of a content: a property of that, not of the moment of writing (I8)."""
    start = day.date() if isinstance(day, datetime) else day
    return time_line("DTSTAMP", datetime.combine(start, time(), UTC), line_end=line_end)


def _alarm(offset: timedelta, title: str, line_end: bytes) -> Component:
    lines = [
        content_line("ACTION", b"DISPLAY", line_end=line_end),
        content_line("DESCRIPTION", escaped(title).encode(), line_end=line_end),
        content_line("TRIGGER", duration_value(offset), line_end=line_end),
    ]
    return component("VALARM", lines, line_end=line_end)
