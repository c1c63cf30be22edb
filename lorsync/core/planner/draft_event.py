"""What the rules hand to each other: one mentor's case, and the occasions that come out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from lorsync.core.model import (
    Identity,
    Kind,
    LetterId,
    Mentor,
    Placed,
    PlanWarning,
    ProgramId,
    Reason,
    Season,
    Status,
)
from lorsync.core.planner.dates import ContactDays
from lorsync.core.planner.progress import Progress

THANK_PROVISIONAL, THANK_SUBMITTED, THANK_DECLINED = "provisional", "submitted", "declined"
"""The slots of a thank-you: for a letter that may be in, is in, or will not come (R9, R11)."""

ASKING = frozenset({Kind.REQUEST, Kind.ADD_LETTER})
"""The kinds that ask for a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MentorContext:
    """One mentor on the day of the plan, with all that the rules need to know of them.

    ``unsure``: nobody knows how often they were followed up (S4).
    """

    season: Season
    mentor: Mentor
    letters: tuple[Progress, ...]
    days: ContactDays
    placed: tuple[Placed, ...]
    today: date
    unsure: bool = False

    @property
    def was_asked(self) -> bool:
        """Whether the mentor was asked for any letter, one that left the config included."""
        return any(p.asked is not None for p in self.letters) or any(
            p.kind in ASKING and _is_past(p, self.today) and not p.dismissed for p in self.placed
        )

    def wants(self, kind: Kind) -> bool:
        """Tell whether events of this kind are wanted at all."""
        return kind in self.season.policy.events

    def happened(self, identity: Identity) -> bool:
        """Tell whether this event is history: its day has passed, or it was ticked (I6, S13)."""
        return any(p.identity == identity and _is_past(p, self.today) for p in self.placed)

    def pinned_day(self, identity: Identity) -> date | None:
        """Return the day to which the person moved this event, where that is still ahead (S10)."""
        for p in self.placed:
            stands = not p.dismissed and not _is_past(p, self.today)
            if p.pinned and stands and p.identity == identity:
                return p.day
        return None

    def standing(self, kind: Kind) -> list[Placed]:
        """Return the events of a kind that are on the calendar and still ahead."""
        return [
            p
            for p in self.placed
            if p.kind is kind and not _is_past(p, self.today) and not p.dismissed
        ]


class DraftEvent(NamedTuple):
    """An event before it has words: what, for which letters, when and why.

    Like the other tuples of the core it is one because it is made for every event or letter, and a
    frozen dataclass takes three times as long to make.

    ``final`` tells a final follow-up from a check-in; ``speak_first`` says that a request comes
    without a talk before it (R2); ``last_day`` is the last one that is early enough (R11);
    ``programs`` are those that a task is about (R11, R15).
    """

    identity: Identity
    letters: tuple[LetterId, ...]
    day: date
    reasons: tuple[Reason, ...]
    status: Status = Status.PLANNED
    pinned: bool = False
    final: bool = False
    speak_first: bool = False
    last_day: date | None = None
    programs: tuple[ProgramId, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the event is for."""
        return self.identity.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one group of rules says of a mentor."""

    drafts: tuple[DraftEvent, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the rules of asking say: the occasions, and by when each letter is or was asked for."""

    outcome: Outcome
    asked: Mapping[LetterId, date]


def _is_past(placed: Placed, today: date) -> bool:
    """Tell whether an event is history: its day has passed, or the person ticked it (S13)."""
    return placed.day < today or placed.ticked is not None


def moved(
    context: MentorContext, ideal: date, day: date, contacts: Sequence[date]
) -> tuple[Reason, ...]:
    """Say what moved an event that contacts the mentor off its ideal day; nothing if it is on it.

    ``contacts`` are the other days on which the mentor is contacted (R7).
    """
    if day == ideal:
        return ()
    reasons = []
    if ideal < context.today:
        left = context.today
        reasons.append(Reason(rule="time", text=f"{ideal} has passed", ideal=ideal))
    else:
        left = ideal
    if left != day and (obstacle := context.days.obstacle(left)) is not None:
        reasons.append(Reason(rule="R6", text=f"{left} is {obstacle}", ideal=left))
    gap = context.season.policy.min_gap_days
    nearest = min(contacts, key=lambda other: abs((left - other).days), default=None)
    near = nearest if nearest is not None and abs((left - nearest).days) < gap else None
    if near is not None and left != day:
        text = f"{left} is less than {gap} days from the contact on {near}"
        reasons.append(Reason(rule="R7", text=text, ideal=left))
    return tuple(reasons)


def moved_by_person(planned: date | None) -> Reason:
    """Say that the person chose this day, and what the plan would have said (S10)."""
    text = "you moved it here" + ("" if planned is None else f"; planned for {planned}")
    return Reason(rule="S10", text=text, ideal=planned)
