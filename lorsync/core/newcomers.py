"""Ask before contacting a newcomer while somebody else is gone: they may be the same (S7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from lorsync.core.decision import Action, Create, Update
from lorsync.core.memory import Members, members_of
from lorsync.core.model import CONTACTS, LetterId, MentorId, PlanWarning, Reason, Season
from lorsync.core.renaming import names_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Mentors or letters that are gone from the config, and new ones in their stead.

    ``mentor`` is whose letters they are, None where they are mentors themselves.
    """

    gone: tuple[str, ...]
    new: tuple[str, ...]
    letters: frozenset[LetterId]
    mentor: MentorId | None = None


def swaps(season: Season, before: Members, written: Members) -> list[Swap]:
    """Return who vanished while another appeared, since the config last ruled (``before``).

    Whom ``formerly`` explains is neither, nor whom an event contacts already (``written``). One who
    only went, or only came, needs no question.
    """
    names, now = names_of(season), members_of(season)
    then: dict[MentorId, set[LetterId]] = {}
    for mentor, letters in before.items():
        then.setdefault(names.mentor(mentor), set()).update(map(names.letter, letters))
    gone = sorted(then.keys() - now.keys())
    new = sorted(now.keys() - then.keys() - written.keys())
    found = []
    if gone and new:
        theirs = frozenset(letter for mentor in new for letter in now[mentor])
        found.append(Swap(gone=tuple(gone), new=tuple(new), letters=theirs))
    for mentor in sorted(now.keys() & then.keys()):
        gone_letters = sorted(then[mentor].difference(now[mentor]))
        new_letters = sorted({*now[mentor]}.difference(then[mentor], written.get(mentor, ())))
        if gone_letters and new_letters:
            found.append(
                Swap(
                    gone=tuple(gone_letters),
                    new=tuple(new_letters),
                    letters=frozenset(new_letters),
                    mentor=mentor,
                )
            )
    return found


def hold_newcomers(
    actions: Sequence[Action], found: Sequence[Swap]
) -> tuple[list[Action], list[Action]]:
    """Divide actions into those to do now and those that contact a newcomer."""
    letters = frozenset(letter for swap in found for letter in swap.letters)
    held: list[Action] = [
        action
        for action in actions
        if isinstance(action, Create | Update)
        and action.event.kind in CONTACTS
        and letters.intersection(action.event.letters)
    ]
    return [action for action in actions if action not in held], held


def newcomer_warnings(found: Sequence[Swap]) -> list[PlanWarning]:
    """Ask, and say how to answer."""
    return [
        PlanWarning(
            code="same-person" if swap.mentor is None else "same-letter",
            subject=swap.new[0],
            message=f"{_listed(swap.gone)} gone from the config, and {_listed(swap.new)} new. "
            f"Nothing that asks for the new {'letters' if swap.mentor else 'mentors’ letters'} is "
            f"written until you say which it is. If it is the same, write formerly = "
            f'["{swap.gone[0]}"] there; if not, run: lorsync sync --accept-deletions',
            reasons=(Reason(rule="S7", text="a new id may be an old one under a new name"),),
        )
        for swap in found
    ]


def _listed(ids: Sequence[str]) -> str:
    return f"{' and '.join(ids)} {'is' if len(ids) == 1 else 'are'}"
