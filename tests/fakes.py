"""A calendar in memory that keeps every promise of the port, and lets a test be the world."""

import copy
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from lorsync.core.errors import CollectionGoneError, ServerFailedError
from lorsync.core.model import Uid
from lorsync.core.ports import (
    DeletedUidError,
    ETag,
    Href,
    Listing,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)

Faults = Callable[[str, str, Href | None], None]
"""Called with the operation (``listing``, ``fetch``, ``create``, ``update``, ``delete``), the
moment (``before`` or ``after`` its effect) and the href, where there is one; may raise.

Raising before is a request that never arrived; after, a reply that was lost.
"""


class _Everywhere:
    """Contains every href."""

    def __contains__(self, _: object) -> bool:
        return True


EVERYWHERE = _Everywhere()
"""For the switches of :class:`FakeCalendar` that name hrefs."""


class FakeCalendar:
    """The port in memory.

    ``rewrite`` is applied to every body that is written, as four of five servers do;
    ``echo_etags`` off withholds the ETag of a PUT, as Google may, and ``names_versions`` off each
    one; ``known_tokens`` off makes every token unknown; ``gone`` makes the collection vanish;
    ``stated_time`` is what its clock says.
    ``careless`` lets a creation overwrite and a deletion take any version, as SOGo does; what it
    says of its guards is for the test to set, and turns when a creation has overwritten.
    ``failing`` are the hrefs at which every write ends in a 500 without an effect, ``swallowing``
    those at which a PUT is acknowledged, and told an ETag, and not stored; ``EVERYWHERE`` is each.
    ``refuses_conditions`` answers 412 to every write that has a precondition.
    ``etags_restart``: an ETag comes back after a deletion, and the calendar says so; ``revives``:
    an update on nothing makes it, and is taken away again (both as on SOGo). ``future_tokens``: a
    token that was not given yet is answered with nothing and the same token (sabre 4), as after
    :meth:`rewind`.
    ``keeps_trash`` refuses the UID of what was deleted since, as Nextcloud's trash bin does.
    """

    def __init__(self, path: str = "/user/letters/", *, connections: int = 8) -> None:
        self._path = path
        self._connections = connections
        self._lock = threading.RLock()
        self._bodies: dict[Href, bytes] = {}
        self._versions: dict[Href, int] = {}
        self._changes: list[Href] = []
        self._requests = 0
        self.operations: list[tuple[str, Href | None]] = []
        self.faults: Faults | None = None
        self.rewrite: Callable[[bytes], bytes] = lambda body: body
        self.echo_etags = True
        self.names_versions = True
        self.known_tokens = True
        self.gone = False
        self.created = False
        self.stated_time: datetime | None = None
        self.careless = False
        self.guards_creation = True
        self.guards_deletion = True
        self.failing: Container[Href] = frozenset()
        self.swallowing: Container[Href] = frozenset()
        self.refuses_conditions = False
        self.etags_restart = False
        self.revives = False
        self.future_tokens = False
        self.keeps_trash = False
        self._trash: set[str] = set()
        self._told_etag: str | None = None

    def copied(self) -> "FakeCalendar":
        """Return another calendar that holds and knows what this one does."""
        other = copy.copy(self)
        other._lock = threading.RLock()
        other._bodies, other._versions = dict(self._bodies), dict(self._versions)
        other._trash = set(self._trash)
        other._changes, other.operations = list(self._changes), list(self.operations)
        return other

    # The port

    @property
    def address(self) -> str:
        return f"https://fake.example{self._path}"

    @property
    def connections(self) -> int:
        return self._connections

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def strays(self) -> int:
        return 0

    def href_for(self, uid: Uid) -> Href:
        return Href(f"{self._path}{uid}.ics")

    def check_login(self) -> None:
        """Let everybody in."""

    def listing(self, token: SyncToken | None) -> Listing:
        self._begin("listing", None)
        with self._lock:
            now = SyncToken(f"fake:{len(self._changes)}")
            if self.future_tokens and token is not None and _number(token) > len(self._changes):
                now = token
            since = self._since(token)
            if since is None:
                if token is not None:
                    self._requests += 1  # the refused report, before the complete one
                names, removed = set(self._bodies), frozenset[Href]()
            else:
                touched = set(self._changes[since:])
                names = touched & set(self._bodies)
                removed = frozenset(touched - names)
            result = Listing(
                entries={href: self._named(href) for href in sorted(names)},
                removed=removed,
                complete=since is None,
                token=now,
            )
        self._end("listing", None)
        return result

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        self._begin("fetch", None)
        with self._lock:
            found = {
                href: Resource(href=href, etag=self._named(href), body=self._bodies[href])
                for href in hrefs
                if href in self._bodies
            }
        self._end("fetch", None)
        return found

    def create(self, href: Href, body: bytes) -> ETag | None:
        self._begin("create", href)
        with self._lock:
            if self.refuses_conditions or (href in self._bodies and not self.careless):
                raise PreconditionFailedError(f"{href} is there already.")
            if href in self._bodies:
                self.guards_creation = self.guards_deletion = False
            elif uid_of(body) in {uid_of(other) for other in self._bodies.values()}:
                raise WriteRefusedError(f"{href}: another resource has its UID.")
            elif uid_of(body) in self._trash:
                raise DeletedUidError(f"{href}: its UID is in the trash.")
            etag = self._put(href, body)
        self._end("create", href)
        return self._told(etag)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        self._begin("update", href)
        with self._lock:
            if self.revives and href not in self._bodies:
                self._changes.append(href)
            if etag is not None or href in self._bodies or not self.refuses_conditions:
                self._check(href, etag)
            new = self._put(href, body)
        self._end("update", href)
        return self._told(new)

    def delete(self, href: Href, etag: ETag | None) -> None:
        self._begin("delete", href)
        with self._lock:
            self._check(href, self._etag(href) if self.careless and href in self._bodies else etag)
            self.remove(href)
        self._end("delete", href)

    @property
    def told_etag(self) -> str | None:
        return self._told_etag

    def discard(self, href: Href) -> None:
        self._begin("discard", href)
        with self._lock:
            if href in self._bodies:
                self.remove(href)
        self._end("discard", href)

    def close(self) -> None:
        """Hold nothing."""

    def loses(self, name: str) -> bool:
        """Tell whether a property of this name is dropped."""
        return False

    # Another client

    @property
    def bodies(self) -> Mapping[Href, bytes]:
        """What the calendar holds now."""
        with self._lock:
            return dict(self._bodies)

    def put_foreign(self, name: str, body: bytes) -> Href:
        """Add an event that lorsync did not make."""
        href = Href(f"{self._path}{name}")
        with self._lock:
            self._store(href, body)
        return href

    def edit(self, href: Href, body: bytes) -> None:
        """Change an event as the person's phone does."""
        with self._lock:
            assert href in self._bodies, href
            self._store(href, body)

    def remove(self, href: Href) -> None:
        """Delete an event as the person's phone does."""
        with self._lock:
            body = self._bodies.pop(href)
            if self.etags_restart:
                del self._versions[href]
            if self.keeps_trash:
                self._trash.add(uid_of(body))
            self._changes.append(href)

    def rewind(self, before: "FakeCalendar") -> None:
        """Restore a backup, which :meth:`copied` made: its tokens and versions too."""
        with self._lock:
            self._bodies, self._versions = dict(before._bodies), dict(before._versions)
            self._changes = list(before._changes)

    # Inside

    def _begin(self, operation: str, href: Href | None) -> None:
        with self._lock:
            self._requests += 1
            self.operations.append((operation, href))
        if self.faults is not None:
            self.faults(operation, "before", href)
        if href is not None and href in self.failing:
            raise ServerFailedError(
                f"{self.address} returned a server error (HTTP 500); will retry.", status=500
            )
        if self.gone:
            raise CollectionGoneError(f"The calendar {self.address} is gone.")

    def _end(self, operation: str, href: Href | None) -> None:
        if self.faults is not None:
            self.faults(operation, "after", href)

    def _since(self, token: SyncToken | None) -> int | None:
        prefix, _, number = (token or "").partition(":")
        if not self.known_tokens or prefix != "fake" or not number.isdigit():
            return None
        if self.future_tokens:
            return min(int(number), len(self._changes))
        return int(number) if int(number) <= len(self._changes) else None

    def _put(self, href: Href, body: bytes) -> ETag:
        """Take what lorsync writes, or only say so."""
        if href in self.swallowing:
            return ETag(f'"swallowed-{self._requests}"')
        return self._store(href, self.rewrite(body))

    def _store(self, href: Href, body: bytes) -> ETag:
        self._bodies[href] = body
        # Versions go on after a deletion: an ETag never comes back.
        self._changes.append(href)
        before = self._versions.get(href, 0) if self.etags_restart else len(self._changes) - 1
        self._versions[href] = before + 1
        return self._etag(href)

    def _etag(self, href: Href) -> ETag:
        return ETag(f'"{self._versions[href]}"')

    def _told(self, etag: ETag) -> ETag | None:
        told = etag if self.echo_etags and self.names_versions else None
        self._told_etag = told
        return told

    def _named(self, href: Href) -> ETag | None:
        return self._etag(href) if self.names_versions else None

    def _check(self, href: Href, etag: ETag | None) -> None:
        if href not in self._bodies:
            raise ResourceGoneError(f"{href} is not there.")
        if etag is not None and (self.refuses_conditions or self._etag(href) != etag):
            raise PreconditionFailedError(f"{href} is another version.")


