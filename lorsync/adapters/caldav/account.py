"""From ``[calendar]`` and a secret to a transport: which address, and which way of signing in."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.caldav.response import Exchange
from lorsync.adapters.caldav.session import LIMITS, Limits
from lorsync.adapters.caldav.transport import AccessTokens, Transport
from lorsync.adapters.caldav.urls import may_follow, shown
from lorsync.core.errors import ConfigError, UnavailableError
from lorsync.core.providers import how_to_sign_in, traits
from lorsync.core.settings import CalendarSettings

Secret = str | AccessTokens
"""A password, or what gives bearer tokens."""

_DNS_SECONDS = 5.0
_WELL_KNOWN = "/.well-known/caldav"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where an SRV record points."""

    host: str
    port: int


def connected(
    settings: CalendarSettings,
    secret: Secret,
    *,
    remembered: str | None = None,
    ahead: Exchange | None = None,
    limits: Limits = LIMITS,
    limiter: RateLimiter | None = None,
) -> Transport:
    """Return a transport to the account; ``limiter`` counts its requests.

    ``remembered`` is the calendar's address where it is known, which saves looking for a server;
    ``ahead`` was sent before, and gets no second answer.
    Raises ConfigError or UnavailableError.
    """
    return Transport(
        _start(settings, remembered),
        username=settings.username or "",
        password=secret if isinstance(secret, str) else "",
        tokens=None if isinstance(secret, str) else secret,
        advice=how_to_sign_in(settings),
        ahead=ahead,
        limits=limits,
        ca_file=None if settings.ca_file is None else Path(settings.ca_file),
        allow_http=settings.allow_http,
        limiter=limiter,
        known=(settings.name,),
    )


def _start(settings: CalendarSettings, remembered: str | None) -> str:
    """Return the address at which discovery starts: the config's, the provider's, or by DNS."""
    provider = traits(settings)
    known, below = provider.address, provider.below
    if settings.url is not None:
        if below is not None and f"/{below.partition('/')[0]}" not in settings.url:
            # Its well-known address is often not set up, least of all in a folder of the host.
            return f"{settings.url.rstrip('/')}/{below}"
        return settings.url
    if known is not None and provider.principal is not None and settings.username:
        return known + provider.principal.format(username=quote(settings.username, safe="@"))
    if known is not None:
        return known
    if remembered is not None:
        return remembered
    domain = (settings.username or "").rpartition("@")[2]
    if not domain or "@" not in (settings.username or ""):
        raise ConfigError("calendar.url is missing: write the address of the CalDAV server.")
    return server_of(domain)


def server_of(domain: str) -> str:
    """Find the CalDAV server of a mail domain by SRV and TXT, else by its well-known address.

    RFC 6764 section 6. DNS can be forged, so a server of another registrable domain is not taken
    unasked (section 8). Raises ConfigError or UnavailableError.
    """
    service = f"_caldavs._tcp.{domain}"
    targets = [
        (record.priority, -record.weight, _Target(host=_host(record.target), port=record.port))
        for record in _records(service, "SRV")
    ]
    if not targets:
        return f"https://{domain}{_WELL_KNOWN}"
    target = min(targets, key=lambda found: found[:2])[2]
    if not target.host:
        raise UnavailableError(f"{domain} says that it has no calendars (by its DNS).")
    port = "" if target.port == 443 else f":{target.port}"
    address = urljoin(f"https://{target.host}{port}/", _path(_records(service, "TXT")))
    if not may_follow(f"https://{domain}/", address):
        raise ConfigError(
            f"The DNS of {domain} names {shown(address)} as its calendar server, which is of "
            "another domain: the password is not sent there unasked. If that is right, write this "
            "address into calendar.url."
        )
    return address


def _host(name: object) -> str:
    return str(name).rstrip(".").lower()


def _path(records: Iterable[object]) -> str:
    """Return the path that a TXT record names (RFC 6764 section 4)."""
    for record in records:
        for text in getattr(record, "strings", ()):
            key, _, path = text.decode(errors="replace").partition("=")
            if key == "path" and path.startswith("/") and not path.startswith("//"):
                return str(path)
    return _WELL_KNOWN


def _records(name: str, kind: str) -> list[Any]:
    """Return DNS records, none where there are none; the others of a mail domain rarely are."""
    # Loaded for those alone whose server has to be found.
    import dns.exception
    import dns.resolver

    try:
        return list(dns.resolver.resolve(name, kind, lifetime=_DNS_SECONDS))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException:
        pass
    raise UnavailableError(
        f"The DNS does not say where the calendars of {name.partition('_tcp.')[2]} are: check the "
        "network, or write the server's address into calendar.url."
    )
