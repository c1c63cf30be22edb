"""An emulated account on loopback, between which and lorsync a test can meddle with anything."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import open_collection
from lorsync.core.ports import Href
from lorsync.core.settings import CalendarSettings, Provider
from tests.emulators.dav import Account
from tests.emulators.kept import Oddities
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request
from tests.unit.sync.desk import Desk

HOME = "/dav/maya/"
PASSWORD = "correct horse"

Meddling = Callable[[Request, Callable[[Request], Reply]], Reply | None]
"""Given a request and what the account would answer; None leaves it to the account."""


@dataclass(kw_only=True)
class Odd:
    """One account, its server, and what of its answers is another one.

    ``desk`` passes against it with a calendar that is opened for each pass, as a process does.
    """

    hostile: Hostile
    account: Account
    desk: Desk
    meddle: Meddling = lambda _request, _answer: None
    address: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hostile.answer = self._answer

    @property
    def settings(self) -> CalendarSettings:
        return CalendarSettings(
            provider=Provider.CALDAV,
            url=self.hostile.url.rstrip("/") + HOME,
            username="maya",
            name="Letters",
        )

    def opened(self) -> CalDavCalendar:
        """Open the calendar; the collection is remembered, as the ledger does."""
        calendar = open_collection(self.settings, PASSWORD, remembered=self.address)
        self.address = calendar.address
        return calendar

    def sync(self, **options: object):
        """Run a pass; what it asked for is in ``asked``, opening left out."""
        calendar = self.opened()
        self.asked.clear()
        try:
            return self.desk.sync_with(calendar, **options)
        finally:
            calendar.close()

    @property
    def methods(self) -> list[str]:
        """The methods of the requests of the last pass."""
        return [method for method, _ in self.asked]

    @property
    def bodies(self) -> dict[Href, str]:
        """What the calendar holds, by hrefs."""
        kept = self.account.calendar("Letters")
        return {Href(kept.path + name): stored.body for name, stored in kept.events.items()}

    def edit(self, href: Href, body: str) -> None:
        """Change an event as the person's phone does."""
        kept = self.account.calendar("Letters")
        self.account.keep(kept, href.rpartition("/")[2], body)

    def remove(self, href: Href) -> None:
        """Delete an event as the person's phone does."""
        self.account.drop(self.account.calendar("Letters"), href.rpartition("/")[2])

    def _answer(self, request: Request) -> Reply:
        self.asked.append((request.method, request.path))
        reply = self.meddle(request, self.account.answer)
        return self.account.answer(request) if reply is None else reply


def plain_account(oddities: Oddities | None = None, kind: type[Account] = Account) -> Account:
    """Return an account whose server keeps to the RFCs, but for its oddities."""
    return kind(
        principal="/dav/principals/maya/",
        home=HOME,
        home_url=HOME,
        oddities=oddities or Oddities(),
    )
