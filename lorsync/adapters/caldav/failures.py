"""What failed between a request and its answer, in words for a person."""

import math
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import niquests

from lorsync.adapters.caldav.addresses import shown
from lorsync.adapters.caldav.answers import Answer, http_date
from lorsync.adapters.caldav.session import Limits
from lorsync.errors import (
    AllowanceSpentError,
    BusyError,
    CredentialsError,
    LargeAnswerError,
    LoginRefusedError,
    TryAgainError,
    UnavailableError,
)

_CHECK_CLOCK = "tell whoever runs the server, and check this machine's clock"
_OWN_AUTHORITY = (
    "check calendar.url; if the server has a certificate authority of its own, name the file of "
    "that in calendar.ca_file"
)

_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{0,20})(?=\s|,|$)")
"""A way of signing in that WWW-Authenticate offers (RFC 9110 section 11.6.1)."""
_MOST_DIGITS: Final = 12


def busy(answer: Answer) -> BusyError:
    """Say that a server asks to be left alone."""
    return BusyError(
        f"{shown(answer.url)} asks to be left alone for now ({answer.status}).",
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def unwell(answer: Answer) -> TryAgainError:
    """Say what a 5xx means for the whole server: come back later, or some mishap."""
    if answer.status == 503 or answer.headers.get("retry-after"):
        return busy(answer)
    return TryAgainError(f"{shown(answer.url)} is not well ({answer.status}): try again.")


def not_spoken(answer: Answer) -> CredentialsError | None:
    """Say that a 401 wants no password as lorsync sends it; None where it wants one, or is mute."""
    offered = dict.fromkeys(_SCHEME.findall(answer.headers.get("www-authenticate", "")))
    if not offered or any(name.lower() == "basic" for name in offered):
        return None
    return CredentialsError(
        f"{shown(answer.url)} takes no password as lorsync sends it (Basic), but only "
        f"{' or '.join(offered)}, which lorsync does not speak: have Basic turned on there."
    )


def astray(said: str, target: str) -> UnavailableError:
    """Say that the password is not sent to where a server points; ``said`` is how it does that."""
    where = shown(target)
    refused = f"{said} {where}: the password is not sent there"
    if not where.startswith("https://"):
        return UnavailableError(f"{refused}. Tell whoever runs the server.")
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
    elif isinstance(error, niquests.exceptions.ProxyError):
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
