"""Name every key of every table, with its type and what it means.

This is what the JSON Schema and docs/config.md are made from. A key that is left out is None here:
defaults belong to the model, and are only shown from it. That also lets a table be read when some
of its values are wrong, so that the others can be checked. A rule between keys is in ``rules``.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from lorsync.config import account, values
from lorsync.config.values import wrong
from lorsync.core.model import Alarm, Facts, Kind, LetterType, Policy
from lorsync.core.settings import CalendarSettings, DeletionLimit, Provider


def _words(options: type[StrEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [option.value for option in options]})


def _number(low: int, high: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": low, "maximum": high})


def _text(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more})


_DATE: dict[str, Any] = {"type": "string", "format": "date"}
_DATE_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}

Name = Annotated[str, PlainValidator(values.name), _text(minLength=1, maxLength=values.NAME_LENGTH)]
Text = Annotated[str, PlainValidator(values.text), _text(maxLength=values.TEXT_LENGTH)]
Id = Annotated[str, PlainValidator(values.identifier), _text(pattern="^[A-Za-z0-9._-]{1,64}$")]
Email = Annotated[str, PlainValidator(values.email), _text(format="email")]
Flag = Annotated[bool, PlainValidator(values.flag), WithJsonSchema({"type": "boolean"})]
Day = Annotated[date, PlainValidator(values.day), WithJsonSchema(_DATE)]
Deadline = Annotated[
    date | datetime,
    PlainValidator(values.deadline),
    WithJsonSchema({"anyOf": [_DATE, _DATE_TIME]}),
]
Clock = Annotated[
    time,
    PlainValidator(values.clock),
    _text(pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$"),
]
AlarmAt = Annotated[
    Alarm,
    PlainValidator(values.alarm),
    _text(pattern="^(-[0-9]{1,3}d +)?([01][0-9]|2[0-3]):[0-5][0-9]$"),
]
Every = Annotated[timedelta, PlainValidator(values.every), _text(pattern="^[0-9]{1,6} ?[smhd]$")]
Weekday = Annotated[
    int,
    PlainValidator(values.weekday),
    _text(enum=[name for full in values.WEEKDAYS for name in (full[:3], full)]),
]
Zone = Annotated[ZoneInfo, PlainValidator(values.zone), _text()]
Color = Annotated[str, PlainValidator(values.color), _text(pattern="^#[0-9A-Fa-f]{6}$")]
Region = Annotated[
    str, PlainValidator(values.region), _text(pattern="^[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?$")
]
Days = Annotated[int, PlainValidator(values.whole(0, 365)), _number(0, 365)]
ThankYouDays = Annotated[int, PlainValidator(values.whole(0, 7)), _number(0, 7)]
Rating = Annotated[int, PlainValidator(values.whole(1, 5)), _number(1, 5)]
Letters = Annotated[int, PlainValidator(values.whole(0, 50)), _number(0, 50)]
Count = Annotated[int, PlainValidator(values.whole(0, 10_000)), _number(0, 10_000)]
FollowUps = Annotated[int, PlainValidator(values.follow_ups), _number(0, 2)]
Share = Annotated[
    float,
    PlainValidator(values.share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
LetterForm = Annotated[LetterType, PlainValidator(values.choice(LetterType)), _words(LetterType)]
EventKind = Annotated[Kind, PlainValidator(values.choice(Kind)), _words(Kind)]
Where = Annotated[Provider, PlainValidator(values.choice(Provider)), _words(Provider)]
PortalId = Annotated[
    str | dict[str, str],
    PlainValidator(values.portal_id),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
Url = Annotated[str, PlainValidator(account.url), _text(format="uri")]
Username = Annotated[
    str,
    PlainValidator(account.username),
    _text(minLength=1, maxLength=values.NAME_LENGTH, pattern="^[^:]*$"),
]
Ping = Annotated[str, PlainValidator(account.ping), _text(format="uri")]
Textfile = Annotated[Path, PlainValidator(account.textfile), _text(pattern="\\.prom$")]
Arguments = Annotated[
    tuple[str, ...],
    PlainValidator(account.arguments),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1}),
]
Folder = Annotated[Path, PlainValidator(account.folder), _text()]
File = Annotated[Path, PlainValidator(account.file), _text()]


_POLICY: Final = Policy()
_LIMIT: Final = DeletionLimit()


def key(meaning: str, *, default: object = None) -> Any:
    """Describe a key; ``default`` is what the model takes when it is left out."""
    shown: dict[str, Any] = {} if default is None else {"default": default}
    return Field(default=None, description=meaning, json_schema_extra=shown)


class Table(BaseModel):
    """Any table: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApplicantTable(Table):
    """Who applies, and what their mentors may want to read (R3)."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

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

    name: Name | None = key(
        "The season's name, frozen at the first sync; the year of the last due date when left out."
    )
    start: Day | None = key("The season's first day; no deadline may be earlier.")


class CalendarTable(Table):
    """The calendar that is kept true."""

    provider: Where | None = key(
        "Where the calendar is; local is a calendar on this machine.",
        default=Provider.LOCAL.value,
    )
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
    name: Name | None = key(
        "The calendar's display name; it is made when missing.",
        default=CalendarSettings(provider=Provider.LOCAL).name,
    )
    shared: Flag | None = key(
        "Your yes to a calendar that others can see too, or that is somebody else's.",
        default=False,
    )
    color: Color | None = key("The calendar's colour, #RRGGBB; the provider's when left out.")
    event_time: Clock | None = key("Time of day of the events, HH:MM; all-day when left out.")
    alarms: tuple[AlarmAt, ...] | None = key(
        'Reminders: "09:00" on the day, "-1d 18:00" one day before; [] for none.',
        default=["09:00"],
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
        "each check warns of it.",
        default=False,
    )


class DeletionLimitTable(Table):
    """Deletions beyond both numbers wait for your yes."""

    share: Share | None = key("Share of the live events, 0 to 1.", default=_LIMIT.share)
    count: Count | None = key("Number of events.", default=_LIMIT.count)


class SyncTable(Table):
    """How often the calendar is looked at, and when lorsync asks first."""

    every: Every | None = key("Time between two passes, 1m to 1d.", default="15m")
    deletion_limit: DeletionLimitTable | None = key(
        "More than five deletions in one pass, beyond either number, wait for your yes.",
        default={"share": _LIMIT.share, "count": _LIMIT.count},
    )


class PolicyTable(Table):
    """The numbers of the rules of asking, in days unless said otherwise."""

    lead_days: Days | None = key(
        "Days from the request to the due date (R1).", default=_POLICY.lead_days
    )
    min_lead_days: Days | None = key(
        "With fewer days left, a request is marked as short notice (R1); at most lead_days.",
        default=_POLICY.min_lead_days,
    )
    talk_days: Days | None = key(
        "Days from the talk to the request (R2).", default=_POLICY.talk_days
    )
    first_days: Days | None = key(
        "Days from the check-in to the due date (R4).", default=_POLICY.first_days
    )
    final_days: Days | None = key(
        "Days from the last follow-up to the due date (R4); at most first_days.",
        default=_POLICY.final_days,
    )
    follow_ups: FollowUps | None = key(
        "Follow-ups per mentor and cycle: 0, 1 or 2. More would wear out goodwill (R5).",
        default=_POLICY.follow_ups,
    )
    min_gap_days: Days | None = key(
        "Least days between two contacts with a mentor (R7).", default=_POLICY.min_gap_days
    )
    last_useful_days: Days | None = key(
        "No follow-up is later than this many days before the due date (R7); at most final_days.",
        default=_POLICY.last_useful_days,
    )
    batch_days: Days | None = key(
        "Letters whose request days lie within this many days share one request (R8).",
        default=_POLICY.batch_days,
    )
    thank_you_days: ThankYouDays | None = key(
        "Days from the submission to the thank-you, 0 to 7 (R9).", default=_POLICY.thank_you_days
    )
    quiet_days: tuple[Weekday, ...] | None = key(
        "Weekdays on which no mentor is contacted (R6); not all seven.", default=["Sat", "Sun"]
    )
    holidays: Region | None = key(
        "Whose public holidays are quiet too (R6): a country or a part of it; none when left out."
    )
    events: tuple[EventKind, ...] | None = key(
        "Which kinds of events are wanted.", default=[kind.value for kind in Kind]
    )


class MetricsTable(Table):
    """Numbers for Prometheus, if you collect them; nobody's name is among them."""

    textfile: Textfile | None = key(
        "File that is written after each pass, for the node exporter's textfile collector."
    )


