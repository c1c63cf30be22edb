"""A mail address is all that the config has: DNS finds the server, and is asked no more later."""

import json
from pathlib import Path

import dns.rcode
import pytest

from tests.e2e.providers.conftest import person_in
from tests.emulators.dav import Account
from tests.emulators.icloud import basic
from tests.emulators.internet import Internet
from tests.emulators.kept import Oddities
from tests.unit.adapters.caldav.conftest import Reply, Request
from tests.unit.adapters.caldav.test_mail_address import NameServer, names

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

__all__ = ["names"]

NAME = "Letters of recommendation"
SERVICE = "_caldavs._tcp.example.org."


@pytest.fixture
def account(internet: Internet) -> Account:
    made = Account(
        principal="/dav/maya/", home="/dav/maya/c/", home_url="/dav/maya/c/", oddities=Oddities()
    )

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != basic("maya@example.org", "geheim"):
            return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        return made.answer(request)

    internet.host("cal.example.org", answer)
    return made


def test_mail_address_leads_to_the_calendars(
    tmp_path: Path, internet: Internet, account: Account, names: NameServer
) -> None:
    names.has(SERVICE, "SRV", "0 1 443 cal.example.org.")
    names.has(SERVICE, "TXT", '"path=/dav/"')
    person = person_in(tmp_path, internet)
    person.environment["EMULATED_DNS"] = str(names.port)
    person.writes('provider = "caldav"\nusername = "maya@example.org"')
    person.does("login", typed="geheim\n")
    person.does("sync")
    assert account.summaries(NAME)
    names.records.clear()
    names.rcode = dns.rcode.SERVFAIL
    assert json.loads(person.does("sync", "--json").stdout)["requests"] == 1
    person.never_shows({"geheim"})


def test_another_domain_in_the_dns_gets_no_password(
    tmp_path: Path, internet: Internet, account: Account, names: NameServer
) -> None:
    internet.host("caldav.evil.example", account.answer)
    names.has(SERVICE, "SRV", "0 1 443 caldav.evil.example.")
    person = person_in(tmp_path, internet)
    person.environment["EMULATED_DNS"] = str(names.port)
    person.writes('provider = "caldav"\nusername = "maya@example.org"')
    done = person.does("login", typed="geheim\n", code=78)
    assert "another domain" in done.stderr
    assert internet.asked == []
    assert not person.keyring.exists()
