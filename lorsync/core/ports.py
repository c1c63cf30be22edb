"""What a pass needs of the outside, as interfaces; the adapters offer it.

Words of the wire, defined here once:

href
    The address of one resource (one ``.ics``) inside its collection, as a percent-decoded absolute
    path. Two spellings of one path (``%40``, ``@``) are one href.
ETag
    The server's opaque version of a resource (RFC 9110 section 8.8.3), quotes included. Only a
    strong one guards a write; a weak one is treated as none.
sync-token
    The server's opaque name for a state of the collection (RFC 6578); the next report from it
    lists what has changed since. Tokens lie (S16), so a full listing comes once a day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol, runtime_checkable

from lorsync.core.facts import Mark
from lorsync.core.merge.entry import Entry
from lorsync.core.model import Uid

Href = NewType("Href", str)
ETag = NewType("ETag", str)
SyncToken = NewType("SyncToken", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a collection holds, or what has changed in it.

    A *complete* listing names every resource, and ``removed`` is empty. An incomplete one names
    only what was added, changed or removed since the token that was asked with. An ETag of None:
    the server did not say.
    """

    entries: Mapping[Href, ETag | None]
    removed: frozenset[Href]
    complete: bool
    token: SyncToken | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource as the server holds it now.

    ``body`` is empty where it cannot be read, and ``etag`` then None: it is too large, or the
    server ``failed`` at it, which may be over by the next pass.
    """

    href: Href
    etag: ETag | None
    body: bytes
    failed: bool = False


class Sharing(StrEnum):
    """Who else sees a collection."""

    OWN = "own"
    BY_YOU = "shared by you"
    WITH_YOU = "shared with you"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A calendar of an account that can hold events.

    ``color`` is ``#RRGGBB``, ``owner`` a name to show; both None where the server does not say.
    """

    address: str
    name: str | None
    writable: bool
    color: str | None = None
    owner: str | None = None
    sharing: Sharing = Sharing.OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What an account's server says of it: whose it is, where its calendars are, and which.

    ``principals`` are paths, ``homes`` addresses; both are empty where the config names a calendar
    itself. ``stated_time`` is the server's clock (``Date``), aware, or None.
    """

    principals: tuple[str, ...]
    homes: tuple[str, ...]
    collections: tuple[Collection, ...]
    stated_time: datetime | None


class PreconditionFailedError(Exception):
    """The guard of a write did not hold: the resource is there already, or is another version."""


class ResourceGoneError(Exception):
    """The resource is not there (404, 410)."""


class WriteRefusedError(Exception):
    """The server refuses this one resource and would do so again; the message says why."""


class DeletedUidError(WriteRefusedError):
    """The server keeps a deleted resource of this UID, in its trash, and takes no new one."""


class UidElsewhereError(WriteRefusedError):
    """The server keeps a UID in one calendar of an account, and another one has it."""


class Calendar(Protocol):
    """One collection of events, with guarded writes.

    Every method may raise a :class:`lorsync.core.errors.LorsyncError` when the server as a whole
    cannot be used; the exceptions above concern one resource, and so may a ServerFailedError of
    a write. ``create``, ``update`` and ``delete`` may be called from several threads at once.
    """

    @property
    def address(self) -> str:
        """The collection's address, for a person to see and for the ledger to remember."""

    @property
    def connections(self) -> int:
        """How many writes may be under way at once."""

    @property
    def requests(self) -> int:
        """How many requests were sent so far, redirects and retries included."""

    @property
    def stated_time(self) -> datetime | None:
        """The server's clock as its last answer told it (``Date``, RFC 9110 section 6.6.1), aware.

        None where there is no server, or it never said.
        """

    @property
    def guards_creation(self) -> bool:
        """Whether :meth:`create` is known to leave alone what is there already (S22).

        It may turn False when a write shows otherwise.
        """

    @property
    def guards_deletion(self) -> bool:
        """Whether :meth:`delete` is known to leave another version alone (S22); as above."""

    @property
    def etags_restart(self) -> bool:
        """Whether an ETag is known to come back after a deletion, for another event (SOGo)."""

    @property
    def strays(self) -> int:
        """How many hrefs the server has named that are not in this collection; none is used."""

    def href_for(self, uid: Uid) -> Href:
        """The href at which a resource with this UID belongs."""

    def check_login(self) -> None:
        """Ask what only somebody who is signed in is told. Raises LoginRefusedError."""

    def listing(self, token: SyncToken | None) -> Listing:
        """List what changed since ``token``, or everything when it is None or no longer known."""

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        """Fetch these resources at once; those that are not there are left out."""

    def create(self, href: Href, body: bytes) -> ETag | None:
        """Write a new resource (``If-None-Match: *``).

        Raises PreconditionFailedError if something is there, which can be relied on only where
        ``guards_creation`` says so; WriteRefusedError if it is refused.
        """

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        """Replace a resource whose version is ``etag`` (``If-Match``).

        None is for a server that names no version, and for who has looked right before (S22).
        Where nothing was there, nothing is afterwards.
        Raises PreconditionFailedError, ResourceGoneError or WriteRefusedError.
        """

    def delete(self, href: Href, etag: ETag | None) -> None:
        """Delete a resource whose version is ``etag`` (``If-Match``); None is as above.

        Raises PreconditionFailedError, which can be relied on only where ``guards_deletion`` says
        so, or ResourceGoneError.
        """

    def close(self) -> None:
        """Close the connections."""


