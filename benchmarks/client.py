"""Another client on the calendar: plain HTTP, as a phone would do it, and nothing of lorsync's."""

import base64
import http.client
import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.starting import Server

_HREF = re.compile(r"<(?:\w+:)?href>([^<]+\.ics)</")
_EVENT = re.compile(r"(?s)BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n")
_TOKEN = re.compile(r"<(?:\w+:)?sync-token>([^<]+)</")
_ASK_TOKEN = b'<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>'
_XML = {"Content-Type": "application/xml"}


class Client:
    """One connection to one server."""

    def __init__(self, server: Server) -> None:
        """Remember the address; nothing is sent yet."""
        self._netloc = urlsplit(server.url).netloc
        secret = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}

    def make_collection(self, path: str, name: str) -> None:
        """Make a calendar of this name."""
        body = (
            '<c:mkcalendar xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:set><d:prop>'
            f"<d:displayname>{name}</d:displayname></d:prop></d:set></c:mkcalendar>"
        )
        self._send("MKCALENDAR", path, body.encode(), {"Content-Type": "application/xml"})

    def fill(self, path: str, bodies: Path) -> None:
        """Put a folder of events into an empty collection by one request, as Radicale allows.

        It looks through a whole collection at each new event, so that one at a time would take
        minutes for thousands.
        """
        texts = (file.read_bytes().decode() for file in sorted(bodies.glob("*.ics")))
        events = "".join(event for text in texts for event in _EVENT.findall(text))
        head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lorsync//benchmarks//EN\r\n"
        body = f"{head}{events}END:VCALENDAR\r\n".encode()
        self._send("PUT", path, body, {"Content-Type": "text/calendar; charset=utf-8"})

    def hrefs(self, path: str) -> list[str]:
        """Return the paths of a collection's resources."""
        body = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        return _HREF.findall(self._send("PROPFIND", path, body, headers))

    def retitle(self, hrefs: Iterable[str]) -> None:
        """Write another title into these events."""
        for href in hrefs:
            self._put(href, self._retitled(href, "Mine: "))

    def changes(self, path: str, hrefs: Sequence[str], connections: int) -> float:
        """Do bare what a pass does that changes these events, and return its seconds.

        A report of changes since a token, the guarded writes on so many connections at once, and
        one multiget: what the server alone takes for it, and no client can go below.
        """
        token = _TOKEN.findall(self._send("PROPFIND", path, _ASK_TOKEN, {**_XML, "Depth": "0"}))[0]
        report = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
            "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
        )
        asked = "".join(f"<d:href>{href}</d:href>" for href in hrefs)
        multiget = (
            '<c:calendar-multiget xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:">'
            f"<d:prop><d:getetag/><c:calendar-data/></d:prop>{asked}</c:calendar-multiget>"
        )
        bodies = {href: self._retitled(href, "Bare: ") for href in hrefs}
        begin = time.perf_counter()
        self._send("REPORT", path, report.encode(), {**_XML, "Depth": "0"})
        with ThreadPoolExecutor(connections) as pool:
            list(pool.map(self._put, bodies.keys(), bodies.values()))
        self._send("REPORT", path, multiget.encode(), {**_XML, "Depth": "1"})
        return time.perf_counter() - begin

    def _retitled(self, href: str, mark: str) -> bytes:
        text = self._send("GET", href, b"", {})
        return re.sub(r"(?m)^SUMMARY:", f"SUMMARY:{mark}", text).encode()

    def _put(self, href: str, body: bytes) -> None:
        self._send("PUT", href, body, {"Content-Type": "text/calendar; charset=utf-8"})

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection(self._netloc, timeout=600)
        try:
            connection.request(method, path, body, {**self._headers, **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:300]}"
        return text
