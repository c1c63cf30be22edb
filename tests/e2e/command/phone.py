"""The person's other calendar app: a plain HTTP client that knows nothing of lorsync."""

import base64
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urljoin

from tests.servers.starting import Server

_LIST = {"Depth": "1", "Content-Type": "application/xml"}
_PROPFIND = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'


@dataclass(kw_only=True)
class Phone:
    """One collection, seen from another device."""

    server: Server
    collection: str

    def hrefs(self) -> list[str]:
        """Return the hrefs of the events in the collection, without lorsync's memory.

        There are none where it is not made yet.
        """
        try:
            answer = self._ask("PROPFIND", self.collection, _PROPFIND, _LIST)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        found = re.findall(r"<[^>]*href>([^<]+\.ics)</", answer)
        return sorted({href for href in found if "/lorsync-memory-" not in href})

    def read(self, href: str) -> str:
        return self._ask("GET", href)

    def write(self, href: str, body: str) -> None:
        self._ask("PUT", href, body.encode(), {"Content-Type": "text/calendar"})

    def delete(self, href: str) -> None:
        self._ask("DELETE", href)

    def bodies(self) -> dict[str, str]:
        return {href: self.read(href) for href in self.hrefs()}

    def find(self, words: str) -> str:
        """Return the href of the first event with these words in it, by its day."""
        found = [
            (re.findall(r"DTSTART[^:]*:(\d+)", body)[0], href)
            for href, body in self.bodies().items()
            if words in body.replace("\r\n ", "").replace("\n ", "")
        ]
        return min(found)[1]

    def _ask(
        self,
        method: str,
        href: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        request = urllib.request.Request(
            urljoin(self.server.url, href), data=body, method=method, headers=headers or {}
        )
        pair = f"{self.server.username}:{self.server.password}".encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()
