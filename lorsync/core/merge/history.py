"""What the planner has to know of earlier passes, and the plan that follows from it.

An event that the plan does not want goes off the calendar, and what goes must not count in the
plan: the next pass, without it, would plan otherwise (I5).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from lorsync.core.merge.actions import departing
from lorsync.core.merge.aliases import MENTOR_KINDS
from lorsync.core.merge.entry import AWAY, NOTES, Entry, State
from lorsync.core.model import History, Kind, LetterId, MentorId, Plan, Uid


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
    # A past event is never moved (I6), so what is planned again for its identity needs a new UID.
    past = {e.uid for e in listed if e.day < today and (e.state not in AWAY or e.tidied)}
    # A released event is the person's note, and one whose title says that nobody needs it any more
    # was never sent: neither counts in the plan (S10, R10).
    notes = {e.uid for e in listed if e.state in NOTES or e.is_needless}
    # As long as it may be back, nothing comes in the place of what was discarded (S11).
    waiting = {e.uid for e in listed if e.state is State.DISCARDED}
    # What was asked of one mentor is not what is asked of the next one to write the letter (S7).
    others = {e.uid for e in listed if _is_of_former_mentor(e, writers)}
    used = retired | past | (notes - waiting) | others
    standing = {
        e.identity: e.uid
        for e in sorted(listed, key=_precedence)
        if e.uid not in used and e.state not in AWAY
    }
    placed = tuple(e.placed for e in listed if e.uid not in notes)
    return History(placed=placed, retired=used, standing=standing)


def _is_of_former_mentor(entry: Entry, writers: Mapping[LetterId, MentorId]) -> bool:
    if entry.identity.kind in MENTOR_KINDS:
        return False
    return writers.get(LetterId(entry.identity.subject), entry.mentor) != entry.mentor


def _precedence(entry: Entry) -> tuple[bool, bool, Uid]:
    """Return by what the plan's own is known where two events of one identity stand: the last.

    First, it is one that is wholly the person's, and cannot be taken away. Of follow-ups it is the
    one that nobody moved: a moved one was for what is over (S10). Of others it is the one in which
    something is the person's: the other was made while nobody knew that they are the same (S7).
    """
    if entry.identity.kind is Kind.FOLLOW_UP:
        return entry.placed.fixed, not entry.placed.pinned, entry.uid
    return entry.placed.fixed, bool(entry.changed), entry.uid


def _needed_again(
    entries: Iterable[Entry], today: date, tried: Collection[Uid]
) -> dict[Uid, Entry]:
    """Return entries with those that were released as events that may be needed again (S10).

    Of each identity it is one at most, and none where another event has its place, nor one of those
    that were ``tried``.
    """
    found = {entry.uid: entry for entry in entries}
    ahead = [entry for entry in found.values() if entry.day >= today]
    taken = {e.identity for e in ahead if e.state not in NOTES and not e.is_needless}
    notes = [e for e in ahead if e.state is State.RELEASED and e.uid not in tried]
    released = [e for e in notes if not e.wholly_theirs]
    for entry in sorted(released, key=lambda e: (e.day, e.uid)):
        if entry.identity not in taken:
            taken.add(entry.identity)
            found[entry.uid] = replace(entry, state=State.LIVE)
    return found


def without_away(plan: Plan, entries: Iterable[Entry]) -> Plan:
    """Return a plan without the events that are not on the calendar, in its budgets too (S11)."""
    away = {entry.uid for entry in entries if entry.state in AWAY}
    gone = Counter(e.mentor for e in plan.events if e.uid in away and e.kind is Kind.FOLLOW_UP)
    return replace(
        plan,
        events=tuple(event for event in plan.events if event.uid not in away),
        budgets={
            mentor: replace(budget, planned=budget.planned - gone[mentor])
            for mentor, budget in plan.budgets.items()
        },
    )


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
    left, tried = {entry.uid: entry for entry in entries}, set[Uid]()
    while True:
        # Where what had its place has gone, a note may be the event again, in this very pass (I5).
        left = _needed_again(left.values(), today, tried)
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
            if entry.has_words:
                tried.add(entry.uid)
                left[entry.uid] = replace(entry, state=State.RELEASED)
            else:
                del left[entry.uid]
                retired |= {entry.uid}
