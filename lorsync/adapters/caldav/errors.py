"""What failed between a request and its answer, in words for a person."""

import math
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import niquests

from lorsync.adapters.caldav.response import Answer, http_date
from lorsync.adapters.caldav.session import Limits, proxies_for
from lorsync.adapters.caldav.urls import is_address, shown
from lorsync.core.errors import (
    AllowanceSpentError,
    BusyError,
    CredentialsError,
    LargeAnswerError,
    LoginRefusedError,
    LorsyncError,
    ServerFailedError,
    TryAgainError,
    UnavailableError,
)

_CHECK_CLOCK = "tell the operator of the server, and check this machine's clock"
_OWN_AUTHORITY = (
    "check calendar.url; if the server has a certificate authority of its own, name the file of "
    "that in calendar.ca_file"
)

_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{0,20})(?=\s|,|$)")
"""A way of signing in that WWW-Authenticate offers (RFC 9110 section 11.6.1)."""
_MOST_DIGITS: Final = 12

_OF_NO_ADDRESS: Final = (niquests.exceptions.InvalidURL, niquests.exceptions.InvalidSchema)

# Of the 5xx these concern the one request: not implemented, and no room left.
_PLAIN_5XX = frozenset({501, 507})
_GOOGLE_QUOTA = (b"usageLimits", b"ateLimitExceeded", b"quotaExceeded")
_NOT_ENABLED = b"accessNotConfigured"


def of_account(
    answer: Answer, body: bytes, password_of: str | None, advice: str
) -> LorsyncError | None:
    """Return what ends everything, None for an answer about the one request alone.

    A 403 is one, since its body may name a condition, unless it tells of a limit of use.
    ``password_of``: whose password was sent, None for a token; ``advice`` is for whom it fails.
    """
    if answer.status == 401:
        return _refused(answer, password_of, advice)
    # An API that is not enabled counts as a limit of use at Google, and no waiting helps it.
    if answer.status == 403 and any(word in body for word in _GOOGLE_QUOTA):
        return None if _NOT_ENABLED in body else _busy(answer)
    if answer.status == 429:
        return _busy(answer)
    if answer.status >= 500 and answer.status not in _PLAIN_5XX:
        return _unwell(answer)
    return None


def _busy(answer: Answer) -> BusyError:
    return BusyError(
        f"{shown(answer.url)} is rate-limiting us (HTTP {answer.status}).",
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def _unwell(answer: Answer) -> TryAgainError:
    if answer.status == 503 or answer.headers.get("retry-after"):
        return _busy(answer)
    message = f"{shown(answer.url)} returned a server error (HTTP {answer.status}); will retry."
    return ServerFailedError(message, status=answer.status)


def _refused(answer: Answer, password_of: str | None, advice: str) -> CredentialsError:
    offered = dict.fromkeys(_SCHEME.findall(answer.headers.get("www-authenticate", "")))
    spoken = not offered or any(name.lower() == "basic" for name in offered)
    # What Google offers beside Bearer is of another age.
    if password_of is None or spoken:
        who = "the login" if password_of is None else f"the user name {password_of!r} or password"
        return LoginRefusedError(
            f"{shown(answer.url)} refuses {who}: check calendar.username. {advice}"
        )
    return CredentialsError(
        f"{shown(answer.url)} takes no password as lorsync sends it (Basic), but only "
        f"{' or '.join(offered)}, which lorsync does not speak: have Basic turned on there."
    )


def astray(said: str, target: str) -> UnavailableError:
    """Say that the password is not sent to where a server points; ``said`` is how it does that."""
    where = shown(target)
    refused = f"{said} {where}: the password is not sent there"
    if not where.startswith("https://") or not is_address(where):
        return UnavailableError(f"{refused}. Tell the operator of the server.")
    return UnavailableError(
        f"{refused}. If you know that to be right, write this address into calendar.url."
    )


def ahead_of_refusals(url: str, wait: float) -> AllowanceSpentError:
    """Say that as many requests were sent in a minute as the provider is known to bear."""
    return AllowanceSpentError(
        f"{_host(url)} takes only so many requests a minute, and they are used up; the next pass "
        "goes on from there.",
        retry_after=wait,
    )


def too_slow(url: str, limits: Limits) -> UnavailableError:
    """Say that one answer took too long, though it kept coming."""
    return UnavailableError(
        f"{_host(url)} did not come to the end of an answer within {limits.request:g} s: try again "
        "later, or check calendar.url."
    )


def out_of_time(url: str, limits: Limits) -> UnavailableError:
    """Say that all requests together took too long."""
    return UnavailableError(
        f"{_host(url)} is so slow that this was ended after {limits.whole:g} s. Nothing is lost: "
        "the next pass goes on from there."
    )


def too_large(url: str, limits: Limits) -> LargeAnswerError:
    """Say that an answer is larger than any that is wanted."""
    return LargeAnswerError(
        f"{shown(url)} gave an answer of more than {limits.size // 2**20} MB, which was not read: "
        "check calendar.url."
    )


def unreadable(url: str) -> UnavailableError:
    """Say that an answer is damaged, or packed in a way that nobody asked for."""
    return UnavailableError(
        f"{shown(url)} gave an answer that cannot be read: try again later, or check calendar.url."
    )


def unreachable(error: OSError, url: str, read_limit: float) -> UnavailableError:
    """Say why there was no answer; the order matters, ConnectTimeout is a ConnectionError too."""
    text = str(error).lower()
    if isinstance(error, niquests.exceptions.SSLError) or "certificate" in text:
        why = _distrust(text)
    elif isinstance(error, niquests.exceptions.Timeout) or "timed out" in text:
        why = f"does not answer within {read_limit:g} s: try again, or check calendar.url"
    elif isinstance(error, niquests.exceptions.ProxyError) or (
        # The address itself was checked; what is left is that of the proxy.
        isinstance(error, _OF_NO_ADDRESS) and proxies_for(url)
    ):
        why = "cannot be reached through the proxy that HTTPS_PROXY names: check that"
    elif "resolve" in text or "getaddrinfo" in text:
        why = "cannot be found: check calendar.url and the network"
    elif "refused" in text:
        why = "refuses connections: check that the server runs, and its port in calendar.url"
    else:
        why = "cannot be reached, or broke the connection off: check the network"
    return UnavailableError(f"{_host(url)} {why}.")


def _distrust(text: str) -> str:
    """Say what is wrong with a certificate, by the words of OpenSSL."""
    if "expired" in text or "not yet valid" in text:
        return f"has a certificate that is not valid today: {_CHECK_CLOCK}"
    if "mismatch" in text or "not valid for" in text or "doesn't match" in text:
        return "has a certificate for another name: check the host in calendar.url"
    if "certificate" in text:
        return f"has a certificate that this machine does not trust: {_OWN_AUTHORITY}"
    return "does not speak TLS as it should: check the address and port in calendar.url"


def _host(url: str) -> str:
    return urlsplit(shown(url)).netloc


def _seconds(wish: str | None) -> float | None:
    """Return a Retry-After in seconds, given as such or as a time; None for what is neither.

    RFC 9110 section 10.2.3.
    """
    digits = (wish or "").strip()
    if digits.isascii() and digits.isdigit():
        # So many digits are no number to Python any more.
        return float(digits) if len(digits) < _MOST_DIGITS else math.inf
    then = http_date(digits)
    return None if then is None else max(0.0, (then - datetime.now(UTC)).total_seconds())
