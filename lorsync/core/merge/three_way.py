"""Bring a ledger entry up to date with the server: what did the person do, what did we (S1 to S5)?

Everything here is pure. A property counts as the person's when it changed on the server and the
stamp does not vouch for it; it is ours again once it says what the plan says.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lorsync.core.event.content import EVERY, Digests, Property, is_noted
from lorsync.core.event.ical import Reading, UnreadableError, read, read_or_none
from lorsync.core.event.stamp import peek, planned_day
from lorsync.core.merge.entry import Entry, Intent, State
from lorsync.core.merge.ticks import is_earlier, telling, with_ticks
from lorsync.core.model import Kind, Uid

CERTAIN_AFTER = timedelta(hours=1)
"""How long a deletion waits for a second complete listing: an undo looks the same (S11)."""

_STAMPED = frozenset({Property.DATE, Property.TITLE, Property.TEXT})
"""What the stamp vouches for, and what no server rewrites in its meaning (S3, S5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Observe that an event is not on the server and need not be remembered.

    ``retired``: lorsync itself deleted it, so its UID must not be used again (S8).
    """

    uid: Uid
    retired: bool


def observe_absent(
    entry: Entry,
    zone: ZoneInfo,
    *,
    now: datetime,
    complete: bool,
    believed: bool = False,
    ours: bool = False,
) -> Entry | Gone:
    """Bring an entry up to date whose resource is not on the server.

    It is missing first, and dismissed at a later *complete* listing, an hour on (S11), or at once
    where the person has said so (``believed``, S18). One that was released is forgotten instead:
    nothing is spent by taking a note away (S10). ``ours``: another lorsync deleted it (S20).
    ``zone`` is the applicant's, whose day tells a deletion from tidying up (I6); ``now`` is aware.
    """
    if entry.intent is Intent.CREATE:
        return Gone(uid=entry.uid, retired=False)
    if entry.intent is Intent.DELETE or ours:
        return Gone(uid=entry.uid, retired=True)
    if entry.state is State.DISMISSED:
        return entry
    since = entry.missing_since or now.astimezone(zone)
    certain = believed or (complete and now - since >= CERTAIN_AFTER)
    released = entry.state in {State.RELEASED, State.DISCARDED}
    if released and certain:
        return Gone(uid=entry.uid, retired=True)
    missing = State.DISCARDED if released else State.MISSING
    return replace(
        _settled(entry),
        state=State.DISMISSED if certain else missing,
        missing_since=since,
        etag=None,
    )


def observe_present(
    entry: Entry, body: bytes, etag: str | None, zone: ZoneInfo, *, now: datetime
) -> Entry:
    """Bring an entry up to date with what the server holds under its href; ``now`` is aware."""
    try:
        remote = read(body, entry.uid, zone)
    except UnreadableError:
        spoiled = replace(_settled(entry), state=State.UNREADABLE, etag=etag, missing_since=None)
        return spoiled if entry.summary else _as_stamped(spoiled, body)
    today = now.astimezone(zone).date()
    remote = telling(remote, entry, now, zone)
    released, writing = _is_released(entry, remote, zone), entry
    arrived = _has_arrived(entry, remote, zone)
    comparable = _STAMPED | _kept_as_sent(entry, zone) if arrived else _STAMPED
    before = entry = _settled(_resolved(entry) if arrived else entry)
    meaning = remote.meaning
    known = entry.echo is not None or entry.sent is not None
    day = meaning.day(zone)
    theirs = _theirs(entry, remote, zone, comparable, writing.intended_digests)
    observed = replace(
        entry,
        planned=_planned(entry, remote) if Property.DATE in theirs else None,
        theirs=theirs,
        extras=meaning.extras,
        echo=body,
        etag=etag,
        day=day,
        summary=meaning.summary,
        sequence=max(entry.sequence, remote.sequence),
        # Another lorsync's writing: the plan says whether it is still right.
        sent_digests=entry.sent_digests if known and not is_earlier(remote, entry, zone) else None,
        missing_since=None,
    )
    observed = with_ticks(observed, before, remote, now, zone)
    observed = replace(
        observed,
        state=_state(observed, released=released),
        passed=_passed(observed, before, today),
    )
    if arrived and writing.intent is Intent.RELEASE:
        return replace(observed, sent=writing.echo)
    return observed


def confirm(
    entry: Entry,
    body: bytes,
    etag: str | None,
    *,
    put_etag: str | None,
    zone: ZoneInfo,
    now: datetime,
) -> Entry:
    """Take what the server holds after our own write as the echo of it (S1).

    Where the ETag differs from the PUT's, or the PUT gave none, another hand may have been quicker:
    then date, title and text that differ from what was sent are the person's (S5).
    """
    releasing = entry.intent is Intent.RELEASE
    written = replace(
        _settled(entry),
        state=State.RELEASED if releasing else State.LIVE,
        sent=entry.intended,
        sent_digests=entry.intended_digests,
        echo=None,
        missing_since=None,
    )
    if etag is not None and etag == put_etag:
        confirmed = replace(written, echo=body, etag=etag)
    else:
        confirmed = observe_present(written, body, etag, zone, now=now)
    return replace(confirmed, sent=entry.echo) if releasing else confirmed


def has_arrived(entry: Entry, body: bytes, zone: ZoneInfo) -> bool:
    """Tell whether the server holds what an entry announces, whatever it answered (I7)."""
    remote = read_or_none(body, entry.uid, zone)
    return remote is not None and _has_arrived(entry, remote, zone)


def is_unstored(entry: Entry, body: bytes, zone: ZoneInfo) -> bool:
    """Tell whether an announced change left no trace: what stood there before still does.

    Of what no server rewrites alone: a property that one drops is no reason to write again (S1).
    """
    if entry.intended is None or entry.echo is None:
        return False
    try:
        there, wanted, before = (
            _lasting(each, entry.uid, zone) for each in (body, entry.intended, entry.echo)
        )
    except UnreadableError:
        return False
    return there == before != wanted


def _lasting(body: bytes, uid: Uid, zone: ZoneInfo) -> tuple[object, ...]:
    """Return what of a body no server rewrites: what the stamp vouches for, and what it says."""
    reading = read(body, uid, zone)
    return (reading.released, *(reading.meaning.digests[p] for p in sorted(_STAMPED)))


def _as_stamped(entry: Entry, body: bytes) -> Entry:
    """Take day and title of an event that was never read from its stamp and its text (S3).

    So that it passes on its day like any other, and is named in a report.
    """
    seen = peek(body)
    return replace(entry, day=seen.planned or entry.day, summary=seen.title)


def _state(entry: Entry, *, released: bool) -> State:
    """Return what has become of an event that stands; what was done after all is history (S13)."""
    if released and not entry.ticks:
        return State.RELEASED
    return State.THEIRS if entry.wholly_theirs else State.LIVE


def _is_released(entry: Entry, remote: Reading, zone: ZoneInfo) -> bool:
    """Tell whether an event is one that lorsync left to the person as no longer needed (S10).

    Its stamp says so on every machine. Where a client lost that, or there is none, the ledger knows
    it, until a version from before comes back (S17).
    """
    if remote.released or entry.state is not State.RELEASED:
        return remote.released
    if remote.block is not None:
        return is_noted(remote.meaning.summary)
    return not is_earlier(remote, entry, zone)


def _planned(entry: Entry, remote: Reading) -> date | None:
    """Return the day that the plan has, or last had, for an event that the person moved.

    The stamp says it, else it stood there before the move; None where nobody knows.
    """
    stamped = None if remote.block is None else planned_day(remote.block)
    if stamped is not None:
        return stamped
    if Property.DATE in entry.theirs or (entry.echo is None and entry.sent is None):
        return entry.planned
    return entry.day


def _passed(entry: Entry, before: Entry, today: date) -> date | None:
    """Return the day on which a follow-up had passed before its title stated anything.

    One that stands ahead again has not been sent yet.
    """
    if entry.identity.kind is not Kind.FOLLOW_UP or entry.day >= today:
        return None
    late = bool(entry.ticks) and not before.ticks and before.day < today
    return before.day if late else entry.passed


def _theirs(
    entry: Entry,
    remote: Reading,
    zone: ZoneInfo,
    comparable: frozenset[Property],
    announced: Digests | None,
) -> frozenset[Property]:
    """Say which properties the person has, of those that lorsync writes.

    What a write has ``announced`` does not become theirs by another one that they changed since,
    so that it cannot be seen to have arrived (I7).
    """
    base, now = _base(entry, zone, comparable), remote.meaning.digests
    ours = {p for p in Property if announced is not None and now[p] == announced[p]} - entry.theirs
    return frozenset(p for p in Property if p not in ours and _is_theirs(p, entry, remote, base))


class _Base(NamedTuple):
    """What an event is compared with: its digests, and which of them can be.

    ``stamped``: it has the stamp, which says what of it is lorsync's.
    """

    digests: Digests
    comparable: Collection[Property]
    stamped: bool


def _is_theirs(p: Property, entry: Entry, remote: Reading, base: _Base | None) -> bool:
    now = remote.meaning.digests[p]
    if p in entry.theirs and base is not None and now == base.digests[p]:
        # As they left it, even if the plan has come to say the same; but what was theirs for want
        # of a stamp is ours again by one that came back (S3, S17).
        return base.stamped or p not in _STAMPED or p in remote.touched
    if entry.sent_digests is not None and now == entry.sent_digests[p]:
        return False  # It says what the plan says: an edit undone, or none.
    if p in entry.theirs:
        # Once it agrees with the stamp again, an old version came back (S3, S17). Where there is
        # nothing to compare with, the memory has said that it is theirs (S4).
        return base is None or p not in _STAMPED or p in remote.touched
    if base is None:
        return p in remote.touched
    if p not in base.comparable or now == base.digests[p]:
        return False  # As it was, or as the server makes of it (S1).
    return p not in _STAMPED or p in remote.touched


def _base(entry: Entry, zone: ZoneInfo, comparable: frozenset[Property]) -> _Base | None:
    """Return what to compare with: the echo, else what was sent (S5)."""
    body, which = (entry.echo, EVERY) if entry.echo is not None else (entry.sent, comparable)
    if body is None:
        return None
    seen = read_or_none(body, entry.uid, zone)
    return None if seen is None else _Base(seen.meaning.digests, which, seen.block is not None)


def _kept_as_sent(entry: Entry, zone: ZoneInfo) -> frozenset[Property]:
    """Return the properties that the server held just as they were sent when it was last seen.

    It does not rewrite these, so where they differ from what is sent next, somebody changed them.
    What another lorsync sent is what the plan says.
    """
    sent = entry.sent_digests
    if entry.sent is not None:
        sent = _digests(entry.sent, entry.uid, zone)
    held = None if entry.echo is None else _digests(entry.echo, entry.uid, zone)
    if held is None or sent is None:
        return frozenset()
    return frozenset(p for p in Property if held[p] == sent[p])


def _resolved(entry: Entry) -> Entry:
    """Take a write that was announced as done: it has arrived, by what the server holds (I7)."""
    return replace(entry, sent=entry.intended, sent_digests=entry.intended_digests, echo=None)


def _has_arrived(entry: Entry, remote: Reading, zone: ZoneInfo) -> bool:
    if entry.intended is None:
        return False
    intended = read_or_none(entry.intended, entry.uid, zone)
    if intended is None or intended.released is not remote.released:
        return False
    wanted, there = intended.meaning.digests, remote.meaning.digests
    same = {p for p in Property if wanted[p] == there[p]}
    # Alarms alone may differ by the server's doing, or because the write was never sent.
    return same == EVERY or (same >= _STAMPED and remote.sequence >= intended.sequence)


def _digests(body: bytes, uid: Uid, zone: ZoneInfo) -> Digests | None:
    found = read_or_none(body, uid, zone)
    return None if found is None else found.meaning.digests


def _settled(entry: Entry) -> Entry:
    return replace(entry, intent=None, intended=None, intended_digests=None)
