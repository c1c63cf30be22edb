"""One CalDAV collection as the port :class:`lorsync.ports.Calendar`."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import shown
from lorsync.adapters.caldav.answers import Answer, unusable
from lorsync.adapters.caldav.transport import Transport
from lorsync.core.model import Uid
from lorsync.errors import CollectionGoneError, CredentialsError, UnavailableError
from lorsync.ports import (
    ETag,
    Href,
    Listing,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)

_XML = {"Content-Type": xml.MEDIA_TYPE}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_GONE = frozenset({404, 410})
# RFC 4918 section 9.7.1, when a PUT finds no collection to be in; beside other meanings.
_NO_PARENT = 409
# RFC 4918 section 11.3. Xandikos locks its git index: of two updates at once, one gets this. It
# names itself by nothing but the library it is served with.
_LOCKED = 423
_ONE_CHANGE_AT_A_TIME = "aiohttp"
_TRIES = 5
# RFC 9110 section 9.3.4: what replaced something, where 201 would have made it.
_REPLACED = frozenset({200, 204})
# Where SOGo serves, and a header of the library that it is made with (SOPE).
_SOGO_SEGMENT, _SOPE_HEADER = "/SOGo/", "x-dav-error"
# A server that pages for ever is broken; Google pages at about 230 events.
_MOST_PAGES = 1000


class CalDavCalendar:
    """One collection; see :class:`lorsync.ports.Calendar` for what every method promises.

    ``created``: whether it was made when it was opened. ``batch``: how many resources one
    multiget asks for. ``guards_creation``: False where the provider ignores ``If-None-Match``.
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
    ) -> None:
        self._transport = transport
        self._address = address if address.endswith("/") else address + "/"
        self._path = xml.decoded_path(self._address)
        self._connections = connections
        self._batch = batch
        self._reports = True
        self._turn = threading.Lock()
        self._takes_turns = False
        self._guards_creation = guards_creation
        self._careless = _SOGO_SEGMENT in self._path
        self._told_etag: str | None = None
        self._strays: set[str] = set()
        self.created = created

    @property
    def address(self) -> str:
        """The collection's address."""
        return self._address

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
        """Whether ``If-None-Match: *`` is kept, as far as is known: not by Google and SOGo."""
        return self._guards_creation and not self._careless

    @property
    def guards_deletion(self) -> bool:
        """Whether ``If-Match`` of a DELETE is kept, as far as is known: not by SOGo."""
        return not self._careless

    @property
    def told_etag(self) -> str | None:
        """The ETag that the answer to the last PUT told; see :class:`lorsync.ports.Bench`."""
        return self._told_etag

    @property
    def strays(self) -> int:
        """How many hrefs were named that are not in this collection."""
        return len(self._strays)

    def href_for(self, uid: Uid) -> Href:
        """The href at which a resource with this UID belongs."""
        return Href(f"{self._path}{uid}.ics")

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
        for start in range(0, len(wanted), self._batch):
            found.update(self._multiget(wanted[start : start + self._batch]))
        return found

    def create(self, href: Href, body: bytes) -> ETag | None:
        """Write a new resource (``If-None-Match: *``)."""
        answer = self._write("PUT", href, {**_ICS, "If-None-Match": "*"}, body)
        if answer.status in _REPLACED and self._guards_creation:
            # Who ignores one precondition is not believed to keep the others.
            self._careless = True
        if 200 <= answer.status < 300:
            return self._strongly_told(answer)
        if answer.status == 412 and not answer.preconditions:
            raise PreconditionFailedError(f"{href} is there already.")
        if answer.status in {*_GONE, _NO_PARENT} and not answer.preconditions:
            self._check_collection()
        raise _refused(href, answer)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        """Replace a resource whose version is ``etag`` (``If-Match``), or whichever, for None."""
        answer = self._write("PUT", href, {**_ICS, **_guard(etag)}, body)
        if 200 <= answer.status < 300:
            return self._strongly_told(answer)
        self._check_guarded(href, answer)
        raise _refused(href, answer)

    def delete(self, href: Href, etag: ETag | None) -> None:
        """Delete a resource whose version is ``etag`` (``If-Match``), or whichever, for None."""
        answer = self._write("DELETE", href, _guard(etag))
        if not 200 <= answer.status < 300:
            self._check_guarded(href, answer)
            raise _refused(href, answer)

    def discard(self, href: Href) -> None:
        """Delete whatever version is there; nothing there is no error."""
        answer = self._write("DELETE", href, {})
        if not 200 <= answer.status < 300 and answer.status not in _GONE:
            raise _refused(href, answer)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # Addresses

    def _name(self, href: str) -> str | None:
        """Return the last segment of a resource's href; None for what is not in here."""
        name = href.removeprefix(self._path)
        return None if name == href or "/" in name or name in {"", ".", ".."} else name

    def _url(self, href: Href) -> str:
        """Return the address of a resource, the collection's own part spelt as its server does."""
        name = self._name(href)
        if name is None:
            raise ValueError(f"{href!r} is not in {self._path!r}")
        return self._address + quote(name, safe="")

    def _inside(self, responses: Sequence[xml.Response]) -> Iterator[tuple[Href, xml.Response]]:
        """Yield the resources that lie in this collection: no answer is trusted to stay there."""
        for response in responses:
            if not self._is_here(response.href):
                self._strays.add(response.spelling)
            elif self._name(response.href) is not None:
                yield Href(response.href), response

    def _is_here(self, href: str) -> bool:
        """Tell whether an href means this collection, or something below it.

        Its path alone counts, and is all that is used of it: behind a proxy, servers name hosts of
        which nobody else has heard.
        """
        return (href.rstrip("/") + "/").startswith(self._path) and ".." not in href.split("/")

    # Listings

    def _report(self, token: SyncToken | None) -> Listing | None:
        """Ask for the changes since a token; None if the server knows no such token or report."""
        entries: dict[Href, ETag | None] = {}
        removed: set[Href] = set()
        page = token
        for _ in range(_MOST_PAGES):
            answer = self._send("REPORT", xml.sync_collection(page), depth=0)
            if answer.status in _GONE:
                self._check_collection()
            if answer.status != 207:
                self._check_refusal(answer, page)
                return None
            status = answer.multistatus()
            self._check_own(status)
            if status.token is None:
                return None  # not what RFC 6578 section 3.3 asks for: do not build on it
            for href, response in self._inside(status.responses):
                if response.status is not None and response.status in _GONE:
                    removed.add(href)
                    entries.pop(href, None)
                else:
                    entries[href] = _strong(response.text(xml.GETETAG))
                    removed.discard(href)
            last, page = page, SyncToken(status.token)
            if not self._cut_off(status):
                # Radicale's first report lists old deletions too.
                gone = frozenset(removed) if token is not None else frozenset[Href]()
                return Listing(entries=entries, removed=gone, complete=token is None, token=page)
            if page == last:
                break
        raise UnavailableError(f"{shown(self._address)} does not come to an end of its list.")

    def _cut_off(self, status: xml.MultiStatus) -> bool:
        """Tell whether the report goes on: a 507 for the collection (RFC 6578 section 3.6)."""
        own = status.of(self._path)
        return own is not None and own.status == 507

    def _check_refusal(self, answer: Answer, token: SyncToken | None) -> None:
        """Accept that a token is unknown, or the report; raise for what is no such answer.

        An unknown token is 403 on Radicale, Cyrus and sabre, 412 on Xandikos.
        """
        if answer.web_page or answer.status < 400:
            raise unusable(answer)
        if token is None and answer.status == 403 and not answer.preconditions:
            raise CredentialsError(
                f"{shown(self._address)} may not be read by {self._transport.username!r}: "
                "check the rights of the calendar."
            )

    def _etags(self) -> Listing:
        """List everything with a Depth-1 PROPFIND, for servers without the report."""
        answer = self._send("PROPFIND", xml.propfind([xml.GETETAG, xml.RESOURCETYPE]), depth=1)
        if answer.status in _GONE:
            self._check_collection()
        status = answer.multistatus()
        self._check_own(status)
        if status.of(self._path) is None:
            # A listing that does not begin with the collection itself is no empty calendar.
            raise UnavailableError(f"{shown(self._address)} gave an incomplete list: try again.")
        entries = {
            href: _strong(response.text(xml.GETETAG))
            for href, response in self._inside(status.responses)
            if xml.dav("collection") not in response.kinds(xml.RESOURCETYPE)
        }
        return Listing(entries=entries, removed=frozenset(), complete=True, token=None)

    def _check_own(self, status: xml.MultiStatus) -> None:
        """Raise if the collection itself is reported as missing: Xandikos does so inside a 207."""
        own = status.of(self._path)
        if own is not None and own.status in _GONE:
            self._check_collection()

    def _multiget(self, hrefs: Sequence[Href]) -> dict[Href, Resource]:
        encoded = [urlsplit(self._url(href)).path for href in hrefs]
        answer = self._send("REPORT", xml.multiget(encoded), depth=None)
        if answer.status in _GONE:
            self._check_collection()
            # sabre 1.8 refuses the whole report for one href that is missing.
            half = len(hrefs) // 2
            return self._multiget(hrefs[:half]) | self._multiget(hrefs[half:]) if half else {}
        wanted = set(hrefs)
        found: dict[Href, Resource] = {}
        for href, response in self._inside(answer.multistatus().responses):
            text = response.text(xml.CALENDAR_DATA)
            if href in wanted and text is not None:
                found[href] = Resource(
                    href=href, etag=_strong(response.text(xml.GETETAG)), body=_body(text)
                )
        return found

    def _strongly_told(self, answer: Answer) -> ETag | None:
        self._told_etag = answer.headers.get("etag")
        return _strong(self._told_etag)

    # Requests

    def _send(self, method: str, body: bytes, *, depth: int | None) -> Answer:
        headers = _XML if depth is None else {**_XML, "Depth": str(depth)}
        answer = self._transport.send(method, self._address, body=body, headers=headers)
        if _ONE_CHANGE_AT_A_TIME in answer.headers.get("server", ""):
            self._takes_turns = True
        if _SOPE_HEADER in answer.headers:
            self._careless = True
        return answer

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
        url = self._url(href)
        if not self._takes_turns or "If-None-Match" in headers:
            answer = self._transport.send(method, url, body=body, headers=headers)
            if answer.status != _LOCKED:
                return answer
            self._takes_turns = True
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
        if answer.status in _GONE:
            if answer.web_page:
                self._check_collection()  # Something in the way may have said so.
            raise ResourceGoneError(f"{href} is not there.")
        if answer.status == _NO_PARENT and not answer.preconditions:
            self._check_collection()

    def _check_collection(self) -> None:
        """Raise CollectionGoneError if the collection is gone for certain.

        A 404 may also come from a portal or a proxy in the way: only where the folder above, or
        the account's own address, answers like a CalDAV server is it believed. At Google each
        calendar has a folder of its own, which goes with it.
        """
        if self._is_there(self._address):
            return
        above = urljoin(self._address, "..")
        if not (self._is_there(above) or self._is_there(self._transport.origin)):
            raise UnavailableError(
                f"{shown(self._address)} answers 404, and so does the folder above it: "
                "check calendar.url, or try again later."
            )
        raise CollectionGoneError(
            f"The calendar {shown(self._address)} is gone from the server: restore it there, "
            "or start afresh with another --state-dir."
        )

    def _is_there(self, url: str) -> bool:
        """Tell whether a collection exists; only WebDAV may say that it does."""
        headers = {**_XML, "Depth": "0"}
        answer = self._transport.send(
            "PROPFIND", url, body=xml.propfind([xml.RESOURCETYPE]), headers=headers
        )
        if answer.status in _GONE:
            return False
        own = answer.multistatus().of(xml.decoded_path(answer.url))
        return own is not None and own.status not in _GONE


def _guard(etag: ETag | None) -> Mapping[str, str]:
    return {} if etag is None else {"If-Match": etag}


def _strong(etag: str | None) -> ETag | None:
    """Return a strong ETag; RFC 9110 section 13.1.1: a weak one never matches in If-Match."""
    etag = (etag or "").strip()
    return ETag(etag) if etag and not etag.startswith("W/") else None


def _body(text: str) -> bytes:
    """Return calendar data with the line ends of RFC 5545, which XML has turned into LF."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def _refused(href: Href, answer: Answer) -> WriteRefusedError:
    """Say why the server refuses one resource."""
    names = sorted(name.rpartition("}")[2] for name in answer.preconditions)
    if answer.status == 507 or "quota-not-exceeded" in names:
        why = "its storage is full"
    elif answer.status == 413 or "max-resource-size" in names:
        why = "it is too large"
    elif "no-uid-conflict" in names:
        why = "another resource has its UID"
    else:
        said = ", ".join(names) or (xml.said(answer.root) if answer.root is not None else "")
        why = f"{answer.status}, {said}" if said else f"{answer.status}"
    return WriteRefusedError(f"{href}: the server refuses {answer.method} ({why}).")
