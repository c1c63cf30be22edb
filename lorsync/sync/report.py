"""What a pass reports: the events that it wrote or left to the person, and the record of passes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lorsync.core.display import excerpt
from lorsync.core.merge.entry import Entry
from lorsync.core.model import Event, Plan, PlanWarning, Uid
from lorsync.sync.backoff import PutOff

LATE = timedelta(minutes=10)
"""By how much a pass may be late: it waits for others, and each request has its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event in a report; ``changed`` names what a person changed of it."""

    uid: Uid
    kind: str
    mentor: str
    day: date
    summary: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a pass did, or would do; ``requests`` counts those to the server.

    ``repeatable``: it changed nothing, in the ledger neither, so that as long as nothing else does,
    and on the same day, another pass would say the same. ``idle`` says of what was asked for beside
    the pass that there was nothing of it to do. ``dismissed`` is what counts as deleted by the
    person because they have just said so (S17, S18). ``again_at`` (aware) is when another pass has
    something to do that waits in this one.
    """

    created: tuple[Change, ...] = ()
    updated: tuple[Change, ...] = ()
    deleted: tuple[Change, ...] = ()
    adopted: tuple[Change, ...] = ()
    kept: tuple[Change, ...] = ()
    missing: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    requests: int = 0
    warnings: tuple[PlanWarning, ...] = ()
    repeatable: bool = False
    idle: tuple[str, ...] = ()
    dismissed: tuple[Change, ...] = ()
    again_at: datetime | None = None

    @property
    def wrote(self) -> bool:
        """Whether anything was written to the calendar."""
        return any(changes for _, changes in self.written)

    @property
    def written(self) -> tuple[tuple[str, tuple[Change, ...]], ...]:
        """What was written, each with its verb."""
        return ("created", self.created), ("updated", self.updated), ("deleted", self.deleted)

    @property
    def is_silent(self) -> bool:
        """Whether there is no more to tell than the headline."""
        return not (self.wrote or self.kept or self.missing or self.held or self.warnings)

    def headline(self, *, dry_run: bool = False) -> str:
        """Return the outcome in one line, ``2 created (4 requests).``"""
        would = "would be " if dry_run else ""
        counts = [f"{len(changes)} {would}{verb}" for verb, changes in self.written if changes]
        if self.adopted:
            counts.append(f"{len(self.adopted)} adopted")
        requests = "1 request" if self.requests == 1 else f"{self.requests} requests"
        return f"{', '.join(counts) or 'Nothing to write'} ({requests})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Summary):
    """A pass with the plan that it followed."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is remembered of the passes, for ``status``; times in ISO 8601, with their offset.

    ``put_off`` may be over; ``login_refused`` stays until a pass has come to its end, and says how
    many ``times`` in a row it was.
    ``memory_gone``: the person deleted the event that keeps the memory (S4).
    """

    last_pass: dict[str, object] | None = None
    last_error: dict[str, object] | None = None
    config_error: str | None = None
    next_pass: str | None = None
    calendar: str | None = None
    put_off: PutOff | None = None
    login_refused: dict[str, object] | None = None
    memory_gone: bool = False

    @property
    def is_login_wrong(self) -> bool:
        """Whether the login was refused, and nobody means to try it again by themselves."""
        return self.login_refused is not None and self.next_pass is None


def last_try(record: Record) -> datetime | None:
    """Return when the last pass ran, whether or not it came to its end; None before the first."""
    memos = (record.last_pass, record.last_error)
    return max((at_of(memo) for memo in memos if memo is not None), default=None)


def late_by(record: Record, now: datetime) -> timedelta | None:
    """Return by how much a daemon that is up has missed its next pass; None where it is in time."""
    if record.next_pass is None:
        return None
    late = now - datetime.fromisoformat(record.next_pass)
    return late if late > LATE else None


def at_of(memo: dict[str, object]) -> datetime:
    """Return the instant (aware) of a remembered pass or error."""
    return datetime.fromisoformat(str(memo["at"]))


def change_of(event: Event) -> Change:
    """Return an event that was written."""
    return Change(
        uid=event.uid,
        kind=event.kind,
        mentor=event.mentor,
        day=event.day,
        summary=excerpt(event.summary),
    )


def changes_of_entries(entries: Iterable[Entry]) -> tuple[Change, ...]:
    """Return events as the ledger knows them."""
    return tuple(
        Change(
            uid=entry.uid,
            kind=entry.identity.kind,
            mentor=entry.mentor,
            day=entry.day,
            # What only the memory tells of has no title (S4).
            summary=excerpt(entry.summary) or f"{entry.identity.kind} ({entry.mentor})",
            changed=entry.changed,
        )
        for entry in entries
    )


def standing_in(
    wanted: Callable[[Entry], bool], entries: Iterable[Entry], today: date
) -> tuple[Change, ...]:
    """Return the events that are wanted, from today on, in the order of their days."""
    found = [e for e in entries if e.day >= today and wanted(e)]
    return changes_of_entries(sorted(found, key=lambda e: (e.day, e.uid)))


_BY_MEMORY = (
    "It follows from facts that lorsync's memory in the calendar tells of, and nothing else: "
    "lorsync status marks them “memory”. "
)


def held_warning(number: int, *, by_memory: bool) -> tuple[PlanWarning, ...]:
    """Warn that deletions were held back, where any were (S18).

    ``by_memory``: they follow from facts that only lorsync's memory in the calendar tells of.
    """
    if not number:
        return ()
    message = (
        f"{number} events would be deleted, which looks like an accident, so they were left. "
        + (_BY_MEMORY if by_memory else "")
        + "If it is meant, run: lorsync sync --accept-deletions"
    )
    return (PlanWarning(code="held", subject="calendar", message=message),)


def stray_warning(strays: int) -> tuple[PlanWarning, ...]:
    """Warn once of whatever number of hrefs that are none of this calendar's."""
    if not strays:
        return ()
    message = (
        f"The server names {strays} events that are not in this calendar, so they were ignored: "
        "check calendar.url, and tell the operator of the server."
    )
    return (PlanWarning(code="stray", subject="calendar", message=message),)


_QUESTIONS = frozenset({"emptied", "same-person", "same-letter", "memory-doubted"})
"""The warnings that wait for an answer of the person's, and stop part of the work until then."""

_TROUBLES = frozenset({"refused", "unstored"})
"""The warnings of what the server does not take, which the person may be able to change."""


def pass_memo(summary: Summary, now: datetime) -> dict[str, object]:
    """Return what is kept of how a pass ended; ``now`` is aware."""
    return {
        "at": now.isoformat(timespec="milliseconds"),
        "created": len(summary.created),
        "updated": len(summary.updated),
        "deleted": len(summary.deleted),
        "adopted": len(summary.adopted),
        "kept": len(summary.kept),
        "missing": len(summary.missing),
        "held": len(summary.held),
        "requests": summary.requests,
        "asks": [w.message for w in summary.warnings if w.code in _QUESTIONS],
        "troubles": [w.message for w in summary.warnings if w.code in _TROUBLES],
    }
