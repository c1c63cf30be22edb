"""Write a day, a number and a long name as the texts have them."""

import unicodedata
from datetime import date
from typing import Final

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_JOINER: Final = "\u200d"
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def shortened(name: str, room: int) -> str:
    """Return a name in at most ``room`` characters, cut with an ellipsis where it is longer.

    The cut takes no mark off its letter and no half of a joined sign (UAX 29, in its main rules).
    """
    if len(name) <= room:
        return name
    end = max(1, room - 1)
    while end > 1 and (_belongs_before(name[end]) or name[end - 1] == _JOINER):
        end -= 1
    return name[:end].rstrip() + "…"


def _belongs_before(mark: str) -> bool:
    return (
        mark == _JOINER or mark in _SKIN_TONES or unicodedata.category(mark) in {"Mn", "Mc", "Me"}
    )


def short_day(day: date) -> str:
    """Return a day as ``10 Sep``: no digits that could be read the other way round."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def long_day(day: date) -> str:
    """Return a day as ``10 Sep 2026``."""
    return f"{short_day(day)} {day.year}"


def count(number: int, noun: str) -> str:
    """Return ``1 day`` or ``3 days``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_words(number: int) -> str:
    """Return ``two`` for 2; from ten on, digits."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
