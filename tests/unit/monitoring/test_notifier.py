"""What the outside is told of passes: a file, a server, and a desktop on a real D-Bus."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lorsync.adapters.caldav import ping
from lorsync.config import load
from lorsync.core.errors import LorsyncError
from lorsync.core.identity import season_key
from lorsync.core.settings import NotificationSettings, PingSettings, Settings
from lorsync.monitoring.metrics import HELP
from lorsync.monitoring.notifications import MORNING, notices
from lorsync.monitoring.notifier import Notifier
from lorsync.monitoring.state import FILE_NAME, Keeper, read_state
from lorsync.sync.engine import Options
from lorsync.sync.plan import observing, plan_at_once
from lorsync.sync.report import Record
from lorsync.sync.runner import pass_once, remember_next
from tests.servers.starting import wait_until

CONFIG = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "folder"
path = "events"

[metrics]
textfile = "lorsync.prom"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = {due}
"""

needs_bus = pytest.mark.needs("dbus")


@dataclass
class Listener:
    """A server that hears pings; ``answer`` is its status, or how it misbehaves."""

    url: str = ""
    heard: list[str] = field(default_factory=list)
    answer: int = 200
    silent: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listening.heard.append(self.path)
            assert "Authorization" not in self.headers
            if listening.answer == 0:
                listening.silent.wait(600)
                return
            self.send_response(listening.answer)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.url = f"http://127.0.0.1:{server.server_port}/ping/me"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listening
    finally:
        listening.silent.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Person:
    """Somebody with a folder of events, whose passes run in this process."""

    folder: Path
    settings: Settings
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.folder / "state"
        self.state.mkdir(exist_ok=True)

    def passes(self, notifier: Notifier | None = None) -> Notifier:
        """Run one pass, well or badly, and tell of it as a daemon would."""
        notifier = notifier or Notifier(self.state, keeper=Keeper.DAEMON)
        now = datetime.now(UTC)
        try:
            report = pass_once(self.settings, self.state, now=now, options=Options())
        except LorsyncError:
            pass
        else:
            notifier.note(report.plan, now + timedelta(minutes=15))
        notifier.after(self.settings)
        notifier.wait()
        return notifier

    def breaks(self) -> None:
        """Put a file where the folder of events should be."""
        (self.folder / "events").rename(self.folder / "events.aside")
        (self.folder / "events").touch()

    def mends(self) -> None:
        (self.folder / "events").unlink()
        (self.folder / "events.aside").rename(self.folder / "events")

    def metrics(self) -> dict[tuple[str, str], float]:
        """What an independent reader makes of the file, by name and the one label of its own."""
        text = (self.folder / "lorsync.prom").read_text()
        found = {}
        for family in text_string_to_metric_families(text):
            assert family.type == "gauge"
            assert family.documentation == HELP[family.name]
            for sample in family.samples:
                assert sample.labels.pop("config") == "config"
                (label,) = sample.labels.values() or [""]
                found[sample.name, label] = sample.value
        return found


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    config = tmp_path / "config.toml"
    due = datetime.now(UTC).date() + timedelta(days=20)
    config.write_text(CONFIG.format(due=due.isoformat()))
    return Person(folder=tmp_path, settings=load(config))


def test_metrics_are_what_prometheus_reads(person: Person) -> None:
    before = time.time()
    person.passes()
    found = person.metrics()
    assert {name for name, _ in found} == set(HELP)
    assert before - 1 < found["lorsync_last_pass_timestamp_seconds", ""] < time.time() + 1
    assert found["lorsync_last_try_success", ""] == 1
    assert found["lorsync_last_pass_events", "created"] >= 2
    assert found["lorsync_letters", "to ask"] == 1
    assert found["lorsync_follow_ups", "left"] == 2
    assert found["lorsync_next_pass_timestamp_seconds", ""] > before
    assert sum(found["lorsync_needs_person", need] for need in ("login", "config", "stuck")) == 0
    path = person.folder / "lorsync.prom"
    assert path.stat().st_mode & 0o777 == 0o644
    assert "ruiz" not in path.read_text().lower()
    person.breaks()
    person.passes()
    failed = person.metrics()
    assert failed["lorsync_last_try_success", ""] == 0
    good = ("lorsync_last_pass_timestamp_seconds", "")
    assert failed[good] == found[good] < failed["lorsync_last_try_timestamp_seconds", ""]
    assert failed["lorsync_letters", "to ask"] == 1
    assert list(person.folder.glob(".lorsync.prom*")) == []