class Spelt:
    """The same collection under another address: its hrefs are other ones, and nothing else is."""

    def __init__(self, real: FakeCalendar, path: str) -> None:
        self._real, self._path = real, path

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    @property
    def address(self) -> str:
        return f"https://fake.example{self._path}"

    def href_for(self, uid: Uid) -> Href:
        return Href(f"{self._path}{uid}.ics")

    def listing(self, token: SyncToken | None) -> Listing:
        told = self._real.listing(token)
        entries = {self._here(href): etag for href, etag in told.entries.items()}
        return replace(told, entries=entries, removed=frozenset(map(self._here, told.removed)))

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        found = self._real.fetch(list(map(self._there, hrefs))).values()
        here = [replace(each, href=self._here(each.href)) for each in found]
        return {each.href: each for each in here}

    def create(self, href: Href, body: bytes) -> ETag | None:
        return self._real.create(self._there(href), body)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        return self._real.update(self._there(href), body, etag)

    def delete(self, href: Href, etag: ETag | None) -> None:
        self._real.delete(self._there(href), etag)

    def discard(self, href: Href) -> None:
        self._real.discard(self._there(href))

    def _here(self, href: Href) -> Href:
        return Href(self._path + href.rpartition("/")[2])

    def _there(self, href: Href) -> Href:
        # One that is not of this collection stays what it is: nothing is there.
        folder, _, name = href.rpartition("/")
        return Href(self._real._path + name) if f"{folder}/" == self._path else href


def _number(token: SyncToken) -> int:
    _, _, number = token.partition(":")
    return int(number) if number.isdigit() else 0


def uid_of(body: bytes) -> str:
    """Return the UID line of a body, unfolded; the body itself if it has none."""
    lines = body.replace(b"\r\n", b"\n").replace(b"\n ", b"").split(b"\n")
    uids = [line for line in lines if line.startswith(b"UID:")]
    return (uids[0] if uids else body).decode()
