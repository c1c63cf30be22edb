"""Decide what to do with each event, from what was sent, what came back and what is there now.

Two steps, both pure. :func:`observe_present` and :func:`observe_absent` bring one ledger entry up
to date with the server: they tell a person's edit from our own writing (S1, S3, S5).
:func:`decide` holds the entries against the plan and yields actions. An event that a person changed
or removed is left alone and reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from lorsync.core.content import Content
from lorsync.core.entry import Entry, Intent, State
from lorsync.core.ical import Meaning, Reading, UnreadableError, changed, read, write
from lorsync.core.model import Event, LetterId, Uid

_NEVER_REWRITTEN = frozenset({"date", "title", "notes"})
"""What no server rewrites in its meaning, and what the stamp vouches for (S3, S5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Observe that an event is not on the server and need not be remembered.

    ``retired``: lorsync itself deleted it, so its UID must not be used again (S8).
    """

    uid: Uid
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Write an event that is not there."""

    event: Event
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Write new content into an event that only lorsync has touched."""

    entry: Entry
    event: Event
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Remove an event that is no longer wanted and that only lorsync has touched.

    ``explained``: a stated fact made it needless, so it is no accident of the config (S18).
    """

    entry: Entry
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Remember something of an event whose VEVENT needs no write."""

    entry: Entry


Action = Create | Update | Delete | Note


def observe_absent(entry: Entry) -> Entry | Gone:
    """Bring an entry up to date whose resource is not on the server."""
    match entry.intent:
        case Intent.CREATE:
            return Gone(uid=entry.uid, retired=False)
        case Intent.DELETE:
            return Gone(uid=entry.uid, retired=True)
        case _:
            return replace(_settled(entry), state=State.MISSING, etag=None)


def observe_present(entry: Entry, body: bytes, etag: str | None, zone: ZoneInfo) -> Entry:
    """Bring an entry up to date with what the server holds under its href."""
    try:
        remote = read(body, entry.uid, zone)
    except UnreadableError as error:
        unreadable = f"unreadable: {error}"
        return replace(_settled(entry), state=State.KEPT, etag=etag, changed=(unreadable,))
    entry = _settled(_resolved(entry, remote, zone))
    differences = _differences(entry, remote, zone)
    entry = replace(
        entry,
        etag=etag,
        day=remote.meaning.day(zone),
        summary=remote.meaning.summary,
        sequence=max(entry.sequence, remote.sequence),
    )
    if not differences:
        return replace(entry, state=State.LIVE, changed=(), echo=body)
    if not remote.touched and _NEVER_REWRITTEN.issuperset(differences):
        # Another lorsync wrote this (S3): the plan says whether it is still right.
        return replace(entry, state=State.LIVE, changed=(), echo=body, sent=body, sent_digest=None)
    return replace(entry, state=State.KEPT, changed=differences)


def confirm(
    entry: Entry, body: bytes, etag: str | None, *, put_etag: str | None, zone: ZoneInfo
) -> Entry:
    """Take what the server holds after our own write as the echo of it (S1).

    Where the ETag differs from the PUT's, or the PUT gave none, another hand may have been quicker:
    then date, title and text that differ from what was sent are the person's (S5).
    """
    written = replace(
        _settled(entry),
        state=State.LIVE,
        changed=(),
        sent=entry.intended,
        sent_digest=entry.intended_digest,
        echo=None,
    )
    if etag is not None and etag == put_etag:
        return replace(written, echo=body, etag=etag)
    return observe_present(written, body, etag, zone)


def decide(
    entries: Mapping[Uid, Entry],
    wanted: Mapping[Uid, tuple[Event, Content]],
    *,
    today: date,
    zone: ZoneInfo,
    known_letters: frozenset[LetterId],
    explained: frozenset[Uid],
) -> list[Action]:
    """Return what is to be done, creations first; a past event is history and stays (I6).

    ``explained`` are the entries that stated facts have made needless.
    """
    actions: list[Action] = []
    for uid, (event, content) in wanted.items():
        entry = entries.get(uid)
        if entry is None:
            actions.append(Create(event=event, content=content))
        elif entry.state is State.LIVE and entry.day >= today:
            actions += _keep_true(entry, event, content, zone)
    for uid, entry in entries.items():
        if uid in wanted or entry.state is not State.LIVE:
            continue
        orphaned = not known_letters.intersection(entry.letters)
        if entry.day >= today or orphaned:
            actions.append(Delete(entry=entry, explained=uid in explained))
    return actions


def _keep_true(entry: Entry, event: Event, content: Content, zone: ZoneInfo) -> list[Action]:
    digest = entry.sent_digest
    if digest is None and entry.echo is not None:
        planned = read(write([content]), entry.uid, zone).meaning
        if not changed(planned, read(entry.echo, entry.uid, zone).meaning):
            digest = content.digest
    if digest != content.digest:
        return [Update(entry=entry, event=event, content=content)]
    current = replace(entry, sent_digest=digest, letters=event.letters, summary=event.summary)
    return [] if current == entry else [Note(entry=current)]


def _resolved(entry: Entry, remote: Reading, zone: ZoneInfo) -> Entry:
    """Say whether a write that was announced has arrived, by what the server holds now (I7)."""
    if entry.intended is None:
        return entry
    intended = read(entry.intended, entry.uid, zone).meaning
    if _NEVER_REWRITTEN.intersection(changed(intended, remote.meaning)):
        return entry
    return replace(entry, sent=entry.intended, sent_digest=entry.intended_digest, echo=None)


def _differences(entry: Entry, remote: Reading, zone: ZoneInfo) -> tuple[str, ...]:
    """Name what a person changed: against the echo, else what was sent, else the stamp."""
    if entry.echo is not None:
        return changed(_meaning(entry.echo, entry.uid, zone), remote.meaning)
    if entry.sent is not None:
        names = changed(_meaning(entry.sent, entry.uid, zone), remote.meaning)
        return tuple(name for name in names if name in _NEVER_REWRITTEN)
    return remote.touched


def _meaning(body: bytes, uid: Uid, zone: ZoneInfo) -> Meaning:
    return read(body, uid, zone).meaning


def _settled(entry: Entry) -> Entry:
    return replace(entry, intent=None, intended=None, intended_digest=None)
