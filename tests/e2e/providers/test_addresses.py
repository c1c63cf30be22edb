"""A server with an international name, and an address in every spelling of it (RFC 5891)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lorsync.adapters.caldav.noop import can_glance
from lorsync.adapters.caldav.ping import fetch
from lorsync.adapters.caldav.selection import open_collection
from lorsync.core.settings import CalendarSettings, Provider
from tests.emulators.dav import Account
from tests.emulators.internet import Internet
from tests.emulators.kept import Oddities
from tests.servers.exchange import Reply, Request

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

ASCII, UNICODE = "xn--bcher-kva.example", "bücher.example"
PRINCIPAL = "/principals/maya/"


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    """A server that leads everybody to the principal; in which spelling, the test decides."""
    made = Internet(tmp_path)
    account = Account(
        principal=PRINCIPAL, home="/home/maya/", home_url="/home/maya/", oddities=Oddities()
    )
    made.location = f"https://{ASCII}{PRINCIPAL}"

    def answer(request: Request) -> Reply:
        if request.path in {"/", "/caf%C3%A9/"}:
            location = made.location.encode().decode("latin-1")
            return Reply(status=301, headers={"Location": location})
        return account.answer(request) if request.method != "GET" else Reply(status=200)

    made.host(ASCII, answer)
    with made.reached():
        yield made


@pytest.mark.parametrize("url", [f"https://{UNICODE}/", f"https://{ASCII}/café/"])
@pytest.mark.parametrize("host", [ASCII, UNICODE, ASCII.upper()])
def test_a_redirect_to_another_form_of_the_name_is_followed(
    internet: Internet, url: str, host: str
) -> None:
    internet.location = f"https://{host}{PRINCIPAL}"
    settings = CalendarSettings(provider=Provider.CALDAV, url=url, username="maya")
    calendar = open_collection(settings, "secret word", remembered=None)
    assert calendar.address.lower().startswith(f"https://{ASCII}/home/maya/")
    assert calendar.listing(None).complete
    calendar.close()
    assert can_glance(calendar.address, {})
    again = open_collection(settings, "secret word", remembered=calendar.address)
    assert again.listing(None).complete
    assert again.requests == 1
    again.close()


def test_a_ping_reaches_an_international_name(internet: Internet) -> None:
    assert fetch(f"https://{UNICODE}/ping") is None
