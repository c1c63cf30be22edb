"""Read a day as people write it, and say so where it could be two.

Month names are English. ``12/01/2026`` is two days, and stays two until something proves the order:
another entry of the same column, or a person's word.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from lorsync.core.model import YEARS

HOW: Final = "write it like 2026-12-01"

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_TIME = re.compile(
    r"[ ,]+(?:at )?(\d{1,2}(?::\d\d){1,2}(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?)"
    r"(?: ?\(?[a-z]{2,5}\)?)?$",
    re.IGNORECASE,
)
_MIDNIGHT = re.compile(r"0{1,2}(?::00){1,2}|12(?::00){1,2} ?am", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,4})\s*([/.-])\s*(\d{1,2})\s*\2\s*(\d{1,4})\.?")
_NO_YEAR = re.compile(r"\d{1,2}\s*[/.-]\s*\d{1,2}\.?")
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)")
_SERIAL = re.compile(r"([3-6]\d{4})(?:\.\d+)?")
_WORDS = re.compile(r"[\s\w,.’'/-]+")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_FILLERS = frozenset({"of", "the", "on", "by"})

_EXCEL_DAY_0 = date(1899, 12, 30)
_BEFORE, _AFTER = 5, 20
"""A year of two digits is taken for one this near to today, in years."""


class Order(StrEnum):
    """Which number of ``12/01/2026`` is the day."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One day, or a day and time with its offset; ``note`` says what of the text was left out."""

    day: date | datetime
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """A text that is one day or another, by the order of its numbers."""

    day_first: date
    month_first: date

    def by(self, order: Order) -> date:
        """Take the day that this order gives."""
        return self.day_first if order is Order.DAY_FIRST else self.month_first


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """No day, and why, with what to write instead."""

    why: str


Reading = Read | Either | Unread


def in_words(day: date) -> str:
    """Write a day so that nobody reads it as another: ``1 December 2026``."""
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def read_day(text: str, *, today: date, order: Order | None = None) -> Reading:
    """Read one day.

    ``order`` settles what is else :class:`Either`. ``today`` gives the century of a year of two
    digits, and nothing else: a day without its year is not completed.
    """
    text = " ".join(text.split())
    if not text:
        return Unread(why=f"there is no day: {HOW}")
    if _ISO_TIME.fullmatch(text):
        return _with_time(text)
    timed = _TIME.search(text)
    if timed is None:
        return _read(text, today, order)
    found = _read(text[: timed.start()], today, order)
    if isinstance(found, Read) and not _MIDNIGHT.fullmatch(timed[1]):
        return Read(day=found.day, note=_left_out(timed[0].strip(" ,")))
    return found


def sure_day(text: str, *, today: date) -> Read:
    """Read the one day that a person gives by itself.

    Raises ValueError, with what to write, for a text that is no day or two.
    """
    found = read_day(text, today=today)
    if isinstance(found, Read):
        return found
    if isinstance(found, Unread):
        raise ValueError(found.why)
    raise ValueError(which(found))


def which(found: Either) -> str:
    """Ask which of two days is meant."""
    return (
        f"is it {in_words(found.day_first)} or {in_words(found.month_first)}? Write "
        f"{found.day_first} or {found.month_first}"
    )


def proven_order(text: str, *, today: date) -> Order | None:
    """Tell the order that a text proves, as 25/12/2026 does; None if it proves none."""
    read = {order: read_day(text, today=today, order=order) for order in Order}
    valid = [order for order, reading in read.items() if isinstance(reading, Read)]
    return valid[0] if len(valid) == 1 else None


def _read(text: str, today: date, order: Order | None) -> Reading:
    basic = _BASIC.fullmatch(text)
    if basic is not None:
        return _made(int(basic[1]), int(basic[2]), int(basic[3]), text)
    serial = _SERIAL.fullmatch(text)
    if serial is not None:
        meant = in_words(_EXCEL_DAY_0 + timedelta(days=int(serial[1])))
        return Unread(
            why=f"this is a number, and no date; as Excel counts days it may be {meant}: format "
            f"the column as a date, or {HOW}"
        )
    numbers = _NUMBERS.fullmatch(text)
    if numbers is not None:
        return _of_numbers((numbers[1], numbers[3], numbers[4]), text, today, order)
    if _NO_YEAR.fullmatch(text):
        return Unread(why=f"the year is missing: {HOW}")
    if re.search(r"[^\W\d_]{3}", text) and _WORDS.fullmatch(text):
        return _of_words(text, today)
    return Unread(why=f"this is no day: {HOW}")


