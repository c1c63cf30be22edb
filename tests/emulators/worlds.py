"""The emulated providers as calendars of this process: the wire, TLS and sign-in are real.

What the fake of :mod:`tests.fakes` offers a test, these offer too: the port that lorsync gets, and
what another program of the person's does to the same calendar.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lorsync.adapters.caldav.account import Secret
from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.google import Login
from lorsync.adapters.google.tokens import GoogleTokens
from lorsync.core.model import Uid
from lorsync.core.ports import ETag, Href, Listing, Resource, SyncToken
from lorsync.core.settings import CalendarSettings, Provider
from tests.emulators import fastmail, google, icloud, nextcloud
from tests.emulators.dav import Account
from tests.emulators.internet import Internet
from tests.emulators.kept import Kept
from tests.fakes import Faults

_NAMES = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Emulation:
    """A provider's emulation, new for each test, and how lorsync signs in to it."""

    account: Account
    settings: CalendarSettings
    secret: Secret


def _icloud(internet: Internet, name: str) -> Emulation:
    settings = CalendarSettings(provider=Provider.ICLOUD, username=icloud.USERNAME, name=name)
    made = icloud.ICloud(internet)
    return Emulation(account=made.account, settings=settings, secret=icloud.APP_PASSWORD)


def _nextcloud(internet: Internet, name: str) -> Emulation:
    settings = CalendarSettings(
        provider=Provider.NEXTCLOUD,
        url=f"https://{nextcloud.HOST}/",
        username=nextcloud.USERNAME,
        name=name,
    )
    made = nextcloud.Nextcloud(internet)
    return Emulation(account=made.account, settings=settings, secret=nextcloud.APP_PASSWORD)


def _fastmail(internet: Internet, name: str) -> Emulation:
    settings = CalendarSettings(provider=Provider.FASTMAIL, username=fastmail.USERNAME, name=name)
    made = fastmail.Fastmail(internet)
    return Emulation(account=made.account, settings=settings, secret=fastmail.APP_PASSWORD)


def _google(internet: Internet, name: str) -> Emulation:
    settings = CalendarSettings(provider=Provider.GOOGLE, username=google.USERNAME, name=name)
    made = google.Google(internet)
    made.make(name)
    login = Login(
        client_id=google.CLIENT_ID,
        client_secret=google.CLIENT_SECRET,
        refresh_token=made.lets_in(),
    )
    return Emulation(account=made.account, settings=settings, secret=GoogleTokens(login))


_MAKERS: Mapping[str, Callable[[Internet, str], Emulation]] = {
    "icloud": _icloud,
    "google": _google,
    "nextcloud": _nextcloud,
    "fastmail": _fastmail,
}
EMULATED = tuple(_MAKERS)
"""The providers that are emulated, by name."""


def emulate(provider: str, internet: Internet) -> Emulation:
    """Let a new account at a provider answer, with a calendar of a new name where it makes none."""
    return _MAKERS[provider](internet, f"Letters {next(_NAMES)}")


class PersonsCalendar:
    """A calendar at an emulated provider as its owner has it, on the phone and in the web page."""

    __slots__ = ("_account", "kept")

    def __init__(self, account: Account, name: str) -> None:
        self._account = account
        self.kept: Kept = account.calendar(name)

    def href_for(self, uid: Uid) -> Href:
        return Href(f"{self.kept.path}{uid}.ics")

    @property
    def bodies(self) -> Mapping[Href, bytes]:
        """What the calendar holds now."""
        return {
            Href(self.kept.path + name): stored.body.encode()
            for name, stored in self.kept.events.items()
        }

    def close(self) -> None:
        """Hold nothing."""

    def put_foreign(self, name: str, body: bytes) -> Href:
        """Add an event that lorsync did not make, or bring one back."""
        self._account.bring_back(self.kept, name, body.decode())
        return Href(self.kept.path + name)

    def edit(self, href: Href, body: bytes) -> None:
        """Change an event as the person's phone does."""
        name = href.removeprefix(self.kept.path)
        assert name in self.kept.events, href
        self._account.keep(self.kept, name, body.decode())

    def remove(self, href: Href) -> None:
        """Delete an event as the person's phone does."""
        self._account.drop(self.kept, href.removeprefix(self.kept.path))


class EmulatedCalendar(PersonsCalendar):
    """A calendar at an emulated provider: the port over the wire, and the person at its back.

    ``faults`` is asked around each operation, as :data:`tests.fakes.Faults` says. ``requests``
    counts from when the calendar was open.
    """

    __slots__ = ("_calendar", "_connections", "_spent", "faults", "operations")

    def __init__(self, emulation: Emulation) -> None:
        settings = emulation.settings
        self._calendar: CalDavCalendar = open_collection(
            settings, emulation.secret, remembered=None
        )
        super().__init__(emulation.account, settings.name)
        self._spent = self._calendar.requests
        self._connections = self._calendar.connections
        self.operations: list[tuple[str, Href | None]] = []
        self.faults: Faults | None = None

    # The port

    @property
    def address(self) -> str:
        return self._calendar.address

    @property
    def connections(self) -> int:
        return self._connections

    @property
    def requests(self) -> int:
        return self._calendar.requests - self._spent

    @property
    def created(self) -> bool:
        return self._calendar.created

    @property
    def stated_time(self):
        return self._calendar.stated_time

    @property
    def strays(self) -> int:
        return self._calendar.strays

    @property
    def etags_restart(self) -> bool:
        return self._calendar.etags_restart

    def check_login(self) -> None:
        self._calendar.check_login()

    @property
    def guards_creation(self) -> bool:
        return self._calendar.guards_creation

    @property
    def guards_deletion(self) -> bool:
        return self._calendar.guards_deletion

    def listing(self, token: SyncToken | None) -> Listing:
        with self._watched("listing"):
            return self._calendar.listing(token)

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        with self._watched("fetch"):
            return self._calendar.fetch(hrefs)

    def create(self, href: Href, body: bytes) -> ETag | None:
        with self._watched("create", href):
            return self._calendar.create(href, body)

    def update(self, href: Href, body: bytes, etag: ETag) -> ETag | None:
        with self._watched("update", href):
            return self._calendar.update(href, body, etag)

    def delete(self, href: Href, etag: ETag) -> None:
        with self._watched("delete", href):
            self._calendar.delete(href, etag)

    def close(self) -> None:
        self._calendar.close()

    # The server

    @property
    def gone(self) -> bool:
        """Whether the person deleted the calendar."""
        return self.kept not in self._account.calendars

    @gone.setter
    def gone(self, gone: bool) -> None:
        if gone:
            self._account.calendars.remove(self.kept)
        else:
            self._account.calendars.append(self.kept)

    @property
    def known_tokens(self) -> bool:
        """Whether the server knows the sync-tokens that it gave."""
        return self._account.knows_tokens

    @known_tokens.setter
    def known_tokens(self, known: bool) -> None:
        self._account.knows_tokens = known

    @property
    def echo_etags(self) -> bool:
        """Whether the server tells the ETag of a PUT."""
        return self._account.oddities.tells_etags

    def loses(self, name: str) -> bool:
        """Tell whether the provider drops a property of this name."""
        return name.startswith(self._account.oddities.dropped or "\0")

    @contextmanager
    def _watched(self, operation: str, href: Href | None = None) -> Iterator[None]:
        self.operations.append((operation, href))
        if self.faults is not None:
            self.faults(operation, "before", href)
        yield
        if self.faults is not None:
            self.faults(operation, "after", href)
