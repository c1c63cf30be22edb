"""Write the memory, before the acts that it remembers (S4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lorsync.core.content import Content
from lorsync.core.digest import config_digest
from lorsync.core.entry import Entry
from lorsync.core.ical import (
    UnreadableError,
    UnwritableError,
    has_guests,
    replace_text,
    sequence_of,
    write,
)
from lorsync.core.identity import SeasonKey
from lorsync.core.memory import (
    MEMORY_DAY,
    MEMORY_TITLE,
    Members,
    Memory,
    asks_of,
    kept_of,
    memory_generation,
    memory_uid,
    yours_of,
)
from lorsync.core.memory_text import text_of
from lorsync.core.model import Event, PlanWarning, Renamed, Uid
from lorsync.core.stamp import stamped
from lorsync.errors import ServerFailedError, TryAgainError
from lorsync.planning import doubts_of, marks_of
from lorsync.ports import (
    Calendar,
    ETag,
    Href,
    Ledger,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    WriteRefusedError,
)
from lorsync.preconditions import (
    kept_by,
    remember_careless,
    remember_refused,
    warn_of_unnamed,
)
from lorsync.recalling import (
    Recalled,
    recalled,
    remember,
    remember_seen,
    says_the_same,
    writer_of,
)
from lorsync.setbacks import (
    Setback,
    SetbackKind,
    remember_setback_of_memory,
    setback_warnings,
    setbacks,
    write_of,
)
from lorsync.settings import Settings

_MOST_TRIES = 3
"""How many generations of the memory's UID are tried, since a refusal may have other reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorised:
    """What came of the memory: whether it was created or written, and what is to be said.

    ``failed``: the server failed at it, as it does at everything in an outage. ``doubtful``: the
    last time it was acknowledged and not stored.
    """

    created: bool = False
    written: Href | None = None
    warnings: tuple[PlanWarning, ...] = ()
    failed: bool = False
    doubtful: bool = False


def restore_memory(ledger: Ledger) -> bool:
    """Let the next pass write the memory again; False where it stands as lorsync wrote it.

    One that was deleted comes under another UID (S8); one that the person does not believe is
    written over (S4).
    """
    known = recalled(ledger)
    if known is None or not (known.gone or known.doubted):
        return False
    if known.gone:
        remember(ledger, Recalled(uid=_next(known.uid)))
    else:
        remember(ledger, replace(known, doubted=None, mending=True))
    return True


def wanted_memory(
    settings: Settings,
    ledger: Ledger,
    key: SeasonKey,
    entries: Mapping[Uid, Entry],
    retired: frozenset[Uid],
    *,
    members: Members,
    departed: Members,
    finished: Members,
    renamed: frozenset[Renamed],
    planned: Iterable[Event],
    today: date,
) -> Memory:
    """Return what the memory should say; ``retired`` includes what is about to be deleted.

    ``members`` are the mentors with their letters, as far as nobody has to be asked about them,
    ``departed`` those who were among them, ``finished`` the letters that are in or were declined,
    ``renamed`` the ids that are one and the same, ``planned`` the events that are wanted.
    """
    season = settings.season
    kept = [entry for uid, entry in entries.items() if uid not in retired]
    return Memory(
        key=key,
        applicant=season.applicant.name,
        cycle=season.cycle.name,
        config=config_digest(season, settings.style),
        writer=writer_of(ledger),
        place=ledger.place,
        seen=today,
        members=members,
        departed=departed,
        finished=finished,
        renamed=renamed,
        kept=kept_of(kept, today),
        retired=retired,
        marks=marks_of(season, ledger),
        doubts=doubts_of(season, ledger),
        yours=yours_of(kept),
        asks=asks_of(planned, members),
    )


def write_closed(
    calendar: Calendar,
    ledger: Ledger,
    there: Recalled | None,
    *,
    follower: SeasonKey,
    deleted: frozenset[Uid],
    now: datetime,
) -> None:
    """Say in the memory of a season that another follows, before anything of it is deleted (S6).

    Every other lorsync that keeps this season reads it there. Raises TryAgainError as
    ``write_memory`` does.
    """
    if there is None or there.memory is None:
        return
    said = there.memory
    retired = said.retired | deleted
    closed = replace(
        said,
        closed=follower,
        retired=retired,
        writer=writer_of(ledger),
        place=ledger.place,
    )
    write_memory(calendar, ledger, replace(there, doubted=None), closed, now=now)


