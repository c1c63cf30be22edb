"""What a collection holds: listed since a sync-token or in full, and fetched."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import shown
from lorsync.adapters.caldav.answers import GONE, Answer, strong_etag, unusable
from lorsync.adapters.caldav.habits import Habits
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.whereabouts import Whereabouts
from lorsync.errors import (
    CredentialsError,
    LargeAnswerError,
    ServerFailedError,
    UnavailableError,
)
from lorsync.ports import ETag, Href, Listing, Resource, SyncToken

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
        self, transport: Transport, where: Whereabouts, habits: Habits, *, batch: int
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
