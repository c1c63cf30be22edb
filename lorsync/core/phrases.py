"""Write a day and a number as the texts have them, and find what a person may have meant."""

from collections.abc import Iterable
from datetime import date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


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


def near(word: str, options: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Find the option that ``word`` may be a slip for; letters' case does not matter."""
    from difflib import get_close_matches  # rarely needed, and slow to load

    by_folded = {option.casefold(): option for option in options}
    found = get_close_matches(word.casefold()[:100], by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None
