"""``lorsync doctor`` on emulated providers: logins that ended, calendars that are another's."""

import json

import pytest

from lorsync.adapters.google.endpoint import Login
from tests.e2e.providers.conftest import Person
from tests.emulators.google import CLIENT_ID, CLIENT_SECRET, USERNAME, Google
from tests.emulators.icloud import ACCOUNT_PASSWORD, APP_PASSWORD, ICloud
from tests.emulators.internet import Internet

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

ACCOUNT = "maya@icloud.com@icloud"
NAME = "Letters of recommendation"


def examined(person: Person, *arguments: str, code: int = 0) -> dict[str, str]:
    """Run doctor, and return what it found, by the codes of the findings."""
    found = json.loads(person.does("doctor", "--json", *arguments, code=code).stdout)
    return {each["finding"]: each["found"] for each in found}


@pytest.fixture
def person(icloud_person: Person) -> Person:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    return icloud_person


def test_icloud_from_the_login_to_the_probe(
    person: Person, icloud: ICloud, internet: Internet
) -> None:
    found = examined(person)
    assert ACCOUNT in found["secret-found"]
    assert "keyring-fine" in found
    assert "/1234/principal/" in found["account-found"]
    assert "https://p42-caldav.icloud.com:443/1234/calendars/" in found["account-found"]
    assert "calendar-to-be-made" in found
    assert {method for _, method, _ in internet.asked} == {"PROPFIND"}
    person.does("sync")
    before = icloud.account.summaries(NAME)
    found = examined(person, "--probe")
    assert {"create-guarded", "update-guarded", "delete-guarded", "delete-works"} <= found.keys()
    assert icloud.account.summaries(NAME) == before
    person.never_shows({APP_PASSWORD})


def test_account_password_instead_of_an_app_password(person: Person, icloud: ICloud) -> None:
    person.has_stored(ACCOUNT, ACCOUNT_PASSWORD)
    found = examined(person, "--probe", code=1)
    assert "not the password of your account" in found["account-refused"]
    assert "lorsync login" in found["account-refused"]
    assert "probe-skipped" in found
    person.never_shows({ACCOUNT_PASSWORD})


@pytest.mark.parametrize(
    ("name", "more", "expected", "code"),
    [
        ("Holidays", "", "calendar-read-only", 1),
        ("Family", "", "calendar-shared-unasked", 1),
        ("Family", "shared = true", "calendar-shared", 0),
    ],
)
def test_calendar_that_is_not_ones_own(
    person: Person, internet: Internet, name: str, more: str, expected: str, code: int
) -> None:
    person.writes(f'provider = "icloud"\nusername = "maya@icloud.com"\nname = "{name}"\n{more}')
    found = examined(person, *([] if code == 0 else ["--probe"]), code=code)
    assert expected in found
    if code:
        assert "probe-skipped" in found
    else:
        assert "Ben Okafor" in found[expected]
    assert {method for _, method, _ in internet.asked} == {"PROPFIND"}


def test_google_from_a_missing_calendar_to_a_login_that_ended(
    google_person: Person, google: Google
) -> None:
    login = Login(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=google.lets_in())
    google_person.has_stored(f"{USERNAME}@google", login.to_line())
    assert "calendar-yours-to-make" in examined(google_person, "--probe", code=1)
    google.make(NAME)
    google_person.does("sync")
    before = google.account.summaries(NAME)
    found = examined(google_person, "--probe")
    assert {"create-unguarded", "update-guarded", "etag-untold", "delete-works"} <= found.keys()
    assert "category, colour" in found["parts-dropped"]
    assert google.account.summaries(NAME) == before
    google.withdrawn = True
    ended = examined(google_person, "--probe", code=1)
    assert "Google has ended the login." in ended["account-refused"]
    assert "run “lorsync login”" in ended["account-refused"]
    google_person.never_shows(google.secrets)
