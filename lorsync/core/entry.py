"""What the ledger remembers of one event: what was announced, sent and echoed (S1)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lorsync.core.model import Identity, LetterId, MentorId, Placed, Uid


class State(StrEnum):
    """What has become of an event on the calendar."""

    LIVE = "live"
    KEPT = "kept"
    """The person changed it; it is theirs."""
    MISSING = "missing"
    """The person deleted or moved it away; nothing is created in its place."""


class Intent(StrEnum):
    """A write that was announced in the ledger and is not yet known to have happened."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger knows of one event.

    ``day`` is where it stands, the person's day where they moved it. ``sent`` is the body that
    lorsync last wrote, ``echo`` what the server then held, ``sent_digest`` the digest of the
    content in it; None where it is not known to be any content of ours. ``etag`` belongs to what
    was seen last. ``changed`` names what the person changed. ``intended`` and ``intended_digest``
    are the body and digest of an intent.
    """

    uid: Uid
    href: str
    identity: Identity
    mentor: MentorId
    letters: tuple[LetterId, ...]
    day: date
    summary: str
    state: State = State.LIVE
    sent: bytes | None = None
    sent_digest: str | None = None
    sequence: int = 0
    echo: bytes | None = None
    etag: str | None = None
    changed: tuple[str, ...] = ()
    intent: Intent | None = None
    intended: bytes | None = None
    intended_digest: str | None = None

    @property
    def placed(self) -> Placed:
        """The entry as the planner's history has it."""
        return Placed(
            identity=self.identity,
            mentor=self.mentor,
            letters=self.letters,
            day=self.day,
            pinned=self.state is State.KEPT and "date" in self.changed,
        )
