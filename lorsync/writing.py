"""Apply actions to the calendar so that a kill at any point loses and doubles nothing (I2, I7).

Announce in the ledger, write under a guard, look at what the server then holds, and only then count
it as done. Several writes are under way at once; one look at the end serves them all (S5). When a
write fails for a reason that is not its own, the announcements stay, and the next pass resolves
them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lorsync.core.announcing import Write, announced
from lorsync.core.decision import Acknowledge, Action, Create, Delete, Note, Release, Update
from lorsync.core.entry import Entry, Intent, State
from lorsync.core.merge import Gone, confirm, deleted, observe_absent, observe_present
from lorsync.core.model import PlanWarning, Uid
from lorsync.ports import Calendar, Href, Ledger, Progress, Resource
from lorsync.preconditions import kept_by, remember_careless, warn_of_unnamed
from lorsync.sending import Conflict, Job, Refused, Reply, Vanished, Written, forestalled, send


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What came of a pass's writes: by UID, and the entries as they are now.

    ``besides`` is what was looked at together with them.
    """

    created: frozenset[Uid] = frozenset()
    updated: frozenset[Uid] = frozenset()
    deleted: frozenset[Uid] = frozenset()
    adopted: frozenset[Uid] = frozenset()
    entries: Mapping[Uid, Entry] = field(default_factory=dict)
    warnings: tuple[PlanWarning, ...] = ()
    besides: Mapping[Href, Resource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a pass writes: the calendar, the ledger, the applicant's zone, and the time, aware.

    ``stopping`` is asked between writes. ``besides`` is looked at together with what was written.
    """

    calendar: Calendar
    ledger: Ledger
    zone: ZoneInfo
    now: datetime
    stopping: Callable[[], bool]
    besides: tuple[Href, ...] = ()


def write_all(actions: Sequence[Action], desk: Desk, progress: Progress | None) -> Outcomes:
    """Do what was decided, and bring the ledger up to date.

    Raises TryAgainError when ``stopping`` says so before the end, and the LorsyncError of a server
    that cannot be used; the ledger then holds what the next pass needs.
    """
    notes = {a.entry.uid: a.entry for a in actions if isinstance(a, Note)}
    desk.ledger.save(notes.values())
    jobs = [_job(a, desk) for a in actions if not isinstance(a, Note)]
    outcomes = _round(jobs, desk, progress)
    again = _overtaken(jobs, outcomes)
    if again:
        # Somebody wrote meanwhile without touching what is ours: merge again, once.
        alone = replace(desk, besides=())
        second = _round([_job(a, desk, looked=True) for a in again], alone, None)
        outcomes = _joined(outcomes, second)
        if any(not isinstance(a, Create) and a.entry.etag is None for a in again):
            more = warn_of_unnamed(desk.calendar, desk.ledger)
            outcomes = replace(outcomes, warnings=(*outcomes.warnings, *more))
    return replace(outcomes, entries={**notes, **outcomes.entries})


def _job(action: Write, desk: Desk, *, looked: bool = False) -> Job:
    entry = announced(action, desk.calendar.href_for, desk.zone)
    return Job(action=action, entry=entry, looked=looked)


def _round(jobs: Sequence[Job], desk: Desk, progress: Progress | None) -> Outcomes:
    """Announce, send, look and record one set of writes."""
    if not jobs:
        besides = desk.calendar.fetch(desk.besides) if desk.besides else {}
        return Outcomes(besides=besides)
    desk.ledger.save(job.entry for job in jobs)
    kept = kept_by(desk.calendar, desk.ledger)
    known = forestalled(jobs, desk.calendar, kept)
    try:
        to_send = [job for job in jobs if job.entry.uid not in known]
        sent = send(to_send, desk.calendar, desk.stopping, progress)
    finally:
        remember_careless(kept, desk.calendar, desk.ledger)
    replies = known | sent
    look = [job.href for job in jobs if _wants_a_look(job, replies[job.entry.uid])]
    look += desk.besides
    held = desk.calendar.fetch(look) if look else {}
    settled = {
        job.entry.uid: _settle(job, replies[job.entry.uid], held.get(job.href), desk)
        for job in jobs
    }
    entries = {uid: e for uid, e in settled.items() if isinstance(e, Entry)}
    gone = [g for g in settled.values() if isinstance(g, Gone)]
    desk.ledger.save(
        entries.values(),
        forget=[g.uid for g in gone if not g.retired],
        retire=[g.uid for g in gone if g.retired],
    )
    besides = {href: held[href] for href in desk.besides if href in held}
    return replace(_tally(jobs, replies, entries), besides=besides)


def _wants_a_look(job: Job, reply: Reply) -> bool:
    if isinstance(reply, Written):
        return not isinstance(job.action, Delete)
    return isinstance(reply, Conflict)


def _settle(job: Job, reply: Reply, held: Resource | None, desk: Desk) -> Entry | Gone:
    """Return what the ledger should say after a write, given what the server now holds."""
    entry = job.entry
    if isinstance(job.action, Delete) and isinstance(reply, Written | Vanished):
        return deleted(entry, now=desk.now.astimezone(desk.zone))
    match reply:
        case Refused():
            if isinstance(job.action, Create):
                return Gone(uid=entry.uid, retired=False)
            return job.action.entry
        case Written(etag=put_etag) if held is not None:
            if entry.intent is not Intent.CREATE:
                entry = replace(entry, sequence=entry.sequence + 1)
            return confirm(
                entry, held.body, held.etag, put_etag=put_etag, zone=desk.zone, now=desk.now
            )
        case Conflict() if held is not None:
            return observe_present(entry, held.body, held.etag, desk.zone, now=desk.now)
        case Written():
            # Written, and gone again before we looked: somebody removed it.
            confirmed = replace(entry, sent=entry.intended, sent_digests=entry.intended_digests)
            return observe_absent(
                replace(confirmed, intent=Intent.UPDATE),
                desk.zone,
                now=desk.now,
                complete=False,
            )
        case _:
            # It never stood where it was to be moved: what counts is where it was.
            before = entry if isinstance(job.action, Create) else job.action.entry
            return observe_absent(before, desk.zone, now=desk.now, complete=False)


def _tally(
    jobs: Sequence[Job], replies: Mapping[Uid, Reply], entries: Mapping[Uid, Entry]
) -> Outcomes:
    done = {kind: set[Uid]() for kind in (Create, Update, Release, Acknowledge, Delete)}
    adopted: set[Uid] = set()
    warnings = []
    for job in jobs:
        uid, reply = job.entry.uid, replies[job.entry.uid]
        if isinstance(reply, Written) or (
            isinstance(job.action, Delete) and isinstance(reply, Vanished)
        ):
            done[type(job.action)].add(uid)
        elif isinstance(reply, Refused):
            warnings.append(_refusal(job, reply))
        elif isinstance(job.action, Create) and uid in entries:
            adopted.add(uid)
    return Outcomes(
        created=frozenset(done[Create]),
        updated=frozenset(done[Update] | done[Release] | done[Acknowledge]),
        deleted=frozenset(done[Delete]),
        adopted=frozenset(adopted),
        entries=entries,
        warnings=tuple(warnings),
    )


def _refusal(job: Job, reply: Refused) -> PlanWarning:
    return PlanWarning(
        code="refused",
        subject=job.entry.uid,
        message=f"The server does not take “{job.entry.summary}” on {job.entry.day}: {reply.why}",
    )


def _overtaken(jobs: Sequence[Job], outcomes: Outcomes) -> list[Write]:
    """Return the writes that were overtaken by one that left what is ours as it was."""
    again: list[Write] = []
    for job in jobs:
        uid = job.entry.uid
        entry = outcomes.entries.get(uid)
        if entry is None or entry.state is not State.LIVE or isinstance(job.action, Create):
            continue
        if uid in outcomes.updated or _was_refused(uid, outcomes):
            continue
        before = job.action.entry
        if entry.theirs != before.theirs or (
            isinstance(job.action, Delete) and entry.extras != before.extras
        ):
            continue  # The person was quicker: the next pass decides anew (I4).
        if isinstance(job.action, Acknowledge) and entry.settled:
            continue  # The title is another one of theirs by now.
        again.append(replace(job.action, entry=entry))
    return again


def _was_refused(uid: Uid, outcomes: Outcomes) -> bool:
    return any(warning.subject == uid for warning in outcomes.warnings)


def _joined(first: Outcomes, second: Outcomes) -> Outcomes:
    entries = {
        uid: entry
        for uid, entry in {**first.entries, **second.entries}.items()
        if uid not in second.deleted
    }
    return Outcomes(
        created=first.created | second.created,
        updated=first.updated | second.updated,
        deleted=first.deleted | second.deleted,
        adopted=first.adopted | second.adopted,
        entries=entries,
        warnings=first.warnings + second.warnings,
        besides=first.besides,
    )
