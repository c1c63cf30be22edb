"""Name every key of every table, with its type and what it means.

This is what the JSON Schema and docs/config.md are made from. A key that is left out is None here:
defaults belong to what is built from a table, and are only shown from there. That also lets a table
be read when some of its values are wrong, so that the others can be checked. A rule between keys is
in ``rules``.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from lorsync.config import account, values
from lorsync.core.model import (
    Absence,
    Alarm,
    Applicant,
    Contact,
    Cycle,
    EventStyle,
    Facts,
    Kind,
    Letter,
    LetterType,
    Mentor,
    Policy,
    Program,
)
from lorsync.core.settings import (
    CalendarSettings,
    DeletionLimit,
    MetricsSettings,
    NotificationSettings,
    PingSettings,
    Provider,
    SyncSettings,
)

Name = Annotated[str, values.name]
Text = Annotated[str, values.text]
Id = Annotated[str, values.identifier]
Email = Annotated[str, values.email]
Flag = Annotated[bool, values.flag]
Day = Annotated[date, values.day]
Deadline = Annotated[date | datetime, values.deadline]
Clock = Annotated[time, values.clock]
AlarmAt = Annotated[Alarm, values.alarm]
Every = Annotated[timedelta, values.every]
Weekday = Annotated[int, values.weekday]
Zone = Annotated[ZoneInfo, values.zone]
Color = Annotated[str, values.color]
Region = Annotated[str, values.region]
Days = Annotated[int, values.whole(0, 365)]
ThankYouDays = Annotated[int, values.whole(0, 7)]
Rating = Annotated[int, values.whole(1, 5)]
Letters = Annotated[int, values.whole(0, 50)]
Count = Annotated[int, values.whole(0, 10_000)]
FollowUps = Annotated[int, values.follow_ups]
Share = Annotated[float, values.share]
LetterForm = Annotated[LetterType, values.choice(LetterType)]
EventKind = Annotated[Kind, values.choice(Kind)]
Where = Annotated[Provider, values.choice(Provider)]
PortalId = Annotated[str | dict[str, str], values.portal_id]
Url = Annotated[str, account.url]
Username = Annotated[str, account.username]
Ping = Annotated[str, account.ping]
Textfile = Annotated[Path, account.textfile]
Arguments = Annotated[tuple[str, ...], account.arguments]
Folder = Annotated[Path, account.folder]
File = Annotated[Path, account.file]
QuietDays = Annotated[tuple[Weekday, ...], AfterValidator(frozenset)]
Kinds = Annotated[tuple[EventKind, ...], AfterValidator(frozenset)]


def key(meaning: str) -> Any:
    """Describe a key that may be left out."""
    return Field(default=None, description=meaning)


class Table(BaseModel):
    """Any table: unknown keys are mistakes.

    ``builds`` names what is built from it, and so has the defaults of its keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    builds: ClassVar[tuple[type[Any], ...]] = ()


