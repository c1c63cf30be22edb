"""S19, I12: an address is not an identity; the installed command on real servers."""

import contextlib
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lorsync.adapters.caldav.xml import mkcalendar
from tests.e2e.command.conftest import config_text
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import User
from tests.servers import starting
from tests.servers.relay import passed_on
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile

SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "the slash dropped": lambda server, _: server.rstrip("/"),
    "another name of this machine": lambda server, _: server.replace("127.0.0.1", "localhost"),
    "upper case": lambda server, _: server.replace("http://127.0.0.1", "HTTP://LocalHost"),
    "the calendar's own address": lambda _, calendar: calendar,
    "the same without its slash": lambda _, calendar: calendar.rstrip("/"),
    "percent-encoded": lambda _, calendar: calendar.replace("/user/", "/%75ser/"),
    "the address of its home": lambda server, _: f"{server}user/",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_s19_a_calendar_spelt_otherwise_is_the_same(
    user: User, server: Server, config: Path, spelling: str
) -> None:
    user.json("sync", config=config)
    address = user.json("status", config=config)["calendar"]["address"]
    phone = Phone(server=server, collection=address)
    before = phone.bodies()
    assert before
    spelt = SPELLINGS[spelling](server.url, address)
    config.write_text(config.read_text().replace(server.url, spelt))
    report = user.json("sync", config=config)
    assert not any(report[name] for name in ("created", "updated", "deleted", "missing", "held"))
    assert user.json("sync", config=config)["requests"] == 1
    done = user.types("sync", "--move", config=config)
    assert done.returncode == 0, done.stderr
    assert "nothing to move" in done.stdout + done.stderr
    assert phone.bodies() == before
    assert (
        urlsplit(address).path
        == urlsplit(user.json("status", config=config)["calendar"]["address"]).path
    )


def test_s19_a_login_by_another_name_is_the_same_account(
    user: User, tmp_path: Path, config_for: Callable[[Server], Path]
) -> None:
    """Xandikos lets everybody in, under whatever name."""
    with starting.xandikos(tmp_path / "xandikos") as server:
        config = config_for(server)
        user.json("sync", config=config)
        phone = phone_of(user, server, config)
        before = phone.bodies()
        config.write_text(config.read_text().replace('"user"', '"user@example.org"'))
        checked = user.json("doctor", config=config)
        assert "account-moved" not in {each["finding"] for each in checked}
        report = user.json("sync", "--move", config=config)
        assert [warning["code"] for warning in report["warnings"]].count("same-calendar") == 1
        assert phone.bodies() == before
        assert user.json("sync", config=config)["requests"] == 1


def test_s19_events_move_between_two_calendars_of_one_account(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    old = phone_of(user, server, config)
    before = old.bodies()
    address = f"{old.collection.rstrip('/').rpartition('/')[0]}/other/"
    make_calendar(server, address)
    new = Phone(server=server, collection=address)
    config.write_text(config.read_text().replace(server.url, address))
    refused = user.types("sync", config=config)
    assert refused.returncode == 78
    assert "names another calendar than the one" in refused.stderr
    user.json("sync", "--move", config=config)
    assert (old.bodies(), len(new.bodies())) == ({}, len(before))
    assert user.json("sync", config=config)["requests"] == 1
    # And back, by the name of the account.
    config.write_text(config.read_text().replace(address, old.collection))
    user.json("sync", "--move", config=config)
    assert (len(old.bodies()), new.bodies()) == (len(before), {})


def phone_of(user: User, server: Server, config: Path) -> Phone:
    address = user.json("status", config=config)["calendar"]["address"]
    return Phone(server=server, collection=address)


@pytest.fixture
def config_for(user: User) -> Callable[[Server], Path]:
    def write(server: Server) -> Path:
        path = user.home / "config.toml"
        path.write_text(config_text(server))
        return path

    return write


def make_calendar(server: Server, address: str) -> None:
    request = urllib.request.Request(address, data=mkcalendar("Other", None), method="MKCALENDAR")
    pair = f"{server.username}:{server.password}".encode()
    request.add_header("Authorization", f"Basic {b64encode(pair).decode()}")
    request.add_header("Content-Type", "application/xml")
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("changed", [False, True], ids=["one command", "a new command"])
def test_the_new_accounts_password_is_not_sent_to_the_old_server(
    user: User, tmp_path: Path, config_for: Callable[[Server], Path], *, changed: bool
) -> None:
    """One command for both accounts is the person's word that their password is one."""
    relay = Hostile()
    with contextlib.closing(relay), starting.radicale(tmp_path / "old") as old:
        relay.answer = passed_on(old)
        config = config_for(replace(old, url=relay.url))
        user.json("sync", config=config)
        with starting.xandikos(tmp_path / "new") as new:  # which takes any password
            text = config.read_text().replace(relay.url, new.url)
            secret = "new secret" if changed else old.password
            config.write_text(text.replace(f'"{old.password}"', f'"{secret}"'))
            relay.requests.clear()
            report = user.json("sync", "--move", config=config)
            (told,) = [w["message"] for w in report["warnings"] if w["code"] == "moved"]
            sent = {request.headers.get("authorization") for request in relay.requests}
            if changed:
                assert sent <= {None}
                assert "no other account's is sent there" in told
            else:
                assert len(sent - {None}) == 1
                assert "could not be opened" not in told
            assert len(phone_of(user, new, config).bodies()) == 12
