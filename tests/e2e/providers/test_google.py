"""The installed command against an emulated Google: consent, tokens that end, an odd CalDAV."""

import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lorsync.adapters.google.endpoint import Login
from tests.e2e.providers.conftest import Person
from tests.emulators.google import CLIENT_ID, CLIENT_SECRET, PAGE, USERNAME, Google
from tests.emulators.internet import Internet

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """The file that Google gives to somebody who makes a client."""
    file = tmp_path / "client_secret.json"
    installed = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_uri": "x"}
    file.write_text(json.dumps({"installed": installed}))
    return file


@pytest.fixture
def person(google_person: Person, google: Google) -> Person:
    """Somebody who is logged in, with the calendar made in the web page."""
    google.make(NAME)
    login = Login(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=google.lets_in())
    google_person.has_stored("maya@gmail.com@google", login.to_line())
    return google_person


def test_login_through_the_browser(google_person: Person, google: Google, client: Path) -> None:
    done = google_person.does("login", "--client", client)
    assert "Signed in to Google as maya@gmail.com." in done.stdout
    assert "make it in the web page or app" in done.stdout
    assert google.lost == []
    kept = json.loads(
        json.loads(google_person.keyring.read_text())["lorsync maya@gmail.com@google"]
    )
    assert kept == {
        "type": "authorized_user",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": google.refresh_token(),
    }
    google_person.never_shows(google.secrets)


def test_api_that_is_not_enabled_is_told_apart_from_a_limit(
    google_person: Person, google: Google, client: Path
) -> None:
    google.enabled = False
    done = google_person.does("login", "--client", client, code=77)
    assert "CalDAV API enabled (docs/google.md)" in done.stderr
    assert not google_person.keyring.exists()


def test_account_is_found_without_its_name(
    google_person: Person, google: Google, client: Path
) -> None:
    google.make(NAME)
    google_person.writes('provider = "google"')
    assert "Signed in to Google.\n" in google_person.does("login", "--client", client).stdout
    google_person.does("sync")
    assert google.account.summaries(NAME)


def test_client_can_be_typed(google_person: Person, google: Google) -> None:
    google_person.does("login", typed=f"{CLIENT_ID}\n{CLIENT_SECRET}\n")
    assert google.exchanges == 1
    google_person.never_shows(google.secrets)


def test_second_login_asks_the_browser_alone(person: Person, google: Google) -> None:
    google.withdrawn = True
    ended = person.does("sync", code=77)
    assert "Google has ended the login." in ended.stderr
    assert "run “lorsync login”" in ended.stderr
    google.withdrawn = False
    person.does("login")
    person.does("sync")
    assert google.exchanges == 1


