"""One CalDAV collection as the port ``Calendar``: listings, bodies, guarded writes.

Also where it stands, and what its server was seen to ignore.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.response import GONE, Answer, strong_etag, unusable
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import comparable, shown
from lorsync.adapters.caldav.veil import CONCEALED
from lorsync.core.errors import (
    CollectionGoneError,
    CredentialsError,
    LargeAnswerError,
    ServerFailedError,
    UnavailableError,
)
from lorsync.core.model import Uid
from lorsync.core.ports import (
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
    """One collection; see :class:`lorsync.core.ports.Calendar` for what every method promises.

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
        self._habits = ServerQuirks(self._where.path, guards_creation=guards_creation)
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
        """The ETag that the answer to the last PUT told, a weak one too."""
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


class Whereabouts:
    """The address of one collection, its ``path`` percent-decoded as in an href.

    ``strays`` are the hrefs that were named to be in it and are not, as the server spells them.
    """

    def __init__(self, transport: Transport, address: str) -> None:
        self._transport = transport
        self.address = address if address.endswith("/") else address + "/"
        self.path = xml.decoded_path(self.address)
        self.strays: set[str] = set()

    def href_for(self, uid: Uid) -> Href:
        """Return the href at which a resource with this UID belongs."""
        return Href(f"{self.path}{uid}.ics")

    def url(self, href: Href) -> str:
        """Return the address of a resource, the collection's own part spelt as its server does.

        Raises ValueError for an href that is not in here.
        """
        name = self._name(href)
        if name is None:
            raise ValueError(f"{href!r} is not in {self.path!r}")
        return self.address + quote(name, safe="")

    def inside(self, responses: Sequence[xml.Response]) -> Iterator[tuple[Href, xml.Response]]:
        """Yield the resources that lie in this collection: no answer is trusted to stay there."""
        for response in responses:
            # Of an href that had a secret in it, nothing is left to be used.
            if not self._is_here(response.href) or CONCEALED in response.spelling:
                self.strays.add(response.spelling)
            elif self._name(response.href) is not None:
                yield Href(response.href), response

    def check_there(self) -> None:
        """Raise CollectionGoneError if the collection is gone for certain.

        A 404 may also come from a portal or a proxy in the way: only where the folder above, or
        the account's own address, answers like a CalDAV server is it believed, and
        UnavailableError raised elsewhere. At Google each calendar has a folder of its own, which
        goes with it.
        """
        if self._is_there(self.address):
            return
        above = urljoin(self.address, "..")
        if not (self._is_there(above) or self._is_there(self._transport.origin)):
            raise UnavailableError(
                f"{shown(self.address)} answers 404, and so does the folder above it: "
                "check calendar.url, or try again later."
            )
        raise CollectionGoneError(
            f"The calendar {shown(self.address)} is gone from the server: restore it there, "
            "or start afresh with another --state-dir."
        )

    def _name(self, href: str) -> str | None:
        """Return the last segment of a resource's href; None for what is not in here."""
        name = href.removeprefix(self.path)
        return None if name == href or "/" in name or name in {"", ".", ".."} else name

    def _is_here(self, href: str) -> bool:
        """Tell whether an href means this collection, or something below it.

        Its path alone counts, and is all that is used of it: behind a proxy, servers name hosts of
        which nobody else has heard.
        """
        return (href.rstrip("/") + "/").startswith(self.path) and ".." not in href.split("/")

    def _is_there(self, url: str) -> bool:
        """Tell whether a collection exists; only WebDAV may say that it does."""
        headers = {"Content-Type": xml.MEDIA_TYPE, "Depth": "0"}
        answer = self._transport.send(
            "PROPFIND", url, body=xml.propfind([xml.RESOURCETYPE]), headers=headers
        )
        if answer.status in GONE:
            return False
        own = answer.multistatus().of(xml.decoded_path(answer.url))
        return own is not None and own.status not in GONE


# Xandikos locks its git index: of two updates at once, one gets 423. It names itself by nothing but
# the library it is served with.
_ONE_CHANGE_AT_A_TIME = "aiohttp"
# RFC 9110 section 9.3.4: what replaced something, where 201 would have made it.
_REPLACED = frozenset({200, 204})
# Where SOGo serves, and a header of the library that it is made with (SOPE).
_SOGO_SEGMENT, _SOPE_HEADER = "/SOGo/", "x-dav-error"


