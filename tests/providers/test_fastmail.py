"""An emulated Fastmail: app passwords, addresses by DNS, a UID that stands once in a home."""

from pathlib import Path

import pytest

from lorsync.adapters.caldav.choosing import listed_collections, open_collection
from lorsync.errors import LoginRefusedError
from lorsync.ports import Sharing, WriteRefusedError
from tests.caldav.test_mail_address import NameServer, names
from tests.contract.test_calendar_contract import event
from tests.providers.conftest import Person, person_in
from tests.providers.fastmail import ACCOUNT_PASSWORD, APP_PASSWORD, HOST, USERNAME, Fastmail
from tests.providers.internet import Internet
from tests.providers.worlds import emulate

__all__ = ["names"]

NAME = "Letters of recommendation"


@pytest.fixture
def server(internet: Internet) -> Fastmail:
    return Fastmail(internet)


@pytest.fixture
def person(tmp_path: Path, server: Fastmail, internet: Internet) -> Person:
    return person_in(tmp_path, internet)


def test_login_and_sync(person: Person, server: Fastmail) -> None:
    person.writes(f'provider = "fastmail"\nusername = "{USERNAME}"')
    assert "Signed in to Fastmail" in person.does("login", typed=f"{APP_PASSWORD}\n").stdout
    person.does("sync")
    assert server.account.summaries(NAME)
    person.never_shows({APP_PASSWORD})


def test_account_password_is_told_apart(emulated_internet: Internet) -> None:
    made = emulate("fastmail", emulated_internet)
    with pytest.raises(LoginRefusedError, match="takes an app password, not the password of your"):
        listed_collections(made.settings, ACCOUNT_PASSWORD)


def test_mail_address_is_enough(person: Person, server: Fastmail, names: NameServer) -> None:
    names.has("_caldavs._tcp.fastmail.com.", "SRV", f"0 1 443 {HOST}.")
    person.environment["EMULATED_DNS"] = str(names.port)
    secret = f'password_command = ["echo", "{APP_PASSWORD}"]'
    person.writes(f'provider = "caldav"\nusername = "{USERNAME}"\n{secret}')
    person.does("sync")
    assert server.account.summaries(NAME)


def test_calendars_are_listed_without_inbox_and_attachments(emulated_internet: Internet) -> None:
    made = emulate("fastmail", emulated_internet)
    listed = listed_collections(made.settings, made.secret)
    assert [(found.name, found.writable, found.sharing) for found in listed] == [
        ("Calendar", True, Sharing.OWN),
        ("Family", True, Sharing.WITH_YOU),
        ("Holidays", False, Sharing.OWN),
    ]


@pytest.mark.parametrize("provider", ["fastmail", "icloud"])
def test_uid_of_another_calendar_is_refused_and_said_so(
    emulated_internet: Internet, provider: str
) -> None:
    made = emulate(provider, emulated_internet)
    other = made.account.calendars[0]
    made.account.keep(other, "lorsync-1.ics", event("lorsync-1").decode())
    calendar = open_collection(made.settings, made.secret, remembered=None)
    with pytest.raises(WriteRefusedError, match="another resource has its UID"):
        calendar.create(calendar.href_for("lorsync-1"), event("lorsync-1"))
    assert calendar.listing(None).entries == {}
    calendar.close()
