"""A CalDAV account in memory, with the oddities that a provider is known for."""

import itertools
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.caldav.conftest import Reply, Request

DAV, CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" '
    'xmlns:a="http://apple.com/ns/ical/" xmlns:s="http://calendarserver.org/ns/"'
)
READ = "<d:privilege><d:read/></d:privilege>"
WRITE = READ + "<d:privilege><d:write/></d:privilege>"


@dataclass(kw_only=True)
class Stored:
    body: str
    etag: str
    uid: str


@dataclass(kw_only=True)
class Kept:
    """One calendar; ``kind`` is what stands in its resourcetype beside collection and calendar."""

    path: str
    name: str
    rights: str = WRITE
    owner: str | None = None
    kind: str = ""
    color: str = ""
    events: dict[str, Stored] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Oddities:
    """How a provider differs from the RFCs. ``page``: how many entries a listing holds at most."""

    guards_creation: bool = True
    tells_etags: bool = True
    makes_calendars: bool = True
    page: int | None = None
    lists_itself: bool = False
    one_calendar_per_uid: bool = False
    refuses_deleted_uids: bool = False
    inverts_any_match: bool = False
    dropped: tuple[str, ...] = ()


class Account:
    """Answers WebDAV requests of somebody who is let in already."""

    def __init__(self, *, principal: str, home: str, home_url: str, oddities: Oddities) -> None:
        self.principal, self.home, self.home_url = principal, home, home_url
        self.oddities = oddities
        self.calendars: list[Kept] = []
        self.people: dict[str, str] = {}  # names of others, by their principals
        self.deleted: set[str] = set()
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()

    def calendar(self, name: str) -> Kept:
        return next(found for found in self.calendars if found.name == name)

    def summaries(self, name: str) -> list[str]:
        bodies = (unfolded(stored.body) for stored in self.calendar(name).events.values())
        return sorted(re.findall(r"SUMMARY:(.*)", body)[0].strip() for body in bodies)

    def answer(self, request: Request) -> Reply:
        with self._turn:
            found = getattr(self, f"_{request.method.lower()}")(request, unquote(request.path))
            assert isinstance(found, Reply)
            return found

    # Properties

    def _propfind(self, request: Request, path: str) -> Reply:
        depth = request.headers.get("depth", "0")
        found = []
        if path == self.home and depth == "1":
            found = [self._props(self.home, "<d:resourcetype><d:collection/></d:resourcetype>")]
            found += [self._about(kept) for kept in self.calendars]
        elif (kept := self._at(path)) is not None:
            found = [self._about(kept)]
            if depth == "1":
                found += [self._etag(kept, name) for name in kept.events]
        elif path in self.people:
            found = [self._props(path, f"<d:displayname>{self.people[path]}</d:displayname>")]
        elif path == self.principal:
            home = f"<c:calendar-home-set><d:href>{self.home_url}</d:href></c:calendar-home-set>"
            found = [self._props(path, home + self._whose())]
        elif self.principal.startswith(path) or path == self.home:
            found = [self._props(path, self._whose())]
        return multistatus(*found) if found else Reply(status=404)

    def _whose(self) -> str:
        href = quote(self.principal)
        return f"<d:current-user-principal><d:href>{href}</d:href></d:current-user-principal>"

    def _about(self, kept: Kept) -> str:
        owner = quote(kept.owner or self.principal)
        return self._props(
            kept.path,
            f"<d:resourcetype><d:collection/><c:calendar/>{kept.kind}</d:resourcetype>"
            f"<d:displayname>{escape(kept.name)}</d:displayname>"
            f"<d:owner><d:href>{owner}</d:href></d:owner>"
            f"<a:calendar-color>{kept.color}</a:calendar-color>"
            f"<d:current-user-privilege-set>{kept.rights}</d:current-user-privilege-set>"
            + self._whose(),
        )

    def _props(self, path: str, props: str) -> str:
        return (
            f"<d:response><d:href>{quote(path)}</d:href><d:propstat><d:prop>{props}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )

    def _etag(self, kept: Kept, name: str, more: str = "") -> str:
        etag = escape(kept.events[name].etag)
        return self._props(kept.path + name, f"<d:getetag>{etag}</d:getetag>{more}")

    # Reports

    def _report(self, request: Request, path: str) -> Reply:
        kept = self._at(path)
        if kept is None:
            return Reply(status=404)
        root = _parsed(request)
        if root.tag == f"{DAV}sync-collection":
            return self._changes(kept, root.findtext(f"{DAV}sync-token") or "")
        hrefs = [unquote(element.text or "") for element in root.iterfind(f"{DAV}href")]
        return multistatus(*(self._data(kept, href) for href in hrefs))

    def _data(self, kept: Kept, href: str) -> str:
        name = href.rpartition("/")[2]
        if name not in kept.events:
            return _missing(href)
        body = escape(kept.events[name].body)
        return self._etag(kept, name, f"<c:calendar-data>{body}</c:calendar-data>")

    def _changes(self, kept: Kept, token: str) -> Reply:
        if token and not token.startswith("urn:sync/"):
            error = b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
            return Reply(status=403, body=error, headers={"Content-Type": "application/xml"})
        since = int(token.rpartition("/")[2]) if token else 0
        changed = sorted((seq, name) for name, seq in kept.changes.items() if seq > since)
        if not token:
            changed = [(seq, name) for seq, name in changed if name in kept.events]
        page = changed[: self.oddities.page]
        found = [
            self._etag(kept, name) if name in kept.events else _missing(kept.path + name)
            for _, name in page
        ]
        if self.oddities.lists_itself:
            found.append(self._props(kept.path, '<d:getetag>"self"</d:getetag>'))
        if len(page) < len(changed):
            found.append(
                f"<d:response><d:href>{quote(kept.path)}</d:href>"
                "<d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
            )
        last = page[-1][0] if page else since
        return multistatus(*found, f"<d:sync-token>urn:sync/{last}</d:sync-token>")

    # Writes

    def _mkcalendar(self, request: Request, path: str) -> Reply:
        if not self.oddities.makes_calendars:
            return Reply(status=403)
        name = _parsed(request).findtext(f".//{DAV}displayname") or ""
        self.calendars.append(Kept(path=path if path.endswith("/") else path + "/", name=name))
        return Reply(status=201)

    def _get(self, _: Request, path: str) -> Reply:
        kept, name = self._in(path)
        if kept is None or name not in kept.events:
            return Reply(status=404)
        stored = kept.events[name]
        headers = {"Content-Type": "text/calendar", "ETag": stored.etag}
        return Reply(status=200, body=stored.body.encode(), headers=headers)

    def _put(self, request: Request, path: str) -> Reply:
        kept, name = self._in(path)
        if kept is None:
            return Reply(status=409)
        if kept.rights == READ:
            return Reply(status=403)
        before, body = kept.events.get(name), request.body.decode()
        if not self._guard_holds(request, before):
            return Reply(status=412)
        uid = re.findall(r"UID:(\S+)", unfolded(body))[0]
        if (refusal := self._refusal(kept, name, uid, body)) is not None:
            return refusal
        etag = f'"{next(self._numbers)}"'
        kept.events[name] = Stored(body=self._rewritten(body), etag=etag, uid=uid)
        kept.changes[name] = next(self._numbers)
        headers = {"ETag": etag} if self.oddities.tells_etags else {}
        return Reply(status=201 if before is None else 204, headers=headers)

    def _guard_holds(self, request: Request, before: Stored | None) -> bool:
        if request.headers.get("if-none-match") == "*" and self.oddities.guards_creation:
            return before is None
        wanted = request.headers.get("if-match")
        if wanted == "*":
            return (before is None) is self.oddities.inverts_any_match
        return wanted is None or (before is not None and before.etag == wanted)

    def _refusal(self, kept: Kept, name: str, uid: str, body: str) -> Reply | None:
        odd = self.oddities
        if odd.refuses_deleted_uids and uid in self.deleted:
            return Reply(status=409)
        if odd.one_calendar_per_uid and (
            "METHOD:" in body or "DTEND" not in body or self._stands_elsewhere(kept, name, uid)
        ):
            return Reply(status=412 if "DTEND" in body else 400, body=b"<error xmlns='DAV:'/>")
        return None

    def _stands_elsewhere(self, kept: Kept, name: str, uid: str) -> bool:
        return any(
            stored.uid == uid
            for other in self.calendars
            for taken, stored in other.events.items()
            if (other, taken) != (kept, name)
        )

    def _rewritten(self, body: str) -> str:
        lines = unfolded(body).splitlines()
        return "".join(
            f"{line}\r\n" for line in lines if not line.startswith(self.oddities.dropped or "\0")
        )

    def _delete(self, request: Request, path: str) -> Reply:
        kept, name = self._in(path)
        if kept is None or name not in kept.events:
            return Reply(status=404)
        if not self._guard_holds(request, kept.events[name]):
            return Reply(status=412)
        self.deleted.add(kept.events.pop(name).uid)
        kept.changes[name] = next(self._numbers)
        return Reply(status=204)

    def _at(self, path: str) -> Kept | None:
        same = (kept for kept in self.calendars if kept.path == path)
        return next(same, None)

    def _in(self, path: str) -> tuple[Kept | None, str]:
        folder, _, name = path.rpartition("/")
        return self._at(folder + "/"), name


def _parsed(request: Request) -> ElementTree.Element:
    return ElementTree.fromstring(request.body)  # noqa: S314 -- lorsync's own


def _missing(path: str) -> str:
    return (
        f"<d:response><d:href>{quote(path)}</d:href>"
        "<d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
    )


def multistatus(*inside: str) -> Reply:
    """Write a 207."""
    body = f"<d:multistatus {_NAMES}>{''.join(inside)}</d:multistatus>"
    return Reply(body=body.encode(), headers={"Content-Type": "application/xml"})


def unfolded(body: str) -> str:
    return body.replace("\r\n ", "").replace("\n ", "")
