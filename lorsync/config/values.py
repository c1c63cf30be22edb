"""Check single values of the config, each with its own words for what is allowed.

Each takes a value as TOML gives it and returns the model's, or raises what :func:`wrong` makes; it
says of itself what a JSON Schema can say of such values.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_plain_validator_function

from lorsync.config.problems import did_you_mean, one_of, shown
from lorsync.config.zone import known_zone, named_by_abbreviation
from lorsync.core.model import MAX_FOLLOW_UPS, YEARS, Alarm

NAME_LENGTH: Final = 200
TEXT_LENGTH: Final = 10_000

_BIDI_OVERRIDES = frozenset(chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_NOT_IN_XML = frozenset("\ufffe\uffff")  # and so not in a CalDAV display name
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_OFFSET = re.compile(r"(?:UTC|GMT|Z)? ?[+-−]\d{1,2}(?::?\d\d)?", re.IGNORECASE)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_ALARM = re.compile(r"(?:-(\d{1,3})d +)?([01]\d|2[0-3]):([0-5]\d)")
_EVERY = re.compile(r"(\d{1,6}) ?([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

DATE: Final[Mapping[str, str]] = {"type": "string", "format": "date"}

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check(Generic[Value]):
    """The check of a value; in ``Annotated`` it makes a type of the config's tables."""

    check: Callable[[object], Value]
    schema: Mapping[str, Any]

    def __call__(self, value: object) -> Value:
        """Return the model's value. Raises what :func:`wrong` makes."""
        return self.check(value)

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        """Have pydantic call the check, and nothing else."""
        return no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, Any]:
        """Return the JSON Schema of what the check takes."""
        return dict(self.schema)


def takes(**schema: Any) -> Callable[[Callable[[object], Value]], Check[Value]]:
    """Make a check of a function; ``schema`` is the JSON Schema of what it takes."""
    return lambda check: Check(check=check, schema=schema)


def wrong(allowed: str, *, secret: bool = False) -> PydanticCustomError:
    """Refuse a value; ``secret`` keeps it out of the message."""
    return PydanticCustomError("hidden" if secret else "wrong", "{allowed}", {"allowed": allowed})


def _visible(mark: str) -> bool:
    return unicodedata.category(mark) != "Cc" and mark not in _NOT_IN_XML


@takes(type="string", minLength=1, maxLength=NAME_LENGTH)
def name(value: object) -> str:
    """Take one line of text: white space folded, control characters and bidi overrides dropped."""
    if not isinstance(value, str):
        raise wrong("text in quotes is needed")
    folded = " ".join(value.split())
    kept = "".join(mark for mark in folded if _visible(mark) and mark not in _BIDI_OVERRIDES)
    # One spelling of “é”, so that a name copied from elsewhere is the same name.
    line = unicodedata.normalize("NFC", " ".join(kept.split()))
    if not line:
        raise wrong("it is empty: text is needed")
    if len(line) > NAME_LENGTH:
        raise wrong(f"at most {NAME_LENGTH} characters are allowed; these are {len(line)}")
    return line


@takes(type="string", maxLength=TEXT_LENGTH)
def text(value: object) -> str:
    """Take text of many lines; line ends become LF, other control characters go."""
    if not isinstance(value, str):
        raise wrong("text in quotes is needed")
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(mark for mark in lines if mark in "\n\t" or _visible(mark)).strip()
    if len(kept) > TEXT_LENGTH:
        raise wrong(f"at most {TEXT_LENGTH:,} characters are allowed; these are {len(kept):,}")
    return kept


@takes(type="string", pattern=f"^{_ID.pattern}$")
def identifier(value: object) -> str:
    """Take an id, which becomes part of addresses on the server."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise wrong("an id is 1 to 64 of the letters a–z, A–Z, digits, “.”, “_” and “-”")
    return value


@takes(type="string", format="email")
def email(value: object) -> str:
    """Take an e-mail address; whether it exists is not ours to say."""
    if not isinstance(value, str) or not _EMAIL.fullmatch(value.strip()):
        raise wrong("an e-mail address is needed, such as s.alvarez@example.edu")
    return name(value)


def whole(low: int, high: int) -> Check[int]:
    """Make the check for a whole number, both ends included."""

    @takes(type="integer", minimum=low, maximum=high)
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise wrong(f"a whole number from {low} to {high} is needed")
        return value

    return check


@takes(**whole(0, MAX_FOLLOW_UPS).schema)
def follow_ups(value: object) -> int:
    """Take the cap of follow-ups (R5)."""
    if isinstance(value, int) and not isinstance(value, bool) and value > MAX_FOLLOW_UPS:
        raise wrong(
            "0, 1 or 2 is allowed: more than two follow-ups per mentor and cycle wear out the "
            "goodwill that the letter depends on (R5)"
        )
    return whole(0, MAX_FOLLOW_UPS)(value)


@takes(type="number", minimum=0, maximum=1)
def share(value: object) -> float:
    """Take a share, 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise wrong("a share from 0 to 1 is needed, such as 0.3")
    return float(value)


@takes(type="boolean")
def flag(value: object) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise wrong("true or false is needed, without quotes")
    return value


@takes(**DATE)
def day(value: object) -> date:
    """Take a day."""
    if isinstance(value, str) and _is_date(value):
        raise wrong("a date stands without quotes, such as 2026-09-23")
    if isinstance(value, datetime):
        raise wrong("a date without a time is needed, such as 2026-09-23")
    if not isinstance(value, date):
        raise wrong("a date is needed, such as 2026-09-23")
    return _in_range(value)


