"""Servers that ignore a write's precondition, emulated before a real one (S22).

Radicale, to which the headers are not passed on, does what SOGo and Google are known for.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import open_collection
from lorsync.core.errors import TryAgainError
from lorsync.core.model import Kind, Letter
from lorsync.core.ports import Href
from lorsync.core.settings import CalendarSettings, Provider
from tests.servers.relay import passed_on
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request
from tests.unit.sync.desk import Desk, letter, settings

pytestmark = pytest.mark.slow

SOGO_PATH = "/SOGo/dav"


class Careless:
    """A server that drops ``If-None-Match``, and ``If-Match`` of a DELETE where it is SOGo's kind.

    ``prefix`` is the path under which it serves, ``header`` one that it adds.
    """

    def __init__(self, hostile: Hostile, server: Server) -> None:
        self._pass_on = passed_on(server)
        self._hostile = hostile
        self.deletes_any = True
        self.prefix = ""
        self.header: dict[str, str] = {}
        self._before: dict[str, tuple[int, Callable[[], object]]] = {}
        hostile.answer = self._answer

    @property
    def url(self) -> str:
        return self._hostile.url.rstrip("/") + self.prefix + "/"

    def before_the(self, method: str, number: int, act: Callable[[], object]) -> None:
        """Let somebody be quicker once: right before so many requests of a method from now."""
        self._before[method] = (number, act)

    def taken(self) -> list[str]:
        """Return the methods that were asked for since the last call."""
        methods = [request.method for request in self._hostile.requests]
        self._hostile.requests.clear()
        return methods

    def _answer(self, request: Request) -> Reply:
        number, act = self._before.pop(request.method, (0, lambda: None))
        if number == 1:
            act()
        elif number:
            self._before[request.method] = (number - 1, act)
        dropped = {"if-none-match"}
        if request.method == "DELETE" and self.deletes_any:
            dropped.add("if-match")
        headers = {k: v for k, v in request.headers.items() if k not in dropped}
        if self.prefix:
            headers["x-script-name"] = self.prefix
        path = request.path.removeprefix(self.prefix)
        reply = self._pass_on(replace(request, path=path, headers=headers))
        return replace(reply, headers=reply.headers | self.header)


@pytest.fixture
def careless(hostile: Hostile, radicale_server: Server) -> Careless:
    return Careless(hostile, radicale_server)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(
        folder=tmp_path / "state", settings=settings(*letters("Alvarez", "Chen")), real_clock=True
    )


def letters(*mentors: str, due: date = date(2099, 9, 10)) -> list[Letter]:
    return [letter(mentor, due=due) for mentor in mentors]


Opening = Callable[..., CalDavCalendar]


@pytest.fixture
def opened(
    careless: Careless, radicale_server: Server, request: pytest.FixtureRequest
) -> Iterator[Opening]:
    """Open the test's collection through the careless server, or straight for another device."""
    calendars: list[CalDavCalendar] = []

    def open_it(*, provider: Provider = Provider.CALDAV, straight: bool = False) -> CalDavCalendar:
        account = CalendarSettings(
            provider=provider,
            url=radicale_server.url if straight else careless.url,
            username=radicale_server.username,
            name=request.node.name,
        )
        if provider is Provider.GOOGLE:
            # There the person makes the calendar, in the web page.
            elsewhere = replace(account, provider=Provider.CALDAV)
            open_collection(elsewhere, radicale_server.password, remembered=None).close()
        calendars.append(open_collection(account, radicale_server.password, remembered=None))
        careless.taken()
        return calendars[-1]

    yield open_it
    for calendar in calendars:
        calendar.close()


def as_sogo_by_path(careless: Careless) -> Provider:
    careless.prefix = SOGO_PATH
    return Provider.CALDAV


def as_sogo_by_header(careless: Careless) -> Provider:
    careless.header = {"X-Dav-Error": "200 No error"}
    return Provider.CALDAV


def as_google(careless: Careless) -> Provider:
    careless.deletes_any = False
    return Provider.GOOGLE


KNOWN = [as_sogo_by_path, as_sogo_by_header, as_google]
SOGO = [as_sogo_by_path, as_sogo_by_header]


def other_device(desk: Desk, opened: Opening, folder: Path) -> Callable[[], object]:
    """Return a whole pass of a second device with the same config, past the careless server."""
    second = Desk(folder=folder / "second", settings=desk.settings, real_clock=True)
    straight = opened(straight=True)
    return lambda: second.sync_with(straight)


@pytest.mark.parametrize("kind", KNOWN)
def test_s22_what_another_device_made_meanwhile_is_adopted_and_not_overwritten(
    desk: Desk,
    careless: Careless,
    opened: Opening,
    tmp_path: Path,
    kind: Callable[[Careless], Provider],
) -> None:
    calendar = opened(provider=kind(careless))
    other = other_device(desk, opened, tmp_path)

    # The listing, the look for the memory, and the one for the events.
    careless.before_the("REPORT", 3, other)
    report = desk.sync_with(calendar)
    assert not report.created
    assert len(report.adopted) == len(report.plan.events)
    assert careless.taken() == ["REPORT", "REPORT", "PUT", "REPORT", "REPORT"]
    assert not desk.sync_with(calendar).wrote