class ProbeCalendar(Calendar, Protocol):
    """A calendar on which a server is tried out (``doctor --probe``), beneath what passes need."""

    @property
    def told_etag(self) -> str | None:
        """The ETag that the answer to the last write told, a weak one too; None for none."""

    def discard(self, href: Href) -> None:
        """Delete whatever version is there, unguarded; nothing there is no error.

        Only for what nobody but the caller can have written.
        """


@runtime_checkable
class Relocating(Protocol):
    """A calendar to which a resource of another one of the same home can be moved."""

    def take_from(self, other: Calendar, source: Href, target: Href) -> None:
        """Move a resource out of another calendar (RFC 4918 section 9.9); nothing is replaced.

        Raises PreconditionFailedError if something is at ``target``, ResourceGoneError if nothing
        is at ``source``, and WriteRefusedError, also where the two are not of one home.
        """


class LedgerReader(Protocol):
    """What lorsync remembers of its events from pass to pass, to be read."""

    @property
    def place(self) -> str:
        """A short name for where it is kept: one that is lost has left it behind (S20)."""

    def entries(self) -> dict[Uid, Entry]:
        """Return all events that the ledger knows."""

    def retired(self) -> frozenset[Uid]:
        """Return the UIDs that lorsync deleted and must not use again (S8)."""

    def marks(self) -> Sequence[Mark]:
        """Return what was said with ``mark``, what was taken back included."""

    def memos(self) -> Mapping[str, str]:
        """Return all remembered texts by their keys."""


class Ledger(LedgerReader, Protocol):
    """What lorsync remembers of its events from pass to pass."""

    def save(
        self,
        entries: Iterable[Entry],
        *,
        forget: Iterable[Uid] = (),
        retire: Iterable[Uid] = (),
        memos: Mapping[str, str | None] | None = None,
    ) -> None:
        """Write entries and memos, drop others, as one step that is on disk when this returns."""

    def save_marks(self, marks: Iterable[Mark], *, forget: Iterable[Mark] = ()) -> None:
        """Drop marks and write others, as one step.

        One of the same letter, fact and day is replaced.
        """

    def remember(self, memos: Mapping[str, str | None]) -> None:
        """Remember texts by their keys, as one step; None forgets one."""

    def remember_later(self, memos: Mapping[str, str | None]) -> None:
        """Remember texts with whatever is written next, and not at all where nothing is."""

    def clear(self, memos: Mapping[str, str | None]) -> None:
        """Forget all entries, retired UIDs and marks, and remember ``memos``, as one step."""


Progress = Callable[[int, int], None]
"""Told how many of how many writes of a pass are done."""
