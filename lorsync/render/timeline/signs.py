"""How each sign looks: a shape of 20 by 20 units, and a character for terminals.

What is done is a solid shape and what is planned a hollow one, so that nobody needs the colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lorsync.render.timeline.season import Sign, State


class Hue(StrEnum):
    """What a colour stands for."""

    CONTACT = "contact"
    DUE = "due"
    GOOD = "good"
    BAD = "bad"
    TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One sign. ``body`` is a path to be filled, ``lines`` one to be stroked upon it.

    ``done`` and ``planned`` are its characters, ``plain`` the ASCII letter of a planned one, which
    is a capital once it is done.
    """

    hue: Hue
    body: str
    lines: str
    done: str
    planned: str
    plain: str


def _look(hue: Hue, characters: str, body: str, lines: str = "") -> Look:
    done, planned, plain = tuple(characters)
    return Look(hue=hue, body=body, lines=lines, done=done, planned=planned, plain=plain)


_BOX = (
    "M4 2.5h12a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H4"
    "A1.5 1.5 0 0 1 2.5 16V4A1.5 1.5 0 0 1 4 2.5z"
)
_CIRCLE = "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 1 0 0-13.6z"

LOOKS: Final[Mapping[Sign, Look]] = {
    Sign.TALK: _look(
        Hue.CONTACT,
        "■□t",
        "M4 3h12a2 2 0 0 1 2 2v6.5a2 2 0 0 1-2 2h-5.5L6.5 17.5v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z",
    ),
    Sign.REQUEST: _look(
        Hue.CONTACT,
        "▲△r",
        "M3 4h14a1.2 1.2 0 0 1 1.2 1.2v9.6A1.2 1.2 0 0 1 17 16H3a1.2 1.2 0 0 1-1.2-1.2V5.2"
        "A1.2 1.2 0 0 1 3 4z",
        "M2.4 5.2 10 11.2l7.6-6",
    ),
    Sign.ADD_LETTER: _look(Hue.CONTACT, "▶▷a", _BOX, "M10 6v8M6 10h8"),
    Sign.AGREED: _look(Hue.GOOD, "✓✓y", "", "M3 10.8 7.8 15.6 17 5"),
    Sign.PACKET_SENT: _look(
        Hue.CONTACT, "≡≡p", "M4.5 2h7.5l4 4v12h-11.5z", "M7.5 9h5.5M7.5 12h5.5M7.5 15h3.5"
    ),
    Sign.FOLLOW_UP: _look(Hue.CONTACT, "●○f", _CIRCLE),
    Sign.DEADLINE: _look(Hue.DUE, "◆◇d", "M10 1.4 18.6 10 10 18.6 1.4 10z"),
    Sign.SUBMITTED: _look(Hue.GOOD, "▣▣s", _BOX, "M5.8 10.4 8.8 13.4 14.4 6.8"),
    Sign.DECLINED: _look(Hue.BAD, "✗✗x", "", "M4 4l12 12M16 4 4 16"),
    Sign.REPLACE: _look(Hue.TASK, "▼▽n", "M10 2.4 18.6 17H1.4z", "M10 7.4v5M10 14.2v.9"),
    Sign.THANK_YOU: _look(
        Hue.GOOD,
        "♥♡h",
        "M10 17.6C3.6 12.7 1.8 9.9 1.8 7.3 1.8 4.9 3.6 3 5.9 3 7.6 3 9.1 4 10 5.5"
        " 10.9 4 12.4 3 14.1 3c2.3 0 4.1 1.9 4.1 4.3 0 2.6-1.8 5.4-8.2 10.3z",
    ),
    Sign.ASSIGN: _look(Hue.TASK, "▮▯g", _BOX, "M5.6 10h8.4M10.8 6.6 14.2 10l-3.4 3.4"),
    Sign.RESULTS: _look(
        Hue.GOOD,
        "★☆o",
        "M10 1.6l2.5 5.6 6.1.6-4.6 4.1 1.3 6L10 14.8 4.7 17.9l1.3-6L1.4 7.8l6.1-.6z",
    ),
}

STRUCK, ALARMED, MOVED = "M2 18 18 2", "M10 5.4v6M10 13.6v1.2", "M13.5 0h6.5v6.5z"
"""What is laid over a shape: deleted by the person, overdue, moved by the person."""

SAYING: Final[Mapping[State, str]] = {
    State.DONE: "done",
    State.PLANNED: "planned",
    State.PASSED: "its day has passed",
    State.OVERDUE: "overdue",
    State.DISMISSED: "deleted by you",
}
"""What each state is called."""


def hue_of(sign: Sign, state: State) -> Hue:
    """Return the hue of a mark: what is overdue stands out."""
    return Hue.BAD if state is State.OVERDUE else LOOKS[sign].hue


def character(sign: Sign, state: State, *, ascii_only: bool = False) -> str:
    """Return a mark as one character."""
    if state in (State.OVERDUE, State.DISMISSED):
        return "!" if state is State.OVERDUE else "-" if ascii_only else "⊘"
    look = LOOKS[sign]
    if ascii_only:
        return look.plain.upper() if state is State.DONE else look.plain
    return look.done if state is State.DONE else look.planned
