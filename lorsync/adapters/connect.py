"""Choose the adapter for a config's calendar, and open it.

Each adapter is imported where it is chosen, since nobody needs two.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.state_dir import place_of
from lorsync.core.errors import LoginRefusedError
from lorsync.core.model import Uid
from lorsync.core.ports import Calendar, Collection, ProbeCalendar, Survey
from lorsync.core.providers import Backend, SignIn, traits
from lorsync.core.settings import CalendarSettings

if TYPE_CHECKING:
    from lorsync.adapters.caldav.account import Secret
    from lorsync.adapters.caldav.response import Exchange

_KEY = secrets.token_bytes(32)
"""Of this process alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefetched:
    """What was learned ahead of a pass: the account's secret, and what the calendar said.

    ``config`` is the digest of the config that this is of.
    """

    config: str
    secret: str = field(repr=False)
    exchange: "Exchange | None" = None


@contextmanager
def opened_calendar(
    account: CalendarSettings,
    state: Path,
    *,
    remembered: str | None,
    holding: Uid | None = None,
    ahead: Prefetched | None = None,
    limiter: RateLimiter | None = None,
) -> Iterator[ProbeCalendar]:
    """Open the calendar, made where it is missing; ``remembered`` is its address in the ledger.

    One that has the resource of ``holding`` is the one, whatever it is called by now (S19).
    ``limiter`` counts the requests to a server.
    Raises ConfigError, CredentialsError, StateError or UnavailableError.
    """
    if traits(account).backend is Backend.FOLDER:
        from lorsync.adapters.folder import open_folder

        yield open_folder(account, remembered=remembered)
        return
    from lorsync.adapters.caldav.selection import open_collection

    exchange = None if ahead is None else ahead.exchange
    with _reachable(account, state, ahead=ahead) as (reachable, secret):
        calendar = open_collection(
            reachable,
            secret,
            remembered=remembered,
            holding=holding,
            ahead=exchange,
            limiter=limiter,
        )
        with closing(calendar):
            yield calendar


@contextmanager
def found_calendar(
    account: CalendarSettings,
    state: Path,
    *,
    holding: Uid | None = None,
    limiter: RateLimiter | None = None,
) -> Iterator[Calendar]:
    """Open the calendar where it is there already, else an empty one in its stead; make nothing.

    Raises as :func:`opened_calendar`.
    """
    if traits(account).backend is Backend.FOLDER:
        there = account.path is not None and Path(account.path).is_dir()
        with (
            _empty() if not there else opened_calendar(account, state, remembered=None) as calendar
        ):
            yield calendar
        return
    from lorsync.adapters.caldav.selection import find_collection

    with _reachable(account, state) as (reachable, secret):
        found = find_collection(reachable, secret, holding=holding, limiter=limiter)
        if found is None:
            with _empty() as calendar:
                yield calendar
            return
        with closing(found):
            yield found


def recognized(
    account: CalendarSettings,
    state: Path,
    *,
    marks: Iterable[str],
    limiter: RateLimiter | None = None,
) -> str | None:
    """Return where the account has the calendar that holds one of these resources, or None (S19).

    ``marks`` are names of resources that only that one calendar can show. Nothing is made.
    Raises as :func:`opened_calendar`.
    """
    if traits(account).backend is Backend.FOLDER:
        from lorsync.adapters.folder import address_of

        folder = None if account.path is None else Path(account.path)
        there = folder is not None and any((folder / name).is_file() for name in marks)
        return address_of(folder) if folder is not None and there else None
    from lorsync.adapters.caldav.selection import recognized_address

    with _reachable(account, state) as (reachable, secret):
        return recognized_address(reachable, secret, marks=marks, limiter=limiter)


def calendars_of(
    account: CalendarSettings, state: Path, *, given: str | None = None
) -> tuple[Collection, ...]:
    """List the calendars of an account on a server; ``given`` is a secret that is not stored yet.

    Raises ConfigError, CredentialsError, StateError or UnavailableError.
    """
    from lorsync.adapters.caldav.selection import listed_collections

    with _reachable(account, state, given=given) as (reachable, secret):
        return listed_collections(reachable, secret)


def survey_of(account: CalendarSettings, state: Path) -> Survey:
    """Look at an account on a server. Raises as :func:`calendars_of`."""
    from lorsync.adapters.caldav.selection import surveyed

    with _reachable(account, state) as (reachable, secret):
        return surveyed(reachable, secret)


