"""One request, one honest answer: connections, redirects, and every foreign exception."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import niquests
from caldav.davclient import DAVClient
from caldav.lib import error as caldav_error
from caldav.lib.error import AuthorizationError, DAVError, RateLimitError
from caldav.lib.python_utilities import WireBytes
from niquests.auth import AuthBase, HTTPBasicAuth

from lorsync.adapters.caldav import errors, xml
from lorsync.adapters.caldav.ca_bundle import trusted_authorities
from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.caldav.response import Answer, Exchange, is_web_page
from lorsync.adapters.caldav.session import (
    LIMITS,
    LimitedSession,
    Limits,
    TooLargeError,
    TooSlowError,
    UnreadableError,
)
from lorsync.adapters.caldav.urls import (
    as_uri,
    check_address,
    joined,
    may_follow,
    on_one_machine,
    shown,
)
from lorsync.adapters.caldav.veil import Veil
from lorsync.core.errors import LargeAnswerError, LoginRefusedError, LorsyncError, UnavailableError

# What these say to a log, lorsync says itself, in its own words, and once. The second is named
# because caldav 3.6 looks at that logger's own level, not at the one that it inherits.
for _name in ("caldav", "caldav.response", "niquests", "urllib3", "urllib3_future"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
# An environment variable would have the library write requests to files, credentials included.
caldav_error.debug_dump_communication = False

_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class AccessTokens(Protocol):
    """Bearer tokens (RFC 6750), each of which ends sooner than the login; from any thread."""

    def current(self) -> str:
        """Return a token that has not ended. Raises LoginRefusedError if the login has."""

    def renewed(self, refused: str) -> str:
        """Return another token in the stead of one that was refused. Raises as ``current``."""


class Transport:
    """Requests to one account, from any number of threads, over kept-alive connections.

    With ``tokens`` there is no password. ``advice`` is for those whose password is refused.
    ``limits`` are those of each request and of all of them together, counted from now.
    ``ca_file`` holds the only certificate authorities that are trusted; None for the usual ones.
    ``allow_http`` is the person's word that the way to this server may be in clear.
    ``ahead`` was sent before this was made: the same request gets its answer.
    ``limiter``: how many requests may still be sent; None for any number.
    ``known`` is what stands in the config beside ``origin`` and ``username``, and is no secret.
    """

    def __init__(
        self,
        origin: str,
        *,
        username: str,
        password: str,
        tokens: AccessTokens | None = None,
        advice: str = "Some servers take an app password only.",
        limits: Limits = LIMITS,
        ca_file: Path | None = None,
        allow_http: bool = False,
        ahead: Exchange | None = None,
        limiter: RateLimiter | None = None,
        known: Iterable[str] = (),
    ) -> None:
        check_address(origin, allow_http=allow_http)
        self._origin = as_uri(origin)
        self._username = username
        # The caldav library would take the password as its own attribute, and shows it there.
        self._bearer = _Bearer()
        self._auth = HTTPBasicAuth(username, password) if tokens is None else self._bearer
        self._known = (origin, username, *known)
        self._veil = Veil(password, username=username, known=self._known)
        self._tokens = tokens
        self._advice = advice
        self._limits = limits
        self._ends = time.monotonic() + limits.whole
        self._allowance = limiter or RateLimiter(None)
        self._verify = trusted_authorities(ca_file)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
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

        Redirects are followed with the same method and body, which the library does not do. Where a
        server sends or points to, only :func:`may_follow` lets the password go.
        Raises LoginRefusedError (401), BusyError (429, 503, a quota), ServerFailedError (other
        5xx), UnavailableError (no answer, or one that is not to be trusted), AllowanceSpentError.
        """
        if not may_follow(self._origin, url):
            raise errors.astray(f"{shown(self._origin)} names", url)
        url = self.located(url)
        for _ in range(_HOPS + 1):
            answer = self._send_once(method, url, body, headers or {})
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            target = self.located(answer.url, answer.headers["location"])
            if not may_follow(self._origin, target):
                raise errors.astray(
                    f"{self.discreet(shown(url))} redirects to", self.discreet(target)
                )
            url = target
        raise UnavailableError(
            f"{self.discreet(shown(url))} redirects in a circle: check the address in calendar.url."
        )

    def located(self, url: str, reference: str = "") -> str:
        """Resolve what a server names to the address that is asked; see :func:`on_one_machine`."""
        return on_one_machine(self._origin, as_uri(joined(url, reference)))

    def discreet(self, words: str) -> str:
        """Return a server's words without the password, which a careless one repeats."""
        return self._veil.hidden(words)

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            connections, self._idle = self._idle, []
        for connection in connections:
            connection.client.close()

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
        left = self._ends - time.monotonic()
        if left <= 0:
            return errors.out_of_time(url, self._limits)
        wait = self._allowance.spend()
        if wait is not None:
            return errors.ahead_of_refusals(url, wait)
        connection = self._take()
        connection.session.seconds = min(left, self._limits.request)
        outcome = self._exchange(connection, method, url, body, headers)
        with self._lock:
            self._idle.append(connection)
        return outcome

    def _exchange(
        self,
        connection: "_Connection",
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Answer | LorsyncError:
        """Send one request; every exception of the libraries below is translated here."""
        session = connection.session
        try:
            # WireBytes: the library rewrites the line ends of anything else.
            connection.client.request(url, method, WireBytes(body), headers)  # type: ignore[arg-type]  # says str
        except (AuthorizationError, RateLimitError, OverflowError):
            pass  # The library's of a 401, 403, 429 or 503; the answer itself says more.
        except TooSlowError:
            if session.seconds < self._limits.request:
                return errors.out_of_time(url, self._limits)
            return errors.too_slow(url, self._limits)
        except TooLargeError:
            return errors.too_large(url, self._limits)
        except (niquests.exceptions.RequestException, OSError) as error:
            return errors.unreachable(error, url, self._limits.read)
        except (UnreadableError, DAVError, ValueError):
            return errors.unreadable(url)
        veil = self._veil if self._tokens is None else _veil_of(self._bearer.token)
        answer = _answer(method, url, session, veil)
        if isinstance(answer, LorsyncError):
            return answer
        password = None if self._tokens is not None else self._username
        trouble = errors.of_account(answer, session.content, password, self._advice)
        return trouble or answer

    def _take(self) -> "_Connection":
        with self._lock:
            self._requests += 1
            if self._idle:
                return self._idle.pop()
        return self._connected()

    def _connected(self) -> "_Connection":
        client = DAVClient(
            url=self._origin,
            auth=self._auth,
            timeout=(self._limits.connect, self._limits.read),  # type: ignore[arg-type]  # niquests takes a pair
            ssl_verify_cert=self._verify,
            enable_rfc6764=False,
            rate_limit_handle=False,
        )
        client.session.close()
        session = LimitedSession(self._limits, url=self._origin, verify=self._verify)
        client.session = session
        return _Connection(client=client, session=session)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """A client of the caldav library, and the session that it sends with."""

    client: DAVClient
    session: LimitedSession


@lru_cache(maxsize=4)
def _veil_of(token: str) -> Veil:
    """Return the veil of a token: the same one from request to request."""
    return Veil(token)


def _answer(method: str, url: str, session: LimitedSession, veil: Veil) -> Answer | LorsyncError:
    """Read an answer without what the request was signed with (I10)."""
    body = veil.unsigned(session.content)
    root = xml.parse(body) if body else None
    if root is None and len(body) > xml.LONGEST_TEXT:
        return LargeAnswerError(f"{shown(url)} holds a text that is too long to be read.")
    if root is not None:
        # What stands in an event is the person's.
        veil.clear(root, besides=xml.CALENDAR_DATA)
    return Answer(
        method=method,
        url=url,
        status=session.status,
        headers={name: veil.cleared(value) for name, value in session.told.items()},
        root=root,
        web_page=root is None and is_web_page(session.told.get("content-type", ""), body),
    )


class _Bearer(AuthBase, threading.local):
    """Signs the requests of each thread with its token, unseen by the library, which logs headers.

    RFC 6750 section 2.1.
    """

    token = ""

    def __call__(self, request: niquests.PreparedRequest) -> niquests.PreparedRequest:
        assert request.headers is not None  # noqa: S101 -- a prepared request has some
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request
