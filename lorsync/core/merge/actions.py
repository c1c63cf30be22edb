"""Actions: hold the entries against the plan, property by property, and announce the writes.

What only the person changed stays theirs, what only the plan changed is written, and what both
changed stays theirs. A past event is history, and so is a ticked one (I6, S13).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from lorsync.core.event.content import EVERY, Content, Property, alarms_for, without_note
from lorsync.core.event.ical import (
    UnreadableError,
    acknowledge,
    create,
    need_again,
    read,
    release,
    rewrite,
)
from lorsync.core.event.title_ticks import ticked_title
from lorsync.core.merge.entry import Entry, Intent, State
from lorsync.core.model import Event, EventStyle, Kind, LetterId, Uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Write an event that is not there."""

    event: Event
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Write new content into these properties of an event, and leave the others.

    One that was released is the event again then (S10).
    """

    entry: Entry
    event: Event
    content: Content
    properties: frozenset[Property]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let the person keep an event that is not needed: a note in its title, no alarms (S10)."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Write what a title states in the one form, keep its day in the block, silence it (S13)."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Remove an event that is no longer wanted and holds none of the person's words.

    ``explained``: a stated fact made it needless, so it is no accident of the config (S18).
    """

    entry: Entry
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Remember something of an event whose VEVENT needs no write."""

    entry: Entry


Action = Create | Update | Release | Acknowledge | Delete | Note


def decide(
    entries: Mapping[Uid, Entry],
    wanted: Mapping[Uid, tuple[Event, Content]],
    *,
    today: date,
    style: EventStyle,
    known_letters: Collection[LetterId],
    explained: Collection[Uid],
) -> list[Action]:
    """Return what is to be done, creations first.

    ``explained`` are the entries that stated facts have made needless.
    """
    actions: list[Action] = []
    for uid, (event, content) in wanted.items():
        entry = entries.get(uid)
        if entry is None:
            actions.append(Create(event=event, content=content))
        elif entry.day >= today:
            actions += _standing(entry, event, content, style)
    live = [entry for entry in entries.values() if entry.state is State.LIVE]
    # What is ticked is history from then on, whatever becomes of its letters (S13).
    actions += [Acknowledge(entry=entry) for entry in live if entry.ticks and not entry.settled]
    for entry in departing(live, wanted, today=today, known_letters=known_letters):
        if entry.has_words:
            actions.append(Release(entry=entry))
        else:
            actions.append(Delete(entry=entry, explained=entry.uid in explained))
    return actions


def departing(
    entries: Iterable[Entry],
    wanted: Collection[Uid],
    *,
    today: date,
    known_letters: Collection[LetterId],
) -> list[Entry]:
    """Return the events that go: they stand, are neither wanted nor history (I6, S13)."""
    return [
        entry
        for entry in entries
        if entry.state is State.LIVE and not entry.ticks and entry.uid not in wanted
        if entry.day >= today or _is_stray(entry, today, known_letters)
    ]


def _is_stray(entry: Entry, today: date, known_letters: Collection[LetterId]) -> bool:
    """Tell whether a past event is of letters that are no more, and goes with them (I6).

    Not a follow-up, which counts for good, nor what was ticked or written into.
    """
    orphaned = not any(letter in known_letters for letter in entry.letters)
    past = entry.state is State.LIVE and entry.day < today
    kept = entry.identity.kind is Kind.FOLLOW_UP or bool(entry.ticks) or entry.has_words
    return orphaned and past and not kept


def _standing(entry: Entry, event: Event, content: Content, style: EventStyle) -> list[Action]:
    """Return what is to be done to a wanted event that is ahead and stands, or does not."""
    try:
        if entry.state is State.RELEASED:
            return [_needed_again(entry, event, content, style)]
        if entry.state is State.LIVE and not entry.ticks:
            return _keep_true(entry, event, content, style)
    except UnreadableError:
        # An earlier version could read its echo: one object never stops the rest.
        return [Note(entry=replace(entry, state=State.UNREADABLE))]
    return []


def _keep_true(entry: Entry, event: Event, content: Content, style: EventStyle) -> list[Action]:
    content = _with_their_alarms(entry, content, style)
    digests, sent = content.digests, entry.sent_digests
    moved = {p for p in Property if sent is None or sent[p] != digests[p]} - entry.theirs
    if moved and entry.echo is not None:
        # What the server says already, by another lorsync's hand, needs no write (S20).
        there = read(entry.echo, entry.uid, style.zone).meaning.digests
        moved = {p for p in moved if there[p] != digests[p]}
    if moved:
        return [Update(entry=entry, event=event, content=content, properties=frozenset(moved))]
    current = replace(entry, sent_digests=digests, letters=event.letters)
    return [] if current == entry else [Note(entry=current)]


def _needed_again(entry: Entry, event: Event, content: Content, style: EventStyle) -> Update:
    """Return the update that makes a released event the event that it was (S10)."""
    content = _with_their_alarms(entry, content, style)
    return Update(entry=entry, event=event, content=content, properties=EVERY - entry.theirs)


def _with_their_alarms(entry: Entry, content: Content, style: EventStyle) -> Content:
    """Return the content with its alarms counted from the start that the person chose (S10)."""
    if Property.DATE not in entry.theirs or entry.echo is None:
        return content
    start = read(entry.echo, entry.uid, style.zone).meaning.start
    return replace(content, alarms=alarms_for(start, style))


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
