"""A server that asks to be left alone, or takes the login no more: the installed command obeys.

Requests go through a server that passes them on to Radicale, or refuses them as a test says.
"""

import itertools
import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.sync.backoff import put_off
from tests.e2e.command.conftest import config_text
from tests.e2e.command.daemons import Daemon, Watch, needs_faketime, running
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import User, plain, rewrite
from tests.servers import starting
from tests.servers.relay import passed_on
from tests.servers.starting import Server, wait_until
from tests.unit.adapters.caldav.conftest import Answering, Hostile, Reply, Request

QUOTA = b'{"error": {"errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}}'


@pytest.fixture
def server(radicale_server: Server) -> Server:
    return radicale_server


@pytest.fixture(scope="module")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with starting.radicale(tmp_path_factory.mktemp("radicale")) as started:
        yield started


@pytest.fixture
def between(server: Server) -> Iterator[Hostile]:
    """What stands between lorsync and the server, and passes everything on to begin with."""
    hostile = Hostile()
    hostile.answer = passed_on(server)
    yield hostile
    hostile.close()


@pytest.fixture
def config(user: User, between: Hostile, request: pytest.FixtureRequest) -> Path:
    """A config with a calendar of its own for the test."""
    path = user.home / "config.toml"
    password = user.home / "password"
    password.write_text(starting.PASSWORD)
    text = config_text(Server(url=between.url, pid=0, password=starting.PASSWORD))
    text = text.replace(f'["echo", "{starting.PASSWORD}"]', f'["cat", "{password}"]')
    # Another season, too: of one season's calendars, the one that has its memory is found (S19).
    text = text.replace("Sam Reyes", f"Sam {request.node.name}")
    path.write_text(text.replace("[calendar]", f'[calendar]\nname = "{request.node.name}"'))
    return path


def ends(user: User, *, within: timedelta) -> datetime:
    """Let the time for which the account is put off be over so soon, and say when that is."""
    ledger = SqliteLedger(user.state)
    rest = json.loads(ledger.memos().get("put_off") or "")
    until = datetime.now(UTC) + within
    rest["until"] = until.isoformat()
    ledger.remember({"put_off": json.dumps(rest)})
    ledger.close()
    return until


def over(user: User) -> None:
    """Let the time pass for which the account is put off."""
    ends(user, within=timedelta(seconds=-1))


_DAY_AND_HOUR = re.compile(r"\d{4}-\d\d-\d\d \d\d(?=:)")


def in_ten_minutes() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)