def write_memory(
    calendar: Calendar, ledger: Ledger, there: Recalled | None, wanted: Memory, *, now: datetime
) -> Memorised:
    """Write the memory where it has to say more, or something else; one request.

    ``now`` is aware. Raises TryAgainError where another lorsync wrote it at the same moment: what
    it says has to be read first.
    """
    known = there or Recalled(uid=memory_uid(wanted.key, 0))
    if known.gone:
        return Memorised(warnings=(_deleted_warning(),))
    if known.doubted is not None:
        return Memorised()  # It stays as it is until the person has answered.
    if known.memory is not None and not known.mending and not _says_less(known.memory, wanted):
        return Memorised()
    if known.body is None and not wanted.members and not wanted.kept:
        return Memorised()  # Nothing was ever planned, and nothing is to be remembered.
    if known.body is not None and has_guests(known.body):
        # Each change of it would be mailed to them; it is the person's, and another one begins.
        known = Recalled(uid=_next(known.uid))
    before = setbacks(ledger).get(known.uid)
    if before is not None and before.waits(_write_of(wanted), now):
        return Memorised(warnings=setback_warnings([before]))
    failed = False
    try:
        written, warnings = _written(calendar, ledger, known, wanted)
    except PreconditionFailedError:
        msg = "Another lorsync wrote to this calendar at the same moment. Try again."
        raise TryAgainError(msg) from None
    except ResourceGoneError:
        remember(ledger, replace(known, gone=True, etag=None))
        return Memorised(warnings=(_deleted_warning(),))
    except WriteRefusedError as error:
        why = str(error)
    except ServerFailedError as error:
        why, failed = f"the server fails at it (HTTP {error.status}).", True
    else:
        remember(ledger, written)
        if before is not None and before.kind is SetbackKind.REFUSED:
            remember_setback_of_memory(None, ledger)
        href = calendar.href_for(written.uid)
        doubtful = before is not None and before.kind is SetbackKind.UNSTORED
        return Memorised(
            created=known.body is None, written=href, warnings=warnings, doubtful=doubtful
        )
    setback = _setback(known.uid, SetbackKind.REFUSED, wanted, why, now).after(before)
    remember_setback_of_memory(setback, ledger)
    return Memorised(warnings=setback_warnings([setback]), failed=failed)


def check_stored(
    calendar: Calendar, ledger: Ledger, seen: Mapping[Href, Resource], *, now: datetime
) -> tuple[PlanWarning, ...]:
    """Hold what was seen of the memory against what was written; ``now`` is aware.

    One that was acknowledged and is not there is written again by the next pass, and then named.
    """
    known = recalled(ledger)
    stored = remember_seen(ledger, calendar, seen)
    if known is None or known.memory is None:
        return ()
    before = setbacks(ledger).get(known.uid)
    if stored:
        if before is not None and before.kind is SetbackKind.UNSTORED:
            remember_setback_of_memory(None, ledger)
        return ()
    there = calendar.href_for(known.uid) in seen
    why = "the calendar holds what it held before." if there else "it is not there."
    setback = _setback(known.uid, SetbackKind.UNSTORED, known.memory, why, now).after(before)
    remember_setback_of_memory(setback, ledger)
    return setback_warnings([setback]) if setback.times > 1 else ()


def _write_of(memory: Memory) -> str:
    return write_of(text_of(memory).encode())


def _setback(uid: Uid, kind: SetbackKind, wanted: Memory, why: str, now: datetime) -> Setback:
    return Setback(
        uid=uid,
        kind=kind,
        write=_write_of(wanted),
        title=MEMORY_TITLE,
        day=MEMORY_DAY,
        why=why,
        at=now,
    )


def _written(
    calendar: Calendar, ledger: Ledger, known: Recalled, wanted: Memory
) -> tuple[Recalled, tuple[PlanWarning, ...]]:
    """Write the memory, and return it as it is then, with what is to be said of it.

    Raises as :meth:`lorsync.ports.Calendar.update` does, where it was not written.
    """
    if known.body is None:
        return _made(calendar, ledger, known, wanted), ()
    href, body = calendar.href_for(known.uid), _body(known, wanted)
    taken = kept_by(calendar, ledger).taken
    seen = known.etag if taken else None
    guard = seen or _seen_again(calendar, known, href)
    warnings = warn_of_unnamed(calendar, ledger) if guard is None else ()
    guard = guard if taken else None
    after = replace(known, etag=None, body=body, memory=wanted, mending=False)
    try:
        etag, told = _put_over(calendar, ledger, known, body, guard)
        warnings = (*warnings, *told)
    except (ResourceGoneError, WriteRefusedError, ServerFailedError) as error:
        held = calendar.fetch([href]).get(href)
        if held is not None and says_the_same(after, held):
            return replace(after, etag=held.etag), warnings
        if held is not None and isinstance(error, ResourceGoneError):
            msg = f"{href}: the server says that it is not there, and it is."
            raise WriteRefusedError(msg) from None
        raise
    return replace(after, etag=etag), warnings