class ServerQuirks:
    """How the server of a collection at ``path`` writes, as far as is known; from any thread.

    ``guards_creation``: False where the provider is known to ignore ``If-None-Match``.
    ``takes_turns``: it takes one change at a time.
    """

    def __init__(self, path: str, *, guards_creation: bool) -> None:
        self._guards_creation = guards_creation
        self._sogo = self._careless = _SOGO_SEGMENT in path
        self.takes_turns = False

    @property
    def guards_creation(self) -> bool:
        """Whether ``If-None-Match: *`` is kept: not by Google and SOGo."""
        return self._guards_creation and not self._careless

    @property
    def guards_deletion(self) -> bool:
        """Whether ``If-Match`` of a DELETE is kept: not by SOGo."""
        return not self._careless

    @property
    def is_sogo(self) -> bool:
        """Whether ETags come back after a deletion, and If-Match on nothing makes it: on SOGo."""
        return self._sogo

    def notice(self, answer: Answer) -> None:
        """Learn from the answer to a report or a PROPFIND which server this is."""
        if _ONE_CHANGE_AT_A_TIME in answer.headers.get("server", ""):
            self.takes_turns = True
        if _SOPE_HEADER in answer.headers:
            self._sogo = self._careless = True

    def notice_creation(self, answer: Answer) -> None:
        """Learn from the answer to a PUT that was to make something, and nothing else."""
        if answer.status in _REPLACED and self._guards_creation:
            # Who ignores one precondition is not believed to keep the others.
            self._careless = True


# A server that pages for ever is broken; Google pages at about 230 events.
_MOST_PAGES = 1000

_MOST_LARGE = 24
"""How many answers of one fetch may be too large, until the server is what is wrong."""

_MOST_FAILED = 24
"""At how many resources of one fetch the server may fail."""

_FAILED_ALIKE = 3
"""At how many it may fail before it has given any other."""


