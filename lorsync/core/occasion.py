"""What the rules hand to each other: one mentor's case, and the occasions that come out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lorsync.core.contact_days import ContactDays
from lorsync.core.model import (
    Identity,
    Kind,
    LetterId,
    Mentor,
    Placed,
    PlanWarning,
    Reason,
    Season,
    Status,
)
from lorsync.core.progress import Progress

THANK_PROVISIONAL, THANK_SUBMITTED, THANK_DECLINED = "provisional", "submitted", "declined"
"""The slots of a thank-you: for a letter that may be in, is in, or will not come (R9, R11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mentor on the day of the plan, with all that the rules need to know of them."""

    season: Season
    mentor: Mentor
    letters: tuple[Progress, ...]
    days: ContactDays
    placed: tuple[Placed, ...]
    today: date

    def happened(self, identity: Identity) -> bool:
        """Tell whether this event's day has passed on the calendar: it is history then (I6)."""
        return any(p.identity == identity and p.day < self.today for p in self.placed)

    def letter(self, letter_id: LetterId) -> Progress:
        """Return one of the mentor's letters."""
        return next(progress for progress in self.letters if progress.id == letter_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """An event before it has words: what, for which letters, when and why.

    ``final`` tells a final follow-up from a check-in; ``speak_first`` says that a request comes
    without a talk before it (R2); ``last_day`` is the last one that is early enough (R11).
    """

    identity: Identity
    letters: tuple[LetterId, ...]
    day: date
    reasons: tuple[Reason, ...]
    status: Status = Status.PLANNED
    final: bool = False
    speak_first: bool = False
    last_day: date | None = None

    @property
    def kind(self) -> Kind:
        """What the event is for."""
        return self.identity.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one group of rules says of a mentor."""

    occasions: tuple[Occasion, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the rules of asking say: the occasions, and by when each letter is or was asked for."""

    outcome: Outcome
    asked: Mapping[LetterId, date]


def moved(days: ContactDays, ideal: date, day: date) -> tuple[Reason, ...]:
    """Say what moved an event off its ideal day (R6); nothing where it stands on it."""
    if day == ideal:
        return ()
    obstacle = days.obstacle(ideal)
    if obstacle is None:
        return ()
    return (Reason(rule="R6", text=f"{ideal.isoformat()} is {obstacle}", ideal=ideal),)
