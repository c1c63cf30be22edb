"""Read an iCalendar file with libical, which Evolution, GNOME Calendar and KOrganizer read by."""

import ctypes
from ctypes import Structure, c_char_p, c_int, c_uint, c_void_p

from tests.e2e.readers.reading import Alarm, Read
from tests.needs import libical


class _Time(Structure):
    _fields_ = (
        *((name, c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", c_int),
        ("is_daylight", c_int),
        ("zone", c_void_p),
    )


class _Duration(Structure):
    _fields_ = (
        ("is_neg", c_int),
        *((name, c_uint) for name in ("days", "weeks", "hours", "minutes", "seconds")),
    )


_SIGNATURES = {
    "icalparser_parse_string": (c_void_p, [c_char_p]),
    "icalcomponent_free": (None, [c_void_p]),
    "icalcomponent_count_errors": (c_int, [c_void_p]),
    "icalcomponent_string_to_kind": (c_int, [c_char_p]),
    "icalcomponent_get_first_component": (c_void_p, [c_void_p, c_int]),
    "icalcomponent_get_next_component": (c_void_p, [c_void_p, c_int]),
    "icalcomponent_get_first_property": (c_void_p, [c_void_p, c_int]),
    "icalcomponent_get_uid": (c_char_p, [c_void_p]),
    "icalcomponent_get_summary": (c_char_p, [c_void_p]),
    "icalcomponent_get_description": (c_char_p, [c_void_p]),
    "icalcomponent_get_dtstart": (_Time, [c_void_p]),
    "icalcomponent_get_dtend": (_Time, [c_void_p]),
    "icalproperty_string_to_kind": (c_int, [c_char_p]),
    "icalproperty_get_value_as_string": (c_char_p, [c_void_p]),
    "icaltime_is_utc": (c_int, [_Time]),
    "icaldurationtype_from_string": (_Duration, [c_char_p]),
    "icaldurationtype_as_int": (c_int, [_Duration]),
}


def library() -> ctypes.CDLL:
    """Load libical 3, which has to be here, with what its functions take and return."""
    found = libical()
    assert found is not None
    for function, (result, arguments) in _SIGNATURES.items():
        getattr(found, function).restype = result
        getattr(found, function).argtypes = arguments
    return found


def read(body: bytes) -> list[Read]:
    """Return the events that libical reads; what it objects to fails the test."""
    ical = library()
    calendar = ical.icalparser_parse_string(body)
    assert calendar, "libical reads no calendar"
    try:
        assert ical.icalcomponent_count_errors(calendar) == 0
        return [_event(ical, event) for event in _components(ical, calendar, b"VEVENT")]
    finally:
        ical.icalcomponent_free(calendar)


def _components(ical: ctypes.CDLL, parent: int, name: bytes) -> list[int]:
    kind = ical.icalcomponent_string_to_kind(name)
    found = []
    child = ical.icalcomponent_get_first_component(parent, kind)
    while child:
        found.append(child)
        child = ical.icalcomponent_get_next_component(parent, kind)
    return found


def _event(ical: ctypes.CDLL, event: int) -> Read:
    alarms = [
        Alarm(
            action=_value(ical, alarm, b"ACTION").decode(),
            seconds=ical.icaldurationtype_as_int(
                ical.icaldurationtype_from_string(_value(ical, alarm, b"TRIGGER"))
            ),
        )
        for alarm in _components(ical, event, b"VALARM")
    ]
    return Read(
        uid=ical.icalcomponent_get_uid(event).decode(),
        start=_moment(ical, ical.icalcomponent_get_dtstart(event)),
        end=_moment(ical, ical.icalcomponent_get_dtend(event)),
        summary=ical.icalcomponent_get_summary(event).decode(),
        description=ical.icalcomponent_get_description(event).decode(),
        alarms=tuple(sorted(alarms)),
    )


def _value(ical: ctypes.CDLL, component: int, name: bytes) -> bytes:
    kind = ical.icalproperty_string_to_kind(name)
    found = ical.icalcomponent_get_first_property(component, kind)
    assert found, f"no {name!r}"
    value: bytes = ical.icalproperty_get_value_as_string(found)
    return value


def _moment(ical: ctypes.CDLL, time: _Time) -> str:
    day = f"{time.year:04}-{time.month:02}-{time.day:02}"
    if time.is_date:
        return day
    assert ical.icaltime_is_utc(time), "a time that is not in UTC"
    return f"{day}T{time.hour:02}:{time.minute:02}:{time.second:02}Z"
