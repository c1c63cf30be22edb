"""Say in the ledger what is about to be written: the intent, with the very body (I7)."""

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

from lorsync.core.content import Content, Property, without_note
from lorsync.core.decision import Acknowledge, Create, Delete, Release, Update
from lorsync.core.entry import Entry, Intent, State
from lorsync.core.ical import acknowledge, create, need_again, read, release, rewrite
from lorsync.core.model import Event, Uid
from lorsync.core.ticks import ticked_title

Write = Create | Update | Release | Acknowledge | Delete
"""An action that is a request to the server."""


def announced(action: Write, href_for: Callable[[Uid], str], zone: ZoneInfo) -> Entry:
    """Return the ledger entry that announces a write; ``zone`` is the applicant's.

    Raises UnreadableError or UnwritableError where the event has to be left as it is.
    """
    match action:
        case Create(event=event, content=content):
            entry = Entry(
                uid=event.uid,
                href=href_for(event.uid),
                identity=event.identity,
                mentor=event.mentor,
                letters=event.letters,
                day=event.day,
                summary=event.summary,
                intent=Intent.CREATE,
                intended=create(content),
                intended_digests=content.digests,
            )
        case Update(entry=before, event=event, content=content, properties=properties):
            entry = replace(
                before,
                letters=event.letters,
                day=before.day if Property.DATE in before.theirs else event.day,
                summary=_title(before, event),
                planned=event.unpinned_day if event.pinned else None,
                intent=Intent.UPDATE,
                intended=_rewritten(before, content, properties),
                intended_digests=content.digests,
            )
        case Release(entry=before):
            entry = replace(before, intent=Intent.RELEASE, intended=_released(before))
        case Acknowledge(entry=before):
            entry = _acknowledged(before, zone)
        case Delete(entry=before):
            entry = replace(before, intent=Intent.DELETE)
    return entry


def _title(before: Entry, event: Event) -> str:
    """Return the title that an event has after an update."""
    if Property.TITLE not in before.theirs:
        return event.summary
    return without_note(before.summary) if before.state is State.RELEASED else before.summary


def _rewritten(before: Entry, content: Content, properties: frozenset[Property]) -> bytes:
    """Return the body of an update: what the server holds, with these properties of ours in it."""
    base = before.echo or before.sent
    if base is None:
        msg = f"{before.uid} is to be updated and was never seen"
        raise AssertionError(msg)
    sequence = before.sequence + 1
    if before.state is State.RELEASED:
        return need_again(
            base, content, sequence=sequence, properties=properties, before=before.sent
        )
    return rewrite(base, content, sequence=sequence, properties=properties)


def _released(before: Entry) -> bytes:
    """Return the body that lets the person keep an event."""
    base = before.echo or before.sent
    if base is None:
        msg = f"{before.uid} is to be released and was never seen"
        raise AssertionError(msg)
    return release(base, before.uid, sequence=before.sequence + 1)


def _acknowledged(before: Entry, zone: ZoneInfo) -> Entry:
    """Return the entry that announces a ticked event in its settled form."""
    base = before.echo or before.sent
    if base is None:
        msg = f"{before.uid} is to be acknowledged and was never seen"
        raise AssertionError(msg)
    title = ticked_title(*before.ticks[-1], before.title)
    body = acknowledge(
        base, before.uid, sequence=before.sequence + 1, title=title, facts=before.ticks
    )
    now = read(body, before.uid, zone).meaning.digests
    written = {Property.TEXT, Property.ALARMS} - before.theirs
    digests = before.sent_digests
    return replace(
        before,
        summary=title,
        intent=Intent.UPDATE,
        intended=body,
        intended_digests=None if digests is None else {**digests, **{p: now[p] for p in written}},
    )
