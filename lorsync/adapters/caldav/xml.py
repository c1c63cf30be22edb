"""The XML of WebDAV and CalDAV: bodies of requests, and answers read with suspicion."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

# lxml publishes no types; an element is typed as Any here and nowhere leaves this package.
from lxml import etree  # type: ignore[import-untyped]

from lorsync.adapters.caldav.veil import CONCEALED
from lorsync.core.display import excerpt

Element = Any

MEDIA_TYPE = "application/xml; charset=utf-8"
"""What the bodies of requests are sent as."""

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
APPLE = "http://apple.com/ns/ical/"
CALENDARSERVER = "http://calendarserver.org/ns/"
OWNCLOUD = "http://owncloud.org/ns"
NEXTCLOUD = "http://nextcloud.com/ns"
_LINE_LENGTH = 300
"""More than the longest name that a config can have, so that none is cut that it may mean."""

_PREFIXES = {"d": DAV, "c": CALDAV, "a": APPLE}


def dav(name: str) -> str:
    """Name an element of WebDAV."""
    return f"{{{DAV}}}{name}"


def caldav(name: str) -> str:
    """Name an element of CalDAV."""
    return f"{{{CALDAV}}}{name}"


GETETAG = dav("getetag")
RESOURCETYPE = dav("resourcetype")
DISPLAYNAME = dav("displayname")
PRINCIPAL = dav("current-user-principal")
PRIVILEGES = dav("current-user-privilege-set")
SYNC_TOKEN = dav("sync-token")
VALID_SYNC_TOKEN = dav("valid-sync-token")
HOME_SET = caldav("calendar-home-set")
COMPONENTS = caldav("supported-calendar-component-set")
CALENDAR = caldav("calendar")
CALENDAR_DATA = caldav("calendar-data")
NO_UID_CONFLICT = caldav("no-uid-conflict")
COLOR = f"{{{APPLE}}}calendar-color"
OWNER = dav("owner")
# Nextcloud's own words for the owner of what was shared with somebody.
OWNER_PRINCIPAL = f"{{{OWNCLOUD}}}owner-principal"
OWNER_NAME = f"{{{NEXTCLOUD}}}owner-displayname"
# In the resourcetype: shared with the one who asks; shared by the owner, which iCloud says of what
# is, and sabre 4 (Baïkal) of every calendar of one's own.
SHARED_BY_OWNER = f"{{{CALENDARSERVER}}}shared-owner"
SHARED_WITH_READER = f"{{{CALENDARSERVER}}}shared"
# Who was invited: by caldav-sharing-02, by draft-pot-webdav-resource-sharing, and by Nextcloud.
INVITATIONS = (f"{{{CALENDARSERVER}}}invite", dav("invite"), f"{{{OWNCLOUD}}}invite")
_INVITED = (f"{{{CALENDARSERVER}}}user", dav("sharee"), f"{{{OWNCLOUD}}}user")
# The owner among them, and those who cannot or do not want to see anything.
_NOT_INVITED = frozenset(
    {"shared-owner", "no-access", "invite-declined", "invite-deleted", "invite-invalid"}
)
# An address of Nextcloud's and sabre's that anybody may read.
PUBLISHED = f"{{{CALENDARSERVER}}}publish-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One ``response`` of a multistatus (RFC 4918 section 14.24).

    ``href`` is the decoded path, ``spelling`` what the server wrote; ``status`` is that of the
    whole response, where it has one; ``props`` holds the properties that were found, by name.
    """

    href: str
    spelling: str
    status: int | None
    props: Mapping[str, Element]

    def text(self, name: str) -> str | None:
        """Return the text of a property, or None where it is missing or empty."""
        element = self.props.get(name)
        return None if element is None else element.text

    def hrefs(self, name: str) -> tuple[str, ...]:
        """Return the hrefs inside a property, as the server spells them."""
        element = self.props.get(name)
        found = () if element is None else element.iterfind(dav("href"))
        return tuple(href.text.strip() for href in found if href.text and href.text.strip())

    def kinds(self, name: str) -> frozenset[str]:
        """Return the names of all elements inside a property."""
        element = self.props.get(name)
        inside = () if element is None else element.iterdescendants(etree.Element)
        return frozenset(child.tag for child in inside)

    def invited(self) -> tuple[str, ...] | None:
        """Return the hrefs of those who were invited to see a collection, without its owner.

        None where the server does not say who was.
        """
        said = [self.props[name] for name in INVITATIONS if name in self.props]
        each = [child for element in said for child in element if child.tag in _INVITED]
        return (
            tuple(_href(one) for one in each if _NOT_INVITED.isdisjoint(_names(one)))
            if said
            else None
        )

    def components(self) -> frozenset[str] | None:
        """Return which components a collection takes; None when it does not say."""
        element = self.props.get(COMPONENTS)
        if element is None:
            return None
        return frozenset(comp.get("name", "").upper() for comp in element.iterfind(caldav("comp")))


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStatus:
    """A whole multistatus; ``token`` is the sync-token of RFC 6578 where there is one."""

    responses: tuple[Response, ...]
    token: str | None

    def of(self, path: str) -> Response | None:
        """Return the response for this path, with or without its last slash."""
        same = (one for one in self.responses if one.href.rstrip("/") == path.rstrip("/"))
        return next(same, None)


