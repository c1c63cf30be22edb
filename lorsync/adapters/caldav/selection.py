"""Which of an account's calendars is the one: found by its name, or made (RFC 4791)."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.account import Secret, connected
from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.discovery import account_at, calendars_in, homes_of, survey
from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.caldav.response import GONE, Exchange, unusable
from lorsync.adapters.caldav.session import LIMITS, Limits
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import as_uri, is_loopback, may_follow, shown
from lorsync.core.errors import ConfigError, UnavailableError
from lorsync.core.model import Uid
from lorsync.core.ports import Collection, Sharing, Survey
from lorsync.core.providers import Guard, traits
from lorsync.core.settings import CalendarSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vacancy:
    """A home with no collection of the wanted name, and the addresses that are taken in it."""

    home: str
    taken: tuple[str, ...]


def open_collection(
    settings: CalendarSettings,
    secret: Secret,
    *,
    remembered: str | None,
    holding: Uid | None = None,
    ahead: Exchange | None = None,
    limits: Limits = LIMITS,
    limiter: RateLimiter | None = None,
) -> CalDavCalendar:
    """Open the collection that the settings name, and make it when it is missing.

    ``remembered`` is the address that the ledger knows: with it no request is sent, and a renamed
    calendar stays the same one. Before one is made, the account is searched for a calendar that
    has the resource of ``holding``, the season's memory (S19). ``ahead`` was asked of it before,
    ``limiter`` counts the requests. Raises ConfigError, CredentialsError or UnavailableError.
    """
    transport = connected(
        settings, secret, remembered=remembered, limits=limits, ahead=ahead, limiter=limiter
    )
    if remembered is not None:
        return _calendar(transport, _recalled(transport.origin, remembered), settings)
    with _closing_on_error(transport):
        place = _look(transport, settings, holding)
        created = isinstance(place, _Vacancy)
        address = _make(transport, place, settings) if isinstance(place, _Vacancy) else place
    return _calendar(transport, address, settings, created=created)


def find_collection(
    settings: CalendarSettings,
    secret: Secret,
    *,
    holding: Uid | None = None,
    limiter: RateLimiter | None = None,
) -> CalDavCalendar | None:
    """Open the collection as :func:`open_collection` where it is there already; make nothing.

    Raises ConfigError, CredentialsError or UnavailableError.
    """
    transport = connected(settings, secret, limiter=limiter)
    with _closing_on_error(transport):
        place = _look(transport, settings, holding)
    if isinstance(place, _Vacancy):
        transport.close()
        return None
    return _calendar(transport, place, settings)


def recognized_address(
    settings: CalendarSettings,
    secret: Secret,
    *,
    marks: Iterable[str],
    limiter: RateLimiter | None = None,
) -> str | None:
    """Return where the account has the collection that holds one of these resources, or None.

    Whatever it is called, and however it is addressed: ``marks`` are names that only the one
    collection can show (S19). Nothing is made, and nothing is written.
    Raises CredentialsError or UnavailableError.
    """
    transport = connected(settings, secret, limiter=limiter)
    try:
        account = account_at(transport)
        given = [] if account.given is None else [account.given]
        listed = given or calendars_in(transport, account, homes_of(transport, account))
        names = tuple(marks)
        return next(
            (
                found.address
                for found in listed
                if found.writable and any(_has(transport, found.address, name) for name in names)
            ),
            None,
        )
    finally:
        transport.close()


def listed_collections(settings: CalendarSettings, secret: Secret) -> tuple[Collection, ...]:
    """List the account's calendars. Raises ConfigError, CredentialsError or UnavailableError."""
    return surveyed(settings, secret).collections


def surveyed(settings: CalendarSettings, secret: Secret) -> Survey:
    """Look at the account. Raises ConfigError, CredentialsError or UnavailableError."""
    transport = connected(settings, secret)
    try:
        return survey(transport)
    finally:
        transport.close()


def at_address(listed: Iterable[Collection], address: str) -> list[Collection]:
    """Return those of an account's calendars that have this address, however it is spelt."""
    return [found for found in listed if _same_place(found.address, address)]


def meant(listed: Iterable[Collection], settings: CalendarSettings) -> list[Collection]:
    """Return those of an account's calendars that the settings mean: one, if all is well."""
    given = [found for found in listed if _same_place(found.address, settings.url)]
    if given:
        return given
    named = [found for found in listed if _same_name(found.name, settings.name)]
    return named or [found for found in listed if _is_half_made(found, settings.name)]


def _calendar(
    transport: Transport, address: str, settings: CalendarSettings, *, created: bool = False
) -> CalDavCalendar:
    known = traits(settings)
    return CalDavCalendar(
        transport,
        address,
        connections=known.connections,
        created=created,
        guards_creation=Guard.CREATE in known.guards,
        keeps_deleted_uids=known.keeps_deleted_uids,
    )


@contextmanager
def _closing_on_error(transport: Transport) -> Iterator[None]:
    try:
        yield
    except BaseException:
        transport.close()
        raise


def _recalled(url: str, remembered: str) -> str:
    """Return the remembered address; the embedded server may have come back on another port."""
    remembered = as_uri(remembered)
    here, there = urlsplit(url), urlsplit(remembered)
    if is_loopback(here.hostname or "") and is_loopback(there.hostname or ""):
        return urlunsplit((here.scheme, here.netloc, there.path, "", ""))
    if not may_follow(url, remembered):
        raise ConfigError(
            f"calendar.url is {shown(url)}, but the calendar so far was {shown(remembered)}: "
            "the password is not sent there. Put the address back, or start with a new state."
        )
    return remembered