class ApplicantTable(Table):
    """Who applies, and what their mentors may want to read (R3)."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    builds = (Applicant,)

    name: Name | None = key("Your name, as mentors know it.")
    timezone: Zone | None = key(
        "IANA name of the zone in which every day is meant; this machine's when left out.",
    )
    email: Email | None = key("Your address, for the draft messages.")
    goals: Text | None = key("Your goals, for the request's packet: text or a link.")
    cv: Text | None = key("Your CV, for the request's packet: text or a link.")
    statement: Text | None = key("Your personal statement: text or a link.")


class CycleTable(Table):
    """The application season; follow-up budgets belong to it."""

    builds = (Cycle,)

    name: Name | None = key(
        "The season's name, frozen at the first sync; the year of the last due date when left out."
    )
    start: Day | None = key("The season's first day; no deadline may be earlier.")


class CalendarTable(Table):
    """The calendar that is kept true."""

    builds = (CalendarSettings, EventStyle)

    provider: Where | None = key("Where the calendar is; local is a calendar on this machine.")
    url: Url | None = key(
        "Address of the server or of one calendar; needed for nextcloud, and for caldav unless "
        "username is a mail address whose domain names its server. http only on this machine, or "
        "with allow_http."
    )
    username: Username | None = key(
        "Your login name at the provider, without a “:”. A password never stands here."
    )
    password_command: Arguments | None = key(
        "Program, with its arguments, that prints the password on its first line; no shell runs it."
    )
    name: Name | None = key("The calendar's display name; it is made when missing.")
    shared: Flag | None = key(
        "Your yes to a calendar that others can see too, or that is somebody else's."
    )
    color: Color | None = key("The calendar's colour, #RRGGBB; the provider's when left out.")
    event_time: Clock | None = key("Time of day of the events, HH:MM; all-day when left out.")
    alarms: tuple[AlarmAt, ...] | None = key(
        'Reminders: "09:00" on the day, "-1d 18:00" one day before; [] for none.'
    )
    path: Folder | None = key(
        "Folder of .ics files, for the provider folder; relative to this file, ~ is your home."
    )
    ca_file: File | None = key(
        "Certificate authorities (PEM) that are trusted for the server instead of this machine's; "
        "relative to this file."
    )
    allow_http: Flag | None = key(
        "Your yes to http with a server on another machine: the password goes there in clear, and "
        "each check warns of it."
    )


class DeletionLimitTable(Table):
    """Deletions beyond both numbers wait for your yes."""

    builds = (DeletionLimit,)

    share: Share | None = key("Share of the live events, 0 to 1.")
    count: Count | None = key("Number of events.")


class SyncTable(Table):
    """How often the calendar is looked at, and when lorsync asks first."""

    builds = (SyncSettings,)

    every: Every | None = key("Time between two passes, 1m to 1d.")
    deletion_limit: DeletionLimitTable | None = key(
        "More than five deletions in one pass, beyond either number, wait for your yes."
    )


class PolicyTable(Table):
    """The numbers of the rules of asking, in days unless said otherwise."""

    builds = (Policy,)

    lead_days: Days | None = key("Days from the request to the due date (R1).")
    min_lead_days: Days | None = key(
        "With fewer days left, a request is marked as short notice (R1); at most lead_days."
    )
    talk_days: Days | None = key("Days from the talk to the request (R2).")
    first_days: Days | None = key("Days from the check-in to the due date (R4).")
    final_days: Days | None = key(
        "Days from the last follow-up to the due date (R4); at most first_days."
    )
    follow_ups: FollowUps | None = key(
        "Follow-ups per mentor and cycle: 0, 1 or 2. More would wear out goodwill (R5)."
    )
    min_gap_days: Days | None = key("Least days between two contacts with a mentor (R7).")
    last_useful_days: Days | None = key(
        "No follow-up is later than this many days before the due date (R7); at most final_days."
    )
    batch_days: Days | None = key(
        "Letters whose request days lie within this many days share one request (R8)."
    )
    thank_you_days: ThankYouDays | None = key(
        "Days from the submission to the thank-you, 0 to 7 (R9)."
    )
    quiet_days: QuietDays | None = key(
        "Weekdays on which no mentor is contacted (R6); not all seven."
    )
    holidays: Region | None = key(
        "Whose public holidays are quiet too (R6): a country or a part of it; none when left out."
    )
    events: Kinds | None = key("Which kinds of events are wanted.")


class MetricsTable(Table):
    """Numbers for Prometheus, if you collect them; nobody's name is among them."""

    builds = (MetricsSettings,)

    textfile: Textfile | None = key(
        "File that is written after each pass, for the node exporter's textfile collector."
    )


