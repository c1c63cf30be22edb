"""An emulated Nextcloud: app passwords, a trash bin, shares that are told in words of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import listed_collections, open_collection
from lorsync.core.errors import BusyError, ConfigError, LoginRefusedError
from lorsync.core.ports import DeletedUidError, Sharing, WriteRefusedError
from tests.contract.test_calendar_contract import event
from tests.e2e.providers.conftest import Person, person_in
from tests.emulators.internet import Internet
from tests.emulators.kept import Kept
from tests.emulators.nextcloud import (
    ACCOUNT_PASSWORD,
    APP_PASSWORD,
    HOST,
    USERNAME,
    Nextcloud,
    NextcloudAccount,
    TrashBin,
)
from tests.emulators.worlds import Emulation, emulate

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"
PERSONAL = "/remote.php/dav/calendars/maya/personal/"


@pytest.fixture
def nextcloud(emulated_internet: Internet) -> Emulation:
    return emulate("nextcloud", emulated_internet)


@pytest.fixture
def account(nextcloud: Emulation) -> NextcloudAccount:
    assert isinstance(nextcloud.account, NextcloudAccount)
    return nextcloud.account


@pytest.fixture
def calendar(nextcloud: Emulation) -> Iterator[CalDavCalendar]:
    opened = open_collection(nextcloud.settings, nextcloud.secret, remembered=None)
    yield opened
    opened.close()


@pytest.fixture
def person(tmp_path: Path, internet: Internet) -> Person:
    person = person_in(tmp_path, internet)
    person.writes(f'provider = "nextcloud"\nusername = "{USERNAME}"\nurl = "https://{HOST}/"\n')
    return person


@pytest.fixture
def server(internet: Internet) -> Nextcloud:
    return Nextcloud(internet)


def test_login_and_sync_from_the_bare_address(
    server: Nextcloud, person: Person, internet: Internet
) -> None:
    refused = person.does("login", typed=f"{ACCOUNT_PASSWORD}\n", code=77)
    assert "Nextcloud takes an app password, not the password of your account" in refused.stderr
    assert "Security, Devices & sessions" in refused.stderr
    assert server.failures == 1  # each wrong one slows the whole network down
    assert "Signed in to Nextcloud as maya." in person.does("login", typed=APP_PASSWORD).stdout
    person.does("sync")
    assert server.account.summaries(NAME)
    assert {path.split("/")[1] for _, _, path in internet.asked} == {"remote.php"}
    person.never_shows({APP_PASSWORD, ACCOUNT_PASSWORD})


@pytest.mark.parametrize("url", ["/cloud", "/cloud/", "/cloud/remote.php/dav"])
def test_folder_of_a_host_without_a_well_known_address(
    emulated_internet: Internet, nextcloud: Emulation, url: str
) -> None:
    server = Nextcloud(emulated_internet, folder="/cloud")
    server.well_known = False
    settings = replace(nextcloud.settings, url=f"https://{HOST}{url}")
    open_collection(settings, nextcloud.secret, remembered=None).close()
    assert server.account.calendar(settings.name).path.startswith("/cloud/remote.php/dav/")


def test_calendars_say_who_shares_them(nextcloud: Emulation, account: NextcloudAccount) -> None:
    account.calendars += [
        Kept(path=f"{account.home}couple/", name="Couple"),
        Kept(path=f"{account.home}public/", name="Public"),
    ]
    account.shares[f"{account.home}couple/"] = ["ben"]
    account.published.add(f"{account.home}public/")
    listed = listed_collections(nextcloud.settings, nextcloud.secret)
    assert [(found.name, found.sharing, found.owner) for found in listed] == [
        ("Personal", Sharing.OWN, "maya"),
        ("Family (Ben)", Sharing.WITH_YOU, "Ben Okafor"),
        ("Couple", Sharing.BY_YOU, "maya"),
        ("Public", Sharing.BY_YOU, "maya"),
    ]


def test_own_calendar_that_others_see_needs_a_yes(
    nextcloud: Emulation, account: NextcloudAccount
) -> None:
    account.calendar("Personal").name = nextcloud.settings.name
    account.shares[PERSONAL] = ["ben"]
    with pytest.raises(ConfigError, match="is shared by you with others"):
        open_collection(nextcloud.settings, nextcloud.secret, remembered=None)


@pytest.mark.parametrize("trash_bin", TrashBin)
def test_uid_in_the_trash_bin(
    account: NextcloudAccount, calendar: CalDavCalendar, trash_bin: TrashBin
) -> None:
    account.trash_bin = trash_bin
    href = calendar.href_for("lorsync-1")
    for _ in range(2 if trash_bin is TrashBin.RENAMES else 5):
        calendar.create(href, event("lorsync-1"))
        etag = calendar.listing(None).entries[href]
        assert etag is not None
        calendar.delete(href, etag)
        if trash_bin is TrashBin.REFUSES:
            with pytest.raises(DeletedUidError, match="Deleted calendar object with uid"):
                calendar.create(href, event("lorsync-1"))
            return
    if trash_bin is TrashBin.RENAMES:
        calendar.create(href, event("lorsync-1"))
        etag = calendar.listing(None).entries[href]
        assert etag is not None
        with pytest.raises(WriteRefusedError, match="can't be moved into the trashbin"):
            calendar.delete(href, etag)


def test_too_many_wrong_logins_of_a_network_are_no_wrong_password(
    emulated_internet: Internet,
) -> None:
    made = emulate("nextcloud", emulated_internet)
    for _ in range(11):
        with pytest.raises(LoginRefusedError):
            listed_collections(made.settings, "wrong")
    with pytest.raises(BusyError, match=r"is rate-limiting us \(HTTP 429\)"):
        listed_collections(made.settings, made.secret)


@pytest.mark.parametrize(
    ("made", "there", "error"), [(10, 2, BusyError), (0, 30, ConfigError)], ids=["hour", "all"]
)
def test_no_more_calendars_are_made_than_it_allows(
    nextcloud: Emulation,
    account: NextcloudAccount,
    made: int,
    there: int,
    error: type[Exception],
) -> None:
    account.made = made
    for number in range(len(account.calendars), there):
        account.calendars.append(Kept(path=f"{account.home}{number}/", name=f"{number}"))
    with pytest.raises(error):
        open_collection(nextcloud.settings, nextcloud.secret, remembered=None)
    assert len(account.calendars) == there
