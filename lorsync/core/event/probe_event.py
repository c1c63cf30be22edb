"""The event with which ``doctor --probe`` tries a server: its name, its body, what came through.

Its UID has not the form of lorsync's own events, nor that of the memory, so that a pass which meets
it leaves it alone as it does everything foreign (I3). It stands on a day long past, beside the
memory, where no reminder goes off.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lorsync.core.event.ical import PRODID
from lorsync.core.model import Uid

if TYPE_CHECKING:
    from icalendar import Component

_PREFIX: Final = "lorsync-probe-"
_NAME: Final = re.compile(rf"{_PREFIX}(\d{{8}}T\d{{6}})-[0-9a-f]+")
_STAMP: Final = "%Y%m%dT%H%M%S"

ABANDONED_AFTER: Final = timedelta(hours=1)
"""How old a scratch is that no probe, on this machine or another, can still be using."""

TITLE: Final = "lorsync tries this calendar"
_DAY: Final = date(2001, 1, 2)
_PLACE: Final = "Kraków, 2nd floor; left"
_COLOR: Final = "turquoise"
_CATEGORY: Final = "Letters"
_OWN: Final = "lorsync-probe"
_BEFORE: Final = timedelta(hours=-15)
# Three bytes a character, so that a fold after so many bytes must not cut one in two.
_LONG: Final = "推薦状をお願いする" * 20
_FIRST, _LAST = (
    "“lorsync doctor --probe” writes this event and takes it away at once.",
    "If you can see it, delete it.",
)


class Part(StrEnum):
    """A part of an event that a server may drop or change, as it is said to a person."""

    TITLE = "title"
    DAY = "day"
    TEXT = "text"
    LINES = "line breaks"
    LONG = "long lines"
    ALARM = "reminder"
    PLACE = "place"
    CATEGORY = "category"
    COLOR = "colour"
    OWN = "programs' own properties (X-)"


NEEDED: Final = frozenset({Part.TITLE, Part.DAY, Part.TEXT, Part.LONG})
"""What lorsync cannot do without."""


def probe_uid(now: datetime, digits: str) -> Uid:
    """Name a scratch; ``now`` is aware, ``digits`` are hexadecimal and new each time.

    Some servers refuse the UID of a deleted event for ever.
    """
    return Uid(f"{_PREFIX}{now.astimezone(UTC):{_STAMP}}-{digits}")


def is_abandoned(name: str, now: datetime) -> bool:
    """Tell whether this is the name of a scratch whose probe has long ended (or was killed)."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    try:
        made = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - made) >= ABANDONED_AFTER


def probe_body(uid: Uid, now: datetime, *, version: int) -> bytes:
    """Write the scratch, with everything in it whose survival is looked at.

    ``version`` tells writes apart; those after the first, by their title too, since a server may
    number versions itself. ``now`` is aware.
    """
    import icalendar

    calendar, event, alarm = icalendar.Calendar(), icalendar.Event(), icalendar.Alarm()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    event.add("UID", uid)
    event.add("DTSTAMP", now.astimezone(UTC).replace(microsecond=0))
    event.add("SEQUENCE", version)
    event.add("DTSTART", _DAY)
    event.add("DTEND", _DAY + timedelta(days=1))
    event.add("TRANSP", "TRANSPARENT")
    event.add("SUMMARY", f"{TITLE} ({version})" if version else TITLE)
    event.add("DESCRIPTION", "\n".join([_FIRST, "", _LONG, _LAST]))
    event.add("LOCATION", _PLACE)
    event.add("CATEGORIES", [_CATEGORY])
    event.add("COLOR", _COLOR)
    event.add("X-LORSYNC-PROBE", _OWN)
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", TITLE)
    alarm.add("TRIGGER", _BEFORE)
    event.add_component(alarm)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def lost_parts(body: bytes) -> frozenset[Part]:
    """Return what of a scratch did not come through, given what the server holds of it."""
    import icalendar

    try:
        events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        events = []
    if len(events) != 1:
        return frozenset(Part)
    return frozenset(Part) - _kept(events[0])


def _kept(event: Component) -> frozenset[Part]:
    written = _text(event, "DESCRIPTION")
    text = " ".join(written.split())
    start = getattr(event.get("DTSTART"), "dt", None)
    triggers = [getattr(alarm.get("TRIGGER"), "dt", None) for alarm in event.walk("VALARM")]
    categories = getattr(event.get("CATEGORIES"), "cats", ())
    kept = {
        Part.TITLE: _text(event, "SUMMARY") == TITLE,
        Part.DAY: start == _DAY and not isinstance(start, datetime),
        Part.TEXT: _FIRST in text and _LAST in text,
        Part.LINES: written.splitlines() == [_FIRST, "", _LONG, _LAST] or _LAST not in text,
        Part.LONG: _LONG in written,
        Part.ALARM: _BEFORE in triggers,
        Part.PLACE: _text(event, "LOCATION") == _PLACE,
        Part.CATEGORY: _CATEGORY in map(str, categories),
        Part.COLOR: _text(event, "COLOR") == _COLOR,
        Part.OWN: _text(event, "X-LORSYNC-PROBE") == _OWN,
    }
    return frozenset(part for part, came_through in kept.items() if came_through)


def _text(event: Component, name: str) -> str:
    return str(event.get(name, ""))
