"""From a server's address to one collection: found by its name, or made (RFC 6764, RFC 4791)."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import is_loopback, may_follow, shown
from lorsync.adapters.caldav.answers import Answer, unusable
from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.transport import Transport
from lorsync.errors import ConfigError, CredentialsError, UnavailableError
from lorsync.settings import CalendarSettings, Provider

# Where a provider has one address for everybody.
_ADDRESSES = {
    Provider.ICLOUD: "https://caldav.icloud.com/",
    Provider.FASTMAIL: "https://caldav.fastmail.com/",
}
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 30.0
_ABOUT = (
    xml.RESOURCETYPE,
    xml.DISPLAYNAME,
    xml.COMPONENTS,
    xml.PRIVILEGES,
    xml.PRINCIPAL,
    xml.HOME_SET,
)
_MEMBERS = (xml.RESOURCETYPE, xml.DISPLAYNAME, xml.COMPONENTS, xml.PRIVILEGES)
# RFC 3744 section 5.4 and RFC 4918: any of these lets a person write events.
_WRITING = frozenset(map(xml.dav, ("write", "write-content", "bind", "all")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A calendar on the server that can hold events."""

    address: str
    name: str | None
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vacancy:
    """A home with no collection of the wanted name, and the addresses that are taken in it."""

    home: str
    taken: tuple[str, ...]


def open_collection(
    settings: CalendarSettings,
    password: str,
    *,
    remembered: str | None,
    connections: int = 8,
    connect_limit: float = _CONNECT_SECONDS,
    read_limit: float = _READ_SECONDS,
) -> CalDavCalendar:
    """Open the collection that the settings name, and make it when it is missing.

    ``remembered`` is the address that the ledger knows: with it no request is sent, and a renamed
    calendar stays the same one (S19). Raises ConfigError, CredentialsError or UnavailableError.
    """
    transport = _transport(settings, password, connect_limit, read_limit)
    guarded = settings.provider is not Provider.GOOGLE
    if remembered is not None:
        address = _recalled(transport.origin, remembered)
        return CalDavCalendar(transport, address, connections=connections, guards_creation=guarded)
    with _closing_on_error(transport):
        place = _look(transport, settings)
        created = isinstance(place, _Vacancy)
        address = _make(transport, place, settings) if isinstance(place, _Vacancy) else place
    return CalDavCalendar(
        transport, address, connections=connections, created=created, guards_creation=guarded
    )


def find_collection(settings: CalendarSettings, password: str) -> CalDavCalendar | None:
    """Open the collection that the settings name where it is there already; make nothing.

    Raises ConfigError, CredentialsError or UnavailableError.
    """
    transport = _transport(settings, password, _CONNECT_SECONDS, _READ_SECONDS)
    with _closing_on_error(transport):
        place = _look(transport, settings)
    if isinstance(place, _Vacancy):
        transport.close()
        return None
    return CalDavCalendar(transport, place)


def _transport(
    settings: CalendarSettings, password: str, connect_limit: float, read_limit: float
) -> Transport:
    url = settings.url or _ADDRESSES.get(settings.provider)
    if url is None:
        raise ConfigError("calendar.url is missing: write the address of the CalDAV server.")
    return Transport(
        url,
        username=settings.username or "",
        password=password,
        connect_limit=connect_limit,
        read_limit=read_limit,
    )


@contextmanager
def _closing_on_error(transport: Transport) -> Iterator[None]:
    try:
        yield
    except BaseException:
        transport.close()
        raise


def collections(transport: Transport) -> tuple[Collection, ...]:
    """List the account's calendars."""
    listed: list[Collection] = []
    for home in _homes(transport, _about(transport)):
        listed += _members(transport, home)
    return tuple(listed)


def _recalled(url: str, remembered: str) -> str:
    """Return the remembered address; the embedded server may have come back on another port."""
    here, there = urlsplit(url), urlsplit(remembered)
    if is_loopback(here.hostname or "") and is_loopback(there.hostname or ""):
        return urlunsplit((here.scheme, here.netloc, there.path, "", ""))
    if not may_follow(url, remembered):
        raise ConfigError(
            f"calendar.url is {shown(url)}, but the calendar so far was {shown(remembered)}: "
            "the password is not sent there. Put the address back, or start with a new state."
        )
    return remembered


def _look(transport: Transport, settings: CalendarSettings) -> str | _Vacancy:
    """Return the collection's address, or where it can be made."""
    about = _about(transport)
    first = about.multistatus().responses
    if first and xml.CALENDAR in first[0].kinds(xml.RESOURCETYPE):
        return about.url
    homes = _homes(transport, about)
    listed = [found for home in homes for found in _members(transport, home)]
    named = [found for found in listed if _same_name(found.name, settings.name)]
    named = named or [found for found in listed if _is_half_made(found, settings.name)]
    if len(named) > 1:
        both = " and ".join(shown(found.address) for found in named)
        raise ConfigError(
            f"Two calendars are called {settings.name!r}: {both}. Rename one, "
            "or write the address of the right one into calendar.url."
        )
    if not named:
        return _Vacancy(home=homes[0], taken=tuple(found.address for found in listed))
    if not named[0].writable:
        raise ConfigError(
            f"The calendar {settings.name!r} at {shown(named[0].address)} is read-only for "
            f"{transport.username!r}: choose another calendar.name."
        )
    return named[0].address