def _names(element: Element) -> frozenset[str]:
    """Return the names of all elements inside one, without their namespaces."""
    inside = element.iterdescendants(etree.Element)
    return frozenset(etree.QName(child).localname for child in inside)


def _href(element: Element) -> str:
    return (element.findtext(dav("href")) or "").strip()


def decoded_path(href: str) -> str:
    """Return the path of an href, percent-decoded: ``%40`` and ``@`` are one spelling then.

    What is no address has none.
    """
    try:
        return unquote(urlsplit(href.strip()).path)
    except ValueError:
        return ""


_PROLOG = 65_536
"""How many bytes may come before the root element; CalDAV needs some forty."""


_MOST_MARKS = 1_000_000
"""How many elements, and attributes, a document may have: each takes forty times its four bytes."""


class _RootSeenError(Exception):
    """The root element has begun."""


class _DocumentTypeSeenError(Exception):
    """A document type has begun."""


LONGEST_TEXT = 10_000_000
"""How many bytes of text libxml2 reads in one place; with more of it, nothing of an answer."""


def _parser() -> etree.XMLParser:
    # huge_tree stays off: libxml2 then limits depth and size of what a server may send.
    return etree.XMLParser(
        remove_blank_text=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
    )


_LEAD = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r\n])+")
"""What may not stand before a declaration, and does where a script of the server begins so."""

