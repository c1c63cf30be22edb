"""What a server said to one request, and what is wrong with it when it is no CalDAV."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.urls import shown
from lorsync.adapters.caldav.veil import CONCEALED
from lorsync.core.errors import BusyError, LorsyncError, UnavailableError
from lorsync.core.ports import ETag

GONE = frozenset({404, 410})
"""What says that nothing is there (RFC 9110 sections 15.5.5 and 15.5.11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said: ``url`` is where the last hop led, ``root`` the XML if it is some."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    root: xml.Element | None
    web_page: bool

    @property
    def preconditions(self) -> frozenset[str]:
        """The conditions that a ``DAV:error`` body names."""
        return xml.preconditions(self.root)

    @property
    def stated_time(self) -> datetime | None:
        """What the ``Date`` header says, aware; None where it is missing or says nothing."""
        return http_date(self.headers.get("date", ""))

    def multistatus(self) -> xml.MultiStatus:
        """Read the answer as a multistatus; raises what :func:`unusable` says of anything else."""
        read = xml.multistatus(self.root) if self.status == 207 else None
        if read is None:
            raise unusable(self)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    body: bytes
    answer: Answer

    def is_for(self, method: str, url: str, body: bytes) -> bool:
        """Tell whether this is that very request, its headers following from its body."""
        return (method, url, body) == (self.answer.method, self.answer.url, self.body)


def http_date(text: str) -> datetime | None:
    """Read a date of HTTP, aware; None for what is none.

    RFC 9110 section 5.6.7: all of its forms are UTC, the one without a zone too.
    """
    try:
        said = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if not 1970 <= said.year < 9999:
        return None  # in another zone it might be no date at all
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)


def is_web_page(declared: str, body: bytes) -> bool:
    """Tell whether a body is a page for a browser, by its type or its beginning."""
    head = body[:1024].lstrip().lower()
    return bool(body) and (
        "html" in declared.lower() or b"<html" in head or b"<!doctype html" in head
    )


def strong_etag(told: str | None) -> ETag | None:
    """Return a strong ETag; RFC 9110 section 13.1.1: a weak one never matches in If-Match.

    One without quotes gets them (section 8.8.3). None for what cannot stand in a header.
    """
    told = (told or "").strip()
    fits = told.isascii() and told.isprintable()
    if not told or not fits or told.startswith("W/"):
        return None
    return ETag(told if told.startswith('"') else f'"{told}"')


def unusable(answer: Answer) -> LorsyncError:
    """Say why this answer is not one of a CalDAV server, or of none that has room left."""
    where = shown(answer.url)
    if quote(CONCEALED) in where:
        return UnavailableError(
            f"{where} is an address that the server made with your password in it, which is left "
            "out here. Tell the operator of the server."
        )
    if answer.web_page:
        return UnavailableError(
            f"{where} answers with a web page, not CalDAV: check the address in calendar.url, and "
            "whether this network wants you to log in first."
        )
    if answer.status == 507:
        # Of one resource that is written it is a matter of that resource; here, of the account.
        return BusyError(f"{where} has no room left (507): free some there.")
    if answer.status == 207:
        return UnavailableError(
            f"{where} gave an empty or unreadable answer: try again later, or check calendar.url."
        )
    return UnavailableError(
        f"{where} does not answer like a CalDAV server ({answer.method}: {answer.status}): "
        "check the address in calendar.url."
    )
