"""Apply what a pass decided: record what was seen, remember, write, and believe the listing.

This order makes a pass safe to kill (I7): an intent is in the ledger before its write, and a write
counts as done once its echo was seen.
"""

from collections.abc import Iterable
from dataclasses import replace

from lorsync.core.decision import Acknowledge, Action, Create, Delete, Note, Release, Update
from lorsync.core.entry import Entry, State, released
from lorsync.core.memory import departed_of, ids_in, members_of
from lorsync.core.model import Uid
from lorsync.core.renaming import renamed_now
from lorsync.deciding import Work
from lorsync.holding import remember_held
from lorsync.listings import remember_listing
from lorsync.memorising import Memorised, check_stored, wanted_memory, write_memory
from lorsync.planning import freeze_key, keep_marks, remember_renamed, today_of
from lorsync.ports import Href, Progress
from lorsync.recalling import remember, unseen
from lorsync.settings import Settings
from lorsync.writing import Desk, Outcomes, write_all


def foreseen(work: Work) -> Outcomes:
    """Return what would come of it, for a dry run."""
    actions = work.actions
    changes = [a for a in actions if isinstance(a, Update | Release | Acknowledge)]
    return Outcomes(
        created=frozenset(a.event.uid for a in actions if isinstance(a, Create)),
        updated=frozenset(a.entry.uid for a in changes),
        deleted=frozenset(a.entry.uid for a in actions if isinstance(a, Delete)),
    )


def applied(work: Work, settings: Settings, desk: Desk, progress: Progress | None) -> Outcomes:
    """Record what was seen, write, and only then believe the listing's token.

    Raises TryAgainError when ``desk.stopping`` says so before the end, and the LorsyncError of a
    server that cannot be used; the ledger then holds what the next pass needs.
    """
    seen, ledger = work.seen, desk.ledger
    freeze_key(settings.season, ledger, seen.key, work.doubts)
    keep_marks(settings.season, ledger, seen.learned.marks)
    # First, since one of these may stand again, from a backup, and is an entry then (S17).
    ledger.save((), retire=seen.learned.retired)
    ledger.save(
        seen.changed.values(),
        forget=[gone.uid for gone in seen.gone if not gone.retired],
        retire=[gone.uid for gone in seen.gone if gone.retired],
    )
    remember_held([action.entry.uid for action in work.held], work.among, ledger)
    memory = _memorised(work, settings, desk)
    besides, warnings = _to_look_at(memory, work, desk), memory.warnings
    writing = replace(desk, besides=besides, troubled=memory.failed)
    outcomes = write_all(work.actions, writing, progress)
    if besides:
        stored = check_stored(desk.calendar, ledger, outcomes.besides, now=desk.now)
        warnings = (*warnings, *stored)
    remember_listing(
        seen.listing,
        ledger,
        desk.now,
        written=_written(memory, outcomes),
        created=memory.created or bool(outcomes.created),
        emptied=seen.emptied,
    )
    return replace(outcomes, warnings=(*warnings, *outcomes.warnings))


def _to_look_at(memory: Memorised, work: Work, desk: Desk) -> tuple[Href, ...]:
    """Return where to look beside the events, which costs nothing where any of them is written.

    A server may say of a memory, too, that it has stored what it has not.
    """
    looks = any(not isinstance(action, Delete | Note) for action in work.actions)
    if memory.written is not None and (looks or memory.doubtful):
        return (memory.written,)
    return unseen(desk.ledger, desk.calendar)


def _written(memory: Memorised, outcomes: Outcomes) -> frozenset[Href]:
    """Return the hrefs of what stands as this pass wrote it."""
    uids = outcomes.entries.keys() & (outcomes.created | outcomes.updated)
    hrefs = {Href(outcomes.entries[uid].href) for uid in uids}
    return frozenset(hrefs if memory.written is None else {*hrefs, memory.written})


def _after(actions: Iterable[Action]) -> dict[Uid, Entry]:
    """Return the entries of events that are left to the person, or needed again, as they will be.

    So the memory says what will hold, and need not be written once more behind the act (I5).
    """
    left = {
        action.entry.uid: released(action.entry)
        for action in actions
        if isinstance(action, Release)
    }
    again = {
        action.entry.uid: replace(action.entry, state=State.LIVE)
        for action in actions
        if isinstance(action, Update) and action.entry.state is State.RELEASED
    }
    return left | again


def _memorised(work: Work, settings: Settings, desk: Desk) -> Memorised:
    """Write the memory where it has to say more, before the act that it remembers (S4)."""
    seen, ledger = work.seen, desk.ledger
    if seen.emptied:
        return Memorised()
    if seen.memory is not None and (seen.memory.news or seen.memory.gone):
        remember(ledger, seen.memory)
    before = seen.said.members if work.swaps and seen.said is not None else None
    left = {action.entry.uid for action in work.actions if isinstance(action, Delete)}
    after = {**seen.entries, **_after(work.actions)}
    renamed = renamed_now(settings.season, ids_in(seen.said))
    remember_renamed(ledger, renamed)
    wanted = wanted_memory(
        settings,
        ledger,
        seen.key,
        after,
        ledger.retired() | left,
        # As long as a question is open, who was known before it is.
        members=before or members_of(settings.season),
        departed=departed_of(seen.said, settings.season),
        finished=work.finished,
        renamed=renamed,
        planned=work.plan.events,
        today=today_of(settings, desk.now),
    )
    return write_memory(desk.calendar, ledger, seen.memory, wanted, now=desk.now)
