"""An emulated Fastmail: app passwords, addresses by DNS, a UID that stands once in a home."""

from pathlib import Path

import pytest

from lorsync.adapters.caldav.selection import listed_collections, open_collection
from lorsync.core.errors import LoginRefusedError
from lorsync.core.ports import Sharing, WriteRefusedError
from tests.contract.test_calendar_contract import event
from tests.e2e.providers.conftest import Person, person_in
from tests.emulators.fastmail import ACCOUNT_PASSWORD, APP_PASSWORD, HOST, USERNAME, Fastmail
from tests.emulators.internet import Internet
from tests.emulators.kept import Kept
from tests.emulators.worlds import emulate
from tests.servers.exchange import Reply
from tests.unit.adapters.caldav.test_mail_address import NameServer, names

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

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


def in_calendar(server: Fastmail, name: str) -> list[str]:
    return sorted(server.account.calendar(name).events)


@pytest.fixture
def moved(person: Person, server: Fastmail) -> Person:
    """A person whose events stand in one calendar, and whose config names another of the home."""
    person.writes(f'provider = "fastmail"\nusername = "{USERNAME}"')
    person.has_stored(f"{USERNAME}@fastmail", APP_PASSWORD)
    person.does("sync")
    named = f"https://{HOST}{server.account.calendar('Calendar').path}"
    person.writes(f'provider = "fastmail"\nusername = "{USERNAME}"\nurl = "{named}"')
    return person


def test_s19_events_move_to_another_calendar_of_one_home(moved: Person, server: Fastmail) -> None:
    """Fastmail keeps a UID in one calendar of a home: an event can be moved, and not copied."""
    before = in_calendar(server, NAME)
    asked = moved.does("sync", code=78).stderr
    assert "names another calendar than the one these" in " ".join(asked.split())
    assert "sync --move" in asked
    assert in_calendar(server, NAME) == before
    said = moved.does("sync", "--move").stdout
    assert f"{len(before)} events, the memory among them, were moved" in " ".join(said.split())
    assert (in_calendar(server, NAME), in_calendar(server, "Calendar")) == ([], before)
    assert "1 request" in moved.does("sync").stdout


def test_s19_where_not_all_can_move_within_a_home_all_come_back(
    moved: Person, server: Fastmail
) -> None:
    before = in_calendar(server, NAME)
    # The way back has room again.
    server.account.moves = 4
    refusal, took = server.account.refusal_to_move, []

    def refused(kept: Kept, target: Kept) -> Reply | None:
        took.append(target.name)
        if took[-1] != "Calendar":
            return None
        return refusal(kept, target)

    server.account.refusal_to_move = refused  # type: ignore[method-assign]
    said = moved.does("sync", "--move", code=69).stderr
    assert "none was moved" in said
    assert "storage is full" in said
    assert (in_calendar(server, NAME), in_calendar(server, "Calendar")) == (before, [])


def test_s19_a_move_within_a_home_that_was_stopped_is_no_deletion(
    moved: Person, server: Fastmail
) -> None:
    before, to_new = in_calendar(server, NAME), moved.config.read_text()
    refusal = server.account.refusal_to_move

    def down(kept: Kept, target: Kept) -> Reply | None:
        # Nothing more is answered once four have gone.
        return refusal(kept, target) and Reply(status=500)

    server.account.moves = 4
    server.account.refusal_to_move = down  # type: ignore[method-assign]
    said = moved.does("sync", "--move", code=69).stderr
    assert "could not be brought back" in " ".join(said.split())
    gone = in_calendar(server, "Calendar")
    assert gone
    assert sorted(in_calendar(server, NAME) + gone) == before
    server.account.refusal_to_move = refusal  # type: ignore[method-assign]
    server.account.moves = None
    moved.writes(f'provider = "fastmail"\nusername = "{USERNAME}"')
    said = moved.does("sync", code=78).stderr
    assert "was stopped halfway" in said
    moved.config.write_text(to_new)
    moved.does("sync", "--move")
    assert (in_calendar(server, NAME), in_calendar(server, "Calendar")) == ([], before)
