"""The person at another calendar app: what they do to an event, and whether it still stands.

This is written from the rules alone (S2, S10, S12, S15): nothing here asks the code under test what
it takes for the person's.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import icalendar

from tests.unit.sync.desk import ZONE, event_of

event_in = functools.lru_cache(maxsize=4096)(event_of)
"""Read the event of a body, to look at and not to change: the same ones are looked at often."""

NOT_NEEDED = "Not needed: "
OPENING = "--- lorsync ---"


@dataclass(frozen=True, kw_only=True)
class Acts:
    """What the person did to one event; None or nothing where they did nothing.

    ``start`` and ``end`` as they chose them; ``text`` is the whole description once they changed it
    inside the managed block, ``notes`` what they wrote around it; ``spoiled`` the body that they
    made unreadable, ``guarded`` the one that is wholly theirs for its guest list (S10). ``ticked``
    is the title that they typed to state a fact, and the one without; ``history`` that they did so,
    whatever they named the event since (S13), ``needless`` that the fact was that the letter is in,
    ahead of a follow-up's day, which spends nothing (R10).
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    title: str | None = None
    text: str | None = None
    notes: tuple[str, ...] = ()
    place: str | None = None
    alarms: tuple[timedelta, ...] | None = None
    spoiled: bytes | None = None
    guarded: bytes | None = None
    ticked: tuple[str, str] | None = None
    history: bool = False
    needless: bool = False

    @property
    def has_words(self) -> bool:
        """Whether they wrote into it, and so keep it when it is no longer needed (S10)."""
        written = self.title or self.text or self.notes or self.place or self.spoiled
        return bool(written or self.guarded or self.history)


def day_of(event: icalendar.Event) -> date:
    """Return the day of an event for somebody in New York."""
    start = event["DTSTART"].dt
    return start.astimezone(ZONE).date() if isinstance(start, datetime) else start


def title_of(event: icalendar.Event) -> str:
    return " ".join(str(event["SUMMARY"]).split())


def sequence_in(body: bytes) -> int:
    """Return the SEQUENCE of an event, -1 where there is none that can be read."""
    events = body.count(b"BEGIN:VEVENT")
    return int(event_in(body).get("SEQUENCE", 0)) if events == 1 else -1


def is_released(event: icalendar.Event) -> bool:
    """Tell whether lorsync left an event to the person: its title says so, or its stamp (S10)."""
    stamped = re.search(r"--- planned .* · not needed · .* ---", str(event.get("DESCRIPTION", "")))
    return title_of(event).startswith(NOT_NEEDED.strip()) or stamped is not None


def unstamped(text: str) -> str:
    """Return a text without the stamp of lorsync's in it."""
    return re.sub(r"--- planned .* ---", "", text)


def alarms_of(event: icalendar.Event) -> tuple[timedelta, ...]:
    """Return when an event rings, but for what was put off (S15)."""
    return tuple(sorted(alarm["TRIGGER"].dt for alarm in ringing(event)))


def ringing(event: icalendar.Event) -> list[icalendar.Component]:
    """Return the alarms of an event, but for those that put off another (RFC 9074 section 6)."""
    return [c for c in event.subcomponents if c.name == "VALARM" and "RELATED-TO" not in c]


def edited(body: bytes, change: Callable[[icalendar.Event], None]) -> bytes:
    """Return a body with its one event changed."""
    calendar = icalendar.Calendar.from_ical(body)
    change(calendar.walk("VEVENT")[0])
    return bytes(calendar.to_ical())


def put(event: icalendar.Event, name: str, value: object) -> None:
    event.pop(name, None)
    event.add(name, value)


def broken_promises(acts: Acts, body: bytes, *, released: bool) -> list[str]:
    """Name what of the person's acts an event no longer shows (I4).

    ``released``: it is no longer needed, and so rings no more (S10).
    """
    if acts.spoiled is not None:
        return [] if body == acts.spoiled else ["spoiled"]
    if acts.guarded is not None:
        return [] if body == acts.guarded else ["guests"]
    event = event_in(body)
    return [
        *(["date"] if not _date_stands(acts, event) else []),
        *(["title"] if not _title_stands(acts, event) else []),
        *(["text"] if not _text_stands(acts, event) else []),
        *(["notes"] if not _notes_stand(acts, event) else []),
        *(["place"] if acts.place not in (None, str(event.get("LOCATION"))) else []),
        *(["alarms"] if not released and acts.alarms not in (None, alarms_of(event)) else []),
    ]


def _date_stands(acts: Acts, event: icalendar.Event) -> bool:
    return acts.start is None or (event["DTSTART"].dt, event["DTEND"].dt) == (acts.start, acts.end)


def _title_stands(acts: Acts, event: icalendar.Event) -> bool:
    if acts.ticked is not None:
        typed, base = acts.ticked
        title = title_of(event)
        return title == typed or (title.startswith("✓ ") and title.endswith(f" · {base}"))
    return acts.title is None or title_of(event) in (acts.title, NOT_NEEDED + acts.title)


