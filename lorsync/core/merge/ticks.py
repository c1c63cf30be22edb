"""Bring an entry's ticks up to date with its title: stated, kept, or taken back (S13, S14)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lorsync.core.event.content import Property, text_digest, without_note
from lorsync.core.event.ical import Reading, read_or_none
from lorsync.core.event.stamp import vouches_for_text, vouches_for_title
from lorsync.core.event.title_ticks import Tick, find_tick, stated_facts
from lorsync.core.facts import Fact
from lorsync.core.merge.entry import Entry

_SKEW = timedelta(hours=1)
_LONGEST = timedelta(days=366)
"""How far LAST-MODIFIED may lie back: a year ago, no season had begun."""


def with_ticks(
    entry: Entry, before: Entry, remote: Reading, now: datetime, zone: ZoneInfo
) -> Entry:
    """Return an entry with the facts that its title states now.

    ``before`` is the entry as it was, ``now`` the aware time of the pass. Only a title that says
    what it said without its tick takes facts back, and none of a version that came back (S17).
    """
    title = remote.meaning.summary
    seen = _last_seen(before, zone)
    # Where a write was not seen to arrive, what was seen before it is no change either (I7). To a
    # series nothing is written, and which of its titles counted, the entry says.
    alone = None if seen is None or seen.exceptions else seen.meaning.summary
    unchanged = title in (before.summary, alone)
    if before.ticks and unchanged:
        return replace(entry, ticks=before.ticks, title=before.title)
    if before.ticks and is_earlier(remote, before, zone) and _is_ours(title, before, remote):
        # It is silenced once more, so an alarm in it is nobody's wish.
        silent = entry.theirs - {Property.ALARMS}
        return replace(entry, ticks=before.ticks, title=before.title or title, theirs=silent)
    earlier = _earlier(before, remote)
    tick = _tick(title, before, remote, now, zone)
    if tick is None:
        taken_back = _is_ours(title, before, remote) or title == before.title
        ticks = () if taken_back else tuple(earlier.items())
        # A title of their own says no more what was ticked, and stays as it is (I4).
        return replace(entry, ticks=ticks, title="")
    rest = without_note(tick.rest or before.title or ("" if before.ticks else before.summary))
    known = earlier.pop(tick.fact, None)
    day = _day(tick.day, known) or _day_of_change(before, remote, now, zone)
    mine = not tick.rest or _is_ours(rest, before, remote)
    return replace(
        entry,
        ticks=(*earlier.items(), (tick.fact, day)),
        title=rest,
        learned=False,
        theirs=entry.theirs - {Property.TITLE} if mine else entry.theirs,
    )


def telling(remote: Reading, before: Entry, now: datetime, zone: ZoneInfo) -> Reading:
    """Return a reading with the title that states a fact, where it is that of an exception.

    Who makes a series of an event ticks off one occurrence (RFC 5545 section 3.8.4.4); ``before``
    is the entry as it was, ``now`` the aware time of the pass.
    """
    if not remote.exceptions:
        return remote
    titles = (remote.meaning.summary, *remote.exceptions)
    if before.ticks and before.summary in titles:
        title = before.summary
    else:
        title = next((t for t in titles if _tick(t, before, remote, now, zone)), titles[0])
    return replace(remote, meaning=replace(remote.meaning, summary=title))


def is_earlier(remote: Reading, before: Entry, zone: ZoneInfo) -> bool:
    """Tell whether a body comes before the one that was last seen: a backup was restored (S17).

    A client that changes an event never lowers its SEQUENCE (RFC 5545 section 3.8.7.4), and where
    one does, its LAST-MODIFIED tells.
    """
    seen = _last_seen(before, zone)
    if seen is None or remote.sequence >= seen.sequence:
        return False
    since = remote.modified
    return since is None or (seen.modified is not None and since <= seen.modified)


def _tick(title: str, before: Entry, remote: Reading, now: datetime, zone: ZoneInfo) -> Tick | None:
    return find_tick(
        title,
        before.identity.kind,
        is_known=lambda text: _is_known(text, before, remote),
        today=now.astimezone(zone).date(),
    )


def _earlier(before: Entry, remote: Reading) -> dict[Fact, date]:
    """Return the facts that this event stated before: by the ledger, else by its own block."""
    if before.echo is not None or before.sent is not None or before.ticks:
        return dict(before.ticks)
    if remote.block is None or not vouches_for_text(remote.block):
        return {}
    return stated_facts(remote.block.text)


def _day(typed: date | None, known: date | None) -> date | None:
    """Return the day that the title names; a known one where it names none, or the same."""
    if typed is None or known is None:
        return typed or known
    same = (typed.month, typed.day) == (known.month, known.day)
    return known if same else typed


def _day_of_change(before: Entry, remote: Reading, now: datetime, zone: ZoneInfo) -> date:
    """Return the day on which the title was changed, as far as LAST-MODIFIED is plausible."""
    today, changed = now.astimezone(zone).date(), remote.modified
    if changed is None or not now - _LONGEST <= changed <= now + _SKEW:
        return today
    last = _last_change(before, zone)
    if last is not None and changed <= last:
        return today
    return min(changed.astimezone(zone).date(), today)


def _last_change(before: Entry, zone: ZoneInfo) -> datetime | None:
    """Return LAST-MODIFIED of what was seen before: a change since then is a later one."""
    seen = _last_seen(before, zone)
    return None if seen is None else seen.modified


def _last_seen(before: Entry, zone: ZoneInfo) -> Reading | None:
    """Return what the server held when last seen, None where that is unknown or unreadable."""
    return None if before.echo is None else read_or_none(before.echo, before.uid, zone)


def _is_known(text: str, before: Entry, remote: Reading) -> bool:
    """Tell whether the event bore this title before: ours, or one of the person's own.

    Of one that could never be read it was seen, but not what it states.
    """
    folded = " ".join(text.split())
    was_read = before.echo is not None or before.sent is not None
    borne = {before.summary, before.title} if was_read else {before.title}
    return _is_ours(folded, before, remote) or folded in borne - {""}


def _is_ours(text: str, before: Entry, remote: Reading) -> bool:
    """Tell whether lorsync wrote this title."""
    sent = before.sent_digests
    if sent is not None and text_digest(text) == sent[Property.TITLE]:
        return True
    return remote.block is not None and vouches_for_title(remote.block, text)