_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML may not hold (XML 1.0 section 2.2); a byte that is no UTF-8 is read as a surrogate."""

_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));", re.IGNORECASE)

_STAND_IN = 0xFDD0
"""The first of 32 code points that mean nothing to anybody: each stands in for one control."""

_STOOD_IN = {_STAND_IN + control: chr(control) for control in range(32)}


def parse(content: bytes) -> Element | None:
    """Parse an answer; None if it is no XML, has a document type, or more marks than any needs.

    Some servers put calendar data into it as it was stored, with what XML forbids. That is parsed
    with stand-ins, so that one object does not hide the others; :func:`as_stored` puts it back.
    """
    lead = _LEAD.match(content)
    content = content[lead.end() :] if lead is not None else content
    if any(content.count(mark) > _MOST_MARKS for mark in (b"<", b"=")):
        return None
    root = _parsed(content)
    if root is None and (legal := _with_stand_ins(content)) != content:
        root = _parsed(legal)
    return root


def as_stored(text: str) -> str:
    """Return a text with the control characters that XML forbids, NUL for what was no character."""
    return text.translate(_STOOD_IN)


def _parsed(content: bytes) -> Element | None:
    if not _is_plain(content):
        return None
    try:
        root = etree.fromstring(content, parser=_parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.doctype else root


def _with_stand_ins(content: bytes) -> bytes:
    """Return a document in UTF-8 without what XML forbids; one in another encoding as it is."""
    declared = _ENCODING.match(content)
    if declared is not None and declared[1].lower() not in {b"utf-8", b"utf8"}:
        return content
    text = _FORBIDDEN.sub(_stand_in, content.decode(errors="surrogateescape"))
    return _REFERENCE.sub(_legal_reference, text).encode()


def _stand_in(found: re.Match[str]) -> str:
    control = ord(found[0])
    return chr(_STAND_IN + (control if control < 32 else 0))


def _legal_reference(found: re.Match[str]) -> str:
    number = int(found[1], 16) if found[1] else int(found[2])
    mark = chr(number) if number <= 0x10FFFF else "\0"
    return _FORBIDDEN.sub(_stand_in, mark) if _FORBIDDEN.match(mark) else found[0]


def _is_plain(content: bytes) -> bool:
    """Tell whether the root comes without a document type: no CalDAV answer needs one.

    A document type declares entities, with which a short answer becomes a huge one, or one that
    reads files. lxml can only be told not to use them once it has read them; expat tells where one
    begins, and goes no further.
    """
    reader = expat.ParserCreate()
    reader.StartElementHandler = _begin_root
    reader.StartDoctypeDeclHandler = _begin_document_type
    try:
        reader.Parse(content[:_PROLOG])
    except _RootSeenError:
        return True
    except (_DocumentTypeSeenError, expat.ExpatError, ValueError, LookupError):
        return False
    return False


def _begin_root(*_: object) -> None:
    raise _RootSeenError


def _begin_document_type(*_: object) -> None:
    raise _DocumentTypeSeenError


def preconditions(root: Element | None) -> frozenset[str]:
    """Return the conditions that a ``DAV:error`` body names (RFC 4918 section 16).

    sabre puts elements of its own beside them, Xandikos a description.
    """
    if root is None or root.tag != dav("error"):
        return frozenset()
    names = {child.tag for child in root if isinstance(child.tag, str)}
    ours = (f"{{{DAV}}}", f"{{{CALDAV}}}")
    return frozenset(name for name in names if name.startswith(ours)) - {dav("responsedescription")}


def multistatus(root: Element | None) -> MultiStatus | None:
    """Read a multistatus; None if the document is none."""
    if root is None or root.tag != dav("multistatus"):
        return None
    responses = [_response(element) for element in root.iterfind(dav("response"))]
    token = (root.findtext(SYNC_TOKEN) or "").strip()
    # One that had a secret in it is none any more.
    return MultiStatus(
        responses=tuple(response for response in responses if response is not None),
        token=token if token and CONCEALED not in token else None,
    )


def _response(element: Element) -> Response | None:
    href = element.findtext(dav("href"))
    if not href or not href.strip():
        return None
    props: dict[str, Element] = {}
    for propstat in element.iterfind(dav("propstat")):
        status = _status(propstat.findtext(dav("status")))
        if status is None or 200 <= status < 300:
            for prop in propstat.iterfind(dav("prop")):
                props.update({child.tag: child for child in prop if isinstance(child.tag, str)})
    return Response(
        href=decoded_path(href),
        spelling=href.strip(),
        status=_status(element.findtext(dav("status"))),
        props=props,
    )


def _status(line: str | None) -> int | None:
    """Read ``HTTP/1.1 404 Not Found``."""
    words = (line or "").split()
    number = words[1] if len(words) > 1 else ""
    return int(number) if len(number) == 3 and number.isascii() and number.isdigit() else None


def _document(root: Element) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written


def _with_props(root: Element, names: Iterable[str]) -> Element:
    prop = etree.SubElement(root, dav("prop"))
    for name in names:
        etree.SubElement(prop, name)
    return root


def propfind(names: Iterable[str]) -> bytes:
    """Write the body of a PROPFIND for these properties."""
    return _document(_with_props(etree.Element(dav("propfind"), nsmap=_PREFIXES), names))


def sync_collection(token: str | None) -> bytes:
    """Write the body of a sync-collection REPORT (RFC 6578 section 3.2)."""
    root = etree.Element(dav("sync-collection"), nsmap=_PREFIXES)
    etree.SubElement(root, SYNC_TOKEN).text = token or ""
    etree.SubElement(root, dav("sync-level")).text = "1"
    return _document(_with_props(root, [GETETAG]))


def multiget(hrefs: Sequence[str]) -> bytes:
    """Write the body of a calendar-multiget REPORT (RFC 4791 section 7.9); hrefs are encoded."""
    root = etree.Element(caldav("calendar-multiget"), nsmap=_PREFIXES)
    _with_props(root, [GETETAG, CALENDAR_DATA])
    for href in hrefs:
        etree.SubElement(root, dav("href")).text = href
    return _document(root)


def mkcalendar(name: str, color: str | None) -> bytes:
    """Write the body of a MKCALENDAR (RFC 4791 section 5.3.1) for a collection of events."""
    root = etree.Element(caldav("mkcalendar"), nsmap=_PREFIXES)
    prop = etree.SubElement(etree.SubElement(root, dav("set")), dav("prop"))
    etree.SubElement(prop, DISPLAYNAME).text = name
    components = etree.SubElement(prop, COMPONENTS)
    etree.SubElement(components, caldav("comp")).set("name", "VEVENT")
    if color is not None:
        etree.SubElement(prop, COLOR).text = color
    return _document(root)


def said(root: Element) -> str:
    """Return what an error body says in words, such as sabre's ``s:message``, on one line."""
    return excerpt("".join(root.itertext()))


def line(text: str | None) -> str | None:
    """Return a server's text as one line that is fit to be shown, None for none."""
    return None if text is None else excerpt(text, _LINE_LENGTH)
