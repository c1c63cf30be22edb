"""Send announced writes, several at once, each under its guard, and say what came of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lorsync.core.announcing import Write
from lorsync.core.decision import Create, Delete
from lorsync.core.entry import Entry, Intent
from lorsync.core.model import Uid
from lorsync.errors import ServerFailedError, TryAgainError
from lorsync.ports import (
    Calendar,
    DeletedUidError,
    ETag,
    Href,
    PreconditionFailedError,
    Progress,
    ResourceGoneError,
    WriteRefusedError,
)
from lorsync.preconditions import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
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


def forestalled(jobs: Sequence[Job], calendar: Calendar, kept: Kept) -> dict[Uid, Reply]:
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
    jobs: Sequence[Job],
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


def _send_unless_stopping(job: Job, calendar: Calendar, stopping: Callable[[], bool]) -> Reply:
    """Send a write, but begin none once the pass is to stop: its intent waits for the next one."""
    if stopping():
        msg = "Stopped between two writes; the next pass goes on."
        raise TryAgainError(msg)
    return _send_one(job, calendar)


def _send_one(job: Job, calendar: Calendar) -> Reply:
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
