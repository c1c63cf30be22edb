"""How things stand, in lines for a person: 80 columns, and whole phrases for who has them read."""

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import click

from lorsync.cli.commands._sync_notify import spared_until
from lorsync.cli.output.terminal import at_most_80
from lorsync.core.display import visible
from lorsync.core.facts import Statement
from lorsync.core.model import Budget, Event, Mentor, MentorId, Plan, PlanWarning
from lorsync.core.settings import Settings
from lorsync.monitoring.health import Assessment, Health
from lorsync.sync.backoff import PutOff
from lorsync.sync.report import Change, Record, at_of

_NEXT_EVENTS: Final = 5
_COUNTED: Final = ("created", "updated", "deleted", "adopted", "kept", "missing", "held")
_LABEL: Final = 12
_COLORS: Final = {Health.HEALTHY: "green", Health.NEEDS_YOU: "yellow", Health.NOT_RUNNING: "red"}
_HEADLINES: Final = {
    Health.HEALTHY: "All is well",
    Health.NEEDS_YOU: "Something needs you",
    Health.NOT_RUNNING: "Nothing runs lorsync",
}
_START: Final = (
    "“lorsync service install” has it run by itself, “lorsync run” in this terminal, “lorsync "
    "sync” once."
)
_START_BY_HAND: Final = (
    "“lorsync run” in a terminal that stays open, or “lorsync sync” once, which cron can do every "
    "quarter of an hour."
)
_START_UNIT: Final = (
    "“systemctl enable --now {unit}”, or its timer. Why it does not run: “journalctl -u {unit}”."
)
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that ``status`` tells, at an instant (aware).

    ``settings`` and ``plan`` are None while the config is broken, ``record``, ``plan`` and all that
    follows while the ledger cannot be read. ``has_services`` tells whether this machine has a
    service manager for the person, ``unit`` is the system service whose state folder this is.
    """

    at: datetime
    pid: int | None
    standing: Assessment
    settings: Settings | None
    record: Record | None = None
    plan: Plan | None = None
    facts: Sequence[Statement] = ()
    pinned: Sequence[Change] = ()
    changed: Sequence[Change] = ()
    away: Sequence[Change] = ()
    dismissed: Sequence[Change] = ()
    has_services: bool = True
    unit: str | None = None

    @property
    def put_off(self) -> PutOff | None:
        """The back-off of the account, where it still holds."""
        rest = None if self.record is None else self.record.put_off
        return rest if rest is not None and rest.until > self.at else None

    def planned_day(self, moved: Change) -> date | None:
        """Return the day that the plan would have said of a moved event (S10), if it has one."""
        events = () if self.plan is None else self.plan.events
        return next((event.planned_day for event in events if event.uid == moved.uid), None)

    @property
    def coming(self) -> Sequence[Event]:
        """The next events of the plan."""
        return () if self.plan is None else self.plan.events[:_NEXT_EVENTS]

    @property
    def next_pass(self) -> datetime | None:
        """When the daemon means to run its next pass; None without one."""
        if self.pid is None or self.record is None or self.record.next_pass is None:
            return None
        return datetime.fromisoformat(self.record.next_pass)

    @property
    def zone(self) -> ZoneInfo | None:
        """The applicant's zone, None where only a broken config would tell."""
        return None if self.settings is None else self.settings.season.applicant.timezone


def lines(picture: Picture) -> Iterator[str]:
    """Give the lines, the most important first."""
    yield _headline(picture)
    if picture.record is not None:
        yield ""
        yield from _passes(picture, picture.record)
    yield from _needs(picture)
    if picture.plan is not None and picture.settings is not None:
        yield from _next(picture.coming)
        yield from _plan(picture.plan, picture.settings.season.mentors)
    today = picture.at.astimezone(picture.zone or UTC).date()
    yield from _moved(picture, today)
    yield from _changes("Changed by you, and left so", _other_than(picture.pinned, picture), today)
    yield from _changes("No longer there (lorsync restore brings them back)", picture.away, today)
    if picture.facts:
        yield from _heading("Facts")
        for fact in picture.facts:
            told = f"{fact.letter}: {fact.fact.words} on {fact.day.isoformat()} ({fact.source})"
            yield from _folded(told)
    yield from _warnings(() if picture.plan is None else picture.plan.warnings)


def age(span: timedelta) -> str:
    """Return a length of time in one unit: ``12 minutes``."""
    seconds = int(abs(span).total_seconds())
    for length, unit in _UNITS:
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return "less than a minute"


def _headline(picture: Picture) -> str:
    health = picture.standing.health
    if picture.pid is not None:
        daemon = f"the daemon is up (process {picture.pid})"
    elif health is Health.NOT_RUNNING:
        daemon = "no daemon is up"
    else:
        # A timer, cron or a person: nobody can tell whether another pass will come.
        daemon = "no daemon is up, and the last pass was “lorsync sync”"
    headline = _HEADLINES[health]
    trouble = None if picture.record is None else picture.record.last_error
    if health is Health.HEALTHY and trouble is not None:
        headline = "Trouble that is likely to pass"
    told = "\n".join(_wrapped(f"{headline}: {daemon}.", more=""))
    return _styled(told, fg=_COLORS[health])


