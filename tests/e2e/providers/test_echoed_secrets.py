"""I10: a server that sends the password back, wherever and however it spells it.

What a pass says, keeps and logs is searched for it: the error, the report, the ledger's files, and
every line of the log.
"""

import logging
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from lorsync.adapters.caldav.veil import CONCEALED, Veil
from lorsync.adapters.connect import calendars_of
from lorsync.core.errors import LorsyncError
from lorsync.core.settings import CalendarSettings, Provider, Settings
from lorsync.sync.engine import Options
from lorsync.sync.runner import pass_once, record_of
from tests.e2e.providers.test_secrets import forms_of
from tests.emulators.dav import Account
from tests.emulators.internet import Internet
from tests.emulators.kept import Oddities
from tests.servers.exchange import Reply, Request
from tests.unit.sync.desk import letter, settings

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

HOST, USERNAME = "dav.example.org", "maya"
SECRET = "Gehe!m/4 ñ-of-maya"
NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)

Place = Callable[[Account, Request, str], Reply]
"""Answers a request with the secret, in a spelling, somewhere in it."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "in lower-case hex": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "here and there": lambda secret: f"%{ord(secret[0]):X}{secret[1:]}",
    "twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "with a plus": lambda secret: quote(secret, safe="").replace("%20", "+"),
    "as the header": lambda secret: b64encode(f"{USERNAME}:{secret}".encode()).decode(),
    "in Base64": lambda secret: b64encode(secret.encode()).decode(),
}


def in_body(reply: Reply, old: str, new: str) -> Reply:
    return replace(reply, body=reply.body.decode().replace(old, new).encode())


def event_href(account: Account, request: Request, said: str) -> Reply:
    reply = account.answer(request)
    if request.method != "REPORT":
        return reply
    path = account.calendars[0].path
    more = (
        f'<d:response><d:href>{path}{said}.ics</d:href><d:propstat><d:prop><d:getetag>"1"'
        "</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
    return in_body(reply, "</d:multistatus>", f"{more}</d:multistatus>")


def etags(account: Account, request: Request, said: str) -> Reply:
    account.etag_of = lambda _: f'"{escape(said)}"'  # type: ignore[method-assign]
    reply = account.answer(request)
    if "ETag" in reply.headers:
        return replace(reply, headers=headed({**reply.headers, "ETag": f'"{said}"'}))
    return reply


def token(account: Account, request: Request, said: str) -> Reply:
    reply = account.answer(request)
    return in_body(reply, "urn:sync/", f"urn:{said}/")


def refusal(account: Account, request: Request, said: str) -> Reply:
    if request.method != "PUT":
        return account.answer(request)
    body = f'<d:error xmlns:d="DAV:"><d:x>Not by {said}.</d:x></d:error>'
    return Reply(status=403, body=body.encode(), headers={"Content-Type": "application/xml"})


def redirect(account: Account, request: Request, said: str) -> Reply:
    if request.method != "REPORT":
        return account.answer(request)
    return Reply(status=308, headers=headed({"Location": f"/login/{said}/"}))


def redirect_away(account: Account, request: Request, said: str) -> Reply:
    location = f"https://evil.example/{said}/"
    return Reply(status=308, headers=headed({"Location": location}))


def home(account: Account, request: Request, said: str) -> Reply:
    return in_body(account.answer(request), "<d:href>/home/", f"<d:href>/home/{said}/")


def name(account: Account, request: Request, said: str) -> Reply:
    reply = account.answer(request)
    return in_body(reply, "<d:displayname>", f"<d:displayname>{said}, ")


def challenge(account: Account, request: Request, said: str) -> Reply:
    return Reply(status=401, headers=headed({"WWW-Authenticate": f"{said}, Digest realm={said}"}))


def headed(headers: dict[str, str]) -> dict[str, str]:
    """Return headers whose bytes are UTF-8, as careless servers write them."""
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


PLACES = (
    event_href, etags, token, refusal, redirect, redirect_away, home, name, challenge,
)  # fmt: skip


def echoing(folder: Path, place: Place, said: str) -> tuple[Internet, Settings]:
    """Make a server that sends the password back in a place, and a season that is kept there."""
    internet = Internet(folder)
    account = Account(
        principal="/principals/maya/", home="/home/", home_url="/home/", oddities=Oddities()
    )
    internet.clock = None
    internet.host(HOST, lambda request: place(account, request, said))
    calendar = CalendarSettings(
        provider=Provider.CALDAV,
        url=f"https://{HOST}/",
        username=USERNAME,
        password_command=("printf", "%s", SECRET),
    )
    return internet, replace(settings(letter("Alvarez"), letter("Chen")), calendar=calendar)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_i10_a_secret_that_is_sent_back_goes_no_further(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: Place, spelling: str
) -> None:
    said = SPELLINGS[spelling](SECRET)
    internet, season = echoing(tmp_path, place, said)
    state, heard = tmp_path / "state", []
    with internet.reached(), caplog.at_level(logging.DEBUG):
        for _ in range(2):
            try:
                heard.append(repr(pass_once(season, state, now=NOW, options=Options())))
                heard.append(repr(calendars_of(season.calendar, state)))
            except LorsyncError as error:
                heard.append(str(error))
    heard += [repr(record_of(state)), caplog.text]
    forms = {*forms_of(SECRET), said.encode()}
    assert internet.asked
    for where, text in enumerate(heard):
        assert not [form for form in forms if form in text.encode()], (where, text)
    for file in state.rglob("*"):
        held = file.read_bytes() if file.is_file() else b""
        assert not [form for form in forms if form in held], file


def test_an_account_whose_etags_and_hrefs_hold_the_password_is_kept_all_the_same(
    tmp_path: Path,
) -> None:
    internet, season = echoing(tmp_path, etags, SECRET)
    with internet.reached():
        first = pass_once(season, tmp_path / "state", now=NOW, options=Options())
        second = pass_once(season, tmp_path / "state", now=NOW, options=Options())
    assert len(first.created) == 12
    assert not second.wrote


@pytest.mark.parametrize(
    ("secret", "value"),
    [
        ("recommendation", "/user/letters-of-recommendation-98c7c9d8/"),
        ("calendars", "/user/calendars/letters/"),
        ("maya-2027", "/dav/maya-2027/letters/"),
        ("user", "/user/letters/"),
    ],
)
def test_a_password_that_any_address_may_hold_takes_none_away(secret: str, value: str) -> None:
    veil = Veil(secret, username="maya-2027", known=["https://dav.example.org/", "maya-2027"])
    assert veil.cleared(value) == value


def test_words_for_a_person_are_told_without_a_short_one_too() -> None:
    assert Veil("user", username="maya").hidden("Who is %75ser?") == f"Who is {CONCEALED}?"
    assert Veil("abc", username="maya").hidden("abc") == "abc"
