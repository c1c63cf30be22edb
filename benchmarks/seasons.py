"""Configs that give a known number of events, all of them in the future."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

EVENTS_PER_MENTOR = 5
"""A request, two follow-ups, a deadline and a thank-you; the other kinds are switched off."""

_FIRST_DEADLINE = timedelta(days=150)
_SPREAD_DAYS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A ``[calendar]`` table."""

    provider: str
    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    path: Path | None = None

    def lines(self) -> list[str]:
        """Return the table's TOML."""
        said: Mapping[str, object] = {
            "provider": self.provider,
            "url": self.url,
            "username": self.username,
            "password_command": None if self.password is None else ["echo", self.password],
            "path": None if self.path is None else str(self.path),
            "name": "Letters",
        }
        return [f"{key} = {json.dumps(value)}" for key, value in said.items() if value is not None]


def write_season(
    file: Path, account: Account, events: int, *, renamed: Collection[int] = ()
) -> Path:
    """Write a config that plans exactly so many events, and return its path.

    Each mentor in ``renamed`` (their numbers, from 0) has another name, so that all of that
    mentor's events change and keep their identities.
    """
    mentors, rest = divmod(events, EVENTS_PER_MENTOR)
    assert rest == 0, f"{events} is no multiple of {EVENTS_PER_MENTOR}"
    first = datetime.now(UTC).date() + _FIRST_DEADLINE
    lines = [
        *('[applicant]\nname = "Maya Okafor"\ntimezone = "America/New_York"',),
        *('[cycle]\nname = "Benchmark"', "[calendar]", *account.lines()),
        *("[policy]", 'events = ["request", "follow-up", "deadline", "thank-you"]'),
    ]
    for number in range(mentors):
        name = f"Dr. Number {number}" + (" the Second" if number in renamed else "")
        lines += _letter(number, name, first + timedelta(days=number % _SPREAD_DAYS))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _letter(number: int, name: str, deadline: date) -> list[str]:
    return [
        *("[[mentors]]", f'id = "mentor-{number}"', f'name = "{name}"'),
        *("[[letters]]", f'mentor = "mentor-{number}"', f"deadline = {deadline.isoformat()}"),
    ]
