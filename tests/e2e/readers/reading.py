"""What a reader of iCalendar finds in a file, in one form for all of them."""

import io
import json
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import icalendar
import vobject

HERE = Path(__file__).parent
# The readers' package is installed beside the sources, by tools/install-test-packages.


class Alarm(NamedTuple):
    """An alarm: seconds from the start of its event."""

    action: str
    seconds: int


class Read(NamedTuple):
    """An event; a day is ``2027-09-10``, an instant ``2027-09-10T13:00:00Z``."""

    uid: str
    start: str
    end: str
    summary: str
    description: str
    alarms: tuple[Alarm, ...]


def with_vobject(body: bytes) -> list[Read]:
    """Return what vobject reads, which shares no code with the writer."""
    (calendar,) = vobject.readComponents(io.StringIO(body.decode(), newline=""))
    return [
        Read(
            uid=event.uid.value,
            start=_moment(event.dtstart.value),
            end=_moment(event.dtend.value),
            summary=event.summary.value,
            description=event.description.value,
            alarms=tuple(
                sorted(
                    Alarm(alarm.action.value, int(alarm.trigger.value.total_seconds()))
                    for alarm in event.contents.get("valarm", [])
                )
            ),
        )
        for event in calendar.contents.get("vevent", [])
    ]


def with_icalendar(body: bytes) -> list[Read]:
    """Return what icalendar reads: the writer's own library, and khal's."""
    return [
        Read(
            uid=str(event["UID"]),
            start=_moment(event["DTSTART"].dt),
            end=_moment(event["DTEND"].dt),
            summary=str(event["SUMMARY"]),
            description=str(event["DESCRIPTION"]),
            alarms=tuple(
                sorted(
                    Alarm(str(alarm["ACTION"]), int(alarm["TRIGGER"].dt.total_seconds()))
                    for alarm in event.walk("VALARM")
                )
            ),
        )
        for event in icalendar.Calendar.from_ical(body).walk("VEVENT")
    ]


def with_ical_js(body: bytes) -> list[Read]:
    """Return what ical.js reads, the parser of Thunderbird and Nextcloud."""
    done = subprocess.run(
        ["node", HERE / "read.mjs"], input=body, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    document = json.loads(done.stdout)
    return [
        Read(
            **{
                **event,
                "start": event["start"].replace(".000Z", "Z"),
                "end": event["end"].replace(".000Z", "Z"),
                "alarms": tuple(sorted(Alarm(**alarm) for alarm in event["alarms"])),
            }
        )
        for event in document["events"]
    ]


def _moment(value: date | datetime) -> str:
    if isinstance(value, datetime):
        assert value.tzinfo is not None, "floating time"
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat()
