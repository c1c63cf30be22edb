"""Hold back what could be an accident: many deletions, half a config, a newcomer (S7, S18)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lorsync.core.facts import Fact
from lorsync.core.merge.actions import Action, Create, Delete, Release, Update
from lorsync.core.merge.aliases import Names, names_of
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.memory import Members, Memory, members_of
from lorsync.core.model import (
    CONTACTS,
    Event,
    Facts,
    Kind,
    Letter,
    LetterId,
    MentorId,
    PlanWarning,
    Reason,
    Season,
    Uid,
)
from lorsync.core.planner.progress import facts_until

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
    the last pass, and stay so though others have passed their day. What would be created
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


_Letters = Mapping[MentorId, Collection[LetterId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Mentors or letters that are gone from the config, and new ones in their stead.

    ``mentor`` is whose letters they are, None where they are mentors themselves. ``former`` is who
    wrote a letter that has the same id under another mentor now, ``stays`` whether the config still
    has that mentor. ``letters`` are the newcomers', ``left`` those of the one who is gone.
    """

    gone: tuple[str, ...]
    new: tuple[str, ...]
    letters: frozenset[LetterId]
    left: frozenset[tuple[MentorId, LetterId]]
    mentor: MentorId | None = None
    former: MentorId | None = None
    stays: bool = False


def swaps(season: Season, said: Memory, written: _Letters, finished: Members) -> list[Swap]:
    """Return who vanished while another appeared, of all who ever were in the season.

    ``said`` is what the memory says, ``written`` whom an event contacts already, and for which
    letters: they are no newcomers, nor is whom ``formerly`` explains. ``finished`` are the letters
    that were in or declined: who had only such letters is an ordinary change. One who only went, or
    only came, needs no question.
    """
    names, now = names_of(season), members_of(season)
    ever, last = _ever(said, names), _last(said, names)
    listed = {letter.id for letter in season.letters}
    open_then = {
        mentor: letters - set(finished.get(mentor, ())) for mentor, letters in ever.items()
    }
    new = sorted(now.keys() - ever.keys() - written.keys())
    came = {
        mentor: {*letters}.difference(ever.get(mentor, ()), written.get(mentor, ()))
        for mentor, letters in now.items()
    }
    gone = sorted(
        mentor
        for mentor, letters in open_then.items()
        if mentor not in now
        # A letter that the config has under another mentor is that one's to be asked about.
        if letters - listed or any(letters & came[each] for each in new)
    )
    found = []
    if gone and new:
        found.append(_persons(gone, new, ever, now))
    answered = set(gone) if new else set[MentorId]()
    for mentor in sorted(now):
        others = open_then.keys() - {mentor} - (answered if mentor in new else set())
        handed = {
            letter: formers
            for letter in sorted(came[mentor])
            if (formers := sorted(m for m in others if letter in open_then[m]))
        }
        for letter, formers in handed.items():
            former = last[letter] if last.get(letter) in formers else formers[0]
            found.append(_handed(letter, formers, mentor, former=former, stays=former in now))
        went, unknown = open_then.get(mentor, set()) - listed, came[mentor] - handed.keys()
        if went and unknown:
            found.append(_letters(went, unknown, mentor))
    return found


def _ever(said: Memory, names: Names) -> dict[MentorId, set[LetterId]]:
    """Return all mentors who were ever in the season, with all their letters, by today's ids."""
    found: dict[MentorId, set[LetterId]] = {}
    for mentor, letters in (*said.departed.items(), *said.members.items()):
        found.setdefault(names.mentor(mentor), set()).update(map(names.letter, letters))
    return found


def _last(said: Memory, names: Names) -> dict[LetterId, MentorId]:
    """Return who wrote each letter when the config last ruled, by today's ids."""
    return {
        names.letter(letter): names.mentor(mentor)
        for mentor, letters in said.members.items()
        for letter in letters
    }


