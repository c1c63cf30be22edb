"""Pair each check of a value with its JSON Schema, as the types that the tables are made of."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import PlainValidator, WithJsonSchema

from lorsync.config import account, values
from lorsync.core.model import Alarm, Kind, LetterType
from lorsync.settings import Provider


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
