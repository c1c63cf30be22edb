"""One HTTP exchange within limits: of time, of size, and of what is taken from the environment."""

import gzip
import io
import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import niquests
from niquests.adapters import HTTPAdapter
from niquests.packages.urllib3.contrib.resolver.system import (  # type: ignore[import-not-found]  # made up at run time
    SystemResolver,
)
from niquests.packages.urllib3.exceptions import (  # type: ignore[import-not-found]  # likewise
    HTTPError,
)
from niquests.utils import get_environ_proxies

from lorsync.adapters.caldav.timeout import alarm

_MOST_ADDRESSES: Final = 8
"""Of a name; each that does not answer costs the time limit for connecting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a server may take, in seconds, and how large an answer may be, in bytes.

    ``connect`` and ``read`` are the silence that is allowed; ``request`` is all of one request, as
    a server that drips is never silent; ``whole`` is all requests of one transport together, so of
    a pass. ``size`` holds for an answer as it comes and as it is unpacked.
    """

    connect: float = 10.0
    read: float = 30.0
    request: float = 120.0
    whole: float = 600.0
    size: int = 32 * 1024 * 1024


LIMITS: Final = Limits()


class TooSlowError(Exception):
    """An answer did not come to its end within the time of one request."""


class TooLargeError(Exception):
    """An answer is larger than any that is wanted."""


class UnreadableError(Exception):
    """An answer is packed in a way that was not asked for, or is damaged."""


class LimitedSession(niquests.Session):
    """A session for one thread at a time; what it takes from a server is bounded.

    It follows no redirect, keeps no cookie, reads no ``.netrc``, and asks nobody but the server:
    certificates are checked here, and not by asking over http what has become of them, which keeps
    nobody out who can also hold back that answer.
    """

    def __init__(self, limits: Limits, *, url: str, verify: bool | str) -> None:
        self._sockets = _Sockets()
        super().__init__(
            resolver=self._sockets,
            disable_http3=True,  # needs UDP, which a hardened service may not have
            revocation_configuration=None,
            allow_incoming_cookies=False,
            headers={"Accept-Encoding": "gzip"},
        )
        self.status = 0
        self.told: Mapping[str, str] = {}
        self.content = b""
        self.seconds = limits.request
        self.verify = verify
        self.trust_env = False
        self.proxies = proxies_for(url)
        self._limits = limits
        for adapter in self.adapters.values():
            # Else a thread for each connection wakes an idle daemon every few seconds.
            assert isinstance(adapter, HTTPAdapter)  # noqa: S101 - a session has no others
            adapter.poolmanager.connection_pool_kw["background_watch_delay"] = None

    def get_redirect_target(self, resp: niquests.Response) -> None:
        """Leave each redirect to the caller: it changes where credentials go."""

    def send(self, request: niquests.PreparedRequest, **kwargs: Any) -> niquests.Response:
        """Send a request and keep its answer: ``status``, headers as ``told``, body as ``content``.

        The names of headers are in lower case. Nothing else gets to read the body: parsers of other
        libraries would expand what it declares.
        Raises TooSlowError after ``seconds``, TooLargeError, UnreadableError, and what niquests
        raises.
        """
        self.status, self.told, self.content = 0, {}, b""
        with self._sockets.ended_after(self.seconds):
            response = super().send(request, **{**kwargs, "stream": True})
            try:
                self.content = _body(response, self._limits.size)
            except HTTPError:
                # Of the library below, which niquests lets through: a chunk of no length, say.
                raise UnreadableError from None
        self.status = response.status_code or 0
        self.told = {str(name).lower(): _text(value) for name, value in response.headers.items()}
        # What the property of that name keeps once it was read.
        response._content = b""
        return response

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self._sockets.cut()


def proxies_for(url: str) -> dict[str, str]:
    """Return the proxies that the environment names, as niquests takes them; none for http.

    An https request passes a proxy unread, in a tunnel; an http one would be read there.
    """
    return dict(get_environ_proxies(url)) if url.lower().startswith("https:") else {}


def _text(value: object) -> str:
    """Return what a header says: some servers write addresses in UTF-8, which came as Latin-1.

    RFC 9110 section 5.5 leaves to the field what such bytes mean.
    """
    text = str(value)
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _body(response: niquests.Response, size: int) -> bytes:
    taken = bytearray()
    for chunk in response.iter_raw(-1):
        taken += chunk
        if len(taken) > size:
            raise TooLargeError
    coding = str(response.headers.get("content-encoding") or "").strip().lower()
    if not taken or coding in {"", "identity"}:
        return bytes(taken)
    if coding not in {"gzip", "x-gzip"}:
        raise UnreadableError
    return _unpacked(taken, size)


def _unpacked(packed: bytearray, size: int) -> bytes:
    """Unpack as far as ``size``: a megabyte of zeros fits into a kilobyte, and that again."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableError from None
    if len(content) > size:
        raise TooLargeError
    return content


class _Sockets(SystemResolver):  # type: ignore[misc]  # of no known type, by that
    """Makes the connections of a session, and can end them from another thread.

    A limit for each read is no limit for a server that sends a byte now and then, be it of a TLS
    handshake, of headers or of a body. A second descriptor of each socket is kept, through which
    all of it is shut down, whatever the library is doing with the first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._guard = threading.Lock()
        self._kept: dict[tuple[str, int], socket.socket] = {}
        self._late = False

    def getaddrinfo(self, *args: Any, **more: Any) -> list[Any]:
        """Resolve as the system does, up to a number of addresses."""
        return list(super().getaddrinfo(*args, **more))[:_MOST_ADDRESSES]

    def create_connection(self, address: tuple[str, int], *args: Any, **more: Any) -> socket.socket:
        """Connect, and keep a second descriptor."""
        made: socket.socket = super().create_connection(address, *args, **more)
        with self._guard:
            if self._late:
                made.close()
                raise TimeoutError
            if (before := self._kept.pop(address, None)) is not None:
                before.close()
            self._kept[address] = made.dup()
        return made

    @contextmanager
    def ended_after(self, seconds: float) -> Iterator[None]:
        """Raise TooSlowError if what is done under it takes longer; end connections on any error.

        One that is left in the middle of an answer is of no use to the next request.
        """
        self._late = False
        with alarm(seconds, self._end):
            try:
                yield
            except BaseException:
                self.cut()
                if self._late:
                    raise TooSlowError from None
                raise
        if self._late:
            # A shut connection can look like an answer that has come to its end.
            raise TooSlowError

    def cut(self) -> None:
        """End every connection."""
        with self._guard:
            kept, self._kept = self._kept, {}
        for each in kept.values():
            with suppress(OSError):  # the other side may have been quicker
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _end(self) -> None:
        with self._guard:
            self._late = True
        self.cut()