def _passes(picture: Picture, record: Record) -> Iterator[str]:
    zone = picture.zone
    # Whole, whatever its length: it is to be copied.
    yield visible(f"{'Calendar':<{_LABEL}}{record.calendar or 'not made yet'}")
    if record.last_pass is None:
        yield from _labelled("Last pass", "none yet")
    else:
        counts = [f"{record.last_pass[name]} {name}" for name in _COUNTED if record.last_pass[name]]
        when = _when(at_of(record.last_pass), picture.at, zone)
        yield from _labelled("Last pass", f"{when}: {', '.join(counts) or 'nothing to write'}")
    if picture.next_pass is not None:
        yield from _labelled("Next pass", _when(picture.next_pass, picture.at, zone))
    if picture.put_off is not None:
        until = _when(picture.put_off.until, picture.at, zone)
        yield from _labelled("Put off", f"until {until}, as the server asked")
    if record.login_refused is not None:
        since = _when(at_of(record.login_refused), picture.at, zone)
        then = "it is tried again" if picture.next_pass else "not tried again until it changes"
        if picture.pid is None:
            at = _when(spared_until(record.login_refused), picture.at, zone)
            then = f"a timer or cron tries it again from {at}"
        yield from _labelled("Login", f"refused since {since}; {then}")
    if record.last_error is None:
        yield from _labelled("Last error", "none since the last pass")
    elif record.login_refused is None:
        when = _when(at_of(record.last_error), picture.at, zone)
        yield from _labelled("Last error", f"{when}: {record.last_error['message']}")


def _needs(picture: Picture) -> Iterator[str]:
    """Say what only the person can do; where nothing runs, that comes first."""
    standing = picture.standing
    if standing.health is Health.HEALTHY:
        return
    yield from _heading("Needs you")
    if standing.health is Health.NOT_RUNNING:
        how = _START if picture.has_services else _START_BY_HAND
        if picture.unit is not None:
            how = _START_UNIT.format(unit=picture.unit)
        told = f"- Start lorsync: {how}"
        yield from _folded(told, more="  ")
    for need in standing.needs:
        first, *rest = need.message.splitlines()
        yield from _folded(f"- {first}", more="  ")
        for line in rest:
            yield from _folded(f"  {line.strip()}", more="    ")


def _next(coming: Sequence[Event]) -> Iterator[str]:
    if coming:
        yield from _heading("Next")
        for event in coming:
            note = ", moved by you" if event.pinned else ""
            yield from _folded(f"{_day(event.day)}  {event.summary}{note}", more=" " * 16)
    else:
        yield ""
        yield "Nothing is planned."


def _plan(plan: Plan, mentors: Mapping[MentorId, Mentor]) -> Iterator[str]:
    yield from _heading("Letters")
    for letter in plan.letters:
        due = f", due {letter.due.isoformat()}" if letter.due is not None else ""
        yield from _folded(f"{letter.id}: {letter.stage}{due}")
    yield from _heading("Follow-ups")
    for mentor, budget in plan.budgets.items():
        yield from _folded(f"{mentors[mentor].name}: {_used(budget)}")


def _warnings(warnings: Sequence[PlanWarning]) -> Iterator[str]:
    """Say what the plan warns of, but for what the list of letters says already."""
    told = [warning for warning in warnings if warning.code != "not-asked"]
    if told:
        yield from _heading("Take note")
    for warning in told:
        yield from _folded(f"- {warning.message}", more="  ")


def _used(budget: Budget) -> str:
    if not budget.cap:
        return "none wanted"
    left = max(0, budget.cap - budget.spent)
    planned = f", {budget.planned} planned" if budget.planned else ""
    return f"{budget.spent} of {budget.cap} used, {left} left{planned}"


def _other_than(pinned: Sequence[Change], picture: Picture) -> list[Change]:
    """Return what is changed in another way than its day alone."""
    moved = {change.uid for change in pinned}
    return [c for c in picture.changed if c.uid not in moved or c.changed != ("date",)]


def _moved(picture: Picture, today: date) -> Iterator[str]:
    """List the moved events that are still ahead, with what the plan would have said (S10)."""
    ahead = [change for change in picture.pinned if change.day >= today]
    if ahead:
        yield from _heading("Moved by you, and left there")
    for change in ahead:
        planned = picture.planned_day(change)
        more = [*change.changed, *([] if planned is None else [f"planned for {_day(planned)}"])]
        yield from _folded(
            f"{_day(change.day)}  {change.summary} ({', '.join(more)})", more=" " * 16
        )


def _changes(heading: str, changes: Sequence[Change], today: date) -> Iterator[str]:
    """List events that are still ahead; what is past is history."""
    ahead = [change for change in changes if change.day >= today]
    if ahead:
        yield from _heading(heading)
    for change in ahead:
        what = f" ({', '.join(change.changed)})" if change.changed else ""
        yield from _folded(f"{_day(change.day)}  {change.summary}{what}", more=" " * 16)


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield _styled(text, bold=True)


def _labelled(label: str, text: str) -> Iterator[str]:
    """Give a line with a label, and what is too long for it below the text."""
    yield from _wrapped(f"{label:<{_LABEL}}{text}", more=" " * _LABEL)


def _folded(text: str, *, more: str = "  ") -> Iterator[str]:
    yield from _wrapped(f"  {text}", more=f"  {more}")


def _wrapped(text: str, *, more: str) -> list[str]:
    """Fold at the terminal's width, 80 columns at most; an address or a path stays whole."""
    width, text = at_most_80(), visible(text)
    if width < _LABEL * 3:
        more = "    "
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=more,
        break_long_words="/" not in text,
        break_on_hyphens=False,
    )


def _when(instant: datetime, now: datetime, zone: ZoneInfo | None) -> str:
    """Return an instant in the applicant's zone, this machine's where that is unknown."""
    ago = f"{age(now - instant)} ago" if instant <= now else f"in {age(instant - now)}"
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}, {ago}"


def _day(day: date) -> str:
    return f"{day:%a} {day.isoformat()}"


def _styled(text: str, *, bold: bool = False, fg: str | None = None) -> str:
    """Style for a terminal; click takes it out again where the output is none."""
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=bold, fg=fg)
