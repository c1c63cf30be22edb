"""Export the plan as one ``.ics`` file: no server, no ledger, no network, no password."""

from collections.abc import Collection
from datetime import date

from lorsync.core.content import content_of
from lorsync.core.ical import write
from lorsync.core.identity import season_key
from lorsync.core.model import Event, Kind, MentorId
from lorsync.core.schedule import plan
from lorsync.errors import UsageError
from lorsync.planning import observing
from lorsync.settings import Settings


def export(
    settings: Settings,
    *,
    today: date,
    mentors: Collection[MentorId] = (),
    kinds: Collection[Kind] = (),
) -> bytes:
    """Return the events planned from ``today`` on as one iCalendar file (RFC 5545).

    ``mentors`` and ``kinds`` narrow them; empty means all. The UIDs are those of the calendar, so
    importing the file twice doubles nothing. Raises UsageError for a mentor that is not there.
    """
    season = observing(settings, None, today).season
    unknown = [mentor for mentor in mentors if mentor not in season.mentors]
    if unknown:
        known = ", ".join(sorted(season.mentors)) or "none"
        msg = f"There is no mentor {unknown[0]!r} in {settings.source}. There are: {known}."
        raise UsageError(msg)
    events = plan(season, today=today, key=season_key(season)).events
    return write([content_of(e, settings.style) for e in events if _wanted(e, mentors, kinds)])


def _wanted(event: Event, mentors: Collection[MentorId], kinds: Collection[Kind]) -> bool:
    return (not mentors or event.mentor in mentors) and (not kinds or event.kind in kinds)
