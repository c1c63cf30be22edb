"""From a server's address to the calendars of an account (RFC 6764, RFC 5397, RFC 4791)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.errors import astray
from lorsync.adapters.caldav.response import Answer, unusable
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import comparable, may_follow, shown
from lorsync.core.errors import CredentialsError, UnavailableError
from lorsync.core.ports import Collection, Sharing, Survey

_MEMBERS = (
    xml.RESOURCETYPE,
    xml.DISPLAYNAME,
    xml.COMPONENTS,
    xml.PRIVILEGES,
    xml.COLOR,
    xml.OWNER,
    xml.OWNER_PRINCIPAL,
    xml.OWNER_NAME,
    *xml.INVITATIONS,
    xml.PUBLISHED,
)
_ABOUT = (*_MEMBERS, xml.PRINCIPAL, xml.HOME_SET)
_NAME = (xml.DISPLAYNAME,)
_WELL_KNOWN = "/.well-known/caldav"
_COLOR = re.compile(r"(#[0-9A-Fa-f]{6})(?:[0-9A-Fa-f]{2})?")
# RFC 3744 section 5.4 and RFC 4918: any of these lets a person write events.
_WRITING = frozenset(map(xml.dav, ("write", "write-content", "bind", "all")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an address led to: ``given`` is the calendar that it names itself, if it names one.

    ``principals`` are the paths of the one who asks, with ``/`` at the end; empty if not said.
    """

    about: Answer
    principals: frozenset[str]
    given: Collection | None


def account_at(transport: Transport) -> Account:
    """Ask the transport's address who it is, which takes one request, or two for a bare host.

    Raises CredentialsError or UnavailableError.
    """
    about = _about(transport)
    first = about.multistatus().responses[:1]
    principals = frozenset(map(_path, _hrefs(transport, about, xml.PRINCIPAL)))
    given = None
    if first and xml.CALENDAR in first[0].kinds(xml.RESOURCETYPE):
        given = _collection(transport, first[0], about.url, principals)
    return Account(about=about, principals=principals, given=given)


def homes_of(transport: Transport, account: Account) -> list[str]:
    """Return the addresses of the calendar homes (RFC 4791 section 6.2.1).

    Raises CredentialsError or UnavailableError.
    """
    answer, homes = account.about, _hrefs(transport, account.about, xml.HOME_SET)
    if not homes:
        principals = _hrefs(transport, account.about, xml.PRINCIPAL)
        if not principals:
            # Cyrus says so to an anonymous request: 207 and no principal.
            raise CredentialsError(
                f"{shown(account.about.url)} does not say whose calendars these are: check "
                "calendar.username, the stored password and calendar.url."
            )
        _check_host(transport, principals[0])
        answer = _propfind(transport, principals[0], [xml.HOME_SET])
        answer.multistatus()
        homes = _hrefs(transport, answer, xml.HOME_SET)
    if not homes:
        raise UnavailableError(
            f"{shown(answer.url)} names no calendars: check that the account has CalDAV."
        )
    for home in homes:
        _check_host(transport, home)
    ended = [home if home.endswith("/") else home + "/" for home in homes]
    return list({comparable(home): home for home in reversed(ended)}.values())[::-1]


def calendars_in(transport: Transport, account: Account, homes: Iterable[str]) -> list[Collection]:
    """List the calendars of these homes that take events. Raises as :func:`account_at`."""
    listed = [found for home in homes for found in _members(transport, account, home)]
    # A home may be named in two spellings, and stand in another.
    return list({comparable(found.address): found for found in reversed(listed)}.values())[::-1]


def _members(transport: Transport, account: Account, home: str) -> list[Collection]:
    answer = _propfind(transport, home, _MEMBERS, depth=1)
    if answer.status in {404, 405} or answer.web_page:
        raise unusable(answer)
    responses = answer.multistatus().responses
    if not responses:
        # Not even the home itself (RFC 4918 section 9.1): this is no empty one to make things in.
        raise UnavailableError(f"{shown(home)} gave an incomplete list: try again.")
    listed = []
    for response in responses:
        components = response.components()
        if xml.CALENDAR not in response.kinds(xml.RESOURCETYPE):
            continue
        if components is not None and "VEVENT" not in components:
            continue  # a list of tasks
        address = transport.located(answer.url, response.spelling)
        _check_host(transport, address)
        listed.append(_collection(transport, response, address, account.principals))
    return listed


def collections(transport: Transport) -> tuple[Collection, ...]:
    """List the account's calendars, or the one whose address was given. Raises as above."""
    return survey(transport).collections


