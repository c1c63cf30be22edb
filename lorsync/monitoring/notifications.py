"""Decide what the desktop is told: what is worth a word now, each once per occasion."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from lorsync.core.model import Event, Plan, Status
from lorsync.core.settings import Settings
from lorsync.sync.report import Record

MORNING: Final = time(8)
"""From when on a day is told of, in the applicant's zone."""

_MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Something to tell. While one of its keys is untold and still current, it is due."""

    keys: frozenset[str]
    title: str
    text: str
    urgent: bool = False


def notices(
    settings: Settings, record: Record, plan: Plan, *, now: datetime, next_pass: datetime | None
) -> tuple[Notification, ...]:
    """Return what is worth telling now; ``now`` and ``next_pass`` are aware.

    What the config turns off is not among it.
    """
    wanted = settings.notifications
    found: list[Notification] = []
    if wanted.login and record.is_login_wrong:
        found += _login(record)
    if wanted.config and record.config_error is not None:
        found += _config(record.config_error)
    if wanted.short_notice:
        found += _of_events(
            [event for event in plan.events if event.status is Status.SHORT_NOTICE],
            "A request on short notice",
            lambda event: f"short:{event.uid}",
        )
    if wanted.today and _is_told_of_today(settings, now, next_pass):
        today = now.astimezone(settings.season.applicant.timezone).date()
        found += _of_events(
            [event for event in plan.events if event.day == today],
            "Today, for your letters",
            lambda _: f"today:{today.isoformat()}",
        )
    return tuple(found)


def _login(record: Record) -> Iterator[Notification]:
    message = str((record.login_refused or {}).get("message", ""))
    yield Notification(
        keys=frozenset({"login"}),
        title="lorsync cannot sign in to your calendar",
        text=message,
        urgent=True,
    )


def _config(message: str) -> Iterator[Notification]:
    yield Notification(
        keys=frozenset({"config"}),
        title="lorsync cannot read its config",
        text=_shortened(message.splitlines()),
        urgent=True,
    )


def _of_events(
    events: Sequence[Event], title: str, key: Callable[[Event], str]
) -> Iterator[Notification]:
    if events:
        yield Notification(
            keys=frozenset(map(key, events)),
            title=title,
            text=_shortened([f"{event.day.isoformat()}  {event.summary}" for event in events]),
        )


def _is_told_of_today(settings: Settings, now: datetime, next_pass: datetime | None) -> bool:
    """Tell whether it is late enough in the day, or no later pass is sure to tell of it."""
    zone = settings.season.applicant.timezone
    here = now.astimezone(zone)
    if here.time() >= MORNING:
        return True
    return next_pass is None or next_pass.astimezone(zone).date() > here.date()


def _shortened(lines: Sequence[str]) -> str:
    left = len(lines) - _MOST_LINES
    more = [f"… and {left} more: lorsync status"] if left > 0 else []
    return "\n".join([*lines[:_MOST_LINES], *more])
