"""Write a day and a number as the texts have them."""

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