def test_pasted_address_serves_without_a_browser(
    google_person: Person, google: Google, client: Path
) -> None:
    del google_person.environment["BROWSER"]
    running = subprocess.Popen(
        google_person.arguments("login", "--client", client, config=google_person.config),
        env=google_person.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdin is not None
    assert running.stderr is not None
    address = next(line for line in running.stderr if "accounts.google.com" in line).strip()
    running.stdin.write(_ending(google_person, address) + "\n")
    running.stdin.flush()
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert "Signed in to Google" in stdout
    assert google.lost == []


def _ending(person: Person, address: str) -> str:
    """Follow the consent page as a browser of another machine, to the address it cannot reach."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    # This process does not resolve the emulated names: go to the server itself.
    port = next(iter(json.loads(Path(person.environment["EMULATED_HOSTS"]).read_text()).values()))
    context = ssl.create_default_context(cafile=person.environment["SSL_CERT_FILE"])
    context.check_hostname = False
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(address.replace("accounts.google.com", f"127.0.0.1:{port}"))
    request.add_header("Host", "accounts.google.com")
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(request)
    with caught.value as answer:
        location: str = answer.headers["Location"]
    assert location.startswith("http://127.0.0.1:")
    return location


@pytest.mark.parametrize(
    "pasted", ["http://127.0.0.1:1/?state=forged&code=4/stolen", "nonsense", "http://127.0.0.1:1/"]
)
def test_pasted_address_of_another_login_is_refused(
    google_person: Person, google: Google, client: Path, pasted: str
) -> None:
    del google_person.environment["BROWSER"]
    done = google_person.does("login", "--client", client, typed=f"{pasted}\n", code=77)
    assert "not the address at which the browser ended" in done.stderr
    assert google.exchanges == 0
    assert not google_person.keyring.exists()


def test_a_person_who_says_no_is_not_logged_in(
    google_person: Person, google: Google, client: Path
) -> None:
    google.allows = False
    done = google_person.does("login", "--client", client, code=77)
    assert "You did not let lorsync in: nothing was stored." in done.stderr
    assert not google_person.keyring.exists()


def test_an_unticked_box_for_calendars_is_named(
    google_person: Person, google: Google, client: Path
) -> None:
    google.scope = "openid"
    done = google_person.does("login", "--client", client, code=77)
    assert "tick the box" in done.stderr
    assert not google_person.keyring.exists()
    google_person.never_shows(google.secrets)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps({"web": {"client_id": "x", "client_secret": "geheim"}}), "Web application"),
        (json.dumps({"installed": {"client_id": "x"}}), "not the JSON file"),
        ("geheim", "not the JSON file"),
    ],
)
def test_client_file_that_is_none(
    google_person: Person, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "client.json"
    file.write_text(text)
    done = google_person.does("login", "--client", file, code=78)
    assert said in done.stderr
    assert "geheim" not in done.stderr


def test_wrong_client_is_said_plainly(google_person: Person, google: Google) -> None:
    done = google_person.does("login", typed=f"{CLIENT_ID}\nanother\n", code=77)
    assert "does not know the client" in done.stderr


def test_sync_pages_looks_before_it_creates_and_rests(person: Person, google: Google) -> None:
    # More events than one page holds.
    person.writes(f'provider = "google"\nusername = "{USERNAME}"', letters=60)
    first = json.loads(person.does("sync", "--json").stdout)
    assert len(first["created"]) > PAGE
    assert len(google.account.summaries(NAME)) == len(first["created"]) + 1  # the memory
    # What Google dropped is nobody's edit, and pages are read to their end.
    second = json.loads(person.does("sync", "--json").stdout)
    assert not any(second[name] for name in ("created", "updated", "deleted", "kept", "missing"))
    assert json.loads(person.does("sync", "--json").stdout)["requests"] == 1
    (person.state / "ledger.sqlite3").unlink()
    rebuilt = json.loads(person.does("sync", "--json").stdout)
    assert len(rebuilt["adopted"]) == len(first["created"])
    assert not rebuilt["created"]
    person.never_shows(google.secrets)


def test_event_that_is_there_already_is_not_overwritten(person: Person, google: Google) -> None:
    planned = json.loads(person.does("plan", "--json").stdout)["events"]
    uid = planned[0]["uid"]
    theirs = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:Mine\r\n"
        "DTSTART;VALUE=DATE:20990801\r\nDTEND;VALUE=DATE:20990802\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    # It comes after the listing, and this server ignores If-None-Match.
    kept = google.account.calendar(NAME)
    answer = google.account.answer
    raced = False

    def racing(request):
        nonlocal raced
        if request.method == "REPORT" and uid.encode() in request.body and not raced:
            raced = True
            path = f"{kept.path}{uid}.ics"
            put = type(request)(method="PUT", path=path, headers={}, body=theirs.encode())
            assert answer(put).status == 201
        return answer(request)

    google.account.answer = racing
    person.does("sync")
    assert raced
    assert "SUMMARY:Mine" in kept.events[f"{uid}.ics"].body


def test_missing_calendar_is_the_persons_to_make(
    google_person: Person, google: Google, client: Path, internet: Internet
) -> None:
    google_person.does("login", "--client", client)
    done = google_person.does("sync", code=78)
    assert f"make one called '{NAME}'" in done.stderr
    assert "MKCALENDAR" not in {method for _, method, _ in internet.asked}


def test_token_that_ends_amid_the_writes_is_renewed_once_for_all_of_them(
    person: Person, google: Google
) -> None:
    google.left = 10
    report = json.loads(person.does("sync", "--json").stdout)
    assert google.left < 0
    assert 1 <= google.refused <= 8
    assert google.refreshes == 2
    assert len(google.account.summaries(NAME)) == len(report["created"]) + 1


def test_short_lived_tokens_are_renewed_ahead_of_their_end(person: Person, google: Google) -> None:
    google.told = 1e-9  # as short as can be, however long a sync takes; they last for longer
    refused, refreshed = google.refused, google.refreshes
    report = json.loads(person.does("sync", "--json").stdout)
    assert google.refreshes == refreshed + report["requests"]
    assert google.refused == refused


def test_unwell_login_is_tried_again_later(person: Person, google: Google) -> None:
    google.unwell = 1
    assert "will retry" in person.does("sync", code=75).stderr
    person.does("sync")


def test_logout_withdraws_the_login_at_google(person: Person, google: Google) -> None:
    assert "Google has withdrawn it" in person.does("logout").stdout
    with pytest.raises(StopIteration):
        google.refresh_token()
    assert json.loads(person.keyring.read_text()) == {}


def test_printed_login_serves_as_a_systemd_credential(
    google_person: Person, google: Google, client: Path, tmp_path: Path
) -> None:
    google.make(NAME)
    done = google_person.does("login", "--client", client, "--print")
    google_person.said = ""  # printed on purpose
    assert not google_person.keyring.exists()
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "lorsync-password").write_text(done.stdout)
    google_person.environment["CREDENTIALS_DIRECTORY"] = str(folder)
    google_person.does("sync")
    assert google.account.summaries(NAME)
    google.withdrawn = True
    said = google_person.does("login", code=77).stderr
    assert "The secret comes from the systemd credential lorsync-password" in said
    assert "lorsync login --print" in said
    google_person.never_shows(google.secrets)


def test_login_is_not_printed_on_a_screen(google_person: Person) -> None:
    screen, terminal = os.openpty()
    done = subprocess.run(
        google_person.arguments("login", "--print", config=google_person.config),
        env=google_person.environ(),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(terminal)
    os.close(screen)
    assert done.returncode == 64
    assert "for a pipe" in done.stderr
