"""The installed command against an emulated iCloud: two hosts, TLS, app passwords."""

import json

import pytest

from tests.e2e.providers.conftest import Person
from tests.emulators.icloud import ACCOUNT_PASSWORD, APP_PASSWORD, FRONT, HOME, ICloud
from tests.emulators.internet import Internet

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"
ACCOUNT = "maya@icloud.com@icloud"


def test_login_tries_the_password_before_it_stores_it(icloud_person: Person) -> None:
    done = icloud_person.does("login", typed=f" {APP_PASSWORD} \n")
    assert "Signed in to iCloud as maya@icloud.com." in done.stdout
    assert "https://account.apple.com/" in done.stderr
    assert "the first sync makes it" in done.stdout
    stored = json.loads(icloud_person.keyring.read_text())
    assert stored == {f"lorsync {ACCOUNT}": APP_PASSWORD}
    icloud_person.never_shows({APP_PASSWORD})


def test_account_password_is_told_apart_and_not_stored(icloud_person: Person) -> None:
    done = icloud_person.does("login", typed=f"{ACCOUNT_PASSWORD}\n", code=77)
    message = done.stderr.splitlines()[-1]
    assert "app password (xxxx-xxxx-xxxx-xxxx), not the password of your account" in message
    assert "https://account.apple.com/" in message
    assert not icloud_person.keyring.exists()
    icloud_person.never_shows({ACCOUNT_PASSWORD})


def test_nothing_typed_is_nothing_stored(icloud_person: Person) -> None:
    assert "Nothing was typed" in icloud_person.does("login", typed="\n", code=64).stderr
    assert not icloud_person.keyring.exists()


def test_calendars_say_who_owns_them_and_what_may_be_done(icloud_person: Person) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    listed = json.loads(icloud_person.does("calendars", "--json").stdout)["calendars"]
    assert [
        (found["name"], found["color"], found["owner"], found["writable"], found["sharing"])
        for found in listed
    ] == [
        ("Home", "#FF2968", "maya@icloud.com", True, "own"),
        ("Family", None, "Ben Okafor", True, "shared with you"),
        ("Holidays", None, "maya@icloud.com", False, "own"),
    ]
    assert {found["address"].split("/")[2] for found in listed} == {f"{HOME}:443"}
    shown = icloud_person.does("calendars").stdout
    assert "write, shared with you" in shown
    assert "read-only" in shown


def test_sync_makes_the_calendar_on_the_other_host_and_then_rests(
    icloud_person: Person, icloud: ICloud, internet: Internet
) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    first = json.loads(icloud_person.does("sync", "--json").stdout)
    assert len(first["created"]) > 5
    assert len(icloud.account.summaries(NAME)) == len(first["created"]) + 1  # the memory
    listed = json.loads(icloud_person.does("calendars", "--json").stdout)["calendars"]
    assert [found["name"] for found in listed if found["chosen"]] == [NAME]
    before = len(internet.asked)
    assert json.loads(icloud_person.does("sync", "--json").stdout)["requests"] == 1
    assert [(host, method) for host, method, _ in internet.asked[before:]] == [(HOME, "REPORT")]
    assert {host for host, method, _ in internet.asked if method == "PUT"} == {HOME}
    icloud_person.never_shows({APP_PASSWORD})


def test_read_only_calendar_is_refused_before_anything_is_written(
    icloud_person: Person, icloud: ICloud, internet: Internet
) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    icloud_person.writes('provider = "icloud"\nusername = "maya@icloud.com"\nname = "Holidays"')
    done = icloud_person.does("sync", code=78)
    assert "read-only" in done.stderr
    assert "lorsync calendars" in done.stderr
    assert {method for _, method, _ in internet.asked} == {"PROPFIND"}


@pytest.mark.parametrize("kind", ["<s:shared/>", "<s:shared-owner/>", "owner"])
def test_shared_calendar_needs_a_yes(
    icloud_person: Person, icloud: ICloud, internet: Internet, kind: str
) -> None:
    family = icloud.account.calendar("Family")
    family.kind = "" if kind == "owner" else kind
    family.owner = "/99/principal/" if kind == "owner" else None
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    calendar = 'provider = "icloud"\nusername = "maya@icloud.com"\nname = "Family"'
    icloud_person.writes(calendar)
    done = icloud_person.does("sync", code=78)
    assert "is shared" in done.stderr
    assert "shared = true" in done.stderr
    assert {method for _, method, _ in internet.asked} == {"PROPFIND"}
    icloud_person.writes(f"{calendar}\nshared = true")
    icloud_person.does("sync")
    assert icloud.account.summaries("Family")


def test_address_of_a_shared_calendar_is_no_yes_either(icloud_person: Person) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    icloud_person.writes(
        f'provider = "icloud"\nusername = "maya@icloud.com"\n'
        f'url = "https://{HOME}/1234/calendars/family/"\n'
        f'password_command = ["echo", "{APP_PASSWORD}"]'
    )
    assert "shared with you" in icloud_person.does("sync", code=78).stderr


def test_home_on_another_domain_gets_no_password(
    icloud_person: Person, icloud: ICloud, internet: Internet
) -> None:
    # The name of another owner may begin with ours.
    icloud.account.home_url = "https://caldav.icloud.com.co.uk/1234/calendars/"
    done = icloud_person.does("login", typed=f"{APP_PASSWORD}\n", code=69)
    assert "the password is not sent there" in done.stderr
    assert {host for host, _, _ in internet.asked} == {FRONT}
    assert not icloud_person.keyring.exists()


def test_logout_forgets_and_says_where_to_withdraw(icloud_person: Person) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    assert "https://account.apple.com/" in icloud_person.does("logout").stdout
    assert json.loads(icloud_person.keyring.read_text()) == {}
    assert "has no login" in icloud_person.does("logout").stdout
    assert "run “lorsync login”" in icloud_person.does("sync", code=78).stderr


def test_password_command_is_tried_and_not_asked_for(icloud_person: Person) -> None:
    calendar = (
        'provider = "icloud"\nusername = "maya@icloud.com"\npassword_command = ["echo", "%s"]'
    )
    icloud_person.writes(calendar % APP_PASSWORD)
    done = icloud_person.does("login")
    assert "The login from password_command works." in done.stdout
    assert not icloud_person.keyring.exists()
    icloud_person.writes(calendar % ACCOUNT_PASSWORD)
    assert "comes from password_command" in icloud_person.does("login", code=77).stderr
    assert "take it away there" in icloud_person.does("logout").stdout


def test_a_hurried_icloud_is_left_alone_and_tells_of_no_login(
    icloud_person: Person, icloud: ICloud, internet: Internet
) -> None:
    icloud_person.has_stored(ACCOUNT, APP_PASSWORD)
    icloud.hurried = 1
    assert "is rate-limiting us" in icloud_person.does("sync", code=75).stderr
    assert len(internet.asked) == 1
    assert not icloud.account.calendar("Home").events