def survey(transport: Transport) -> Survey:
    """Look at the account: its calendars, or the one whose address was given. Raises as above."""
    account = account_at(transport)
    homes = [] if account.given is not None else homes_of(transport, account)
    listed = calendars_in(transport, account, homes)
    given = [] if account.given is None else [account.given]
    return Survey(
        principals=tuple(sorted(account.principals)),
        homes=tuple(homes),
        collections=(*given, *(_with_owner(transport, found) for found in listed)),
        stated_time=transport.stated_time,
    )


def _with_owner(transport: Transport, found: Collection) -> Collection:
    """Return a calendar with its owner's name, where only the owner's path was said."""
    if found.sharing is not Sharing.WITH_YOU or not (found.owner or "").startswith("/"):
        return found
    address = transport.located(found.address, quote(found.owner or ""))
    if not may_follow(transport.origin, address):
        return found  # "/%2Fevil.example/" is a path until it is decoded
    answer = _propfind(transport, address, _NAME)
    responses = answer.multistatus().responses if answer.status == 207 else ()
    name = responses[0].text(xml.DISPLAYNAME) if responses else None
    return replace(found, owner=name) if name else found


def _propfind(transport: Transport, url: str, names: Iterable[str], depth: int = 0) -> Answer:
    headers = {"Content-Type": xml.MEDIA_TYPE, "Depth": str(depth)}
    return transport.send("PROPFIND", url, body=xml.propfind(names), headers=headers)


def _about(transport: Transport) -> Answer:
    """Ask the given address who it is; where it does not say, its slash and its well-known address.

    RFC 6764 section 6, step 5, for a path that was given and answers with errors.
    """
    given = transport.origin
    answer = _propfind(transport, given, _ABOUT)
    bare = urlsplit(given).path in {"", "/"}
    slashed = [] if given.endswith("/") or bare or urlsplit(given).query else [f"{given}/"]
    for other in (*slashed, transport.located(given, _WELL_KNOWN)):
        if _tells_of_account(transport, answer):
            break
        there = _propfind(transport, other, _ABOUT)
        if _tells_of_account(transport, there) or (bare and answer.status != 207):
            answer = there
    if answer.status == 403 and not answer.web_page:
        raise CredentialsError(
            f"{shown(answer.url)} refuses access for {transport.username!r}: "
            f"check calendar.username. {transport.advice}"
        )
    answer.multistatus()
    return answer


def _tells_of_account(transport: Transport, answer: Answer) -> bool:
    """Tell whether this leads on: a WebDAV folder at the root of a host does not."""
    if answer.status != 207 or answer.root is None:
        return False
    is_calendar = any(
        xml.CALENDAR in each.kinds(xml.RESOURCETYPE) for each in answer.multistatus().responses
    )
    return is_calendar or any(
        _hrefs(transport, answer, name) for name in (xml.PRINCIPAL, xml.HOME_SET)
    )


def _hrefs(transport: Transport, answer: Answer, name: str) -> list[str]:
    found = (response.hrefs(name) for response in answer.multistatus().responses)
    return [transport.located(answer.url, href) for hrefs in found for href in hrefs]


def _check_host(transport: Transport, url: str) -> None:
    if not may_follow(transport.origin, url):
        raise astray(f"{shown(transport.origin)} names calendars at", url)


def _collection(
    transport: Transport, response: xml.Response, address: str, principals: frozenset[str]
) -> Collection:
    rights, kinds = response.kinds(xml.PRIVILEGES), response.kinds(xml.RESOURCETYPE)
    owners = response.hrefs(xml.OWNER_PRINCIPAL) or response.hrefs(xml.OWNER)
    strange = bool(principals and owners and not principals & set(map(_path, owners)))
    invited, own = response.invited(), principals | set(map(_path, owners))
    # The resourcetype may say that the owner shares it; where the sharees are told, they decide.
    told = xml.SHARED_BY_OWNER in kinds
    seen = told if invited is None else any(_path(href) not in own for href in invited)
    if strange or xml.SHARED_WITH_READER in kinds:
        sharing = Sharing.WITH_YOU
    elif seen or response.hrefs(xml.PUBLISHED):
        sharing = Sharing.BY_YOU
    else:
        sharing = Sharing.OWN
    owner = response.text(xml.OWNER_NAME) or (_path(owners[0]) if owners else None)
    return Collection(
        address=address,
        name=xml.line(response.text(xml.DISPLAYNAME)),
        writable=not rights or bool(rights & _WRITING),
        color=_color(response.text(xml.COLOR)),
        owner=xml.line(owner) if sharing is Sharing.WITH_YOU else transport.username or None,
        sharing=sharing,
    )


def _path(href: str) -> str:
    return xml.decoded_path(href).rstrip("/") + "/"


def _color(text: str | None) -> str | None:
    """Return ``#RRGGBB``; Apple adds two digits for how opaque it is."""
    color = _COLOR.fullmatch((text or "").strip())
    return None if color is None else color[1].upper()
