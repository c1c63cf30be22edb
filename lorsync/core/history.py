"""What the planner has to know of earlier passes, and the plan that follows from it.

An event that the plan does not want goes off the calendar, and what goes must not bear on the plan:
the next pass, without it, would plan otherwise (I5).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time

from lorsync.core.decision import departing
from lorsync.core.entry import AWAY, Entry, State
from lorsync.core.merge import Gone, deleted
from lorsync.core.model import History, Kind, LetterId, MentorId, Plan, Uid
from lorsync.core.renaming import MENTOR_KINDS


def history_of(
    entries: Iterable[Entry],
    retired: frozenset[Uid],
    today: date,
    writers: Mapping[LetterId, MentorId],
) -> History:
    """Return what the planner has to know of what stands, stood or was deleted.

    ``writers`` are the mentors of the letters in the config.
    """
    listed = list(entries)
    # A past event is never moved (I6), so what is planned anew for its identity needs a new UID.
    past = {e.uid for e in listed if e.day < today and (e.state not in AWAY or e.tidied)}
    # A released event is the person's note and no longer an event of ours (S10).
    released = {e.uid for e in listed if e.state is State.RELEASED}
    # What was asked of one mentor is not what is asked of the next one to write the letter (S7).
    others = {e.uid for e in listed if _is_of_former_mentor(e, writers)}
    used = retired | past | released | others
    standing = {
        e.identity: e.uid
        for e in sorted(listed, key=_precedence)
        if e.uid not in used and e.state not in AWAY
    }
    placed = tuple(e.placed for e in listed if e.uid not in released)
    # Used up before it was moved ahead, and then left to the person (I1).
    placed += tuple(
        replace(e.placed, day=e.passed, pinned=False)
        for e in listed
        if e.uid in released and e.passed is not None
    )
    return History(placed=placed, retired=used, standing=standing)


def _is_of_former_mentor(entry: Entry, writers: Mapping[LetterId, MentorId]) -> bool:
    if entry.identity.kind in MENTOR_KINDS:
        return False
    return writers.get(LetterId(entry.identity.subject), entry.mentor) != entry.mentor


def _precedence(entry: Entry) -> tuple[bool, Uid]:
    """Return by what the plan's own is known where two events of one identity stand: the last.

    Of follow-ups that is the one that nobody moved: a moved one was for what is over (S10). Of
    others it is the one in which something is the person's: the other was made while nobody knew
    that they are the same (S7).
    """
    if entry.identity.kind is Kind.FOLLOW_UP:
        return not entry.placed.pinned, entry.uid
    return bool(entry.changed), entry.uid


def settled(
    planned: Callable[[History], Plan],
    entries: Iterable[Entry],
    retired: frozenset[Uid],
    today: date,
    writers: Mapping[LetterId, MentorId],
) -> tuple[Plan, History]:
    """Plan until nothing of the history goes by the very plan, and return both.

    ``writers`` are the mentors of the letters in the config.
    """
    left = {entry.uid: entry for entry in entries}
    while True:
        history = history_of(left.values(), retired, today, writers)
        plan = planned(history)
        wanted = {event.uid for event in plan.events}
        going = departing(left.values(), wanted, today=today, known_letters=writers)
        # Where the person moved something, all else was planned around it: that goes first, and
        # what then has its place again stays.
        going = [entry for entry in going if entry.placed.pinned] or going
        if not going:
            return plan, history
        for entry in going:
            after = _gone(entry, today)
            if isinstance(after, Gone):
                del left[entry.uid]
                retired |= {entry.uid}
            else:
                left[entry.uid] = after


def _gone(entry: Entry, today: date) -> Entry | Gone:
    """Return what the ledger will hold of an event that goes."""
    if entry.has_words:
        return replace(entry, state=State.RELEASED)
    return deleted(entry, now=datetime.combine(today, time(), UTC))
