"""One CalDAV collection as the port :class:`lorsync.ports.Calendar`, with its guarded writes."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urljoin

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import comparable
from lorsync.adapters.caldav.answers import GONE, Answer, strong_etag, unusable
from lorsync.adapters.caldav.contents import Contents
from lorsync.adapters.caldav.habits import Habits
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.whereabouts import Whereabouts
from lorsync.core.model import Uid
from lorsync.ports import (
    Calendar,
    DeletedUidError,
    ETag,
    Href,
    Listing,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    SyncToken,
    UidElsewhereError,
    WriteRefusedError,
)

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
# RFC 4918 section 9.7.1, when a PUT finds no collection to be in; beside other meanings.
_NO_PARENT = 409
# RFC 4918 section 11.3: what a server says that takes one change at a time and is at another.
_LOCKED = 423
_CREATED = 201
# sabre's exception in Nextcloud, up to version 25 (CalDavBackend.php).
_IN_TRASH = "deleted calendar object with uid already exists"
_TRIES = 5
# RFC 4791 section 5.3.2.1; RFC 6638 section 3.2.4.1, by which Cyrus keeps a UID in one collection
# of a home.
_UID_ELSEWHERE = frozenset({"no-uid-conflict", "unique-scheduling-object-resource"})


class CalDavCalendar:
    """One collection; see :class:`lorsync.ports.Calendar` for what every method promises.

    ``created``: whether it was made when it was opened. ``batch``: how many resources one
    multiget asks for. ``guards_creation``: False where the provider ignores ``If-None-Match``.
    ``keeps_deleted_uids``: whether it refuses the UID of a deleted event with 409.
    """

    def __init__(
        self,
        transport: Transport,
        address: str,
        *,
        connections: int = 8,
        created: bool = False,
        batch: int = 1000,
        guards_creation: bool = True,
        keeps_deleted_uids: bool = False,
    ) -> None:
        self._transport = transport
        self._where = Whereabouts(transport, address)
        self._habits = Habits(self._where.path, guards_creation=guards_creation)
        self._contents = Contents(transport, self._where, self._habits, batch=batch)
        self._connections = connections
        self._keeps_deleted_uids = keeps_deleted_uids
        self._turn = threading.Lock()
        self._told_etag: str | None = None
        self.created = created

    @property
    def address(self) -> str:
        """The collection's address."""
        return self._where.address

    @property
    def connections(self) -> int:
        """How many writes may be under way at once."""
        return self._connections

    @property
    def requests(self) -> int:
        """How many requests were sent so far, those of opening included."""
        return self._transport.requests

    @property
    def stated_time(self) -> datetime | None:
        """The server's clock as its last answer said."""
        return self._transport.stated_time

    @property
    def guards_creation(self) -> bool:
        """Whether ``If-None-Match: *`` is kept, as far as is known."""
        return self._habits.guards_creation

    @property
    def guards_deletion(self) -> bool:
        """Whether ``If-Match`` of a DELETE is kept, as far as is known."""
        return self._habits.guards_deletion

    @property
    def etags_restart(self) -> bool:
        """Whether an ETag comes back after a deletion, as far as is known."""
        return self._habits.is_sogo

    @property
    def told_etag(self) -> str | None:
        """The ETag that the answer to the last PUT told; see :class:`lorsync.ports.Bench`."""
        return self._told_etag

    @property
    def strays(self) -> int:
        """How many hrefs were named that are not in this collection."""
        return len(self._where.strays)

    def href_for(self, uid: Uid) -> Href:
        """The href at which a resource with this UID belongs."""
        return self._where.href_for(uid)

    def check_login(self) -> None:
        """Ask for the principal, which sabre tells nobody else (RFC 5397), unlike a report."""
        self._contents.check_login()

    def listing(self, token: SyncToken | None) -> Listing:
        """List what changed since ``token``, or everything."""
        return self._contents.listing(token)

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        """Fetch these resources with as few multigets as the batch size allows."""
        return self._contents.fetch(hrefs)

    def create(self, href: Href, body: bytes) -> ETag | None:
        """Write a new resource (``If-None-Match: *``)."""
        answer = self._write("PUT", href, {**_ICS, "If-None-Match": "*"}, body)
        self._habits.notice_creation(answer)
        if 200 <= answer.status < 300:
            return self._strongly_told(answer)
        if answer.status == 412 and not answer.preconditions:
            raise PreconditionFailedError(f"{href} is there already.")
        if answer.status in {*GONE, _NO_PARENT} and not answer.preconditions:
            self._where.check_there()
        refusal = self._refused(href, answer)
        raise DeletedUidError(str(refusal)) if self._is_in_trash(answer) else refusal

    def _is_in_trash(self, answer: Answer) -> bool:
        """Tell whether a creation is refused for a deleted resource that the server still keeps.

        Nextcloud says so in words alone, Google with a 409 that names no condition.
        """
        words = "" if answer.root is None else xml.said(answer.root).lower()
        google = self._keeps_deleted_uids and answer.status == _NO_PARENT
        return _IN_TRASH in words or (google and not answer.preconditions)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        """Replace a resource whose version is ``etag`` (``If-Match``), or whichever, for None."""
        answer = self._write("PUT", href, {**_ICS, **_guard(etag)}, body)
        if etag is not None and answer.status == _CREATED and self._habits.is_sogo:
            self._take_away(href, strong_etag(answer.headers.get("etag")))
            raise ResourceGoneError(f"{href} was not there.")
        if 200 <= answer.status < 300:
            return self._strongly_told(answer)
        self._check_guarded(href, answer)
        raise self._refused(href, answer)

    def delete(self, href: Href, etag: ETag | None) -> None:
        """Delete a resource whose version is ``etag`` (``If-Match``), or whichever, for None."""
        answer = self._write("DELETE", href, _guard(etag))
        if not 200 <= answer.status < 300:
            self._check_guarded(href, answer)
            raise self._refused(href, answer)

    def _take_away(self, href: Href, etag: ETag | None) -> None:
        """Delete what an update has made though nothing was there: somebody had deleted it."""
        answer = self._write("DELETE", href, _guard(etag))
        if not 200 <= answer.status < 300 and answer.status not in GONE:
            raise self._refused(href, answer)

    def discard(self, href: Href) -> None:
        """Delete whatever version is there; nothing there is no error."""
        answer = self._write("DELETE", href, {})
        if not 200 <= answer.status < 300 and answer.status not in GONE:
            raise self._refused(href, answer)

    def take_from(self, other: Calendar, source: Href, target: Href) -> None:
        """Move a resource out of another collection of the same home (RFC 4918 section 9.9).

        Only after this server has refused a copy, with :class:`UidElsewhereError`: on others, a
        MOVE has been seen to destroy an event.
        """
        if not isinstance(other, CalDavCalendar) or not other.is_beside(self):
            raise WriteRefusedError("the server keeps a UID in one calendar of an account only.")
        headers = {"Destination": self._where.url(target), "Overwrite": "F"}
        url = other._where.url(source)
        answer = self._transport.send("MOVE", url, headers=headers)
        if not 200 <= answer.status < 300 or answer.web_page:
            other._check_guarded(source, answer)
            raise self._refused(source, answer)

    def is_beside(self, other: "CalDavCalendar") -> bool:
        """Tell whether another collection is a different one of the same home."""
        homes = {comparable(urljoin(each.address, "..")) for each in (self, other)}
        return len(homes) == 1 and comparable(self.address) != comparable(other.address)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _strongly_told(self, answer: Answer) -> ETag | None:
        self._told_etag = answer.headers.get("etag")
        return strong_etag(self._told_etag)

    def _write(
        self, method: str, href: Href, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send one write; a change waits its turn where the server takes one at a time."""
        answer = self._in_turn(method, href, headers, body)
        if answer.status == 200 and answer.web_page:
            # The page of a hotel's network: nothing was written, and nothing deleted.
            raise unusable(answer)
        return answer

    def _in_turn(self, method: str, href: Href, headers: Mapping[str, str], body: bytes) -> Answer:
        url = self._where.url(href)
        if not self._habits.takes_turns or "If-None-Match" in headers:
            answer = self._transport.send(method, url, body=body, headers=headers)
            if answer.status != _LOCKED:
                return answer
            self._habits.takes_turns = True
        with self._turn:
            # Writes that did not wait for a turn may still be under way beside this one.
            for _ in range(_TRIES):
                answer = self._transport.send(method, url, body=body, headers=headers)
                if answer.status != _LOCKED:
                    return answer
        raise WriteRefusedError("it is busy with another write; the next pass tries again.")

    def _check_guarded(self, href: Href, answer: Answer) -> None:
        # With a condition named, 412 is Xandikos' word for a duplicate UID or a bad body.
        if answer.status == 412 and not answer.preconditions:
            raise PreconditionFailedError(f"{href} is another version.")
        if answer.status in GONE:
            if answer.web_page:
                self._where.check_there()  # Something in the way may have said so.
            raise ResourceGoneError(f"{href} is not there.")
        if answer.status == _NO_PARENT and not answer.preconditions:
            self._where.check_there()

    def _refused(self, href: Href, answer: Answer) -> WriteRefusedError:
        """Say why the server refuses one resource."""
        names = sorted(name.rpartition("}")[2] for name in answer.preconditions)
        kind = WriteRefusedError
        if answer.status == 507 or "quota-not-exceeded" in names:
            why = "its storage is full"
        elif answer.status == 413 or "max-resource-size" in names:
            why = "it is too large"
        elif not _UID_ELSEWHERE.isdisjoint(names):
            why, kind = "another resource has its UID", UidElsewhereError
        else:
            words = xml.said(answer.root) if answer.root is not None else ""
            said = self._transport.discreet(", ".join(names) or words)
            why = f"{answer.status}, {said}" if said else f"{answer.status}"
        return kind(f"{xml.line(href)}: the server refuses {answer.method} ({why}).")


def _guard(etag: ETag | None) -> Mapping[str, str]:
    return {} if etag is None else {"If-Match": etag}