class PingTable(Table):
    """A dead man's switch: an address that raises the alarm when it hears nothing for too long."""

    url: Ping | None = key("Address that is fetched after each pass that succeeds; https only.")
    failures: Flag | None = key(
        "Whether a pass that fails is told too, at the same address with /fail at its end.",
        default=True,
    )


class NotificationsTable(Table):
    """What the desktop tells you, where there is one (Linux); each once per occasion."""

    login: Flag | None = key("A login that the server no longer takes.", default=True)
    config: Flag | None = key(
        "A config that is broken, so that the last good one is used.", default=True
    )
    short_notice: Flag | None = key("A request on short notice (R1).", default=True)
    today: Flag | None = key("A day with something to do, from 08:00 on.", default=True)


class ContactTable(Table):
    """An assistant who is written to in the mentor's stead."""

    name: Name = Field(description="The assistant's name.")
    email: Email | None = key("The assistant's address.")


class AbsenceTable(Table):
    """Days on which a mentor is away."""

    first: Day = Field(alias="from", description="First day away.")
    last: Day = Field(alias="to", description="Last day away, included.")
    why: Name | None = key("The reason, for your eyes.")

    @field_validator("last")
    @classmethod
    def _ends_later(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first")
        if first is not None and last < first:
            raise wrong(f"an absence ends on its first day, {first}, or later")
        return last


class MentorTable(Table):
    """Somebody who writes letters for you."""

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

    id: Id | None = key("Short name by which letters refer to the program; made from name.")
    name: Name | None = key("The program's name; the id when left out.")
    portal: Name | None = key("Where letters are uploaded, such as ERAS.")
    deadline: Deadline | None = key("Hard deadline: a date, or a date-time with its UTC offset.")
    target: Day | None = key("Your own earlier date.")
    lag_days: Days | None = key("Days that the portal takes over a letter.", default=0)
    letters_min: Letters | None = key("Fewest letters, 2 or letters_max if less (R13).", default=2)
    letters_max: Letters | None = key("Most letters (R13); no limit when left out.")
    needs: tuple[LetterForm, ...] | None = key("Types of letter that are required (R13).")
    own_letter: Flag | None = key("Letters for it serve no other program (R15).", default=False)
    specialty: Name | None = key("The program's field (R14).")
    results_on: Day | None = key("Day of the decision (R12).")
    why: Text | None = key("Why you apply there, for the request's packet (R3).")


class LetterTable(Table):
    """One mentor's letter, for one or many programs."""

    model_config = ConfigDict(json_schema_extra={"required": ["mentor"]})

    id: Id | None = key("Short name of the letter; made from mentor, type and programs.")
    mentor: Name | None = key("Id of a [[mentors]] entry, or a name when there is no entry for it.")
    type: LetterForm | None = key("The letter's form.", default="narrative")
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


ONCE: Final[Mapping[str, type[Table]]] = {
    "applicant": ApplicantTable,
    "cycle": CycleTable,
    "calendar": CalendarTable,
    "sync": SyncTable,
    "policy": PolicyTable,
    "metrics": MetricsTable,
    "ping": PingTable,
    "notifications": NotificationsTable,
}
"""Tables that stand once."""

REPEATED: Final[Mapping[str, type[Table]]] = {
    "mentors": MentorTable,
    "programs": ProgramTable,
    "letters": LetterTable,
}
"""Tables that stand any number of times."""

NESTED: Final[Mapping[str, type[Table]]] = {
    "deletion_limit": DeletionLimitTable,
    "contact": ContactTable,
    "away": AbsenceTable,
}
"""Tables that are the value of a key."""

FACTS: Final = tuple(fact.name for fact in fields(Facts))
"""The keys of a letter that state facts."""


def keys(table: type[Table]) -> tuple[str, ...]:
    """List a table's keys as the file writes them."""
    return tuple(field.alias or name for name, field in table.model_fields.items())