class Contents:
    """What one collection holds; ``batch`` is how many resources one multiget asks for.

    What the answers tell of the server's ``habits`` is noticed. Every method may raise a
    LorsyncError, CollectionGoneError among them.
    """

    def __init__(
        self, transport: Transport, where: Whereabouts, habits: ServerQuirks, *, batch: int
    ) -> None:
        self._transport = transport
        self._where = where
        self._habits = habits
        self._batch = batch
        self._reports = True
        self._large = 0
        self._failed = 0
        self._answered = False

    def check_login(self) -> None:
        """Ask for the principal. Raises LoginRefusedError where the server wants a login (401)."""
        self._send("PROPFIND", xml.propfind([xml.PRINCIPAL]), depth=0)

    def listing(self, token: SyncToken | None) -> Listing:
        """List what changed since ``token``, or everything."""
        if self._reports and token is not None:
            changes = self._report(token)
            if changes is not None:
                return changes
        if self._reports:
            everything = self._report(None)
            if everything is not None:
                return everything
            self._reports = False
        return self._etags()

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        """Fetch these resources with as few multigets as the batch size allows."""
        found: dict[Href, Resource] = {}
        wanted = list(dict.fromkeys(hrefs))
        self._large = self._failed = 0
        self._answered = False
        for start in range(0, len(wanted), self._batch):
            found.update(self._multiget(wanted[start : start + self._batch]))
        return found

    def _report(self, token: SyncToken | None) -> Listing | None:
        """Ask for the changes since a token; None if the server knows no such token or report."""
        entries: dict[Href, ETag | None] = {}
        removed: set[Href] = set()
        page = token
        for _ in range(_MOST_PAGES):
            answer = self._send("REPORT", xml.sync_collection(page), depth=0)
            if answer.status in GONE:
                self._where.check_there()
            if answer.status != 207:
                self._check_refusal(answer)
                return None
            status = answer.multistatus()
            self._check_own(status)
            if status.token is None:
                return None  # not what RFC 6578 section 3.3 asks for: do not build on it
            for href, response in self._where.inside(status.responses):
                if response.status is not None and response.status in GONE:
                    removed.add(href)
                    entries.pop(href, None)
                else:
                    entries[href] = strong_etag(response.text(xml.GETETAG))
                    removed.discard(href)
            last, page = page, SyncToken(status.token)
            if not self._cut_off(status):
                # Radicale's first report lists old deletions too.
                gone = frozenset(removed) if token is not None else frozenset[Href]()
                return Listing(entries=entries, removed=gone, complete=token is None, token=page)
            if page == last:
                break
        raise UnavailableError(f"{shown(self._where.address)} does not come to an end of its list.")

    def _cut_off(self, status: xml.MultiStatus) -> bool:
        """Tell whether the report goes on: a 507 for the collection (RFC 6578 section 3.6)."""
        own = status.of(self._where.path)
        return own is not None and own.status == 507

    def _check_refusal(self, answer: Answer) -> None:
        """Accept that a token is unknown, or the report; raise for what is no such answer.

        An unknown token is 403 on Radicale, Cyrus and sabre, 412 on Xandikos.
        """
        if answer.web_page or answer.status < 400:
            raise unusable(answer)

    def _etags(self) -> Listing:
        """List everything with a Depth-1 PROPFIND, for servers without the report."""
        answer = self._send("PROPFIND", xml.propfind([xml.GETETAG, xml.RESOURCETYPE]), depth=1)
        if answer.status in GONE:
            self._where.check_there()
        if answer.status == 403 and not answer.web_page:
            raise CredentialsError(
                f"{shown(self._where.address)} may not be read by {self._transport.username!r}: "
                "check the rights of the calendar."
            )
        status = answer.multistatus()
        self._check_own(status)
        if status.of(self._where.path) is None:
            # A listing that does not begin with the collection itself is no empty calendar.
            raise UnavailableError(
                f"{shown(self._where.address)} gave an incomplete list: try again."
            )
        entries = {
            href: strong_etag(response.text(xml.GETETAG))
            for href, response in self._where.inside(status.responses)
            if xml.dav("collection") not in response.kinds(xml.RESOURCETYPE)
        }
        return Listing(entries=entries, removed=frozenset(), complete=True, token=None)

    def _check_own(self, status: xml.MultiStatus) -> None:
        """Raise if the collection itself is reported as missing: Xandikos does so inside a 207."""
        own = status.of(self._where.path)
        if own is not None and own.status in GONE:
            self._where.check_there()

    def _multiget(self, hrefs: Sequence[Href]) -> dict[Href, Resource]:
        encoded = [urlsplit(self._where.url(href)).path for href in hrefs]
        half = len(hrefs) // 2
        try:
            answer = self._send("REPORT", xml.multiget(encoded), depth=None)
        except LargeAnswerError:
            self._large += 1
            if self._large > _MOST_LARGE:
                raise
            # One event that somebody made enormous must not keep the others from being read.
            if half:
                return self._multiget(hrefs[:half]) | self._multiget(hrefs[half:])
            return {href: Resource(href=href, etag=None, body=b"") for href in hrefs}
        except ServerFailedError as error:
            self._check_failing(error, single=not half)
            if half:
                return self._multiget(hrefs[:half]) | self._multiget(hrefs[half:])
            return {href: _failing(href) for href in hrefs}
        self._answered = True
        if answer.status in GONE:
            self._where.check_there()
            # sabre 1.8 refuses the whole report for one href that is missing.
            return self._multiget(hrefs[:half]) | self._multiget(hrefs[half:]) if half else {}
        wanted = set(hrefs)
        found: dict[Href, Resource] = {}
        for href, response in self._where.inside(answer.multistatus().responses):
            text, etag = response.text(xml.CALENDAR_DATA), response.text(xml.GETETAG)
            if href not in wanted or response.status in GONE:
                continue
            if text is not None:
                found[href] = Resource(href=href, etag=strong_etag(etag), body=_body(text))
            elif response.status is not None or etag is not None:
                found[href] = _failing(href)  # there, and not to be had
        return found

    def _check_failing(self, error: ServerFailedError, *, single: bool) -> None:
        """Go on where the server fails at the resources that were asked for, and at nothing else.

        One that it cannot read must not keep the others from being read. Raises ``error`` for a
        server that fails at whatever it is asked.
        """
        if not self._failed and not self._answered:
            self._where.check_there()
        self._failed += single
        alike = self._failed >= _FAILED_ALIKE and not self._answered
        if alike or self._failed > _MOST_FAILED:
            raise error

    def _send(self, method: str, body: bytes, *, depth: int | None) -> Answer:
        headers = {"Content-Type": xml.MEDIA_TYPE}
        if depth is not None:
            headers["Depth"] = str(depth)
        answer = self._transport.send(method, self._where.address, body=body, headers=headers)
        self._habits.notice(answer)
        return answer


def _failing(href: Href) -> Resource:
    return Resource(href=href, etag=None, body=b"", failed=True)


def _body(text: str) -> bytes:
    """Return calendar data with the line ends of RFC 5545, which XML has turned into LF."""
    return xml.as_stored(text).replace("\r\n", "\n").replace("\n", "\r\n").encode()