@pytest.mark.parametrize("kind", KNOWN)
def test_s22_a_memory_that_another_device_made_meanwhile_is_read_first(
    desk: Desk,
    careless: Careless,
    opened: Opening,
    tmp_path: Path,
    kind: Callable[[Careless], Provider],
) -> None:
    calendar = opened(provider=kind(careless))
    careless.before_the("REPORT", 2, other_device(desk, opened, tmp_path))
    with pytest.raises(TryAgainError):
        desk.sync_with(calendar)
    assert careless.taken() == ["REPORT", "REPORT"]
    report = desk.sync_with(calendar)
    assert len(report.adopted) == len(report.plan.events)


@pytest.mark.parametrize("kind", KNOWN)
def test_s22_a_look_costs_one_request_for_all_creations(
    desk: Desk, careless: Careless, opened: Opening, kind: Callable[[Careless], Provider]
) -> None:
    calendar = opened(provider=kind(careless))
    report = desk.sync_with(calendar)
    methods = careless.taken()
    # The memory is written before the events, so it has a look of its own when it is new.
    assert methods[:4] == ["REPORT", "REPORT", "PUT", "REPORT"]
    assert len(methods) == len(report.created) + 5
    desk.sync_with(calendar)
    assert careless.taken() == ["REPORT"]
    desk.change(*letters("Alvarez", "Chen", due=date(2099, 9, 17)))
    report = desk.sync_with(calendar)
    assert report.updated
    assert not report.created
    # Updates are guarded everywhere, and cost no look.
    assert careless.taken() == ["REPORT", *["PUT"] * (len(report.updated) + 1), "REPORT"]


@pytest.mark.parametrize("kind", SOGO)
def test_s22_an_edit_between_listing_and_deletion_stays_though_the_server_would_delete_it(
    desk: Desk,
    careless: Careless,
    opened: Opening,
    kind: Callable[[Careless], Provider],
) -> None:
    calendar = opened(provider=kind(careless))
    desk.sync_with(calendar)
    straight = opened(straight=True)
    href = mirrored(straight, desk.find(Kind.REQUEST))

    def retitled() -> None:
        held = straight.fetch([href])[href]
        assert held.etag is not None
        straight.update(href, held.body.replace(b"SUMMARY:", b"SUMMARY:Mine: "), held.etag)

    desk.change(*letters("Chen"))
    careless.taken()

    careless.before_the("REPORT", 2, retitled)
    desk.sync_with(calendar, accept_deletions=True)
    assert b"SUMMARY:Mine: " in straight.fetch([href])[href].body
    desk.sync_with(calendar, accept_deletions=True)
    assert b"SUMMARY:Not needed: Mine: " in straight.fetch([href])[href].body


@pytest.mark.parametrize("kind", SOGO)
def test_s22_a_look_costs_one_request_for_all_deletions(
    desk: Desk, careless: Careless, opened: Opening, kind: Callable[[Careless], Provider]
) -> None:
    calendar = opened(provider=kind(careless))
    desk.sync_with(calendar)
    desk.change(*letters("Chen"))
    careless.taken()
    report = desk.sync_with(calendar, accept_deletions=True)
    assert len(report.deleted) > 3
    assert careless.taken() == ["REPORT", "PUT", "REPORT", *["DELETE"] * len(report.deleted)]


def test_s22_deletions_cost_google_no_look(desk: Desk, careless: Careless, opened: Opening) -> None:
    calendar = opened(provider=as_google(careless))
    desk.sync_with(calendar)
    desk.change(*letters("Chen"))
    careless.taken()
    report = desk.sync_with(calendar, accept_deletions=True)
    assert careless.taken() == ["REPORT", "PUT", *["DELETE"] * len(report.deleted)]


def test_s22_a_server_that_is_seen_to_overwrite_is_remembered(
    desk: Desk, careless: Careless, opened: Opening, tmp_path: Path
) -> None:
    calendar = opened()
    assert (calendar.guards_creation, calendar.guards_deletion) == (True, True)
    careless.before_the("PUT", 1, other_device(desk, opened, tmp_path))
    desk.sync_with(calendar)
    assert (calendar.guards_creation, calendar.guards_deletion) == (False, False)
    desk.change(*letters("Alvarez", "Chen", "Novak"))
    later = opened()
    assert later.guards_creation
    report = desk.sync_with(later)
    assert careless.taken()[:3] == ["REPORT", "PUT", "REPORT"]
    assert len(report.created) > 3
    desk.change(*letters("Alvarez", "Chen"))
    careless.taken()
    report = desk.sync_with(opened(), accept_deletions=True)
    assert careless.taken() == ["REPORT", "PUT", "REPORT", *["DELETE"] * len(report.deleted)]


def mirrored(calendar: CalDavCalendar, href: Href) -> Href:
    """Return the href of the same resource as another client of the server sees it."""
    return Href(calendar.href_for("x").removesuffix("x.ics") + href.rpartition("/")[2])
