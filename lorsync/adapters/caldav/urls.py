"""Where credentials may be sent, which spellings are one address, and how a person is shown it."""

import contextlib
import ipaddress
import re
import unicodedata
from functools import cache
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from lorsync.core.display import visible
from lorsync.core.errors import ConfigError

_SHOWN = 200
"""How many characters of an address a message shows."""

_HOST_AND_PORT = re.compile(r"(?:[\w.-]+|\[[\w:.%-]+\])(?::[0-9]*)?", re.ASCII)
"""What every parser of addresses reads alike: for urllib3 a host ends at a backslash, for Python's
own it goes on, so that one would check another host than the other asks."""

_PORTS = {"http": 80, "https": 443}

_ONE_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
"""What servers call this machine, whatever they were asked as."""

_KEPT = "%/:?#[]@!$&'()*+,;="
"""What a URI holds as it is, beside letters, digits and "-._~" (RFC 3986 section 2.2)."""

_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

_MOST_OF_HOST = 253
"""Characters of a host's name (RFC 1035 section 2.3.4)."""


def as_uri(url: str) -> str:
    """Return an address as it is sent: the host in A-labels, the rest percent-encoded as UTF-8.

    RFC 3987 section 3.1, RFC 5890 section 2.3.2.1. What is an escape already stays one. Itself
    where it is no address.
    """
    try:
        parts = urlsplit(url)
        host = _host(parts)
    except ValueError:
        return url
    # A user name and a port are left to the check that refuses them.
    netloc = parts.netloc
    if parts.scheme in _PORTS and host and parts.hostname and not netloc.isascii():
        netloc = re.sub(re.escape(parts.hostname), host, netloc, count=1, flags=re.IGNORECASE)
    rest = _NO_ESCAPE.sub("%25", urlunsplit(("", "", parts.path, parts.query, parts.fragment)))
    return urlunsplit((parts.scheme, netloc, "", "", "")) + quote(rest, safe=_KEPT)


def comparable(url: str) -> str:
    """Return what all spellings of an address have in common; it need not be one itself.

    That is the case of scheme and host, IDNA, the standard port, the names of this machine, escapes
    (RFC 3986 section 6.2.2) and a slash at the end, by which no two collections differ (RFC 4918
    section 5.2).
    """
    try:
        parts = urlsplit(url)
        host, port = _host(parts), parts.port
    except ValueError:
        return url
    host = "127.0.0.1" if host == "localhost" else host
    host = f"[{host}]" if ":" in host else host
    known = port is None or port == _PORTS.get(parts.scheme)
    segments = parts.path.rstrip("/").split("/")
    path = "/".join(quote(unquote(segment), safe="") for segment in segments)
    return f"{parts.scheme}://{host}{'' if known else f':{port}'}{path}"


def _host(parts: SplitResult) -> str:
    """Return the host of an address in lower case and A-labels. Raises ValueError if it is none."""
    host = (parts.hostname or "").rstrip(".")
    if host.isascii():
        return host
    # Without the deviations of IDNA 2003: it would make another owner's name of “ß” (UTS #46).
    labels = unicodedata.normalize("NFKC", host.lower()).replace("\u3002", ".").split(".")
    found = ".".join(
        each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels
    )
    if len(found) > _MOST_OF_HOST or not _HOST_AND_PORT.fullmatch(found):
        raise ValueError(host)
    return found


def shown(url: str) -> str:
    """Return an address of a server's without credentials and query, fit to be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what is no address"
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return visible(plain)[:_SHOWN]


def joined(base: str, reference: str) -> str:
    """Resolve a reference of a server's (RFC 3986 section 5); itself where it is no address.

    What a terminal would act on is percent-encoded, as it is sent anyway (RFC 3987 section 3.1).
    """
    try:
        whole = urljoin(base, reference)
    except ValueError:
        return reference
    return "".join(mark if mark.isprintable() else quote(mark) for mark in whole)


def on_one_machine(origin: str, url: str) -> str:
    """Return an address of this machine under the name that ``origin`` gives the machine.

    A server that is asked as ``127.0.0.1`` may call itself ``localhost``, which somebody else could
    serve: ``::1`` is another socket. Any other address stays as it is.
    """
    try:
        one, two = urlsplit(origin), urlsplit(url)
        hosts, ports = {one.hostname, two.hostname}, {_port(one), _port(two)}
    except ValueError:
        return url
    if one.scheme != two.scheme or not hosts <= _ONE_MACHINE or len(ports) > 1:
        return url
    return urlunsplit(two._replace(netloc=one.netloc)) if "@" not in two.netloc else url


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


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
        parts = urlsplit(as_uri(url))
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
    (``pNN-caldav.icloud.com``) are why another host of one domain is allowed. Another name of this
    machine is the same host, since :func:`on_one_machine` decides where a request goes.
    """
    try:
        target = as_uri(on_one_machine(origin, target))
        one, two = urlsplit(as_uri(origin)), urlsplit(target)
        host, other = _host(one), _host(two)
        ports = [_port(each) for each in (one, two)]
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
    names = [_registrable(name) for name in (host, other)]
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