def _put_over(
    calendar: Calendar, ledger: Ledger, known: Recalled, body: bytes, guard: ETag | None
) -> tuple[ETag | None, tuple[PlanWarning, ...]]:
    """Write the memory over the version that is known; without a guard where none is taken (S22).

    Raises as :meth:`lorsync.ports.Calendar.update` does.
    """
    href = calendar.href_for(known.uid)
    for _ in range(2):
        try:
            return calendar.update(href, body, guard), ()
        except PreconditionFailedError:
            held = calendar.fetch([href]).get(href)
            if guard is None or held is None or (held.etag != guard and held.body != known.body):
                raise
            # It is the very version that was named. One such answer may be a slip on the way.
            guard = held.etag or guard
    return calendar.update(href, body, None), remember_refused(calendar, ledger)


def _made(calendar: Calendar, ledger: Ledger, known: Recalled, wanted: Memory) -> Recalled:
    """Create the memory, under another UID where the server refuses this one.

    With the ledger lost too, nobody knows that the person deleted it, but Google and Nextcloud's
    trash bin do, and refuse what was deleted (S8). What was refused may be there all the same, and
    a second memory beside it would say something else one day: a look tells.
    """
    for _ in range(_MOST_TRIES):
        href, body = calendar.href_for(known.uid), _body(known, wanted)
        after = replace(known, body=body, memory=wanted, unseen=True)
        try:
            return replace(after, etag=_created(calendar, ledger, href, body))
        except (WriteRefusedError, ServerFailedError) as error:
            held = calendar.fetch([href]).get(href)
            if held is not None and says_the_same(after, held):
                return replace(after, etag=held.etag, unseen=False)
            if held is not None:
                raise PreconditionFailedError(href) from None
            if isinstance(error, ServerFailedError):
                raise
            refusal, known = error, replace(known, uid=_next(known.uid))
    raise refusal


def _next(uid: Uid) -> Uid:
    """Return the UID of the memory's next generation."""
    base = uid.removesuffix(f"-{memory_generation(uid)}")
    return Uid(f"{base}-{memory_generation(uid) + 1}")


def _created(calendar: Calendar, ledger: Ledger, href: Href, body: bytes) -> ETag | None:
    """Create the memory; where the server would overwrite another one, look first (S22)."""
    kept = kept_by(calendar, ledger)
    if not (kept.creation and kept.taken) and calendar.fetch([href]):
        raise PreconditionFailedError(href)
    try:
        return calendar.create(href, body) if kept.taken else calendar.update(href, body, None)
    except PreconditionFailedError:
        if not kept.taken or calendar.fetch([href]):
            raise
        # Nothing is there: the server cannot do If-None-Match, and says so with the events.
        return calendar.update(href, body, None)
    finally:
        remember_careless(kept, calendar, ledger)


def _seen_again(calendar: Calendar, known: Recalled, href: Href) -> ETag | None:
    """Look at a memory of which no version is known, and return that; None if it has none (S22).

    Raises PreconditionFailedError where it is not the memory that this pass has read, and
    ResourceGoneError.
    """
    there = calendar.fetch([href]).get(href)
    if there is None:
        raise ResourceGoneError(href)
    if there.body != known.body and not says_the_same(known, there):
        raise PreconditionFailedError(href)
    return there.etag


def _says_less(memory: Memory, wanted: Memory) -> bool:
    """Tell whether a memory lacks something, or keeps what was taken back since.

    That is a fact (S14), a doubt, or what is no longer the person's (S10).
    """
    if not wanted.points <= memory.points:
        return True
    ticked = {kept.uid: kept.ticks for kept in wanted.kept}
    given_back = any(own - wanted.yours.get(uid, frozenset()) for uid, own in memory.yours.items())
    return given_back or any(
        kept.ticks and ticked.get(kept.uid, ()) != kept.ticks for kept in memory.kept
    )


def _body(known: Recalled, wanted: Memory) -> bytes:
    block = stamped(MEMORY_TITLE, MEMORY_DAY.isoformat(), text_of(wanted))
    sequence = 0
    if known.body is not None:
        # Google refuses a lower one (409), and another machine takes it for a restored backup.
        sequence = sequence_of(known.body, known.uid) + 1
        try:
            return replace_text(known.body, known.uid, block)
        except (UnreadableError, UnwritableError):
            pass  # Nothing of it is worth keeping then.
    content = Content(
        uid=known.uid,
        start=MEMORY_DAY,
        end=MEMORY_DAY + timedelta(days=1),
        summary=MEMORY_TITLE,
        block=block,
        alarms=(),
    )
    return write([content], sequence=sequence)


def _deleted_warning() -> PlanWarning:
    message = (
        "You deleted the event in which lorsync keeps its memory, so it stays deleted. As long as "
        "lorsync's own file is there nothing is lost; to have it again: lorsync restore memory"
    )
    return PlanWarning(code="memory-deleted", subject="calendar", message=message)