def _look(transport: Transport, settings: CalendarSettings, holding: Uid | None) -> str | _Vacancy:
    """Return the collection's address, or where it can be made."""
    account = account_at(transport)
    if account.given is not None:
        _check_use(account.given, transport, settings)
        return account.about.url
    homes = homes_of(transport, account)
    listed = calendars_in(transport, account, homes)
    named = meant(listed, settings) or _holders(transport, listed, holding)
    if len(named) > 1:
        both = " and ".join(shown(found.address) for found in named)
        raise ConfigError(
            f"Two calendars are called {settings.name!r}: {both}. Rename one, "
            "or write the address of the right one into calendar.url."
        )
    if not named:
        return _Vacancy(home=homes[0], taken=tuple(found.address for found in listed))
    _check_use(named[0], transport, settings)
    return named[0].address


def _holders(
    transport: Transport, listed: Iterable[Collection], uid: Uid | None
) -> list[Collection]:
    """Return the calendars that have a resource of this UID: renamed, they are the same (S19)."""
    if uid is None:
        return []
    name = f"{uid}.ics"
    return [found for found in listed if found.writable and _has(transport, found.address, name)]


def _has(transport: Transport, address: str, name: str) -> bool:
    """Tell whether a collection has a resource of this name (percent-decoded)."""
    headers = {"Content-Type": xml.MEDIA_TYPE, "Depth": "0"}
    body, folder = xml.propfind([xml.GETETAG]), address if address.endswith("/") else f"{address}/"
    answer = transport.send("PROPFIND", folder + quote(name, safe=""), body=body, headers=headers)
    if answer.status != 207:
        return False  # 404 mostly; what cannot be asked for cannot be taken for it either.
    own = answer.multistatus().of(xml.decoded_path(answer.url))
    return own is not None and own.status not in {404, 410}


def _check_use(found: Collection, transport: Transport, settings: CalendarSettings) -> None:
    """Refuse a calendar that cannot be written, or that others see and nobody said yes to."""
    called = f"The calendar {found.name or settings.name!r} at {shown(found.address)}"
    if not found.writable:
        raise ConfigError(
            f"{called} is read-only for {transport.username!r}: choose another calendar.name, "
            "which “lorsync calendars” lists."
        )
    if found.sharing is Sharing.OWN or settings.shared:
        return
    whose = (
        f"is shared with you by {_owner(found)}"
        if found.sharing is Sharing.WITH_YOU
        else "is shared by you with others"
    )
    raise ConfigError(
        f"{called} {whose}, who would see what you ask of whom. If you want that, write "
        "“shared = true” below [calendar]; else choose another calendar.name."
    )


def _owner(found: Collection) -> str:
    """Name the owner; the path of a principal is no name to a person."""
    named = found.owner is not None and not found.owner.startswith("/")
    return found.owner if named and found.owner else "somebody else"


def _same_place(address: str, url: str | None) -> bool:
    return url is not None and xml.decoded_path(address).rstrip("/") == xml.decoded_path(
        url
    ).rstrip("/")


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
    if not traits(settings).makes_calendars:
        raise ConfigError(
            f"{traits(settings).title} lets no program make a calendar: make one called "
            f"{settings.name!r} in its web page or app, and run this again."
        )
    paths = {xml.decoded_path(address) for address in place.taken}
    segment = next(
        name for name in _segments(settings.name) if xml.decoded_path(f"{home}{name}/") not in paths
    )
    address = f"{home}{segment}/"
    headers = {"Content-Type": xml.MEDIA_TYPE}
    # One property that is not taken refuses them all (RFC 4791 section 5.3.1).
    for color in dict.fromkeys([settings.color, None]):
        body = xml.mkcalendar(_normal(settings.name), color)
        answer = transport.send("MKCALENDAR", address, body=body, headers=headers)
        if answer.status in {200, 201}:
            break
    if answer.status not in {200, 201}:
        raise ConfigError(
            f"{shown(home)} does not let lorsync make a calendar ({answer.status}): make one "
            f"called {settings.name!r} in its web page or app, and run this again."
        )
    if answer.web_page:
        raise unusable(answer)  # of a network that wants a login first
    if not _is_made(transport, address):
        raise UnavailableError(
            f"{shown(home)} said that it had made a calendar ({answer.status}), and there is none: "
            f"make one called {settings.name!r} in its web page or app, and run this again."
        )
    return address


def _is_made(transport: Transport, address: str) -> bool:
    """Tell whether a collection is there: who answers in a server's stead makes none."""
    headers = {"Content-Type": xml.MEDIA_TYPE, "Depth": "0"}
    body = xml.propfind([xml.RESOURCETYPE])
    answer = transport.send("PROPFIND", address, body=body, headers=headers)
    if answer.status in GONE:
        return False
    own = answer.multistatus().of(xml.decoded_path(answer.url))
    return own is not None and own.status not in GONE


def _segments(name: str) -> Iterable[str]:
    """Yield path segments for a name: readable, harmless, and another one each time.

    The hash keeps two names apart whose letters are all left out.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "calendar"
    for attempt in range(100):
        digest = hashlib.sha256(f"{_normal(name)}\0{attempt}".encode()).hexdigest()
        yield f"{slug}-{digest[:8]}"
