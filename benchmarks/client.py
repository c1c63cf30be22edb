"""Another client on the calendar: plain HTTP, as a phone would do it, and nothing of lorsync's."""

import base64
import http.client
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers import Server

_HREF = re.compile(r"<(?:\w+:)?href>([^<]+\.ics)</")
_EVENT = re.compile(r"(?s)BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n")


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
            text = self._send("GET", href, b"", {})
            changed = re.sub(r"(?m)^SUMMARY:", "SUMMARY:Mine: ", text)
            headers = {"Content-Type": "text/calendar; charset=utf-8"}
            self._send("PUT", href, changed.encode(), headers)

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
