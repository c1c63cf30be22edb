"""What the ledger remembers of one event: what was announced, sent and echoed (S1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from lorsync.core.event.content import CANCELLED, GUESTS, SERIES, Property
from lorsync.core.event.title_ticks import is_settled
from lorsync.core.facts import ENDING, Fact, Source, Statement
from lorsync.core.model import Identity, Kind, LetterId, MentorId, Placed, Uid

WORDS = frozenset({"notes", "place", "link", "attachment"})
"""What a person adds that is worth keeping when the event itself is no longer needed (S10)."""

WHOLLY_THEIRS = frozenset({GUESTS, SERIES, CANCELLED})
"""What a person adds that makes the event theirs altogether: nothing is written to it (S10)."""


class State(StrEnum):
    """What has become of an event on the calendar."""

    LIVE = "live"
    """It stands; what of it the person took over is in ``theirs``."""
    THEIRS = "theirs"
    """It stands, and is wholly the person's: it is read, and never written (S10)."""
    UNREADABLE = "unreadable"
    """The person made it something that is no longer one event of ours; it is left alone."""
    RELEASED = "released"
    """It is not needed, but the person wrote into it: theirs, until it is needed again (S10)."""
    MISSING = "missing"
    """It was not there when last looked for; nothing is created in its place (S11)."""
    DISMISSED = "dismissed"
    """The person deleted it, for certain; it is never created again (S11)."""
    DISCARDED = "discarded"
    """It was released, and was not there when last looked for: nothing is spent by that (S10)."""


AWAY = frozenset({State.MISSING, State.DISMISSED, State.DISCARDED})
"""The states of an event that is not on the calendar."""

NOTES = frozenset({State.RELEASED, State.DISCARDED})
"""The states of what is no event of ours as long as it is not needed: it uses nothing up (S10)."""

UNCERTAIN = frozenset({State.MISSING, State.DISCARDED})
"""The states of an event that may be back at the next look (S11)."""


class Intent(StrEnum):
    """A write that was announced in the ledger and is not yet known to have happened."""

    CREATE = "create"
    UPDATE = "update"
    RELEASE = "release"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger knows of one event.

    ``day`` is where it stands, the person's day where they moved it. ``sent`` is the body that
    lorsync last wrote, ``echo`` what the server held when last seen, and ``etag`` that version.
    ``sent_digests`` are those of the plan at the last write, None where it is not known.
    ``theirs`` are the properties that the person took over, ``extras`` what they added. ``ticks``
    are the facts that they stated in the title, each with its day, the last one last, and ``title``
    is then the title without them, empty where it does not show them any more (S13). ``learned``:
    of the ticks only the memory tells. ``planned`` is the day that the plan has for a follow-up
    that the person moved, or last had. ``passed`` is the day on which a follow-up had passed before
    its title stated anything. Of a released event, ``sent`` is the body from before that.
    ``intended`` and ``intended_digests`` belong to an intent, ``missing_since`` is aware, and in
    the applicant's zone, so that its day is theirs.
    """

    uid: Uid
    href: str
    identity: Identity
    mentor: MentorId
    letters: tuple[LetterId, ...]
    day: date
    summary: str
    state: State = State.LIVE
    theirs: frozenset[Property] = frozenset()
    extras: tuple[str, ...] = ()
    ticks: tuple[tuple[Fact, date], ...] = ()
    title: str = ""
    learned: bool = False
    planned: date | None = None
    passed: date | None = None
    sent: bytes | None = None
    sent_digests: Mapping[Property, str] | None = None
    sequence: int = 0
    echo: bytes | None = None
    etag: str | None = None
    missing_since: datetime | None = None
    intent: Intent | None = None
    intended: bytes | None = None
    intended_digests: Mapping[Property, str] | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """Name what of it is the person's, for a report."""
        if self.state is State.UNREADABLE:
            return ("unreadable",)
        ticked = ("ticked",) if self.ticks else ()
        return (*sorted(self.theirs), *self.extras, *ticked)

    @property
    def is_kept(self) -> bool:
        """Whether it stands, and something of it is the person's."""
        return bool(self.changed) and self.state not in AWAY

    @property
    def has_words(self) -> bool:
        """Whether the person wrote into it: more than a move, which says when and not whether."""
        own_text = self.theirs & {Property.TITLE, Property.TEXT}
        return bool(own_text) or bool(WORDS.intersection(self.extras))

    @property
    def settled(self) -> bool:
        """Whether its title states the last of its ticks in the one form, or is the person's."""
        return not self.title or not self.ticks or is_settled(self.summary, *self.ticks[-1])

    @property
    def statements(self) -> list[Statement]:
        """What its title states of its letters."""
        return [
            Statement(
                letter=letter,
                fact=fact,
                day=day,
                source=Source.TICK,
                mentor=self.mentor,
                learned=self.learned,
            )
            for fact, day in self.ticks
            if fact is not Fact.DONE
            for letter in self.letters
        ]

    @property
    def tidied(self) -> bool:
        """Whether it was taken off the calendar after its day: history, and no dismissal (I6)."""
        return (
            self.state in AWAY
            and self.missing_since is not None
            and self.missing_since.date() > self.day
        )

    @property
    def wholly_theirs(self) -> bool:
        """Whether nothing may be written to it, whatever becomes of its letters (S10)."""
        return bool(WHOLLY_THEIRS.intersection(self.extras))

    @property
    def is_needless(self) -> bool:
        """Whether it is a follow-up whose title says, ahead of its day, that none is needed (R10).

        It was not sent and will not be. A day that has passed before counts, whatever is said
        since.
        """
        return (
            self.identity.kind is Kind.FOLLOW_UP
            and bool(self.ticks)
            and self.passed is None
            and all(fact in ENDING and day <= self.day for fact, day in self.ticks)
        )

    @property
    def placed(self) -> Placed:
        """The entry as the planner's history has it."""
        moved = self.state is State.LIVE and Property.DATE in self.theirs
        cancelled = self.state is State.THEIRS and CANCELLED in self.extras
        return Placed(
            identity=self.identity,
            mentor=self.mentor,
            letters=self.letters,
            day=self.day,
            pinned=moved or self.state is State.THEIRS,
            dismissed=cancelled or (self.state is State.DISMISSED and not self.tidied),
            ticked=min((day for _, day in self.ticks), default=None),
            planned=self.planned,
            fixed=self.state is State.THEIRS,
        )


def released(entry: Entry) -> Entry:
    """Return an entry as it is once its event was left to the person (S10)."""
    return replace(entry, state=State.RELEASED, sent=entry.echo)