def _with_time(text: str) -> Reading:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return Unread(why=f"there is no such day and time: {HOW}, or like 2026-12-01T23:59-05:00")
    if instant.year not in YEARS:
        return Unread(why=f"the year is from {YEARS[0]} to {YEARS[-1]}")
    if instant.tzinfo is not None:
        return Read(day=instant)
    at_midnight = instant.time() == time()
    return Read(day=instant.date(), note=None if at_midnight else _left_out(text[11:]))


def _left_out(said: str) -> str:
    return (
        f"the time “{said}” is left out, since it does not say how far it is from UTC; to keep it, "
        "write the day and time like 2026-12-01T23:59-05:00"
    )


def _made(year: int, month: int, day: int, text: str) -> Read | Unread:
    try:
        found = date(year, month, day)
    except ValueError:
        return Unread(why=f"there is no such day as {text}: {HOW}")
    if year not in YEARS:
        return Unread(why=f"the year is from {YEARS[0]} to {YEARS[-1]}: {HOW}")
    return Read(day=found)


def _of_numbers(
    parts: tuple[str, str, str], text: str, today: date, order: Order | None
) -> Reading:
    first, second, third = (int(part) for part in parts)
    if len(parts[0]) == 4:
        return _made(first, second, third, text)
    if len(parts[0]) > 2 or len(parts[2]) not in (2, 4):
        return Unread(why=f"this is no day: {HOW}")
    if len(parts[2]) == 2:
        # 26/12/01 has its year in front, if that alone makes a year near today.
        at_end, in_front = _century(third, today), _century(first, today)
        if at_end is None:
            return _no_century() if in_front is None else _made(in_front, second, third, text)
        if in_front is not None and isinstance(_made(in_front, second, third, text), Read):
            return Unread(why=f"which of these is the year? {HOW[0].upper()}{HOW[1:]}")
        third = at_end
    by = {
        Order.DAY_FIRST: _made(third, second, first, text),
        Order.MONTH_FIRST: _made(third, first, second, text),
    }
    if order is not None:
        return by[order]
    day_first, month_first = (by[one] for one in Order)
    if isinstance(day_first, Unread) or isinstance(month_first, Unread):
        return month_first if isinstance(day_first, Unread) else day_first
    if day_first.day == month_first.day:
        return day_first
    return Either(day_first=day_first.day, month_first=month_first.day)


def _century(two_digits: int, today: date) -> int | None:
    """Complete a year of two digits; None where that is no year near today."""
    year = 2000 + two_digits
    return year if -_BEFORE <= year - today.year <= _AFTER else None


def _no_century() -> Unread:
    return Unread(why=f"the year needs four digits: {HOW}")


def _of_words(text: str, today: date) -> Read | Unread:
    """Read ``1 Dec 2026``, ``Dec 1, 2026``, ``Tuesday 1st of December 2026``, ``1-Dec-26``."""
    tokens = re.findall(r"[^\W\d_]+|\d+", _ORDINAL.sub("", text.casefold()))
    words = [token for token in tokens if not token.isdecimal() and token not in _FILLERS]
    months = [number for word in words if (number := _named(word, MONTHS)) is not None]
    weekdays = [number for word in words if (number := _named(word, WEEKDAYS)) is not None]
    if len(months) != 1 or len(weekdays) > 1 or len(words) != 1 + len(weekdays):
        return Unread(why=f"this is no day: {HOW}")
    parts = [token for token in tokens if token.isdecimal() or _named(token, MONTHS) is not None]
    numbers = [part for part in parts if part.isdecimal()]
    if len(numbers) != 2:
        missing = "its day or its year is missing" if len(numbers) == 1 else "this is no day"
        return Unread(why=f"{missing}: {HOW}")
    # A year stands last, or has four digits and stands first.
    day, year = reversed(numbers) if len(numbers[0]) == 4 else numbers
    full = int(year) if len(year) == 4 else _century(int(year), today) if len(year) == 2 else None
    if full is None:
        return _no_century()
    found = _made(full, months[0] + 1, int(day), text)
    if isinstance(found, Read) and weekdays and found.day.weekday() != weekdays[0]:
        right = WEEKDAYS[found.day.weekday()].capitalize()
        return Unread(why=f"{in_words(found.day)} is a {right}: {HOW}")
    return found


def _named(word: str, names: tuple[str, ...]) -> int | None:
    """Find a name by at least its first three letters; counted from 0."""
    if len(word) < 3:
        return None
    return next((n for n, name in enumerate(names) if name.startswith(word)), None)