REFUSALS = {
    "429": (lambda: Reply(status=429), 1),
    "429-seconds": (lambda: Reply(status=429, headers={"Retry-After": "600"}), 10),
    "503": (lambda: Reply(status=503), 1),
    "503-time": (lambda: Reply(status=503, headers={"Retry-After": in_ten_minutes()}), 10),
    "google-403": (lambda: Reply(status=403, body=QUOTA), 1),
    "507": (lambda: Reply(status=507), 1),
    "429-a-year": (lambda: Reply(status=429, headers={"Retry-After": "31536000"}), 24 * 60),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_account_is_left_alone_over_restarts_until_its_time(
    user: User, config: Path, between: Hostile, name: str
) -> None:
    reply, minutes = REFUSALS[name]
    began = datetime.now(UTC)
    between.always(reply())
    first = plain(user.types("sync", config=config), 75)
    rest = user.record.put_off
    assert rest is not None
    wait = timedelta(minutes=minutes)
    second = timedelta(seconds=1)  # what an HTTP date loses, and what the written time does
    assert began + wait - second <= rest.until <= datetime.now(UTC) + wait * 1.25 + 2 * second
    assert f"{rest.until:%M:%S}" in first
    sent = len(between.requests)
    # A 507 for the bare address may be that of a page there, so the well-known one is asked too.
    assert sent == (2 if name == "507" else 1)

    # Whatever is asked for meanwhile, be it an hour, nothing is sent.
    until = ends(user, within=timedelta(hours=1))
    message = first.replace(f"{rest.until:%M:%S}", f"{until:%M:%S}")
    for arguments in (("sync",), ("sync", "--dry-run")):
        said = plain(user.types(*arguments, config=config), 75)
        assert _DAY_AND_HOUR.sub("", said) == _DAY_AND_HOUR.sub("", message)
    assert len(between.requests) == sent
    status = user.json("status", config=config)
    assert status["put_off"]["until"] == until.isoformat()
    assert "Put off" in user.types("status", config=config).stdout

    over(user)
    plain(user.types("sync", config=config), 75)
    assert len(between.requests) == 2 * sent
    again = user.record.put_off
    assert again is not None
    assert again.times == 2


def test_what_a_server_asks_for_counts_from_when_it_did(
    user: User, config: Path, between: Hostile
) -> None:
    reply, asked = Reply(status=429, headers={"Retry-After": "600"}), []

    def slowly(_: Request) -> Reply:
        between.closing.wait(1.5)
        asked.append(datetime.now(UTC))
        return reply

    between.answer = slowly
    plain(user.types("sync", config=config), 75)
    rest = user.record.put_off
    assert rest is not None
    least = put_off(None, account=rest.account, why="", retry_after=600, now=asked[0])
    assert rest.until >= least.until


def test_a_success_forgets_the_refusals(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    between.always(Reply(status=503))
    plain(user.types("sync", config=config), 75)
    over(user)
    between.answer = passed_on(server)
    assert user.json("sync", config=config)["created"]
    status = user.json("status", config=config)
    assert status["put_off"] is None
    assert status["last_error"] is None
    between.always(Reply(status=503))
    plain(user.types("sync", config=config), 75)
    assert user.record.put_off is not None
    assert user.record.put_off.times == 1


def puts_end_after(count: int, reply: Reply, answer: Answering) -> Answering:
    """Refuse every PUT after the first ones."""
    numbers = itertools.count(1)

    def answering(request: Request) -> Reply:
        if request.method == "PUT" and next(numbers) > count:
            return reply
        return answer(request)

    return answering


@pytest.mark.parametrize("name", ["429", "google-403"])
def test_what_was_written_before_the_refusal_is_accounted_for(
    user: User, config: Path, between: Hostile, server: Server, name: str
) -> None:
    planned = {event["uid"] for event in user.json("plan", config=config)["events"]}
    between.answer = puts_end_after(5, REFUSALS[name][0](), passed_on(server))
    plain(user.types("sync", config=config), 75)
    address = user.record.calendar
    assert address is not None
    phone = Phone(server=server, collection=address.removeprefix(between.url))
    # The first of the five was the memory.
    assert len(phone.hrefs()) == 4
    over(user)
    between.answer = passed_on(server)
    report = user.json("sync", config=config)
    assert len(report["created"]) == len(planned) - 4
    names = [href.rpartition("/")[2].removesuffix(".ics") for href in phone.hrefs()]
    assert sorted(names) == sorted(planned)
    assert user.json("sync", config=config)["requests"] == 1


def test_507_for_one_resource_is_a_refusal_of_that_one(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    between.answer = puts_end_after(5, Reply(status=507), passed_on(server))
    report = user.json("sync", config=config)
    assert len(report["created"]) == 4
    assert "its storage is full" in str(report["warnings"])
    assert user.json("status", config=config)["put_off"] is None


def test_s21_a_wrong_clock_writes_nothing_and_exits_75(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    real = passed_on(server)

    def late(request: Request) -> Reply:
        reply = real(request)
        stated = format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)
        return Reply(status=reply.status, body=reply.body, headers=reply.headers | {"Date": stated})

    between.answer = late
    message = plain(user.types("sync", config=config), 75)
    assert "by this machine's clock" in message
    assert "PUT" not in {request.method for request in between.requests}
    assert "clock" in {w["code"] for w in user.json("sync", "--dry-run", config=config)["warnings"]}
    between.answer = real
    assert user.json("sync", config=config)["created"]


# The daemon

SHORT_WAITS = """
import datetime, sys
import lorsync.sync.backoff
lorsync.sync.backoff.FIRST = datetime.timedelta(milliseconds=100)
from lorsync.__main__ import main
main()
"""
"""The command with shorter waits; a minute is too long for a test."""


def test_the_daemon_does_not_try_before_and_says_when_it_will(
    user: User, config: Path, between: Hostile
) -> None:
    between.always(Reply(status=429, headers={"Retry-After": "1800"}))
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        rest = user.record.put_off
        assert rest is not None
        assert user.record.next_pass == rest.until.isoformat()
        for number in (signal.SIGUSR1, signal.SIGHUP):
            daemon.passes(number)
        assert len(between.requests) == 1
        assert user.record.next_pass == rest.until.isoformat()
        daemon.stop(signal.SIGINT)
    assert len(daemon.said("Nothing is sent there before")) == 1


def test_the_daemon_goes_on_by_itself_when_the_time_is_over(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    between.always(Reply(status=503))
    impatient = [sys.executable, "-c", SHORT_WAITS]
    with running(user, config, command=impatient) as daemon:
        wait_until(lambda: user.record.put_off is not None)
        between.answer = passed_on(server)
        wait_until(lambda: user.record.last_pass is not None)
        record = user.record
        assert record.put_off is None
        assert record.last_error is None
        # Back to the interval.
        wait_until(lambda: next_pass(user) > datetime.now(UTC) + timedelta(minutes=5))
        daemon.stop(signal.SIGINT)


def next_pass(user: User) -> datetime:
    """When the next pass is due, as recorded; the beginning of time where nothing is."""
    recorded = user.record.next_pass
    return datetime.fromisoformat(recorded) if recorded else datetime.min.replace(tzinfo=UTC)


@contextmanager
def refused_daemon(user: User, config: Path, between: Hostile) -> Iterator[Daemon]:
    """Run a daemon whose login is refused, past its one attempt."""
    between.always(Reply(status=401))
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        assert user.record.login_refused is not None
        daemon.reads(config)
        assert len(between.requests) == 1
        yield daemon


def test_a_refused_login_is_not_tried_again_and_said_once(
    user: User, config: Path, between: Hostile
) -> None:
    with refused_daemon(user, config, between) as daemon:
        for _ in range(3):
            daemon.reads(config)
        assert len(between.requests) == 1
        status = user.json("status", config=config)
        again = datetime.fromisoformat(status["next_pass"]) - datetime.now(UTC)
        assert timedelta(minutes=50) < again <= timedelta(hours=1)
        assert "refuses the user name" in status["login_refused"]["message"]
        assert "password_command" in status["login_refused"]["message"]
        told = user.types("status", config=config).stdout
        assert "it is tried again" in " ".join(told.split())
        # What needs no server goes on.
        assert user.json("plan", config=config)["events"]
        daemon.stop(signal.SIGINT)
    (said,) = daemon.said("refuses the user name")
    assert "sooner by: lorsync sync" in said
    assert not daemon.said(starting.PASSWORD)


@needs_faketime
def test_a_refused_login_is_tried_again_after_an_hour_twice_and_then_believed(
    user: User, config: Path, between: Hostile
) -> None:
    clock = Watch(user=user)
    clock.set(datetime.now(UTC))
    with refused_daemon(user, config, between) as daemon:
        for hour in (1, 2):
            clock.set(datetime.now(UTC) + timedelta(hours=hour, minutes=1))
            daemon.reads(config)
            assert len(between.requests) == hour + 1
            daemon.reads(config)
            assert len(between.requests) == hour + 1
        assert user.json("status", config=config)["next_pass"] is None
        told = user.types("status", config=config).stdout
        assert "not tried again until it changes" in " ".join(told.split())
        clock.set(datetime.now(UTC) + timedelta(hours=9))
        daemon.reads(config)
        assert len(between.requests) == 3
        daemon.stop(signal.SIGINT)


@needs_faketime
def test_one_refusal_that_passes_does_not_silence_the_daemon(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    clock = Watch(user=user)
    # At each time less than an hour from the server's clock (S21).
    clock.set(datetime.now(UTC) - timedelta(minutes=35))
    with refused_daemon(user, config, between) as daemon:
        assert user.record.last_pass is None
        between.answer = passed_on(server)
        clock.set(datetime.now(UTC) + timedelta(minutes=30))
        # Nobody asks: the clock alone says that the hour is over.
        wait_until(lambda: user.record.last_pass is not None)
        wait_until(lambda: user.record.login_refused is None)
        daemon.stop(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_refused_login_is_tried_again_when_the_person_asks(
    user: User, config: Path, between: Hostile, number: int
) -> None:
    with refused_daemon(user, config, between) as daemon:
        daemon.passes(number)
        assert len(between.requests) == 2
        daemon.reads(config)
        assert len(between.requests) == 2
        assert len(daemon.said("refuses the user name")) == 1
        daemon.stop(signal.SIGINT)


def secret_changes(user: User, config: Path) -> None:
    (user.home / "password").write_text("another one")


def account_changes(user: User, config: Path) -> None:
    rewrite(config, config.read_text().replace('username = "user"', 'username = "maya"'))


@pytest.mark.parametrize("change", [secret_changes, account_changes])
def test_a_login_that_changed_is_tried_once(
    user: User, config: Path, between: Hostile, change: Callable[[User, Path], None]
) -> None:
    with refused_daemon(user, config, between) as daemon:
        change(user, config)
        daemon.reads(config)
        one, two = (request.headers["authorization"] for request in between.requests)
        assert one != two
        daemon.reads(config)
        assert len(between.requests) == 2
        daemon.stop(signal.SIGINT)


def test_a_timer_tries_another_login_at_once(user: User, config: Path, between: Hostile) -> None:
    def typed() -> str:
        return plain(user.types("sync", "--unattended", config=config), 77)

    between.always(Reply(status=401))
    assert "refuses the user name" in typed()
    told = typed()
    assert "Not tried again yet, but at " in told
    assert told.rstrip().endswith("to try it now, run: lorsync sync")
    assert len(between.requests) == 1
    for change in (secret_changes, account_changes):
        before = len(between.requests)
        change(user, config)
        assert "Not tried again yet" not in typed()
        assert "Not tried again yet" in typed()
        assert len(between.requests) == before + 1
        # It is believed wrong by its own refusals, not by those of the one before.
        assert user.record.login_refused is not None
        assert user.record.login_refused["times"] == 1
    kept = b"".join(path.read_bytes() for path in user.state.iterdir())
    assert not [word for word in (b"another one", starting.PASSWORD.encode()) if word in kept]


def test_a_sync_that_gets_through_sets_the_daemon_going_again(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    with refused_daemon(user, config, between) as daemon:
        between.answer = passed_on(server)
        assert user.json("sync", config=config)["created"]
        before = user.record
        assert before.login_refused is None
        daemon.reads(config)
        assert user.record.last_pass != before.last_pass
        assert user.record.next_pass is not None
        daemon.stop(signal.SIGINT)


def test_s21_the_daemon_says_once_that_a_clock_is_wrong(
    user: User, config: Path, between: Hostile, server: Server
) -> None:
    real = passed_on(server)

    def ever_later(request: Request) -> Reply:
        off = timedelta(hours=2 + len(between.requests))
        stated = format_datetime(datetime.now(UTC) - off, usegmt=True)
        reply = real(request)
        return Reply(status=reply.status, body=reply.body, headers=reply.headers | {"Date": stated})

    between.answer = ever_later
    with running(user, config) as daemon:
        daemon.wait_for("A pass has ended")
        for _ in range(2):
            before = user.record.last_error
            assert before is not None
            daemon.passes(signal.SIGUSR1)
            assert user.record.last_error != before
        daemon.stop(signal.SIGINT)
    assert len(daemon.said("by this machine's clock")) == 1
