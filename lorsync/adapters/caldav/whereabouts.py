"""Where a collection is: which hrefs lie in it, and whether it is still there at all."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote, urljoin

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import shown
from lorsync.adapters.caldav.answers import GONE
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.veil import CONCEALED
from lorsync.core.model import Uid
from lorsync.errors import CollectionGoneError, UnavailableError
from lorsync.ports import Href


class Whereabouts:
    """The address of one collection, its ``path`` percent-decoded as in an href.

    ``strays`` are the hrefs that were named to be in it and are not, as the server spells them.
    """

    def __init__(self, transport: Transport, address: str) -> None:
        self._transport = transport
        self.address = address if address.endswith("/") else address + "/"
        self.path = xml.decoded_path(self.address)
        self.strays: set[str] = set()

    def href_for(self, uid: Uid) -> Href:
        """Return the href at which a resource with this UID belongs."""
        return Href(f"{self.path}{uid}.ics")

    def url(self, href: Href) -> str:
        """Return the address of a resource, the collection's own part spelt as its server does.

        Raises ValueError for an href that is not in here.
        """
        name = self._name(href)
        if name is None:
            raise ValueError(f"{href!r} is not in {self.path!r}")
        return self.address + quote(name, safe="")

    def inside(self, responses: Sequence[xml.Response]) -> Iterator[tuple[Href, xml.Response]]:
        """Yield the resources that lie in this collection: no answer is trusted to stay there."""
        for response in responses:
            # Of an href that had a secret in it, nothing is left to be used.
            if not self._is_here(response.href) or CONCEALED in response.spelling:
                self.strays.add(response.spelling)
            elif self._name(response.href) is not None:
                yield Href(response.href), response

    def check_there(self) -> None:
        """Raise CollectionGoneError if the collection is gone for certain.

        A 404 may also come from a portal or a proxy in the way: only where the folder above, or
        the account's own address, answers like a CalDAV server is it believed, and
        UnavailableError raised elsewhere. At Google each calendar has a folder of its own, which
        goes with it.
        """
        if self._is_there(self.address):
            return
        above = urljoin(self.address, "..")
        if not (self._is_there(above) or self._is_there(self._transport.origin)):
            raise UnavailableError(
                f"{shown(self.address)} answers 404, and so does the folder above it: "
                "check calendar.url, or try again later."
            )
        raise CollectionGoneError(
            f"The calendar {shown(self.address)} is gone from the server: restore it there, "
            "or start afresh with another --state-dir."
        )

    def _name(self, href: str) -> str | None:
        """Return the last segment of a resource's href; None for what is not in here."""
        name = href.removeprefix(self.path)
        return None if name == href or "/" in name or name in {"", ".", ".."} else name

    def _is_here(self, href: str) -> bool:
        """Tell whether an href means this collection, or something below it.

        Its path alone counts, and is all that is used of it: behind a proxy, servers name hosts of
        which nobody else has heard.
        """
        return (href.rstrip("/") + "/").startswith(self.path) and ".." not in href.split("/")

    def _is_there(self, url: str) -> bool:
        """Tell whether a collection exists; only WebDAV may say that it does."""
        headers = {"Content-Type": xml.MEDIA_TYPE, "Depth": "0"}
        answer = self._transport.send(
            "PROPFIND", url, body=xml.propfind([xml.RESOURCETYPE]), headers=headers
        )
        if answer.status in GONE:
            return False
        own = answer.multistatus().of(xml.decoded_path(answer.url))
        return own is not None and own.status not in GONE
