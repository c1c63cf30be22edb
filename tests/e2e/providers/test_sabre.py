"""An emulated sabre/dav 4: each calendar of one's own says that its owner shares it."""

from pathlib import Path

import pytest

from lorsync.adapters.ledger.store import FILE_NAME
from tests.e2e.providers.conftest import Person, person_in
from tests.emulators.internet import Internet
from tests.emulators.sabre import HOST, PASSWORD, USERNAME, Sabre

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"
USER = "<s:user><d:href>mailto:ben@example.org</d:href>{}<s:access><s:read/></s:access></s:user>"
SHAREE = (
    "<d:sharee><d:href>mailto:ben@example.org</d:href>"
    "<d:share-access><d:read/></d:share-access>{}</d:sharee>"
)


@pytest.fixture
def server(internet: Internet) -> Sabre:
    return Sabre(internet)


@pytest.fixture
def person(tmp_path: Path, server: Sabre, internet: Internet) -> Person:
    person = person_in(tmp_path, internet)
    person.writes(f'provider = "caldav"\nurl = "https://{HOST}/dav.php"\nusername = "{USERNAME}"')
    person.has_stored(f"{USERNAME}@{HOST}", PASSWORD)
    return person


def test_an_own_calendar_that_nobody_else_sees_is_used(person: Person, server: Sabre) -> None:
    person.does("sync")
    assert server.account.summaries(NAME)
    assert "shared" not in person.does("calendars").stdout
    assert "calendar-shared" not in person.does("doctor", "--json").stdout
    for file in person.state.glob(f"{FILE_NAME}*"):
        file.unlink()
    person.does("sync")
    assert len(server.account.calendars) == 1


@pytest.mark.parametrize(
    "guests",
    [
        (USER.format("<s:invite-accepted/>"), ""),
        (USER.format("<s:invite-noresponse/>"), ""),
        ("", SHAREE.format("<d:invite-accepted/>")),
    ],
)
def test_one_that_somebody_was_invited_to_needs_a_yes(
    person: Person, server: Sabre, guests: tuple[str, str]
) -> None:
    person.does("sync")
    server.account.guests = guests
    assert "shared by you" in person.does("calendars").stdout
    for file in person.state.glob(f"{FILE_NAME}*"):
        file.unlink()
    assert "is shared by you with others" in person.does("sync", code=78).stderr


def test_an_invitation_that_was_declined_shows_nothing(person: Person, server: Sabre) -> None:
    server.account.guests = (
        USER.format("<s:invite-declined/>"),
        SHAREE.format("<d:invite-declined/>"),
    )
    person.does("sync")
    assert "shared" not in person.does("calendars").stdout
