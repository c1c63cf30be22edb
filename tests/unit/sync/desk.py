"""One applicant's desk: a config, a calendar in memory, a ledger on disk, and a day to pass on."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar

from lorsync.adapters.ledger.store import FILE_NAME, SqliteLedger
from lorsync.core.event.stamp import find_block
from lorsync.core.facts import Fact, Source
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.memory import Memory, is_memory
from lorsync.core.merge.memory_text import read_memory
from lorsync.core.model import (
    Alarm,
    Applicant,
    Cycle,
    EventStyle,
    Facts,
    Kind,
    Letter,
    LetterId,
    Mentor,
    MentorId,
    Policy,
    Season,
    Uid,
)
from lorsync.core.ports import Calendar, Href, Ledger
from lorsync.core.settings import CalendarSettings, Provider, Settings, SyncSettings
from lorsync.sync.account import collection_of, follow_spelling, remember_account
from lorsync.sync.engine import Options, run_pass
from lorsync.sync.plan import facts_of
from lorsync.sync.report import Report
from tests.fakes import FakeCalendar

ZONE = ZoneInfo("America/New_York")
DUE = date(2027, 9, 10)
START = date(2027, 5, 3)


def letter(mentor: str, *, due: date = DUE, facts: Facts | None = None) -> Letter:
    """Return one letter of a mentor, with its own deadline."""
    return Letter(
        id=LetterId(f"{mentor}-letter"),
        mentor=MentorId(mentor),
        deadline=due,
        facts=facts or Facts(),
    )


def settings(*letters: Letter, policy: Policy | None = None) -> Settings:
    """Return a config with these letters and their mentors."""
    mentors = {each.mentor: Mentor(id=each.mentor, name=f"Dr. {each.mentor}") for each in letters}
    return Settings(
        source="config.toml",
        season=Season(
            applicant=Applicant(name="Maya Okafor", timezone=ZONE),
            cycle=Cycle(name="2028 Match"),
            policy=policy or Policy(),
            mentors=mentors,
            programs={},
            letters=letters,
        ),
        calendar=CalendarSettings(provider=Provider.CALDAV, url="https://fake.example/"),
        sync=SyncSettings(),
        style=EventStyle(zone=ZONE, alarms=(Alarm(days_before=0, at=time(9)),)),
    )


@dataclass(kw_only=True)
class Desk:
    """What a test works with. ``ledger_of`` may wrap the ledger, to break it.

    ``real_clock`` passes now instead of ``day`` and ``at``, as a real server's clock wants (S21).
    """

    folder: Path
    settings: Settings
    calendar: FakeCalendar = field(default_factory=FakeCalendar)
    ledger_of: Callable[[Ledger], Ledger] = lambda ledger: ledger
    day: date = START

    at: time = time(12)
    real_clock: bool = False

    def sync(self, day: date | None = None, *, at: time | None = None, **options: object) -> Report:
        """Run one pass, on a day and at a time in New York: the last ones, unless said."""
        self.day, self.at = day or self.day, at or self.at
        return self.sync_with(self.calendar, **options)

    def sync_with(self, calendar: Calendar, **options: object) -> Report:
        """Run one pass against a calendar."""
        ledger = SqliteLedger(self.folder)
        then = datetime.combine(self.day, self.at, ZONE).astimezone(UTC)
        now = datetime.now(UTC) if self.real_clock else then
        chosen = replace(Options(), **options)
        try:
            report = run_pass(
                self.settings, calendar, self.ledger_of(ledger), now=now, options=chosen
            )
            ledger.remember({})  # what waits for the record of the pass
            return report
        finally:
            ledger.close()

    def copied(self, folder: Path) -> "Desk":
        """Return another desk on which everything is as on this one, with its ledger there."""
        if self.folder.exists():
            shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, calendar=self.calendar.copied())

    def lose_ledger(self) -> None:
        """Delete the ledger, as a reinstalled machine does."""
        for file in self.folder.glob(f"{FILE_NAME}*"):
            file.unlink()

    def change(self, *letters: Letter) -> None:
        """Put other letters into the config."""
        self.settings = replace(
            self.settings, season=settings(*letters, policy=self.settings.season.policy).season
        )

    def events(self) -> dict[Href, icalendar.Event]:
        """Return what is on the calendar, without the memory."""
        return {
            href: event_of(body)
            for href, body in self.calendar.bodies.items()
            if not is_memory(name_of(href))
        }

    def events_and_memory(self) -> dict[Href, icalendar.Event]:
        """Return all that is on the calendar."""
        return {href: event_of(body) for href, body in self.calendar.bodies.items()}

    def memory(self) -> Memory:
        """Return what the memory on the calendar says."""
        (body,) = (b for href, b in self.calendar.bodies.items() if is_memory(name_of(href)))
        block = find_block(str(event_of(body)["DESCRIPTION"]))
        memory = None if block is None else read_memory(block.text)
        assert memory is not None
        return memory

    def entries(self) -> dict[Uid, Entry]:
        """Return what the ledger holds."""
        ledger = SqliteLedger(self.folder)
        try:
            return ledger.entries()
        finally:
            ledger.close()

    def facts(self) -> dict[Fact, tuple[date, Source]]:
        """Return the facts that count, with where they were stated; of one letter."""
        return {f.fact: (f.day, f.source) for f in facts_of(self.settings, self.folder)}

    def find(self, kind: Kind, *, mentor: str = "Alvarez", slot: str | None = None) -> Href:
        """Return the href of an event, by the ledger."""
        hrefs = [
            entry.href
            for entry in self.entries().values()
            if entry.identity.kind is kind
            and entry.mentor == mentor
            and slot in (None, entry.identity.slot)
        ]
        assert len(hrefs) == 1, hrefs
        return Href(hrefs[0])

    def person_changes(self, href: Href, **properties: object) -> None:
        """Change properties of an event as a calendar app does, leaving the rest."""
        calendar = icalendar.Calendar.from_ical(self.calendar.bodies[href])
        event = calendar.walk("VEVENT")[0]
        for name, value in properties.items():
            key = name.replace("_", "-").upper()
            event.pop(key, None)
            if value is not None:
                event.add(key, value)
        self.calendar.edit(href, calendar.to_ical())


def remember_where(desk: Desk, calendar: Calendar) -> None:
    """Remember where the events are, as a pass does before anything else."""
    ledger = SqliteLedger(desk.folder)
    try:
        if collection_of(ledger) is None:
            remember_account(ledger, desk.settings.calendar, calendar)
        else:
            follow_spelling(ledger, desk.settings.calendar, calendar)
    finally:
        ledger.close()


def name_of(href: Href) -> str:
    """Return the name of a resource, which is the UID where lorsync wrote it."""
    return href.rpartition("/")[2].removesuffix(".ics")


def event_of(body: bytes) -> icalendar.Event:
    """Return the one VEVENT of a body."""
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


def days_of(desk: Desk, words: str) -> Sequence[date]:
    """Return the days of the events whose title has these words in it."""
    return sorted(
        event["DTSTART"].dt for event in desk.events().values() if words in str(event["SUMMARY"])
    )