class PingTable(Table):
    """A dead man's switch: an address that raises the alarm when it hears nothing for too long."""

    builds = (PingSettings,)

    url: Ping | None = key("Address that is fetched after each pass that succeeds; https only.")
    failures: Flag | None = key(
        "Whether a pass that fails is told too, at the same address with /fail at its end."
    )


class NotificationsTable(Table):
    """What the desktop tells you, where there is one (Linux); each once per occasion."""

    builds = (NotificationSettings,)

    login: Flag | None = key("A login that the server no longer takes.")
    config: Flag | None = key("A config that is broken, so that the last good one is used.")
    short_notice: Flag | None = key("A request on short notice (R1).")
    today: Flag | None = key("A day with something to do, from 08:00 on.")


class ContactTable(Table):
    """An assistant who is written to in the mentor's stead."""

    builds = (Contact,)

    name: Name = Field(description="The assistant's name.")
    email: Email | None = key("The assistant's address.")


class AbsenceTable(Table):
    """Days on which a mentor is away."""

    builds = (Absence,)

    first: Day = Field(alias="from", description="First day away.")
    last: Day = Field(alias="to", description="Last day away, included.")
    why: Name | None = key("The reason, for your eyes.")

    @field_validator("last")
    @classmethod
    def _ends_later(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first")
        if first is not None and last < first:
            raise values.wrong(f"an absence ends on its first day, {first}, or later")
        return last


class MentorTable(Table):
    """Somebody who writes letters for you."""

    builds = (Mentor,)

    id: Id | None = key("Short name by which letters refer to the mentor; made from name.")
    name: Name | None = key("The name as you write it in a message; the id when left out.")
    email: Email | None = key("The mentor's address.")
    contact: ContactTable | None = key("An assistant, { name, email }, to write to instead.")
    specialty: Name | None = key("The mentor's field (R14).")
    timezone: Zone | None = key(
        "IANA name of the mentor's zone; yours when left out. Days without contact are days there: "
        "the day that it is for the mentor at the event's time, or at your noon."
    )
    holidays: Region | None = key("Holidays where the mentor is (R6); [policy] holidays if unsaid.")
    away: tuple[AbsenceTable, ...] | None = key(
        "Absences, [{ from, to, why }], both days included (R6)."
    )
    not_before: Day | None = key("No contact before this day (R6).")
    standing: Rating | None = key("Standing in the field, 1 to 5 (R14).")
    familiarity: Rating | None = key("How well the mentor knows your work, 1 to 5 (R14).")
    alignment: Rating | None = key("How near the mentor's field is to your goal, 1 to 5 (R14).")
    notes: Text | None = key("Your notes.")
    formerly: tuple[Name, ...] | None = key("Ids or names that this mentor had before (S7).")


class ProgramTable(Table):
    """What you apply to."""

    builds = (Program,)

    id: Id | None = key("Short name by which letters refer to the program; made from name.")
    name: Name | None = key("The program's name; the id when left out.")
    portal: Name | None = key("Where letters are uploaded, such as ERAS.")
    deadline: Deadline | None = key("Hard deadline: a date, or a date-time with its UTC offset.")
    target: Day | None = key("Your own earlier date.")
    lag_days: Days | None = key("Days that the portal takes over a letter.")
    letters_min: Letters | None = key("Fewest letters, 2 or letters_max if less (R13).")
    letters_max: Letters | None = key("Most letters (R13); no limit when left out.")
    needs: tuple[LetterForm, ...] | None = key("Types of letter that are required (R13).")
    own_letter: Flag | None = key("Letters for it serve no other program (R15).")
    specialty: Name | None = key("The program's field (R14).")
    results_on: Day | None = key("Day of the decision (R12).")
    why: Text | None = key("Why you apply there, for the request's packet (R3).")


class LetterTable(Table):
    """One mentor's letter, for one or many programs."""

    model_config = ConfigDict(json_schema_extra={"required": ["mentor"]})

    builds = (Letter, Facts)

    id: Id | None = key("Short name of the letter; made from mentor, type and programs.")
    mentor: Name | None = key("Id of a [[mentors]] entry, or a name when there is no entry for it.")
    type: LetterForm | None = key("The letter's form.")
    programs: tuple[Name, ...] | None = key("Ids of the [[programs]] it serves.")
    deadline: Deadline | None = key(
        "The letter's own due date; needed when its programs give none. A date, or a date-time "
        "with its UTC offset."
    )
    lag_days: Days | None = key("Days that the portal takes; the program's when left out.")
    letter_id: PortalId | None = key("The portal's number of the letter: text, or by portal.")
    assigned: tuple[Name, ...] | None = key("Programs to which it is assigned already (R15).")
    waived: Flag | None = key("Whether you waived your right to read it (R3).")
    attributes: tuple[Name, ...] | None = key("What the letter may stress (R3).")
    submit_via: Text | None = key("How the mentor submits it: text or a link (R3).")
    talked_on: Day | None = key("Fact: day of the talk about goals.")
    asked_on: Day | None = key("Fact: day of the request.")
    followed_up_on: tuple[Day, ...] | None = key("Facts: days of your follow-ups.")
    agreed_on: Day | None = key("Fact: day of the mentor's yes.")
    declined_on: Day | None = key("Fact: day of the mentor's no.")
    packet_sent_on: Day | None = key("Fact: day on which you sent the packet.")
    submitted_on: Day | None = key("Fact: day on which the letter was submitted.")
    thanked_on: Day | None = key("Fact: day of your thanks.")
    results_shared_on: Day | None = key("Fact: day on which you told the results.")
    formerly: tuple[Name, ...] | None = key("Ids that this letter had before (S7).")


class Config(Table):
    """The config of lorsync: letters of recommendation, and the calendar that is kept true."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["applicant", "calendar", "letters"]},
        defer_build=True,  # only the schema needs it, and every command would wait for it
    )

    applicant: ApplicantTable | None = key("Who applies.")
    cycle: CycleTable | None = key("The application season.")
    calendar: CalendarTable | None = key("The calendar that is kept true.")
    sync: SyncTable | None = key("How often, and when lorsync asks first.")
    policy: PolicyTable | None = key("The numbers of the rules.")
    metrics: MetricsTable | None = key("Numbers for Prometheus.")
    ping: PingTable | None = key("A dead man's switch.")
    notifications: NotificationsTable | None = key("What the desktop tells you.")
    mentors: tuple[MentorTable, ...] | None = key("Who writes.")
    programs: tuple[ProgramTable, ...] | None = key("What you apply to.")
    letters: tuple[LetterTable, ...] | None = key("Who writes what for which programs.")


def keys(table: type[Table]) -> tuple[str, ...]:
    """List a table's keys as the file writes them."""
    return tuple(field.alias or name for name, field in table.model_fields.items())


def _inner(table: type[Table], *, repeated: bool) -> Iterator[tuple[str, type[Table]]]:
    """Yield the keys of a table whose values are tables, or lists of them where ``repeated``."""
    for name, field in table.model_fields.items():
        kind = next(iter(get_args(field.annotation)), None)  # of what may be left out
        if (get_origin(kind) is tuple) != repeated:
            continue
        kind = get_args(kind)[0] if repeated else kind
        if isinstance(kind, type) and issubclass(kind, Table):
            yield name, kind


ONCE: Final[Mapping[str, type[Table]]] = dict(_inner(Config, repeated=False))
"""Tables that stand once."""

REPEATED: Final[Mapping[str, type[Table]]] = dict(_inner(Config, repeated=True))
"""Tables that stand any number of times."""

NESTED: Final[Mapping[str, type[Table]]] = {
    name: kind
    for table in (*ONCE.values(), *REPEATED.values())
    for repeated in (False, True)
    for name, kind in _inner(table, repeated=repeated)
}
"""Tables that are the value of a key."""