def _propfind(transport: Transport, url: str, names: Iterable[str], depth: int = 0) -> Answer:
    headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": str(depth)}
    return transport.send("PROPFIND", url, body=xml.propfind(names), headers=headers)


def _about(transport: Transport) -> Answer:
    """Ask the given address who it is; where a bare host is none, ask its well-known address."""
    answer = _propfind(transport, transport.origin, _ABOUT)
    if answer.status != 207 and urlsplit(transport.origin).path in {"", "/"}:
        known = urljoin(transport.origin, "/.well-known/caldav")
        answer = _propfind(transport, known, _ABOUT)
    if answer.status == 403 and not answer.web_page:
        raise CredentialsError(
            f"{shown(answer.url)} refuses access for {transport.username!r}: "
            "check calendar.username and the stored password."
        )
    answer.multistatus()
    return answer


def _homes(transport: Transport, about: Answer) -> list[str]:
    """Return the addresses of the calendar homes (RFC 4791 section 6.2.1)."""
    answer, homes = about, _hrefs(about, xml.HOME_SET)
    if not homes:
        principals = _hrefs(about, xml.PRINCIPAL)
        if not principals:
            # Cyrus says so to an anonymous request: 207 and no principal.
            raise CredentialsError(
                f"{shown(about.url)} does not say whose calendars these are: check "
                "calendar.username, the stored password and calendar.url."
            )
        _check_host(transport, principals[0])
        answer = _propfind(transport, principals[0], [xml.HOME_SET])
        answer.multistatus()
        homes = _hrefs(answer, xml.HOME_SET)
    if not homes:
        raise UnavailableError(
            f"{shown(answer.url)} names no calendars: check that the account has CalDAV."
        )
    for home in homes:
        _check_host(transport, home)
    return [home if home.endswith("/") else home + "/" for home in homes]


def _hrefs(answer: Answer, name: str) -> list[str]:
    found = (response.hrefs(name) for response in answer.multistatus().responses)
    return [urljoin(answer.url, href) for hrefs in found for href in hrefs]


def _check_host(transport: Transport, url: str) -> None:
    if not may_follow(transport.origin, url):
        raise UnavailableError(
            f"{shown(transport.origin)} names calendars at {shown(url)}: the password is not "
            "sent there. If that is right, write this address into calendar.url."
        )


def _members(transport: Transport, home: str) -> list[Collection]:
    """List the calendars of a home that take events."""
    answer = _propfind(transport, home, _MEMBERS, depth=1)
    if answer.status in {404, 405} or answer.web_page:
        raise unusable(answer)
    listed = []
    for response in answer.multistatus().responses:
        components = response.components()
        if xml.CALENDAR not in response.kinds(xml.RESOURCETYPE):
            continue
        if components is not None and "VEVENT" not in components:
            continue  # a list of tasks
        address = urljoin(answer.url, response.spelling)
        _check_host(transport, address)
        rights = response.kinds(xml.PRIVILEGES)
        listed.append(
            Collection(
                address=address,
                name=response.text(xml.DISPLAYNAME),
                writable=not rights or bool(rights & _WRITING),
            )
        )
    return listed


def _same_name(one: str | None, other: str) -> bool:
    return one is not None and _normal(one) == _normal(other)


def _is_half_made(found: Collection, name: str) -> bool:
    """Tell whether this is a collection that we made and that did not get its name.

    Xandikos answers 500 to a name with a per cent sign, makes the collection all the same, and
    would make another at every attempt; it calls a nameless one by its path segment.
    """
    segment = found.address.rstrip("/").rpartition("/")[2]
    return segment == next(iter(_segments(name))) and found.name in {None, "", segment}


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _make(transport: Transport, place: _Vacancy, settings: CalendarSettings) -> str:
    """Make the collection and return its address."""
    home = place.home
    paths = {xml.decoded_path(address) for address in place.taken}
    segment = next(
        name for name in _segments(settings.name) if xml.decoded_path(f"{home}{name}/") not in paths
    )
    address = f"{home}{segment}/"
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    body = xml.mkcalendar(_normal(settings.name), settings.color)
    answer = transport.send("MKCALENDAR", address, body=body, headers=headers)
    if answer.status not in {200, 201}:
        raise ConfigError(
            f"{shown(home)} does not let lorsync make a calendar ({answer.status}): make one "
            f"called {settings.name!r} in its web page or app, and run this again."
        )
    return address


def _segments(name: str) -> Iterable[str]:
    """Yield path segments for a name: readable, harmless, and another one each time.

    The hash keeps two names apart whose letters are all left out.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "calendar"
    for attempt in range(100):
        digest = hashlib.sha256(f"{_normal(name)}\0{attempt}".encode()).hexdigest()
        yield f"{slug}-{digest[:8]}"
