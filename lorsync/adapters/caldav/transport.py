"""One request, one honest answer: connections, limits, redirects, and every foreign exception."""

import logging
import math
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import niquests
from caldav.davclient import DAVClient
from caldav.lib import error as caldav_error
from caldav.lib.error import AuthorizationError, DAVError, RateLimitError, parse_retry_after
from caldav.lib.python_utilities import WireBytes
from niquests.adapters import HTTPAdapter
from niquests.auth import AuthBase, HTTPBasicAuth
from niquests.utils import get_environ_proxies

from lorsync.adapters.caldav import xml
from lorsync.adapters.caldav.addresses import (
    check_address,
    is_loopback,
    may_follow,
    shown,
    trust_anchors,
)
from lorsync.adapters.caldav.answers import Answer, Exchange
from lorsync.errors import (
    BusyError,
    LoginRefusedError,
    LorsyncError,
    TryAgainError,
    UnavailableError,
)

# What these say to a log, lorsync says itself, in its own words, and once. The second is named
# because caldav 3.6 looks at that logger's own level, not at the one that it inherits.
for _name in ("caldav", "caldav.response", "niquests", "urllib3", "urllib3_future"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
# An environment variable would have the library write requests to files, credentials included.
caldav_error.debug_dump_communication = False

_HOPS = 5
_LARGEST_ANSWER = 64 * 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Of the 5xx these concern the one request: not implemented, and no room left.
_PLAIN_5XX = frozenset({501, 507})
_GOOGLE_QUOTA = (b"usageLimits", b"ateLimitExceeded", b"quotaExceeded")
_NOT_ENABLED = b"accessNotConfigured"
# Set on an answer whose body is a web page.
_PAGE = "x-lorsync-web-page"


class AccessTokens(Protocol):
    """Bearer tokens (RFC 6750), each of which ends sooner than the login; from any thread."""

    def current(self) -> str:
        """Return a token that has not ended. Raises LoginRefusedError if the login has."""

    def renewed(self, refused: str) -> str:
        """Return another token in the stead of one that was refused. Raises as ``current``."""


class Transport:
    """Requests to one account, from any number of threads, over kept-alive connections.

    With ``tokens`` there is no password. ``advice`` is for those whose password is refused.
    ``connect_limit`` and ``read_limit`` are seconds. ``ahead`` was sent before this was made: the
    same request gets its answer.
    """

    def __init__(
        self,
        origin: str,
        *,
        username: str,
        password: str,
        tokens: AccessTokens | None = None,
        advice: str = "Some servers take an app password only.",
        connect_limit: float = 10.0,
        read_limit: float = 30.0,
        ahead: Exchange | None = None,
    ) -> None:
        check_address(origin)
        self._origin = origin
        self._username = username
        # The caldav library would take the password as its own attribute, and shows it there.
        self._bearer = _Bearer()
        self._auth = HTTPBasicAuth(username, password) if tokens is None else self._bearer
        self._tokens = tokens
        self._advice = advice
        self._limits = (connect_limit, read_limit)
        self._lock = threading.Lock()
        self._idle: list[DAVClient] = []
        self._ahead = ahead
        self._requests = 0 if ahead is None else 1
        self._stated_time: datetime | None = None

    @property
    def origin(self) -> str:
        """The address that the credentials are for."""
        return self._origin

    @property
    def username(self) -> str:
        """Whose account this is, for messages."""
        return self._username

    @property
    def advice(self) -> str:
        """What to say to a person whose password is refused."""
        return self._advice

    @property
    def requests(self) -> int:
        """How many requests were sent, redirects included."""
        with self._lock:
            return self._requests

    @property
    def stated_time(self) -> datetime | None:
        """The server's clock as the last answer that told it said, aware; None before one did."""
        with self._lock:
            return self._stated_time

    def send(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and return its answer, whatever its status below 500, but not 401 and 429.

        Redirects are followed with the same method and body, which the library does not do.
        Raises LoginRefusedError (401), BusyError (429, 503, a quota), TryAgainError (other 5xx),
        UnavailableError (no answer).
        """
        for _ in range(_HOPS + 1):
            answer = self._send_once(method, url, body, headers or {})
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            target = urljoin(answer.url, answer.headers["location"])
            if not may_follow(self._origin, target):
                raise UnavailableError(
                    f"{shown(url)} redirects to {shown(target)}: the password is not sent there. "
                    "If that is right, write this address into [calendar] url."
                )
            url = target
        raise UnavailableError(
            f"{shown(url)} redirects in a circle: check the address in [calendar] url."
        )

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            clients, self._idle = self._idle, []
        for client in clients:
            client.close()

    def _send_once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._tokens is None:
            outcome = self._exchanged(method, url, body, headers)
        else:
            token = self._bearer.token = self._tokens.current()
            outcome = self._exchanged(method, url, body, headers)
            if isinstance(outcome, LoginRefusedError):
                # A token may end ahead of its time; once, since a second refusal has other reasons.
                self._bearer.token = self._tokens.renewed(token)
                outcome = self._exchanged(method, url, body, headers)
        if isinstance(outcome, LorsyncError):
            # Raised outside of every except clause: neither as cause nor as context does the
            # foreign exception hang on ours, with the Authorization header in its request.
            raise outcome
        with self._lock:
            self._stated_time = outcome.stated_time or self._stated_time
        return outcome

    def _exchanged(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer | LorsyncError:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.is_for(method, url, body):
            return ahead.answer
        client = self._take()
        outcome = self._exchange(client, method, url, body, headers)
        with self._lock:
            self._idle.append(client)
        return outcome

    def _exchange(
        self,
        client: DAVClient,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Answer | LorsyncError:
        """Send one request; every exception of the libraries below is translated here."""
        try:
            # WireBytes: the library rewrites the line ends of anything else.
            response = client.request(url, method, WireBytes(body), headers)  # type: ignore[arg-type]
        except AuthorizationError as error:
            who = "the login" if self._tokens else f"the user name {self._username!r} or password"
            return _refusal(error, method, url, who, self._advice)
        except RateLimitError as error:
            return _busy(url, error.status or 429, error.retry_after_seconds)
        except niquests.exceptions.TooManyRedirects as error:
            return _redirect(error, method, url)
        except (niquests.exceptions.RequestException, OSError) as error:
            return unreachable(error, url, self._limits[1])
        except OverflowError:
            # The library's, of a Retry-After with hundreds of digits.
            return _busy(url, 429, math.inf)
        except (DAVError, xml.XmlError, ValueError):
            return UnavailableError(f"{shown(url)} gave an answer that cannot be read.")
        answer = Answer(
            method=method,
            url=url,
            status=response.status,
            headers=_lower(response.headers),
            root=xml.trusted(response.tree),
            web_page=_PAGE in response.headers,
        )
        if answer.status >= 500 and answer.status not in _PLAIN_5XX:
            return _unwell(answer)
        return answer

    def _take(self) -> DAVClient:
        with self._lock:
            self._requests += 1
            if self._idle:
                return self._idle.pop()
        return self._connected()

    def _connected(self) -> DAVClient:
        client = DAVClient(
            url=self._origin,
            auth=self._auth,
            timeout=self._limits,  # type: ignore[arg-type]  # niquests takes a pair
            ssl_verify_cert=trust_anchors(),
            enable_rfc6764=False,
            rate_limit_handle=False,
        )
        client.session.close()
        # HTTP/3 needs UDP, which a hardened service may not have.
        client.session = niquests.Session(disable_http3=True)
        for adapter in client.session.adapters.values():
            # Else a thread for each connection wakes an idle daemon every few seconds.
            assert isinstance(adapter, HTTPAdapter)  # noqa: S101 - a session has no others
            adapter.poolmanager.connection_pool_kw["background_watch_delay"] = None
        client.session.trust_env = False  # no .netrc
        client.session.max_redirects = 0
        client.session.hooks["response"] = [_look_at]
        if not is_loopback(urlsplit(self._origin).hostname or ""):
            client.session.proxies = dict(get_environ_proxies(self._origin))
        return client


def _look_at(response: Any, **_: object) -> None:
    """Mark a body that is not XML, before the library sees it.

    caldav 3.6 logs such a body, with a traceback, on the root logger, and sets up a handler there
    if there is none; one that is declared as octets it lets pass.
    """
    response.headers.pop(_PAGE, None)
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > _LARGEST_ANSWER:
        raise niquests.exceptions.ContentDecodingError("the answer is too long")
    content = response.content or b""
    if content and xml.parse(content) is None:
        declared = response.headers.get("content-type", "").lower()
        head = content[:1024].lstrip().lower()
        if "html" in declared or head.startswith((b"<!doctype html", b"<html")):
            response.headers[_PAGE] = "yes"
        response.headers["content-type"] = "application/octet-stream"


class _Bearer(AuthBase, threading.local):
    """Signs the requests of each thread with its token, unseen by the library, which logs headers.

    RFC 6750 section 2.1.
    """

    token = ""

    def __call__(self, request: niquests.PreparedRequest) -> niquests.PreparedRequest:
        assert request.headers is not None  # noqa: S101 -- a prepared request has some
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _redirect(error: niquests.exceptions.TooManyRedirects, method: str, url: str) -> Answer:
    response = error.response
    status = None if response is None else response.status_code
    return Answer(
        method=method,
        url=url,
        status=status or 302,
        headers=_lower(response.headers if response is not None else {}),
        root=None,
        web_page=False,
    )


def _refusal(
    error: AuthorizationError, method: str, url: str, who: str, advice: str
) -> Answer | LorsyncError:
    """Return a 403 as an answer, since its body may name a condition; a 401 ends everything."""
    body = error.body.encode() if isinstance(error.body, str) else error.body or b""
    if error.status == 401:
        return LoginRefusedError(f"{shown(url)} refuses {who}: check calendar.username. {advice}")
    # An API that is not enabled counts as a limit of use at Google, and no waiting helps it.
    if any(word in body for word in _GOOGLE_QUOTA) and _NOT_ENABLED not in body:
        return _busy(url, 403, None)
    root = xml.parse(body) if body else None
    page = root is None and b"<html" in body[:1024].lower()
    return Answer(method=method, url=url, status=403, headers={}, root=root, web_page=page)


def _busy(url: str, status: int, retry_after: float | None) -> BusyError:
    return BusyError(
        f"{shown(url)} asks to be left alone for now ({status}).", retry_after=retry_after
    )


def _unwell(answer: Answer) -> TryAgainError:
    """Say what a 5xx means for the whole server: come back later, or some mishap."""
    wish = answer.headers.get("retry-after")
    if answer.status == 503 or wish:
        return _busy(answer.url, answer.status, _seconds(wish))
    return TryAgainError(f"{shown(answer.url)} is not well ({answer.status}): try again.")


def _seconds(wish: str | None) -> float | None:
    """Return a Retry-After in seconds, given as such or as a time; None for what is neither."""
    try:
        return parse_retry_after(wish) if wish else None
    except OverflowError:
        return math.inf


def unreachable(error: OSError, url: str, read_limit: float) -> UnavailableError:
    """Say why there was no answer; the order matters, ConnectTimeout is a ConnectionError too."""
    host = urlsplit(shown(url)).netloc
    text = str(error)
    if isinstance(error, niquests.exceptions.Timeout):
        why = f"does not answer within {read_limit:g} s: try again, or check calendar.url"
    elif isinstance(error, niquests.exceptions.SSLError) or "certificate" in text.lower():
        why = "has a certificate that this machine does not trust: check calendar.url"
    elif "resolve" in text.lower() or "getaddrinfo" in text.lower():
        why = "cannot be found: check calendar.url and the network"
    elif "refused" in text.lower():
        why = "refuses connections: check that the server runs, and its port in calendar.url"
    else:
        why = "cannot be reached, or broke the connection off: check the network"
    return UnavailableError(f"{host} {why}.")
