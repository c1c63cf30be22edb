"""One request where nothing has happened, and a whole pass where anything has: from outside.

Requests go through a server that passes them on to Radicale, or answers as a test says.
"""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.adapters.caldav.noop import can_glance
from lorsync.adapters.ledger.store import STILL, SqliteLedger
from tests.e2e.command.conftest import config_text
from tests.e2e.command.running import User, noon_zone, plain
from tests.e2e.command.test_servers import phone_of
from tests.servers import starting
from tests.servers.relay import passed_on
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request


@pytest.fixture(scope="module")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with starting.radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.fixture
def server(radicale_server: Server) -> Server:
    return radicale_server


@pytest.fixture(scope="module")
def relay(radicale_server: Server) -> Iterator[Hostile]:
    hostile = Hostile()
    hostile.answer = passed_on(radicale_server)
    yield hostile
    hostile.close()


@pytest.fixture
def between(relay: Hostile, server: Server) -> Hostile:
    """What stands between lorsync and the server, and passes everything on to begin with."""
    relay.answer = passed_on(server)
    relay.requests.clear()
    return relay


@pytest.fixture(scope="module")
def settled_home(relay: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return settled(tmp_path_factory.mktemp("settled"), relay, "Sam Reyes")


@pytest.fixture
def user(settled_home: Path, tmp_path: Path) -> User:
    """Somebody so settled that the next pass needs no more than a glance."""
    return User(home=Path(shutil.copytree(settled_home, tmp_path / "home")))


@pytest.fixture
def writer(tmp_path: Path, between: Hostile, request: pytest.FixtureRequest) -> User:
    """The same with a calendar of their own, for a test that changes it."""
    (tmp_path / "own").mkdir()
    home = settled(tmp_path / "own", between, request.node.name)
    between.requests.clear()
    return User(home=home)


@pytest.fixture
def config(user: User) -> Path:
    return user.home / "config.toml"


def settled(home: Path, relay: Hostile, name: str) -> Path:
    """Let passes run in a home until one has nothing at all to do."""
    server = Server(url=relay.url, pid=0, password=starting.PASSWORD)
    text = config_text(server, zone=noon_zone())  # what was seen holds until the day ends
    path = home / "config.toml"
    text = text.replace("Sam Reyes", name)
    path.write_text(text.replace("[calendar]", f'[calendar]\nname = "{name}"'))
    for _ in range(3):
        User(home=home).json("sync", config=path)
    return home


def glanced(request: Request) -> bool:
    """Tell whether a request is a glance's: the client of the passes takes compressed answers."""
    return request.headers.get("accept-encoding") == "identity"


def asked(between: Hostile) -> list[tuple[bool, str]]:
    return [(glanced(request), request.method) for request in between.requests]


def remembered(user: User, key: str) -> str | None:
    ledger = SqliteLedger(user.state)
    try:
        return ledger.memos().get(key)
    finally:
        ledger.close()


def test_a_glance_says_and_remembers_what_a_pass_would(
    user: User, config: Path, between: Hostile
) -> None:
    before = user.record.last_pass
    document = user.json("sync", config=config)
    text = user.types("sync", config=config).stdout
    assert asked(between) == [(True, "REPORT")] * 2
    seen = user.record.last_pass
    assert before is not None
    assert seen is not None
    assert seen["at"] > before["at"]
    assert {**seen, "at": None} == {**before, "at": None}
    between.requests.clear()
    # A trial takes the long way, and changes nothing.
    whole = user.types("sync", "--dry-run", config=config).stdout
    assert [method for _, method in asked(between)] == ["REPORT"]
    assert not any(glanced(request) for request in between.requests)
    assert text == whole
    assert document["warnings"] == user.json("sync", "--dry-run", config=config)["warnings"]


def test_a_change_there_is_seen_by_the_same_request(
    writer: User, between: Hostile, server: Server
) -> None:
    config = writer.home / "config.toml"
    phone = phone_of(writer, server, config)
    href = phone.find("Ask Prof. Ana Ruiz")
    phone.write(href, re.sub("SUMMARY:", "SUMMARY:sent – ", phone.read(href), count=1))
    between.requests.clear()
    report = writer.json("sync", config=config)
    assert asked(between)[0] == (True, "REPORT")
    reports = [request for request in between.requests if b"sync-collection" in request.body]
    assert len(reports) == 1
    assert report["requests"] == len(between.requests)
    assert "✓ asked" in phone.read(href)


def test_what_is_stated_here_is_never_overlooked(writer: User, between: Hostile) -> None:
    user, config = writer, writer.home / "config.toml"
    assert user.types("mark", "prof-ana-ruiz", "asked", config=config).returncode == 0
    assert remembered(user, STILL) is None
    between.requests.clear()
    report = user.json("sync", config=config)
    assert not any(glanced(request) for request in between.requests)
    assert report["deleted"]


@pytest.mark.parametrize("change", ["comment", "broken", "gone"])
def test_another_config_is_read(user: User, config: Path, between: Hostile, change: str) -> None:
    text = config.read_text()
    match change:
        case "comment":
            config.write_text(text + "\n# nothing\n")
            user.json("sync", config=config)
            assert not any(glanced(request) for request in between.requests)
        case "broken":
            config.write_text(text + "\n[calendar\n")
            plain(user.types("sync", config=config), 78)
            assert not between.requests
        case "gone":
            config.unlink()
            plain(user.types("sync", config=config), 78)
            assert not between.requests


@pytest.mark.parametrize("age", ["tomorrow", "yesterday", "another zone", "another version"])
def test_terms_that_no_longer_hold_are_none(
    user: User, config: Path, between: Hostile, age: str
) -> None:
    terms = json.loads(remembered(user, STILL) or "")
    now = datetime.now(UTC)
    if age == "tomorrow":
        terms["until"] = now.isoformat()
    elif age == "yesterday":  # the clock was set back
        terms["since"] = (now + timedelta(hours=1)).isoformat()
    elif age == "another zone":
        user.environment["TZ"] = "Asia/Tokyo"
    else:
        terms["version"] = "0.0.1"
    ledger = SqliteLedger(user.state)
    ledger.remember({STILL: json.dumps(terms)})
    ledger.close()
    user.json("sync", config=config)
    assert asked(between) == [(False, "REPORT")]


def test_the_terms_end_with_the_day_and_with_the_listing(user: User, config: Path) -> None:
    terms = json.loads(remembered(user, STILL) or "")
    until = datetime.fromisoformat(terms["until"])
    listed = datetime.fromisoformat(remembered(user, "listed_fully_at") or "")
    assert until <= listed + timedelta(days=1)
    assert until > datetime.now(UTC)
    assert datetime.fromisoformat(terms["since"]).date() <= until.date()


TROUBLE = {
    "refused": (Reply(status=401), 77),
    "busy": (Reply(status=429), 75),
    "web-page": (Reply(status=200, body=b"<html>Sign in to the hotel's network</html>"), 69),
    "garbage": (Reply(status=207, body=b"\xff\xfe<"), 69),
    "elsewhere": (Reply(status=302, headers={"Location": "https://elsewhere.example/"}), 69),
    "dropped": (Reply(status=207, headers={"Content-Length": "9"}, drop=True), 69),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_told_by_the_pass_and_nothing_is_believed(
    user: User, config: Path, between: Hostile, name: str
) -> None:
    reply, code = TROUBLE[name]
    between.always(reply)
    plain(user.types("sync", config=config), code)
    assert asked(between)[0] == (True, "REPORT")
    assert remembered(user, STILL) is None
    assert not any(request.method in {"PUT", "DELETE"} for request in between.requests)


def test_clocks_that_are_apart_are_told(user: User, config: Path, between: Hostile) -> None:
    through = between.answer

    def with_another_clock(request: Request) -> Reply:
        reply = through(request)
        said = {**reply.headers, "Date": "Tue, 03 Jan 2023 10:00:00 GMT"}
        return Reply(status=reply.status, body=reply.body, headers=said)

    between.answer = with_another_clock
    assert "clock" in plain(user.types("sync", config=config), 75)


PROXY = {"https_proxy": "http://proxy.example:3128"}


@pytest.mark.parametrize(
    ("address", "environ", "serves"),
    [
        ("https://cal.example.org/home/letters/", {}, True),
        ("https://cal.example.org/home/letters/", PROXY, False),
        ("http://127.0.0.1:5232/home/letters/", PROXY, True),
        ("http://cal.example.org/home/letters/", {}, False),
        ("https://maya:secret@cal.example.org/home/", {}, False),
        ("file:///home/letters/", {}, False),
    ],
)
def test_only_where_the_pass_would_ask_alike(
    address: str, environ: dict[str, str], serves: bool
) -> None:
    assert can_glance(address, environ) is serves


def test_a_lost_ledger_is_rebuilt_by_a_pass(user: User, config: Path, between: Hostile) -> None:
    for file in user.state.glob("ledger.sqlite3*"):
        file.unlink()
    report = user.json("sync", config=config)
    assert not any(glanced(request) for request in between.requests)
    assert len(report["adopted"]) == 12