@contextmanager
def opened_bench(
    account: CalendarSettings, state: Path, *, address: str
) -> Iterator[ProbeCalendar]:
    """Open the calendar at an address that is known, to try its server out.

    Raises as :func:`opened_calendar`.
    """
    if traits(account).backend is Backend.FOLDER:
        from lorsync.adapters.folder import open_folder

        yield open_folder(account, remembered=address)
        return
    from lorsync.adapters.caldav.selection import open_collection

    with _reachable(account, state) as (reachable, secret):
        bench = open_collection(reachable, secret, remembered=address)
        with closing(bench):
            yield bench


@contextmanager
def holding_server(account: CalendarSettings, state: Path) -> Iterator[None]:
    """Keep the local calendar's server up, for the calendar apps that look at it."""
    if traits(account).backend is not Backend.LOCAL:
        yield
        return
    from lorsync.adapters.local.server import ensure_running

    with ensure_running(state):
        yield


@contextmanager
def _reachable(
    account: CalendarSettings,
    state: Path,
    *,
    given: str | None = None,
    ahead: Prefetched | None = None,
) -> Iterator[tuple[CalendarSettings, "Secret"]]:
    """Return the account with its address and secret; a local one is served as long.

    ``given`` is a secret that is not stored yet.
    """
    if traits(account).backend is Backend.LOCAL:
        from lorsync.adapters.local.server import ensure_running

        with ensure_running(state) as server:
            local = replace(account, url=server.url, username=server.username)
            yield local, server.password
        return
    from lorsync.adapters.credentials import how_to_change, password_for

    if given is not None:
        yield account, _signed_in(account, given, is_stored=False)
        return
    kept = password_for(account) if ahead is None else ahead.secret
    try:
        yield account, _signed_in(account, kept, is_stored=True)
    except LoginRefusedError as error:
        message = f"{error} {how_to_change(account)}"
        raise LoginRefusedError(
            message,
            login=_mark(account, kept),
            fingerprint=_fingerprint(account, state, kept),
        ) from None


def _signed_in(account: CalendarSettings, kept: str, *, is_stored: bool) -> "Secret":
    """Return what the adapter signs in with: the password, or what Google's login gives."""
    if traits(account).sign_in is not SignIn.OAUTH:
        return kept
    from lorsync.adapters.credentials import Source, remember, source
    from lorsync.adapters.google import Login, tokens_for

    tokens = tokens_for(Login.from_line(kept))
    if is_stored and source(account) is Source.KEYRING:
        tokens.kept_by(lambda login: remember(account, login.to_line()))
    return tokens


def as_it_is_now(account: CalendarSettings, secret: str) -> str:
    """Return a secret that was tried, as it is to be stored: Google's may be another by then."""
    if traits(account).sign_in is not SignIn.OAUTH:
        return secret
    from lorsync.adapters.google import Login, tokens_for

    return tokens_for(Login.from_line(secret)).login.to_line()


def login_mark(account: CalendarSettings) -> bytes | None:
    """Return what tells the stored login from another, within this process; None if it needs none.

    Raises CredentialsError where the password cannot be read.
    """
    if traits(account).backend is not Backend.SERVER:
        return None
    from lorsync.adapters.credentials import password_for

    return _mark(account, password_for(account))


def login_fingerprint(account: CalendarSettings, state: Path) -> str | None:
    """Return what tells the stored login from most others, in any process that uses this folder.

    None if the account needs none. Raises CredentialsError where the password cannot be read.
    """
    if traits(account).backend is not Backend.SERVER:
        return None
    from lorsync.adapters.credentials import password_for

    return _fingerprint(account, state, password_for(account))


def _fingerprint(account: CalendarSettings, state: Path, password: str) -> str:
    """Return two bytes, in hexadecimal, of a slow and salted hash (scrypt, RFC 7914).

    It is kept, so it must not help to guess the password (I10): of all the guesses that anybody
    makes, one in 65536 fits. A new password is taken for the old one as rarely, and then is tried
    when the old one would be.
    """
    login = repr((account.provider.value, account.url, account.username, password))
    salt = f"lorsync {place_of(state)}"
    digest = hashlib.scrypt(login.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=2)
    return digest.hex()


def _mark(account: CalendarSettings, password: str) -> bytes:
    """Return a digest under a key that is never kept, so that nothing can be guessed from it."""
    return hmac.digest(_KEY, repr((account, password)).encode(), hashlib.sha256)


@contextmanager
def _empty() -> Iterator[Calendar]:
    import tempfile

    from lorsync.adapters.folder import FolderCalendar

    with tempfile.TemporaryDirectory(prefix="lorsync-") as folder:
        yield FolderCalendar(Path(folder))
