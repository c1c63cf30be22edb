"""Where credentials may be sent, and how an address is shown to a person."""

import contextlib
import ipaddress
import re
from functools import cache
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from lorsync.errors import ConfigError

_SHOWN = 200
"""How many characters of an address a message shows."""

_HOST_AND_PORT = re.compile(r"(?:[\w.-]+|\[[\w:.%-]+\])(?::[0-9]*)?")
"""What every parser of addresses reads alike: for urllib3 a host ends at a backslash, for Python's
own it goes on, so that one would check another host than the other asks."""

_PORTS = {"http": 80, "https": 443}


def shown(url: str) -> str:
    """Return the address without credentials and query, for a message; a server may have made it.

    What a terminal would act on is left out.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what is no address"
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return "".join(mark for mark in plain if mark.isprintable())[:_SHOWN]


def joined(base: str, reference: str) -> str:
    """Resolve a reference of a server's (RFC 3986 section 5); itself where it is no address.

    What a terminal would act on is percent-encoded, as it is sent anyway (RFC 3987 section 3.1).
    """
    try:
        whole = urljoin(base, reference)
    except ValueError:
        return reference
    return "".join(mark if mark.isprintable() else quote(mark) for mark in whole)


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to this host stays on this machine."""
    # RFC 6761 section 6.3: these names never leave the machine.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def check_address(url: str, *, allow_http: bool = False) -> None:
    """Raise ConfigError for an address to which credentials must not be sent.

    ``allow_http`` is the person's word that the way there may be in clear.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"calendar.url: {url!r} is not an address.") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"calendar.url: {shown(url)} has a user name or password in it: "
            "use calendar.username and calendar.password_command."
        )
    if parts.scheme not in _PORTS or not host or not _HOST_AND_PORT.fullmatch(parts.netloc):
        raise ConfigError(
            f"calendar.url: {url!r} is not an address: it must begin with https:// and a host."
        )
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        raise ConfigError(
            f"calendar.url: {shown(url)} would send the password in clear: use https://, or write "
            "“allow_http = true” below [calendar] if nobody else is on that network."
        )


def is_address(url: str) -> bool:
    """Tell whether :func:`check_address` takes it."""
    try:
        check_address(url)
    except ConfigError:
        return False
    return True


def may_follow(origin: str, target: str) -> bool:
    """Tell whether credentials for ``origin`` may go to ``target``.

    The same host or one of the same domain, never from https to http, and over http or on this
    machine only to the same port, since each port is another program there. iCloud's home sets
    (``pNN-caldav.icloud.com``) are why another host of one domain is allowed.
    """
    try:
        one, two = urlsplit(origin), urlsplit(target)
        host, other = one.hostname or "", two.hostname or ""
        ports = [each.port or _PORTS.get(each.scheme) for each in (one, two)]
    except ValueError:
        return False
    if two.scheme not in _PORTS or not other or not _HOST_AND_PORT.fullmatch(two.netloc):
        return False
    if two.scheme == "http" or is_loopback(host) or is_loopback(other):
        return (one.scheme, host, ports[0]) == (two.scheme, other, ports[1])
    return two.scheme == "https" and (host == other or _same_domain(host, other))


def _same_domain(host: str, other: str) -> bool:
    """Tell whether two names have one registrable domain, by the list of publicsuffix.org."""
    if any(_is_number(name) for name in (host, other)):
        return False  # an address is only itself
    names = [_registrable(name.rstrip(".").lower()) for name in (host, other)]
    return names[0] is not None and names[0] == names[1]


@cache
def _registrable(host: str) -> str | None:
    """Return the part of a name that somebody has registered; None for a bare or public name."""
    # Loaded where hosts differ, as they do at few providers: it reads a list of 10,000 names.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList().privatesuffix(host)


def _is_number(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False