def test_metrics_that_cannot_be_written_are_said_once_and_hurt_nothing(
    person: Person, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    (person.folder / "lorsync.prom").mkdir()
    person.settings = replace(person.settings, ping=PingSettings(url=listener.url))
    notifier = person.passes()
    person.passes(notifier)
    assert len(listener.heard) == 2
    # Trouble that comes and goes is no news each time.
    (person.folder / "lorsync.prom").rmdir()
    person.passes(notifier)
    (person.folder / "lorsync.prom").unlink()
    (person.folder / "lorsync.prom").mkdir()
    person.passes(notifier)
    said = [
        record.message for record in caplog.records if record.name == "lorsync.monitoring.notifier"
    ]
    assert said == [f"{person.folder / 'lorsync.prom'} cannot be written: Is a directory."]


def test_each_pass_is_told_to_the_dead_mans_switch(person: Person, listener: Listener) -> None:
    person.settings = replace(person.settings, ping=PingSettings(url=f"{listener.url}?rid=1"))
    notifier = person.passes()
    person.breaks()
    person.passes(notifier)
    assert listener.heard == ["/ping/me?rid=1", "/ping/me/fail?rid=1"]
    person.settings = replace(person.settings, ping=PingSettings(url=listener.url, failures=False))
    person.passes(notifier)
    person.mends()
    listener.answer = 302  # which is not followed
    person.passes(notifier)
    assert listener.heard[2:] == ["/ping/me"]


@pytest.mark.parametrize("answer", [0, 500, 302])
def test_a_ping_that_fails_hurts_no_pass_and_tells_nobody_its_address(
    person: Person,
    listener: Listener,
    answer: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("DEBUG", "lorsync")
    # However long it takes until the next pass, the server has not been given up by then.
    patient = replace(ping.LIMITS, read=600.0, request=600.0)
    monkeypatch.setattr(ping, "LIMITS", patient)
    listener.answer = answer
    person.settings = replace(person.settings, ping=PingSettings(url=listener.url))
    notifier = Notifier(person.state, keeper=Keeper.DAEMON)
    notifier.note(None, None)
    notifier.after(person.settings)
    # The daemon goes on while the server says nothing; the next pass leaves its ping out.
    wait_until(lambda: bool(listener.heard))
    if answer == 0:
        notifier.after(person.settings)
        assert len(listener.heard) == 1
        listener.silent.set()
    notifier.wait()
    assert "did not get through" in caplog.text
    if answer != 0:
        person.passes(notifier)
    said = [record.levelname for record in caplog.records if "not get through" in record.message]
    assert said[:1] == ["INFO"]
    assert said[1:] == (["DEBUG"] if answer != 0 else [])
    assert "/ping/me" not in caplog.text


@dataclass
class Desktop:
    """A notification server on a bus of its own."""

    shown: list[tuple[str, str, int]] = field(default_factory=list)


@contextmanager
def bus(folder: Path) -> Iterator[str]:
    """Run a private bus, and give its address."""
    running = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
         f"--address=unix:path={folder}/bus"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.terminate()
        running.communicate()


@contextmanager
def desktop(address: str) -> Iterator[Desktop]:
    """Take the name of the notification server on a bus, and keep what is to be shown."""
    from jeepney import HeaderFields, MessageType, new_method_return
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    found = Desktop()
    connection = open_dbus_connection(address)
    (granted,) = Proxy(message_bus, connection).RequestName("org.freedesktop.Notifications")
    assert granted == 1
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                message = connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            if message.header.message_type is not MessageType.method_call:
                continue
            assert message.header.fields[HeaderFields.member] == "Notify"
            app, _, _, title, text, _, hints, _ = message.body
            assert app == "lorsync"
            found.shown.append((title, text, hints["urgency"][1]))
            connection.send(new_method_return(message, "u", (len(found.shown),)))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
        connection.close()


@needs_bus
def test_each_occasion_is_shown_once_on_the_desktop(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.settings = replace(person.settings, notifications=NotificationSettings(today=False))
    with bus(tmp_path) as address:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # where its socket is, as in a unit
        person.passes()
        assert read_state(person.state).notices == frozenset()  # nobody there yet
        with desktop(address) as seen:
            person.passes()
            assert [title for title, _, _ in seen.shown] == ["A request on short notice"]
            assert "Ask Prof. Ana Ruiz" in seen.shown[0][1]
            person.passes()  # a restarted daemon
            assert len(seen.shown) == 1
            notifier = Notifier(person.state, keeper=Keeper.DAEMON)
            remember_next(person.state, None, config_error="config.toml: 1 problem\n  a <b> & c")
            for _ in range(2):
                notifier.after(person.settings)
                notifier.wait()
            title, text, urgency = seen.shown[-1]
            assert (len(seen.shown), title, urgency) == (2, "lorsync cannot read its config", 2)
            assert "a &lt;b&gt; &amp; c" in text
            remember_next(person.state, None)
            person.passes(notifier)
            remember_next(person.state, None, config_error="broken again")
            person.passes(notifier)
            assert len(seen.shown) == 3


@needs_bus
def test_what_cannot_be_remembered_is_shown_once_all_the_same(
    person: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (person.state / FILE_NAME).mkdir(parents=True)  # as on a disk without room
    with bus(tmp_path) as address, desktop(address) as seen:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        notifier = person.passes()
        shown = len(seen.shown)
        person.passes(notifier)
        person.passes(notifier)
    assert shown == len(seen.shown) > 0
    said = [record for record in caplog.records if FILE_NAME in record.message]
    assert len(said) == 1


def test_without_a_desktop_nothing_is_told_and_nothing_fails(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={person.folder}/nothing")
    person.passes()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "nonsense")
    person.passes()
    assert read_state(person.state).notices == frozenset()


REFUSED = Record(
    login_refused={"at": "2026-09-23T12:00:00+00:00", "message": "Refused."},
    config_error="Broken.",
)


def titles(settings: Settings, record: Record, day: date, at: clock, **more: object) -> list[str]:
    zone = settings.season.applicant.timezone
    season = observing(settings, None, day).season
    plan = plan_at_once(season, today=day, key=season_key(season))
    now = datetime.combine(day, at, tzinfo=zone)
    found = notices(
        settings, record, plan, now=now, next_pass=more.get("next_pass", now + timedelta(hours=1))
    )
    return [notice.title for notice in found]


def test_a_day_is_told_of_in_the_morning_and_each_kind_can_be_turned_off(person: Person) -> None:
    settings = person.settings
    today = datetime.now(UTC).date()
    season = settings.season
    day = plan_at_once(season, today=today, key=season_key(season)).events[0].day
    early, late = clock(0, 1), MORNING
    everything = [
        "lorsync cannot sign in to your calendar",
        "lorsync cannot read its config",
        "A request on short notice",
        "Today, for your letters",
    ]
    assert titles(settings, REFUSED, day, late) == everything
    assert titles(settings, REFUSED, day, early) == everything[:3]
    # No other pass is sure to come before the day is over.
    assert titles(settings, REFUSED, day, early, next_pass=None) == everything
    for number, name in enumerate(("login", "config", "short_notice", "today")):
        without = replace(settings, notifications=NotificationSettings(**{name: False}))
        left = [title for index, title in enumerate(everything) if index != number]
        assert titles(without, REFUSED, day, late) == left
