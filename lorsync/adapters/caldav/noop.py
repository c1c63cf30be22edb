"""Ask one collection whether anything changed, with no more than the standard library.

Loading an HTTP client for whole sessions costs several times what the one request of a pass with
nothing to do costs. So this asks that request first. Whatever it meets that is not the plain
answer, it leaves to the transport, which knows redirects, refusals and tokens, and what to say.
"""

import http.client
import logging
import os
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.ca_bundle import trusted_authorities
from lorsync.adapters.caldav.response import Answer, Exchange
from lorsync.adapters.caldav.timeout import alarm
from lorsync.adapters.caldav.urls import is_address, is_loopback
from lorsync.adapters.caldav.veil import Veil
from lorsync.core.ports import SyncToken

log = logging.getLogger(__name__)

_SECONDS = 10.0
"""For the whole of it: a server in trouble is the transport's business."""

_LARGEST = 1024 * 1024
"""Bytes of an answer that tells of little; a longer one tells of much, and is asked for again."""

_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def can_glance(address: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this way of asking serves for an address: directly, as the transport would."""
    if not is_address(address):
        return False
    direct = is_loopback(urlsplit(address).hostname or "")
    return direct or not any(environ.get(name) for name in _PROXIES)


def ask(address: str, *, username: str, password: str, token: SyncToken) -> Exchange | None:
    """Ask what changed since a token (RFC 6578 section 3.2); None without a multistatus.

    It takes ten seconds at most. Credentials go to ``address`` alone: no redirect is followed.
    """
    body = xml.sync_collection(token)
    parts = urlsplit(address)
    login = b64encode(f"{username}:{password}".encode()).decode()
    headers = {
        "Authorization": f"Basic {login}",
        "Content-Type": xml.MEDIA_TYPE,
        "Depth": "0",
    }
    with closing(_connection(parts.scheme, parts.hostname or "", parts.port)) as connection:
        try:
            # Connected here, since a handshake can drip like any answer.
            plain = socket.create_connection((connection.host, connection.port), _SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with closing(plain), _at_most(_SECONDS, plain.dup()):
                connection.sock = _encrypted(plain, connection)
                connection.request("REPORT", parts.path, body=body, headers=headers)
                response = connection.getresponse()
                content = response.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.debug("A first look got no answer: %s.", type(error).__name__)
            return None
    veil = Veil(password, username=username, known=(address, username))
    root = xml.parse(veil.unsigned(content)) if len(content) <= _LARGEST else None
    if response.status != 207 or root is None:
        return None
    veil.clear(root, besides=xml.CALENDAR_DATA)
    answer = Answer(
        method="REPORT",
        url=address,
        status=response.status,
        headers={name.lower(): veil.cleared(value) for name, value in response.getheaders()},
        root=root,
        web_page=False,
    )
    return Exchange(body=body, answer=answer)


def unchanged(answer: Answer) -> SyncToken | None:
    """Return the token of an answer that tells of no change at all, None for any other.

    One response makes it another: that of a resource of anybody's, or of the collection itself
    (gone, or with more to come, RFC 6578 section 3.6).
    """
    status = answer.multistatus()
    return SyncToken(status.token) if status.token and not status.responses else None


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    kind = http.client.HTTPConnection if scheme == "http" else http.client.HTTPSConnection
    return kind(host, port, timeout=_SECONDS)


def _encrypted(plain: socket.socket, connection: http.client.HTTPConnection) -> socket.socket:
    """Return the socket with TLS, where the connection is to have that."""
    if not isinstance(connection, http.client.HTTPSConnection):
        return plain
    anchors = trusted_authorities()
    named = anchors if isinstance(anchors, str) else None
    folder = named is not None and Path(named).is_dir()
    context = ssl.create_default_context(
        cafile=None if folder else named, capath=named if folder else None
    )
    return context.wrap_socket(plain, server_hostname=connection.host)


@contextmanager
def _at_most(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Break a connection off after so long, however little at a time comes over it.

    ``connected`` is a descriptor of it for this alone.
    """

    def break_off() -> None:
        with suppress(OSError):  # the other side was quicker
            connected.shutdown(socket.SHUT_RDWR)

    try:
        with alarm(seconds, break_off):
            yield
    finally:
        connected.close()