def _text_stands(acts: Acts, event: icalendar.Event) -> bool:
    """Tell whether the text is what they made of it; what the stamp says is lorsync's own."""
    return acts.text is None or unstamped(acts.text) == unstamped(str(event["DESCRIPTION"]))


def _notes_stand(acts: Acts, event: icalendar.Event) -> bool:
    description = str(event["DESCRIPTION"])
    return all(note in description for note in acts.notes) and description.count(OPENING) <= 1


# What the person can do to an event: each returns the body afterwards, and what is to be remembered


Done = tuple[bytes, Acts]


def drag(body: bytes, acts: Acts, start: date | datetime, lasts: timedelta) -> Done:
    end = start + lasts

    def change(event: icalendar.Event) -> None:
        put(event, "DTSTART", start)
        put(event, "DTEND", end)

    return edited(body, change), replace(acts, start=start, end=end)


def retitle(body: bytes, acts: Acts, title: str) -> Done:
    after = edited(body, lambda e: put(e, "SUMMARY", title))
    return after, replace(acts, title=title, ticked=None)


def tick(body: bytes, acts: Acts, words: str, *, needless: bool = False) -> Done:
    """State in the title that it was done, or is not needed; it rings no more then."""
    base = title_of(event_in(body))
    typed = words.format(base)
    after = edited(body, lambda e: put(e, "SUMMARY", typed))
    ticked = replace(acts, ticked=(typed, base), history=True, needless=needless, alarms=None)
    return after, ticked


def untick(body: bytes, acts: Acts) -> Done:
    """Make the title what it was before the tick."""
    if acts.ticked is None:
        return body, acts
    base = acts.ticked[1]
    after = edited(body, lambda e: put(e, "SUMMARY", base))
    return after, replace(acts, ticked=None, history=False, needless=False)


def annotate(body: bytes, acts: Acts, note: str, *, before: bool) -> Done:
    old = str(event_in(body)["DESCRIPTION"])
    text = f"{note}\n\n{old}" if before else f"{old}\n\n{note}"
    after = edited(body, lambda e: put(e, "DESCRIPTION", text))
    if acts.text is not None:
        return after, replace(acts, text=text)
    return after, replace(acts, notes=(*acts.notes, note))


def write_inside(body: bytes, acts: Acts, words: str, *, damage: bool) -> Done:
    """Write into the managed text, or over everything with its markers."""
    old = str(event_in(body)["DESCRIPTION"])
    text = words if damage or OPENING not in old else old.replace(OPENING, f"{OPENING}\n{words}", 1)
    after = edited(body, lambda e: put(e, "DESCRIPTION", text))
    return after, replace(acts, text=text, notes=())


def place(body: bytes, acts: Acts, where: str) -> Done:
    return edited(body, lambda e: put(e, "LOCATION", where)), replace(acts, place=where)


def invite(body: bytes, acts: Acts, who: str) -> Done:
    """Add a guest: whatever is written to the event from now on, the server may mail to them."""

    def change(event: icalendar.Event) -> None:
        put(event, "ORGANIZER", "mailto:maya@example.org")
        event.add("ATTENDEE", f"mailto:{who}")

    after = edited(body, change)
    return after, replace(acts, guarded=after)


def rings(body: bytes) -> bool:
    """Tell whether an event has any alarm."""
    return b"BEGIN:VALARM" in body


def ring(body: bytes, acts: Acts, *offsets: timedelta) -> Done:
    """Choose other alarms, or none."""

    def change(event: icalendar.Event) -> None:
        event.subcomponents = [c for c in event.subcomponents if c.name != "VALARM"]
        for offset in offsets:
            alarm = icalendar.Alarm()
            alarm.add("ACTION", "DISPLAY")
            alarm.add("TRIGGER", offset)
            alarm.add("DESCRIPTION", "ring")
            event.add_component(alarm)

    return edited(body, change), replace(acts, alarms=tuple(sorted(offsets)))


def snooze(body: bytes, minutes: int) -> bytes:
    """Put off what rings, as calendar apps do: an alarm beside each, which is no edit (S15).

    RFC 9074 section 6: it names the alarm that was put off, and both bear what was acknowledged.
    """

    def change(event: icalendar.Event) -> None:
        for number, alarm in enumerate(ringing(event)):
            start = event["DTSTART"].dt
            midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
            rang = midnight + alarm["TRIGGER"].dt
            put(alarm, "UID", alarm.get("UID") or f"alarm-{number}")
            put(alarm, "ACKNOWLEDGED", rang + timedelta(minutes=1))
            later = icalendar.Alarm()
            later.add("ACTION", "DISPLAY")
            later.add("DESCRIPTION", "Snoozed")
            later.add("TRIGGER", rang + timedelta(minutes=minutes), {"VALUE": "DATE-TIME"})
            later.add("RELATED-TO", alarm["UID"], {"RELTYPE": "SNOOZE"})
            event.add_component(later)

    return edited(body, change)


def spoil(body: bytes, acts: Acts) -> Done:
    """Make of one event two in one resource, as a careless client does."""
    event = body[body.index(b"BEGIN:VEVENT") : body.index(b"END:VCALENDAR")]
    after = body.replace(event, event + event)
    return after, replace(acts, spoiled=after)