def _persons(
    gone: Sequence[MentorId], new: Sequence[MentorId], then: _Letters, now: _Letters
) -> Swap:
    return Swap(
        gone=tuple(gone),
        new=tuple(new),
        letters=frozenset(letter for mentor in new for letter in now[mentor]),
        left=frozenset((mentor, letter) for mentor in gone for letter in then[mentor]),
    )


def _letters(gone: Collection[LetterId], new: Collection[LetterId], mentor: MentorId) -> Swap:
    return Swap(
        gone=tuple(sorted(gone)),
        new=tuple(sorted(new)),
        letters=frozenset(new),
        left=frozenset((mentor, letter) for letter in gone),
        mentor=mentor,
    )


def _handed(
    letter: LetterId,
    formers: Iterable[MentorId],
    mentor: MentorId,
    *,
    former: MentorId,
    stays: bool,
) -> Swap:
    return Swap(
        gone=(letter,),
        new=(letter,),
        letters=frozenset({letter}),
        left=frozenset((each, letter) for each in formers),
        mentor=mentor,
        former=former,
        stays=stays,
    )


def hold_newcomers(
    actions: Sequence[Action], found: Sequence[Swap]
) -> tuple[list[Action], list[Action]]:
    """Divide actions into those to do now and those that wait for an answer.

    What contacts a newcomer waits, and what takes an event of one who vanished off the calendar or
    releases it; so does what would be created in the place of such an event (I2).
    """
    letters = frozenset(letter for swap in found for letter in swap.letters)
    left = frozenset(pair for swap in found for pair in swap.left)
    going = {
        action.entry.uid: action.entry
        for action in actions
        if isinstance(action, Delete | Release) and _is_of(left, action.entry)
    }
    places = {entry.identity for entry in going.values()}
    now, held = list[Action](), list[Action]()
    for action in actions:
        match action:
            case Create(event=event):
                contacts = event.kind in CONTACTS and not letters.isdisjoint(event.letters)
                waits = contacts or event.identity in places
            case Update(event=event):
                waits = event.kind in CONTACTS and not letters.isdisjoint(event.letters)
            case _:
                waits = action.entry.uid in going
        (held if waits else now).append(action)
    return now, held


def _is_of(left: Collection[tuple[MentorId, LetterId]], entry: Entry) -> bool:
    return any((entry.mentor, letter) in left for letter in entry.letters)


def newcomer_warnings(found: Sequence[Swap]) -> list[PlanWarning]:
    """Ask, and say how to answer."""
    return [
        PlanWarning(
            code="same-person" if swap.mentor is None else "same-letter",
            subject=swap.new[0],
            message=_question(swap),
            reasons=(Reason(rule="S7", text="a new id may be an old one under a new name"),),
        )
        for swap in found
    ]


def _question(swap: Swap) -> str:
    if swap.former is not None:
        what = f"{swap.new[0]} was by {swap.former}, and is by {swap.mentor} now."
    else:
        what = f"{_listed(swap.gone)} gone from the config, and {_listed(swap.new)} new."
    asked_for = "the new mentors’ letters" if swap.mentor is None else _those(swap.new)
    waits = (
        f"Nothing that asks for {asked_for} is written, and nothing of "
        f"{swap.former or _named(swap.gone)} is taken off, until you say which it is."
    )
    yes = "run: lorsync sync --accept-newcomers"
    if swap.stays:
        answer = f"If another mentor writes it now, {yes}; if not, put its mentor right."
    else:
        old = swap.former or swap.gone[0]
        where = "there" if swap.former is None else f"in the entry of {swap.mentor}"
        answer = f'If it is the same, write formerly = ["{old}"] {where}; if not, {yes}'
    return f"{what} {waits} {answer}"


def _those(letters: Sequence[str]) -> str:
    return "that letter" if len(letters) == 1 else "those letters"


def _named(ids: Sequence[str]) -> str:
    return " and ".join(ids)


def _listed(ids: Sequence[str]) -> str:
    return f"{_named(ids)} {'is' if len(ids) == 1 else 'are'}"
