"""Write actions to the calendar so that a kill at any point loses and doubles nothing (I2, I7).

Which preconditions the server honours is known here: where it ignores one, a look comes right
before the write (S22).

Announce in the ledger, write under a guard, look at what the server then holds, and only then count
it as done. Several writes are under way at once; one look at the end serves them all (S5). When a
write fails for a reason that is not its own, the announcements stay, and the next pass resolves
them. An object that the server does not take, or does not keep, is named, and the rest goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from zoneinfo import ZoneInfo

from lorsync.core.display import excerpt
from lorsync.core.errors import ServerFailedError, TryAgainError
from lorsync.core.event.ical import UnreadableError, UnwritableError
from lorsync.core.merge.actions import (
    Acknowledge,
    Action,
    Create,
    Delete,
    Note,
    Release,
    Update,
    Write,
    announced,
)
from lorsync.core.merge.entry import Entry, Intent, State
from lorsync.core.merge.three_way import (
    Gone,
    confirm,
    has_arrived,
    is_unstored,
    observe_absent,
    observe_present,
)
from lorsync.core.model import PlanWarning, Uid
from lorsync.core.ports import (
    Calendar,
    DeletedUidError,
    ETag,
    Href,
    Ledger,
    PreconditionFailedError,
    Progress,
    Resource,
    ResourceGoneError,
    WriteRefusedError,
)
from lorsync.sync.setbacks import (
    Setback,
    SetbackKind,
    remember_setbacks,
    setback_warnings,
    setbacks,
    write_of,
)
from lorsync.sync.state import SyncState, keep, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HonouredPreconditions:
    """Which preconditions are kept: a creation's (``If-None-Match``), a deletion's (``If-Match``).

    That of an update is kept by every server that is known. ``taken``: whether the server takes
    preconditions at all; one that cannot evaluate them answers 412 to each.
    """

    creation: bool
    deletion: bool
    taken: bool = True


def honoured_by(calendar: Calendar, ledger: Ledger) -> HonouredPreconditions:
    """Return what the calendar says of its server, less what was seen to be otherwise."""
    state = state_of(ledger)
    careless = state.ignores_preconditions == calendar.address
    return HonouredPreconditions(
        creation=calendar.guards_creation and not careless,
        deletion=calendar.guards_deletion and not careless,
        taken=state.refuses_preconditions != calendar.address,
    )


def remember_tried(
    before: HonouredPreconditions,
    calendar: Calendar,
    ledger: Ledger,
    *,
    creation: bool | None,
    deletion: bool | None,
) -> None:
    """Remember for the collection what was tried of its server: None where it could not be.

    ``before`` is what was believed until then. What is known beforehand of a provider is not
    remembered, and what was once seen to be ignored stays so: a guard that was kept this time is no
    promise.
    """
    if (before.creation and creation is False) or (before.deletion and deletion is False):
        keep(ledger, replace(state_of(ledger), ignores_preconditions=calendar.address))


def remember_ignored(before: HonouredPreconditions, calendar: Calendar, ledger: Ledger) -> None:
    """Remember for the collection where its server was seen to ignore a precondition since."""
    if before.creation and not calendar.guards_creation:
        keep(ledger, replace(state_of(ledger), ignores_preconditions=calendar.address))


def warn_of_unnamed(calendar: Calendar, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Warn, once for a collection, that its server gives no strong ETag, so no write is guarded.

    RFC 9110 section 13.1.1: a weak one never matches in ``If-Match``.
    """
    message = (
        "The server names no versions of its events (strong ETags), so lorsync looks once more "
        "right before it changes one. What you change in that very moment could be lost."
    )
    return _said_once(
        message, replace(state_of(ledger), names_no_versions=calendar.address), ledger
    )