@takes(anyOf=[DATE, {"type": "string", "format": "date-time"}])
def deadline(value: object) -> date | datetime:
    """Take a day, or a day and time that says how far it is from UTC."""
    if not isinstance(value, datetime):
        return day(value)
    if value.tzinfo is None:
        raise wrong(
            "a time needs its distance from UTC: add an offset such as -04:00 (or Z for UTC), "
            "or leave the time out"
        )
    return _in_range(value)


Day = TypeVar("Day", bound=date)


def _in_range(value: Day) -> Day:
    if value.year not in YEARS:
        raise wrong(f"the year is from {YEARS[0]} to {YEARS[-1]}")
    return value


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value.strip())
    except ValueError:
        return False
    return True


@takes(type="string", pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$")
def clock(value: object) -> time:
    """Take a wall-clock time, in hours and minutes."""
    if isinstance(value, time) and not (value.second or value.microsecond):
        return value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong('a time from "00:00" to "23:59" is needed, such as "09:00"')
    return time(int(found[1]), int(found[2]))


@takes(type="string", pattern="^(-[0-9]{1,3}d +)?([01][0-9]|2[0-3]):[0-5][0-9]$")
def alarm(value: object) -> Alarm:
    """Take ``"09:00"`` (that day) or ``"-1d 18:00"`` (a day before)."""
    found = _ALARM.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1] or 0) > 365:
        raise wrong('an alarm is "09:00" (on the day) or "-1d 18:00" (one day before, at 18:00)')
    return Alarm(days_before=int(found[1] or 0), at=time(int(found[2]), int(found[3])))


@takes(type="string", pattern="^[0-9]{1,6} ?[smhd]$")
def every(value: object) -> timedelta:
    """Take a span such as ``"15m"``, from a minute to a day."""
    found = _EVERY.fullmatch(value) if isinstance(value, str) else None
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 60 <= seconds <= 86400:
        raise wrong('from "1m" to "1d" is allowed, such as "15m" or "2h"')
    return timedelta(seconds=seconds)


@takes(type="string", enum=[word for full in WEEKDAYS for word in (full[:3], full)])
def weekday(value: object) -> int:
    """Take an English weekday, whole or by its first three letters; Monday is 0."""
    if isinstance(value, str):
        for number, full in enumerate(WEEKDAYS):
            if value.strip().casefold() in (full.casefold(), full[:3].casefold()):
                return number
    hint = did_you_mean(value, WEEKDAYS) if isinstance(value, str) else ""
    raise wrong("a weekday is Mon, Tue, Wed, Thu, Fri, Sat or Sun" + hint)


@takes(type="string")
def zone(value: object) -> ZoneInfo:
    """Take the IANA name of a time zone."""
    found = known_zone(value) if isinstance(value, str) else None
    if found is None:
        hint = _zone_hint(value) if isinstance(value, str) else ""
        raise wrong("an IANA time zone is needed, such as America/New_York" + hint)
    return found


def _zone_hint(value: str) -> str:
    """Find a zone for a slip, an abbreviation, or a city without its continent (“New York”)."""
    if _OFFSET.fullmatch(value.strip()):
        return ", and no offset, which changes with the summer time of a place"
    meant = named_by_abbreviation(value)
    if meant:
        places = ", ".join(map(shown, meant))
        return f"; {shown(value.strip())} is what clocks are called in {places} and other places"
    wanted = value.strip().replace(" ", "_").casefold()
    zones = _all_zones()
    for full in zones:
        if full.rpartition("/")[2].casefold() == wanted or full.casefold() == wanted:
            return f"; did you mean {shown(full)}?"
    return did_you_mean(wanted, zones)


@cache
def _all_zones() -> tuple[str, ...]:
    """List the zones' names; finding them means to walk through the whole database."""
    return tuple(sorted(available_timezones()))


@takes(type="string", pattern=f"^{_COLOR.pattern}$")
def color(value: object) -> str:
    """Take a colour as ``#RRGGBB``."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise wrong('a colour is "#" and six hexadecimal digits, such as "#3366CC"')
    return value.upper()


@takes(type="string", pattern="^[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?$")
def region(value: object) -> str:
    """Take a country, or a part of it, for its holidays."""
    if not isinstance(value, str) or not _REGION.fullmatch(value.upper()):
        raise wrong('a country is needed, such as "US", or a part of it, such as "US-NY"')
    return value.upper()


def choice(options: type[Choice]) -> Check[Choice]:
    """Make the check for one of a few words."""
    words = [option.value for option in options]

    @takes(type="string", enum=words)
    def check(value: object) -> Choice:
        if isinstance(value, str) and value.strip().casefold() in words:
            return options(value.strip().casefold())
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        raise wrong(one_of(words) + hint)

    return check


@takes(anyOf=[{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}])
def portal_id(value: object) -> str | dict[str, str]:
    """Take the portal's number of a letter: one text, or one for each portal."""
    if not isinstance(value, dict):
        return name(value) if isinstance(value, str) else _no_portal_id()
    if not value or not all(isinstance(number, str) for number in value.values()):
        _no_portal_id()
    return {name(portal): name(number) for portal, number in value.items()}


def _no_portal_id() -> Any:
    raise wrong('text in quotes, or a table by portal, is needed, such as { ERAS = "10477211" }')


def as_date(value: date | datetime) -> date:
    """Tell the day of a deadline where it is set."""
    return value.date() if isinstance(value, datetime) else value
