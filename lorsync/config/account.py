"""Check the values of ``[calendar]`` in which people put passwords, and never repeat those."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from lorsync.config.paths import misread, undecodable
from lorsync.config.values import NAME_LENGTH, name, takes, wrong
from lorsync.core.providers import Backend, traits
from lorsync.core.settings import CalendarSettings

WHERE_PASSWORDS_GO: Final = (
    "a password never stands in the config: take it out, then run “lorsync login”, which stores "
    "it in the keyring, or name a password_command"
)

_PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")

_PORT = re.compile(r"\d{1,5}/")

SECRET_KEYS: Final = frozenset(
    {
        "password", "passwd", "pass", "passphrase", "pw", "secret", "token",
        "app_password", "api_key", "apikey", "client_secret", "refresh_token",
    }
)  # fmt: skip
"""Keys that do not exist, but under which a password is looked for."""


@takes(type="string", format="uri")
def url(value: object) -> str:
    """Take the address of a CalDAV server, account or collection; a rule says when http will do."""
    if not isinstance(value, str):
        raise wrong('an address in quotes is needed, such as "https://cal.example.org/"')
    if "@" in value.partition("//")[2].partition("/")[0] or _has_password(value):
        raise wrong(
            f"a user name goes into username, and {WHERE_PASSWORDS_GO}",
            secret=True,
        )
    parts = _split(value.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong('an address is needed, such as "https://cal.example.org/"', secret="@" in value)
    return name(value)


@takes(type="string", minLength=1, maxLength=NAME_LENGTH, pattern="^[^:]*$")
def username(value: object) -> str:
    """Take a login name. RFC 7617 section 2: what follows a “:” would be part of the password."""
    if isinstance(value, str) and ":" in value:
        raise wrong(
            "no “:” may stand in it, since a server would take the rest for the password; and "
            f"{WHERE_PASSWORDS_GO}",
            secret=True,
        )
    return name(value)


@takes(type="string", format="uri")
def ping(value: object) -> str:
    """Take the address that hears of each pass: https, and no login in it."""
    parts = _split(value.strip()) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong('an address is needed, such as "https://hc-ping.com/…"', secret=True)
    if parts.username is not None or parts.password is not None:
        raise wrong("no user name or password stands in it", secret=True)
    if parts.scheme == "http" and not on_this_machine(parts.hostname):
        raise wrong("https is needed: the address is all that guards it", secret=True)
    if parts.fragment:
        raise wrong("it ends before the “#”", secret=True)
    return name(value)


@takes(type="string", pattern="\\.prom$")
def textfile(value: object) -> Path:
    """Take the path of a file of metrics; the node exporter reads those that end with .prom."""
    path = folder(value)
    if path.suffix != ".prom":
        raise wrong("its name ends with .prom, or the node exporter does not read it")
    return path


def _has_password(value: str) -> bool:
    """Tell whether something like ``user:password@host`` stands in an address.

    Passwords hold anything, slashes too, so more than RFC 3986 calls a user part is suspect; an
    “@” alone is not, since Google's and others' paths hold e-mail addresses.
    """
    before, at, _ = value.partition("//")[2].rpartition("@")
    user, colon, rest = before.partition(":")
    return bool(at and colon) and "/" not in user and not _PORT.match(rest)


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        # The port is checked when it is asked for.
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def on_this_machine(host: str) -> bool:
    """Tell whether a host name means this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_in_clear(address: str) -> bool:
    """Tell whether what is sent to an address can be read on its way: http to another machine."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not on_this_machine(parts.hostname or "")


def cautions(calendar: CalendarSettings) -> tuple[str, ...]:
    """Say what is allowed, and yet better known: who can read along, who is in between."""
    address = calendar.url or ""
    if is_in_clear(address):
        everybody = "everybody on the way can read the password and all events, and change them"
        return (f"{address} is http: {everybody} (allow_http).",)
    if traits(calendar).backend is not Backend.SERVER or may_need_no_login(address):
        return ()
    proxy = next((os.environ[name] for name in _PROXIES if os.environ.get(name)), None)
    if proxy is None:
        return ()
    # A proxy's own credentials may stand before the @.
    where = proxy.rpartition("@")[2].rpartition("//")[2]
    return (f"requests go through the proxy {where}, which HTTPS_PROXY or ALL_PROXY names.",)


def may_need_no_login(address: str) -> bool:
    """Tell whether a server is on this machine, where it may let everybody in."""
    return on_this_machine(urlsplit(address).hostname or "")


def is_mail_address(username: str) -> bool:
    """Tell whether a user name says by itself at which domain its calendars are."""
    user, at, domain = username.rpartition("@")
    return bool(user and at and "." in domain.strip("."))


def argument(value: object) -> str:
    """Take one argument of ``password_command``."""
    if not isinstance(value, str) or "\0" in value:
        raise wrong("each argument is text in quotes", secret=True)
    return value


@takes(type="array", items={"type": "string"}, minItems=1)
def arguments(value: object) -> tuple[str, ...]:
    """Take ``password_command``: an argument list, since no shell runs it."""
    if not isinstance(value, list) or not value:
        raise wrong(
            'a list of texts is needed, since no shell runs it, such as ["pass", "calendar"]',
            secret=True,
        )
    words = tuple(argument(word) for word in value)
    if not words[0].strip():
        raise wrong("the first text names a program", secret=True)
    return words


@takes(type="string")
def folder(value: object) -> Path:
    """Take the path of a folder."""
    return _path(value, "~/calendars/letters")


@takes(type="string")
def file(value: object) -> Path:
    """Take the path of a file."""
    return _path(value, "~/nas-ca.pem")


def _path(value: object, sample: str) -> Path:
    """Take a path; ``~`` is a home, and a relative path is settled where the config's is known."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise wrong(f'a path in quotes is needed, such as "{sample}"')
    meant = misread(value)
    if meant is not None:
        raise wrong(meant)
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise wrong("“~” and a name mean that user's home, and there is none") from None
    if undecodable(path) is not None:
        raise wrong("it leads to a folder whose name is no UTF-8 text, which lorsync cannot keep")
    return path
