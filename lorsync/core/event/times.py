"""Dates, times and durations as content lines have them (RFC 5545 sections 3.3.4 to 3.3.6).

Lorsync writes days and instants in UTC. It reads whatever other programs make of these: with a
zone of the time zone database, of Windows, or one that the body describes itself (VTIMEZONE).

icalendar reads the last two. It takes longer to load than all else of a pass, which needs it only
for these.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lorsync.core.event.content_lines import Component, ContentLine, content_line

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)")
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)
_LARGEST_ZONE: Final = 32_768
"""Octets of a VTIMEZONE; the whole history of a zone is a third of that."""

_RULE = re.compile(
    r"FREQ=YEARLY|BYMONTH=\d\d?|BYDAY=[+-]?\d{0,2}[A-Z]{2}|BYMONTHDAY=-?\d\d?(,-?\d\d?){0,6}"
    r"|(INTERVAL|COUNT)=\d{1,4}|UNTIL=\d{8}(T\d{6}Z?)?|WKST=[A-Z]{2}"
)
"""A part of a rule by which clocks change: once a year. Others would be reckoned for minutes."""


def read_time(line: ContentLine, *, zones: Component) -> date | datetime | None:
    """Return the day or the time of a content line, None where it has neither.

    A time is naive where it is floating, or its zone is not known. ``zones`` is the body, with the
    VTIMEZONEs in it.
    """
    value = line.text.strip().upper()
    try:
        day = _DATE.fullmatch(value)
        if day is not None:
            return date(int(day[1]), int(day[2]), int(day[3]))
        found = _DATE_TIME.fullmatch(value)
        if found is None:
            return None
        # 23:59:60 is a leap second (RFC 5545 section 3.3.12), which no clock here has.
        year, month, number, hour, minute, second = (int(found[n]) for n in range(1, 7))
        zone = UTC if found[7] else _zone(line.parameters.get("TZID"), zones)
        return datetime(year, month, number, hour, minute, min(second, 59), tzinfo=zone)
    except ValueError:
        return None


def read_duration(line: ContentLine) -> timedelta | None:
    """Return the duration of a content line, None where it has none."""
    found = _DURATION.fullmatch(line.text.strip().upper())
    if found is None or found[0][-1] in "PT":
        return None
    sign = -1 if found["sign"] == "-" else 1
    units = ("weeks", "days", "hours", "minutes", "seconds")
    return sign * timedelta(**{unit: int(found[unit] or 0) for unit in units})


def time_line(name: str, moment: date | datetime, *, line_end: bytes) -> ContentLine:
    """Return the content line of a day, or of an instant in UTC."""
    if isinstance(moment, datetime):
        return content_line(name, f"{moment:%Y%m%dT%H%M%S}Z".encode(), line_end=line_end)
    return content_line(
        name, f"{moment:%Y%m%d}".encode(), line_end=line_end, parameters=";VALUE=DATE"
    )


def duration_value(offset: timedelta) -> bytes:
    """Return an offset as the value of a content line."""
    sign, length = ("-", -offset) if offset < timedelta() else ("", offset)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    days = f"{length.days}D" if length.days else ""
    return f"{sign}P{days}{'T' if time else ''}{time}".encode() if days or time else b"PT0S"


def _zone(name: str | None, zones: Component) -> tzinfo | None:
    """Return the zone that a body means by a TZID, None where that is not known."""
    if not name:
        return None
    return _known_zone(name) or _described_zone(name, zones)


@lru_cache(maxsize=64)
def _known_zone(name: str) -> tzinfo | None:
    """Return a zone by its name in the time zone database, or in Windows.

    A name that begins with a slash has its maker before it (RFC 5545 section 3.2.19), as libical
    and Evolution write it.
    """
    parts = name.strip("/").split("/") if len(name) < 256 else []
    tried = ["/".join(parts[n:]) for n in range(len(parts) if name.startswith("/") else 1)]
    for each in tried:
        try:
            return ZoneInfo(each)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # OSError: a folder of the database, such as "Europe"
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    windows = WINDOWS_TO_OLSON.get(name)
    return None if windows is None else ZoneInfo(windows)


def _described_zone(name: str, zones: Component) -> tzinfo | None:
    """Return a zone as a body describes it. Raises ValueError where it cannot be reckoned with."""
    for zone in zones.walk("VTIMEZONE"):
        if zone.text("TZID") == name:
            if not _is_quick(zone):
                msg = "rules of this zone take too long to follow"
                raise ValueError(msg)
            return _described(zone.raw)
    return None


def _is_quick(zone: Component) -> bool:
    """Tell whether the rules of a zone are followed in no time."""
    rules = [line.text for each in zone.components("STANDARD") for line in each.lines("RRULE")]
    rules += [line.text for each in zone.components("DAYLIGHT") for line in each.lines("RRULE")]
    parts = [part for rule in rules for part in rule.strip().upper().split(";")]
    return len(zone.raw) <= _LARGEST_ZONE and all(map(_RULE.fullmatch, parts))


def _described(zone: bytes) -> tzinfo | None:
    """Read a VTIMEZONE with icalendar. Raises ValueError where that cannot."""
    import icalendar

    try:
        read = icalendar.Timezone.from_ical(zone)
        if isinstance(read, icalendar.Timezone):
            # What a name means is this body's affair, not that of one that was read before.
            found: tzinfo | None = read.to_tz(lookup_tzid=False)
            return found
    except Exception as error:  # its parsers raise what they meet, of any kind
        msg = f"it is no zone ({type(error).__name__})"
        raise ValueError(msg) from error
    return None
