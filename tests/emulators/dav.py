"""A CalDAV account in memory: what the RFCs ask for, and where a provider is known to differ.

What many servers do is a flag of :class:`Oddities`; what one provider does alone is in a subclass
of :class:`Account`, in a module named after it that gives its sources.
"""

import hashlib
import itertools
import re
import threading
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.emulators.kept import READ, Kept, Oddities, Stored
from tests.servers.exchange import Reply, Request

DAV, CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" '
    'xmlns:a="http://apple.com/ns/ical/" xmlns:s="http://calendarserver.org/ns/"'
)


class Account:
    """Answers WebDAV requests of somebody who is let in already."""

    def __init__(self, *, principal: str, home: str, home_url: str, oddities: Oddities) -> None:
        self.principal, self.home, self.home_url = principal, home, home_url
        self.oddities = oddities
        self.calendars: list[Kept] = []
        self.people: dict[str, str] = {}  # names of others, by their principals
        self.others: dict[str, str] = {}  # what stands in the home beside calendars, and its kind
        self.knows_tokens = True
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()

    def calendar(self, name: str) -> Kept:
        return next(found for found in self.calendars if found.name == name)

    def keep(self, kept: Kept, name: str, body: str) -> Stored:
        """Store a resource as any of the person's programs does, and report it as changed."""
        held = self.rewritten(body) if self.oddities.rewrites else body
        stored = Stored(body=held, etag=self.etag_of(held), uid=uid_in(body))
        kept.events[name] = stored
        kept.changes[name] = next(self._numbers)
        return stored

    def drop(self, kept: Kept, name: str) -> None:
        """Take a resource away, and report it as gone."""
        del kept.events[name]
        kept.changes[name] = next(self._numbers)

    def bring_back(self, kept: Kept, name: str, body: str) -> None:
        """Take a resource out of the provider's bin, or put a new one there."""
        self.keep(kept, name, body)

    # What a provider may do in its own way

    def etag_of(self, body: str) -> str:
        """Return the ETag of a body that is stored now."""
        if self.oddities.hashes_etags:
            return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        return f'"{next(self._numbers)}"'

    def rewritten(self, body: str) -> str:
        """Return a body in the bytes in which it is stored: here without folds."""
        lines = unfolded(body).splitlines()
        return "".join(
            f"{line}\r\n" for line in lines if not line.startswith(self.oddities.dropped or "\0")
        )

    def refusal(self, kept: Kept, name: str, body: str) -> Reply | None:
        """Refuse to store a body, or None."""
        return None

    def refusal_to_delete(self, kept: Kept, name: str) -> Reply | None:
        """Refuse to delete a resource that is there, or None."""
        return None

    def refusal_to_make(self, path: str) -> Reply | None:
        """Refuse to make a calendar, or None."""
        return None if self.oddities.makes_calendars else Reply(status=403)

    def refusal_to_move(self, kept: Kept, target: Kept) -> Reply | None:
        """Refuse to move a resource from one calendar to another, or None."""
        return None

    def about(self, kept: Kept, asked: bytes) -> str:
        """Return more properties of a calendar, where the body of the request asks for them."""
        return ""

    def holders(self, uid: str) -> list[tuple[Kept, str]]:
        """Return the resources of all calendars that have this UID."""
        return [
            (kept, name)
            for kept in self.calendars
            for name, stored in kept.events.items()
            if stored.uid == uid
        ]

    # For tests to look at

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
            found += [
                self._props(other, f"<d:resourcetype><d:collection/>{kind}</d:resourcetype>")
                for other, kind in self.others.items()
            ]
            found += [self._about(kept, request.body) for kept in self.calendars]
        elif (kept := self._at(path)) is not None:
            found = [self._about(kept, request.body)]
            if depth == "1":
                found += [self._etag(kept, name) for name in kept.events]
        elif (inside := self._resource(path)) is not None:
            found = [self._etag(*inside)]
        elif path in self.people:
            found = [self._props(path, f"<d:displayname>{self.people[path]}</d:displayname>")]
        elif path == self.principal:
            home = f"<c:calendar-home-set><d:href>{self.home_url}</d:href></c:calendar-home-set>"
            found = [self._props(path, home + self._whose())]
        elif self.principal.startswith(path) or self.home.startswith(path):
            found = [self._props(path, self._whose())]
        return multistatus(*found) if found else Reply(status=404)

    def _whose(self) -> str:
        href = quote(self.principal)
        return f"<d:current-user-principal><d:href>{href}</d:href></d:current-user-principal>"

    def _about(self, kept: Kept, asked: bytes) -> str:
        owner = quote(kept.owner or self.principal)
        return self._props(
            kept.path,
            f"<d:resourcetype><d:collection/><c:calendar/>{kept.kind}</d:resourcetype>"
            f"<d:displayname>{escape(kept.name)}</d:displayname>"
            f"<d:owner><d:href>{owner}</d:href></d:owner>"
            f"<a:calendar-color>{kept.color}</a:calendar-color>"
            f"<d:current-user-privilege-set>{kept.rights}</d:current-user-privilege-set>"
            + self._whose()
            + self.about(kept, asked),
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
        if not self.oddities.lists_missing:
            hrefs = [href for href in hrefs if href.rpartition("/")[2] in kept.events]
        return multistatus(*(self._data(kept, href) for href in hrefs))

    def _data(self, kept: Kept, href: str) -> str:
        name = href.rpartition("/")[2]
        if name not in kept.events:
            return _missing(href)
        body = escape(kept.events[name].body)
        return self._etag(kept, name, f"<c:calendar-data>{body}</c:calendar-data>")

    def _changes(self, kept: Kept, token: str) -> Reply:
        since, latest = 0, max(kept.changes.values(), default=0)
        if token:
            known = re.fullmatch(r"urn:sync/(\d+)", token)
            if known is None or int(known[1]) > latest or not self.knows_tokens:
                return condition(403, "<d:valid-sync-token/>")  # RFC 6578 section 3.2
            since = int(known[1])
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
        if (refusal := self.refusal_to_make(path)) is not None:
            return refusal
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
        if (refusal := self.refusal(kept, name, body)) is not None:
            return refusal
        stored = self.keep(kept, name, body)
        headers = {"ETag": stored.etag} if self.oddities.tells_etags else {}
        return Reply(status=201 if before is None else 204, headers=headers)

    def _guard_holds(self, request: Request, before: Stored | None) -> bool:
        if request.headers.get("if-none-match") == "*" and self.oddities.guards_creation:
            return before is None
        wanted = request.headers.get("if-match")
        if wanted == "*":
            return (before is None) is self.oddities.inverts_any_match
        return wanted is None or (before is not None and before.etag == wanted)

    def _delete(self, request: Request, path: str) -> Reply:
        kept, name = self._in(path)
        if kept is None or name not in kept.events:
            return Reply(status=404)
        if not self._guard_holds(request, kept.events[name]):
            return Reply(status=412)
        if (refusal := self.refusal_to_delete(kept, name)) is not None:
            return refusal
        self.drop(kept, name)
        return Reply(status=204)

    def _move(self, request: Request, path: str) -> Reply:
        """Let a resource change its place (RFC 4918 section 9.9)."""
        kept, name = self._in(path)
        target, new_name = self._in(unquote(urlsplit(request.headers["destination"]).path))
        if kept is None or name not in kept.events:
            return Reply(status=404)
        if target is None:
            return Reply(status=409)
        if READ in {kept.rights, target.rights} or (target, new_name) == (kept, name):
            return Reply(status=403)
        if new_name in target.events and request.headers.get("overwrite") == "F":
            return Reply(status=412)
        if (refusal := self.refusal_to_move(kept, target)) is not None:
            return refusal
        body = kept.events[name].body
        self.drop(kept, name)
        self.keep(target, new_name, body)
        return Reply(status=201)

    def _at(self, path: str) -> Kept | None:
        same = (kept for kept in self.calendars if kept.path == path)
        return next(same, None)

    def _in(self, path: str) -> tuple[Kept | None, str]:
        folder, _, name = path.rpartition("/")
        return self._at(folder + "/"), name

    def _resource(self, path: str) -> tuple[Kept, str] | None:
        kept, name = self._in(path)
        return None if kept is None or name not in kept.events else (kept, name)


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


def condition(status: int, element: str) -> Reply:
    """Write an error that names a precondition (RFC 4918 section 16)."""
    body = f"<d:error {_NAMES}>{element}</d:error>"
    return Reply(status=status, body=body.encode(), headers={"Content-Type": "application/xml"})


def uid_in(body: str) -> str:
    return str(next(iter(re.findall(r"UID:(\S+)", unfolded(body))), ""))


def unfolded(body: str) -> str:
    return body.replace("\r\n ", "").replace("\n ", "")
