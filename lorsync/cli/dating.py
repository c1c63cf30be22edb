"""Take a day as an answer, or say why it is none."""

from datetime import date, datetime

from lorsync.cli.interview import Again
from lorsync.config.problems import shown
from lorsync.intake.days import in_words, sure_day


def some_day(typed: str, today: date) -> date | datetime:
    """Read a day as people write it, or an instant with its offset. Raises Again for another."""
    try:
        found = sure_day(typed, today=today)
    except ValueError as unclear:
        raise Again(f"{shown(typed)}: {unclear}.") from None
    if found.note is not None:
        raise Again(
            "Leave the time out, or say how far it is from UTC, like 2026-12-01T23:59-05:00."
        )
    return found.day


def day_ahead(typed: str, today: date) -> date | datetime:
    """Read a day that is not over yet. Raises Again for another."""
    found = some_day(typed, today)
    if _date(found) < today:
        raise Again(f"{in_words(found)} is over. Which year is meant?")
    return found


def day_gone_by(typed: str, today: date, *, but: str) -> date:
    """Read a day up to this one. Raises Again for another; ``but`` says what one has to do then."""
    day = _date(some_day(typed, today))
    if day > today:
        raise Again(f"{in_words(day)} is still to come. {but}")
    return day


def _date(found: date | datetime) -> date:
    return found.date() if isinstance(found, datetime) else found
