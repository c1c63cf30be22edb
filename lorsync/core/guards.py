"""Hold back what could be an accident: many deletions, and those by a half-saved config (S18)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from lorsync.core.decision import Action, Create, Delete, Release, Update
from lorsync.core.entry import Entry
from lorsync.core.facts import Fact
from lorsync.core.memory import Memory
from lorsync.core.model import Event, Facts, Kind, Letter, LetterId, Uid
from lorsync.core.progress import facts_until

FLOOR = 5
"""So many deletions in one pass are never asked about."""


def explained_by_facts(
    entries: Iterable[Entry], letters: Mapping[LetterId, Letter], today: date
) -> frozenset[Uid]:
    """Return the events that stated facts made needless, which is no accident (R10, R11)."""
    facts = {letter_id: facts_until(letter.facts, today) for letter_id, letter in letters.items()}
    return frozenset(
        entry.uid
        for entry in entries
        if any(
            letter in facts and _ends(facts[letter], entry.identity.kind)
            for letter in entry.letters
        )
    )


def _ends(facts: Facts, kind: Kind) -> bool:
    """Tell whether a letter's facts make an event of this kind needless."""
    if facts.submitted_on is not None or facts.declined_on is not None:
        return True
    match kind:
        case Kind.TALK:
            return facts.talked_on is not None or facts.asked_on is not None
        case Kind.REQUEST | Kind.ADD_LETTER:
            return facts.asked_on is not None or facts.agreed_on is not None
        case Kind.FOLLOW_UP:
            return bool(facts.followed_up_on)
        case _:
            return facts.thanked_on is not None or facts.results_shared_on is not None


def hold_doubted(actions: Sequence[Action], doubted: Memory | None) -> list[Action]:
    """Leave out what would be created against a memory about which the person is asked (S4).

    What they deleted may be named in it alone, and the follow-ups that are used up (I1).
    """
    if doubted is None:
        return list(actions)
    uids = {kept.uid for kept in doubted.kept} | doubted.retired
    places = {kept.identity for kept in doubted.kept}
    followed = {mark.letter for mark in doubted.marks if mark.fact is Fact.FOLLOWED_UP}

    def waits(event: Event) -> bool:
        if event.kind is Kind.FOLLOW_UP and followed.intersection(event.letters):
            return True
        return event.uid in uids or event.identity in places

    return [a for a in actions if not (isinstance(a, Create) and waits(a.event))]


def hold_back(
    actions: Sequence[Action], *, live: int, share: float, count: int, before: Collection[Uid] = ()
) -> tuple[list[Action], list[Delete]]:
    """Divide actions into those to do now and the deletions that need a yes.

    ``live`` is how many events stand. Up to five unexplained deletions always go on; more are held
    where they exceed ``count``, or ``share`` of the live events. Those of ``before`` were held in
    the last pass, and stay so though others have passed their day meanwhile. What would be created
    in the place of one that is held waits as well: both would stand (I2).
    """
    unexplained = [a for a in actions if isinstance(a, Delete) and not a.explained]
    too_many = len(unexplained) > FLOOR and (
        len(unexplained) > count or len(unexplained) > share * live
    )
    held = unexplained if too_many else [a for a in unexplained if a.entry.uid in before]
    return _without(held, actions), held


def let_rest(
    actions: Sequence[Action], *, explained: Collection[Uid], before: Collection[Uid]
) -> tuple[list[Action], list[Delete | Release]]:
    """Divide actions into those to do now and those that wait for the config to rest.

    An editor, or what synchronises files, may have saved it in part: what that lacks would be taken
    off the calendar, or left to the person, and come back at once as another event. What else would
    be created or updated for that mentor follows from the same part of it, so it waits as well.
    What a stated fact has ``explained`` goes on. Those of ``before`` wait for a yes already (S18).
    """
    resting = [
        action
        for action in actions
        if isinstance(action, Delete | Release)
        if action.entry.uid not in explained and action.entry.uid not in before
    ]
    mentors = {action.entry.mentor for action in resting}
    now = [
        action
        for action in _without(resting, actions)
        if not (isinstance(action, Create | Update) and action.event.mentor in mentors)
    ]
    return now, resting


def _without(waiting: Sequence[Delete | Release], actions: Sequence[Action]) -> list[Action]:
    """Return the actions but for those that wait, and what would be created in their places."""
    uids = {action.entry.uid for action in waiting}
    places = {action.entry.identity for action in waiting}

    def waits(action: Action) -> bool:
        if isinstance(action, Create):
            return action.event.identity in places
        return isinstance(action, Delete | Release) and action.entry.uid in uids

    return [action for action in actions if not waits(action)]