def remember_refused(calendar: Calendar, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Remember for the collection that its server answers 412 to whatever has a precondition.

    Returns a warning the first time: a look right before each write has to do then (S22).
    """
    message = (
        "The server refuses every guarded change (412 to If-Match), though nothing has changed "
        "there, so lorsync looks right before it writes instead. What you change in that very "
        "moment could be lost."
    )
    state = replace(state_of(ledger), refuses_preconditions=calendar.address)
    return _said_once(message, state, ledger)


def _said_once(message: str, state: SyncState, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Return a warning the first time it is true of a collection, which the state then names."""
    if state == state_of(ledger):
        return ()
    keep(ledger, state)
    return (PlanWarning(code="unguarded", subject="calendar", message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteJob:
    """One write: the entry that announces it, and the action it came from.

    ``looked``: the entry is as it was a moment ago, which has to do where it has no version (S22).
    ``guarded``: False where the server takes no precondition.
    """

    action: Write
    entry: Entry
    looked: bool = False
    guarded: bool = True

    @property
    def href(self) -> Href:
        """Where it is written."""
        return Href(self.entry.href)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Done; ``etag`` is the strong one that the answer told, if any."""

    etag: ETag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The guard did not hold: something else is there; ``said``: the server says so (412)."""

    said: bool = False


@dataclass(frozen=True, slots=True)
class Vanished:
    """There was nothing to write to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server does not take this one; ``why`` is for a person to read."""

    why: str


@dataclass(frozen=True, slots=True)
class Trashed:
    """The server keeps a deleted resource of this UID, and takes no new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The server failed at it, and it may be done all the same."""

    error: ServerFailedError

    @property
    def why(self) -> str:
        """What the server said, for a person to read."""
        return f"the server fails at it (HTTP {self.error.status})."


Reply = Written | Conflict | Vanished | Refused | Trashed | Failed


def prechecked(
    jobs: Sequence[WriteJob], calendar: Calendar, kept: HonouredPreconditions
) -> dict[Uid, Reply]:
    """Look once at what the server would not guard, and say which writes must not be sent (S22)."""
    unguarded = [
        job
        for job in jobs
        if (isinstance(job.action, Create) and not kept.creation)
        or (isinstance(job.action, Delete) and not kept.deletion)
        or not (job.guarded or job.looked)
    ]
    held = calendar.fetch([job.href for job in unguarded]) if unguarded else {}
    replies: dict[Uid, Reply] = {}
    for job in unguarded:
        there, wanted = held.get(job.href), job.entry.etag
        if there is None and not isinstance(job.action, Create):
            replies[job.entry.uid] = Vanished()
        elif there is not None and (there.etag is None or there.etag != wanted):
            replies[job.entry.uid] = Conflict()
    return replies


def send(
    jobs: Sequence[WriteJob],
    calendar: Calendar,
    stopping: Callable[[], bool],
    progress: Progress | None,
) -> dict[Uid, Reply]:
    """Send all writes, several at once; the first failure of the server as a whole ends it.

    ``stopping`` is asked ahead of each. Raises TryAgainError when it says so, and the LorsyncError
    of a server that cannot be used.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    replies: dict[Uid, Reply] = {}
    if not jobs:
        return replies
    workers = min(calendar.connections, len(jobs))
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="lorsync-write")
    try:
        futures = {pool.submit(_send_unless_stopping, job, calendar, stopping): job for job in jobs}
        for future in as_completed(futures):
            replies[futures[future].entry.uid] = future.result()
            if progress is not None:
                progress(len(replies), len(jobs))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return replies


def _send_unless_stopping(job: WriteJob, calendar: Calendar, stopping: Callable[[], bool]) -> Reply:
    """Send a write, but begin none once the pass is to stop: its intent waits for the next one."""
    if stopping():
        msg = "Stopped between two writes; the next pass goes on."
        raise TryAgainError(msg)
    return _send_one(job, calendar)


def _send_one(job: WriteJob, calendar: Calendar) -> Reply:
    entry = job.entry
    guard = None if entry.etag is None or not job.guarded else ETag(entry.etag)
    try:
        if entry.intent is Intent.CREATE and entry.intended is not None:
            if not job.guarded:
                # Nothing was there a moment ago.
                return Written(etag=calendar.update(job.href, entry.intended, None))
            return Written(etag=calendar.create(job.href, entry.intended))
        if guard is None and job.guarded and not job.looked:
            # Never an unguarded write (RFC 9110 section 13.1.1): look first.
            return Conflict()
        if entry.intended is not None:
            return Written(etag=calendar.update(job.href, entry.intended, guard))
        calendar.delete(job.href, guard)
        return Written(etag=None)
    except PreconditionFailedError:
        if job.guarded:
            return Conflict(said=True)
        return Refused(why="the server answers 412, though nothing was asked of what is there.")
    except ResourceGoneError:
        return Vanished()
    except DeletedUidError:
        return Trashed()
    except WriteRefusedError as error:
        return Refused(why=str(error))
    except ServerFailedError as error:
        # A server that cannot store one text answers 500; an outage is told by the other writes.
        return Failed(error=error)


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
class PassContext:
    """Where a pass writes: the calendar, the ledger, the applicant's zone, and the time, aware.

    ``stopping`` is asked between writes. ``besides`` is looked at together with what was written.
    ``insistent``: write also what the server refused within the hour. ``troubled``: the server
    failed at a write of this pass before.
    """

    calendar: Calendar
    ledger: Ledger
    zone: ZoneInfo
    now: datetime
    stopping: Callable[[], bool]
    besides: tuple[Href, ...] = ()
    insistent: bool = False
    troubled: bool = False


_MOST_TURNS = 3
"""How often a write is sent in one pass at most."""


class _End(Enum):
    """What became of a write."""

    DONE = auto()
    """The server holds it, or nothing where that was to be."""
    MET = auto()
    """Something else is there."""
    AWAY = auto()
    """There was nothing to write to."""
    REFUSED = auto()
    """The server does not take it."""
    UNGUARDED = auto()
    """The server says that it is another version, and it is the one that was named (S22)."""
    TRASHED = auto()
    """The server keeps it among what was deleted there, so it counts as missing (S11)."""
    UNSTORED = auto()
    """The server said that it had stored it, and holds what it held before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """The end of one write, and what the ledger should say ``after`` it.

    ``why`` is what the server said of what it does not take, for a person to read.
    """

    job: WriteJob
    end: _End
    after: Entry | Gone
    why: str = ""


def write_all(
    actions: Sequence[Action], context: PassContext, progress: Progress | None
) -> Outcomes:
    """Do what was decided, and bring the ledger up to date.

    Raises TryAgainError when ``stopping`` says so before the end, and the LorsyncError of a server
    that cannot be used; the ledger then holds what the next pass needs.
    """
    notes = {a.entry.uid: a.entry for a in actions if isinstance(a, Note)}
    context.ledger.save(notes.values())
    wanted, left = _jobs([a for a in actions if not isinstance(a, Note)], context)
    known = setbacks(context.ledger)
    waiting = {} if context.insistent else _waiting(wanted, known, context.now)
    jobs = [job for job in wanted if job.entry.uid not in waiting]
    first, besides = _round(jobs, context, progress)
    results = {result.job.entry.uid: result for result in first}
    alone, again = replace(context, besides=()), _tried_again(first, context, turn=0)
    unnamed = any(not isinstance(job.action, Create) and job.entry.etag is None for job in again)
    for turn in range(1, _MOST_TURNS):
        if again:
            more, _ = _round(again, alone, None)
            results |= {result.job.entry.uid: result for result in more}
            again = _tried_again(more, context, turn=turn)
    found = {
        uid: _setback(result, context).after(known.get(uid))
        for uid, result in results.items()
        if result.end in {_End.REFUSED, _End.UNSTORED}
    }
    remember_setbacks(waiting | found, context.ledger)
    warnings = setback_warnings((waiting | found).values())
    if unnamed:
        warnings = (*warnings, *warn_of_unnamed(context.calendar, context.ledger))
    if any(result.end is _End.DONE and not result.job.guarded for result in results.values()):
        warnings = (*warnings, *remember_refused(context.calendar, context.ledger))
    warnings = (*warnings, *_trash_warnings(results.values()))
    outcomes = _tally(results.values(), (*warnings, *left))
    return replace(outcomes, entries={**notes, **outcomes.entries}, besides=besides)


def _jobs(
    actions: Iterable[Write], context: PassContext
) -> tuple[list[WriteJob], list[PlanWarning]]:
    """Return the writes to announce, and name the events that have to be left as they are.

    What is to be written was read again first: one that does not survive never stops the rest.
    """
    jobs, left = [], []
    for action in actions:
        try:
            jobs.append(_job(action, context))
        except (UnreadableError, UnwritableError) as error:
            about = action.event if isinstance(action, Create) else action.entry
            message = f"“{excerpt(about.summary)}” on {about.day} was left as it is: {error}."
            left.append(PlanWarning(code="left", subject=about.uid, message=message))
    return jobs, left


def _job(action: Write, context: PassContext, *, looked: bool = False) -> WriteJob:
    """Return a write to announce. Raises UnreadableError or UnwritableError."""
    entry = announced(action, context.calendar.href_for, context.zone)
    return WriteJob(action=action, entry=entry, looked=looked)


def _waiting(
    jobs: Sequence[WriteJob], known: Mapping[Uid, Setback], now: datetime
) -> dict[Uid, Setback]:
    """Return the setbacks of those writes that are left alone for now."""
    return {
        uid: known[uid]
        for job in jobs
        if (uid := job.entry.uid) in known and known[uid].waits(write_of(job.entry.intended), now)
    }


def _round(
    jobs: Sequence[WriteJob], context: PassContext, progress: Progress | None
) -> tuple[list[_Result], Mapping[Href, Resource]]:
    """Announce, send, look and record one set of writes; return also what was looked at besides."""
    if not jobs:
        return [], context.calendar.fetch(context.besides) if context.besides else {}
    context.ledger.save(job.entry for job in jobs)
    kept = honoured_by(context.calendar, context.ledger)
    if not kept.taken:
        jobs = [replace(job, guarded=False) for job in jobs]
    known = prechecked(jobs, context.calendar, kept)
    try:
        to_send = [job for job in jobs if job.entry.uid not in known]
        sent = send(to_send, context.calendar, context.stopping, progress)
    finally:
        remember_ignored(kept, context.calendar, context.ledger)
    _check_outage(to_send, sent, context)
    replies = known | sent
    look = [job.href for job in jobs if _wants_a_look(job, replies[job.entry.uid])]
    look += context.besides
    held = context.calendar.fetch(look) if look else {}
    results = [_settled(job, replies[job.entry.uid], held.get(job.href), context) for job in jobs]
    gone = [result.after for result in results if isinstance(result.after, Gone)]
    context.ledger.save(
        [result.after for result in results if isinstance(result.after, Entry)],
        forget=[g.uid for g in gone if not g.retired],
        retire=[g.uid for g in gone if g.retired],
    )
    return results, {href: held[href] for href in context.besides if href in held}


def _check_outage(
    jobs: Sequence[WriteJob], replies: Mapping[Uid, Reply], context: PassContext
) -> None:
    """Raise ServerFailedError where the server failed at each one of several writes.

    Where it failed at all of these in the last pass too, and could be read all the same, the fault
    is theirs. One alone is told by the look that follows.
    """
    failed = [(job, r) for job in jobs if isinstance(r := replies[job.entry.uid], Failed)]
    if len(failed) + context.troubled < 2 or len(failed) < len(jobs):
        return
    known = setbacks(context.ledger)
    found = {
        job.entry.uid: _setback_of(job, SetbackKind.REFUSED, reply.why, context).after(
            known.get(job.entry.uid)
        )
        for job, reply in failed
    }
    remember_setbacks(known | found, context.ledger)
    if any(setback.times == 1 for setback in found.values()):
        raise failed[0][1].error


def _wants_a_look(job: WriteJob, reply: Reply) -> bool:
    return not isinstance(job.action, Delete) or not isinstance(reply, Written | Vanished)


def _settled(job: WriteJob, reply: Reply, held: Resource | None, context: PassContext) -> _Result:
    """Return what became of a write, given what the server now holds."""
    if isinstance(job.action, Create):
        return _settled_creation(job, reply, held, context)
    if isinstance(job.action, Delete):
        return _settled_deletion(job, job.action.entry, reply, held, context)
    return _settled_change(job, job.action.entry, reply, held, context)


def _settled_creation(
    job: WriteJob, reply: Reply, held: Resource | None, context: PassContext
) -> _Result:
    entry = job.entry
    if held is None:
        # Never seen there is not deleted by anybody: the next pass creates it.
        forgotten = Gone(uid=entry.uid, retired=False)
        match reply:
            case Refused() | Failed():
                return _Result(job=job, end=_End.REFUSED, after=forgotten, why=reply.why)
            case Trashed():
                return _Result(job=job, end=_End.TRASHED, after=_trashed(entry, context))
            case Written():
                return _Result(job=job, end=_End.UNSTORED, after=forgotten)
            case Conflict(said=True):
                return _Result(job=job, end=_End.UNGUARDED, after=forgotten)
            case _:
                return _Result(job=job, end=_End.AWAY, after=forgotten)
    if isinstance(reply, Written):
        after = confirm(
            entry, held.body, held.etag, put_etag=reply.etag, zone=context.zone, now=context.now
        )
        return _Result(job=job, end=_End.DONE, after=after)
    done = not isinstance(reply, Conflict) and has_arrived(entry, held.body, context.zone)
    return _Result(job=job, end=_End.DONE if done else _End.MET, after=_seen(entry, held, context))


def _settled_deletion(
    job: WriteJob, before: Entry, reply: Reply, held: Resource | None, context: PassContext
) -> _Result:
    match reply:
        case Refused() | Failed() if held is not None:
            after = _seen(before, held, context)
            return _Result(job=job, end=_End.REFUSED, after=after, why=reply.why)
        case Conflict() if held is not None:
            end = _End.UNGUARDED if _is_same(job, reply, held) else _End.MET
            return _Result(job=job, end=end, after=_seen(job.entry, held, context))
        case Conflict():
            return _Result(job=job, end=_End.AWAY, after=_absent(before, context))
        case _:
            gone = Gone(uid=job.entry.uid, retired=True)
            return _Result(job=job, end=_End.DONE, after=gone)


def _settled_change(
    job: WriteJob, before: Entry, reply: Reply, held: Resource | None, context: PassContext
) -> _Result:
    entry = job.entry
    if held is None:
        return _settled_without_a_trace(job, before, reply, context)
    match reply:
        case Written() if is_unstored(entry, held.body, context.zone):
            return _Result(job=job, end=_End.UNSTORED, after=_seen(before, held, context))
        case Written(etag=put_etag):
            entry = replace(entry, sequence=entry.sequence + 1)
            after = confirm(
                entry, held.body, held.etag, put_etag=put_etag, zone=context.zone, now=context.now
            )
            return _Result(job=job, end=_End.DONE, after=after)
        case Conflict():
            end = _End.UNGUARDED if _is_same(job, reply, held) else _End.MET
            return _Result(job=job, end=end, after=_seen(entry, held, context))
    if has_arrived(entry, held.body, context.zone):
        # Answered by something in the way, or by a server that stumbled after it.
        return _Result(job=job, end=_End.DONE, after=_seen(entry, held, context))
    after = _seen(before, held, context)
    match reply:
        case Refused() | Failed():
            return _Result(job=job, end=_End.REFUSED, after=after, why=reply.why)
        case _:
            return _Result(job=job, end=_End.MET, after=after)


def _is_same(job: WriteJob, reply: Conflict, held: Resource) -> bool:
    """Tell whether a server says of the very version that was named that it is another one.

    Where the entry was looked at a moment ago, the same body under another ETag is that as well.
    """
    same_body = job.looked and held.body == job.entry.echo
    return reply.said and (held.etag == job.entry.etag or same_body)


def _settled_without_a_trace(
    job: WriteJob, before: Entry, reply: Reply, context: PassContext
) -> _Result:
    """Return what became of a change to an event that is not there any more."""
    match reply:
        case Written():
            # Written, and gone again before we looked: somebody removed it.
            entry = replace(job.entry, sent=job.entry.intended, intent=Intent.UPDATE)
            entry = replace(entry, sent_digests=job.entry.intended_digests)
            return _Result(job=job, end=_End.DONE, after=_absent(entry, context))
        case Refused() | Failed():
            after = replace(before, etag=None)
            return _Result(job=job, end=_End.REFUSED, after=after, why=reply.why)
        case _:
            # It never stood where it was to be moved: what counts is where it was.
            return _Result(job=job, end=_End.AWAY, after=_absent(before, context))


def _trashed(entry: Entry, context: PassContext) -> Entry:
    """Return an event that somebody deleted of whom no record is left: missing, at first (S11)."""
    bare = replace(entry, intent=None, intended=None, intended_digests=None)
    return replace(bare, state=State.MISSING, missing_since=context.now.astimezone(context.zone))


def _seen(entry: Entry, held: Resource, context: PassContext) -> Entry:
    return observe_present(entry, held.body, held.etag, context.zone, now=context.now)


def _absent(entry: Entry, context: PassContext) -> Entry | Gone:
    return observe_absent(entry, context.zone, now=context.now, complete=False)


def _tried_again(results: Iterable[_Result], context: PassContext, *, turn: int) -> list[WriteJob]:
    """Return what is tried once more in this pass after so many turns.

    That is one that was overtaken by another that left what is ours as it was, one that was
    acknowledged and not stored, and one that the server cannot guard; that alone twice.
    """
    ends = {_End.UNGUARDED} if turn else {_End.UNGUARDED, _End.MET, _End.UNSTORED}
    jobs = [_again(result, context) for result in results if result.end in ends]
    return [job for job in jobs if job is not None]


def _again(result: _Result, context: PassContext) -> WriteJob | None:
    """Return a write that is tried once more, None where that is of no use."""
    action, after = result.job.action, result.after
    # One answer may be a slip of something in the way; a server that cannot do it says so twice.
    guarded = result.end is not _End.UNGUARDED or not result.job.looked
    if isinstance(action, Create):
        if result.end is _End.MET:
            return None
        looked = result.end is _End.UNGUARDED
        return replace(_job(action, context, looked=looked), guarded=guarded)
    before = action.entry
    if not isinstance(after, Entry) or after.state is not before.state:
        return None
    if after.theirs != before.theirs or (
        isinstance(action, Delete) and after.extras != before.extras
    ):
        return None  # The person was quicker: the next pass decides again (I4).
    if isinstance(action, Acknowledge) and after.settled:
        return None  # The title is another one of theirs by now.
    try:
        return replace(_job(replace(action, entry=after), context, looked=True), guarded=guarded)
    except (UnreadableError, UnwritableError):
        return None  # The next pass decides again, and names it.


def _setback(result: _Result, context: PassContext) -> Setback:
    if result.end is _End.UNSTORED:
        created = isinstance(result.job.action, Create)
        why = "it is not there." if created else "the calendar holds what it held before."
        return _setback_of(result.job, SetbackKind.UNSTORED, why, context)
    return _setback_of(result.job, SetbackKind.REFUSED, result.why, context)


def _setback_of(job: WriteJob, kind: SetbackKind, why: str, context: PassContext) -> Setback:
    entry = job.entry
    return Setback(
        uid=entry.uid,
        kind=kind,
        write=write_of(entry.intended),
        title=excerpt(entry.summary),
        day=entry.day,
        why=why,
        at=context.now,
    )


def _trash_warnings(results: Iterable[_Result]) -> Iterator[PlanWarning]:
    for result in results:
        if result.end is _End.TRASHED:
            entry = result.job.entry
            message = (
                f"The server keeps “{excerpt(entry.summary)}” on {entry.day} in its trash, so it "
                f"counts as deleted by you. To have it again: lorsync restore {entry.mentor}"
            )
            yield PlanWarning(code="trashed", subject=entry.uid, message=message)


def _tally(results: Iterable[_Result], warnings: tuple[PlanWarning, ...]) -> Outcomes:
    listed = list(results)
    done = {kind: set[Uid]() for kind in (Create, Update, Release, Acknowledge, Delete)}
    for result in listed:
        if result.end is _End.DONE:
            done[type(result.job.action)].add(result.job.entry.uid)
    return Outcomes(
        created=frozenset(done[Create]),
        updated=frozenset(done[Update] | done[Release] | done[Acknowledge]),
        deleted=frozenset(done[Delete]),
        adopted=frozenset(
            result.job.entry.uid
            for result in listed
            if result.end is _End.MET and isinstance(result.job.action, Create)
        ),
        entries={r.job.entry.uid: r.after for r in listed if isinstance(r.after, Entry)},
        warnings=warnings,
    )
