"""A season with the installed daemon: its days pass in seconds, and nobody looks after it.

Each day the daemon wakes to a clock that was moved on. On some days the person edits the calendar
or the config, the network fails in one of its ways, or the daemon is killed; all of it is drawn
from a printed seed. At the end the calendar is what the rules say.
"""

import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lorsync.config import load
from lorsync.core.identity import season_key, uid_for
from lorsync.core.model import CONTACTS, Kind
from tests.chance import seed
from tests.e2e.command.conftest import config_text
from tests.e2e.command.daemons import Daemon, Watch, listening, needs_faketime
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import User
from tests.servers import starting
from tests.servers.relay import passed_on
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

SEED = "LORSYNC_SEASON_SEED"
"""Set it to the number that a failed run has printed to live the same season again."""

START = datetime(2027, 1, 11, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MENTORS = ("Prof. Ana Ruiz", "Dr. Jo Lindqvist", "Dr. Ed Novak", "Dr. Mia Brandt")
FIRST_DUES = (date(2027, 4, 15), date(2027, 7, 1), date(2027, 9, 20), date(2027, 12, 1))
MEMORY = "lorsync-memory-"


@dataclass(kw_only=True)
class Network:
    """What lies between the daemon and its server: it drops, delays, resets and lies."""

    through: object
    draw: random.Random
    bad: bool = False
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            self.requests += 1
            kind = self.draw.choice(("", "", "reset", "lost", "broken", "portal", "slow"))
            kind = kind if self.bad else ""
            self.faults[kind] += bool(kind)
        match kind:
            case "reset":
                return Reply(body=b"<", headers={"Content-Length": "9"}, drop=True)
            case "broken":
                return Reply(status=500)
            case "portal":
                return Reply(status=302, headers={"Location": "http://portal.example.org/"})
            case "slow":
                threading.Event().wait(0.05)
        reply = self.through(request)
        # The server lives today, the daemon in its season.
        headers = {k: v for k, v in reply.headers.items() if k.lower() != "date"}
        if kind == "lost":
            return Reply(body=b"<", headers={"Content-Length": "9"}, drop=True)
        return replace(reply, headers=headers)


@dataclass(frozen=True, kw_only=True)
class There:
    """An event as it is on the calendar."""

    href: str
    body: str
    day: date
    title: str
    kind: Kind
    mentor: str


@dataclass(kw_only=True)
class Season:
    """The world around the daemon, and what the person did to it."""

    user: User
    config: Path
    server: starting.Server
    network: Network
    watch: Watch
    phone: Phone
    draw: random.Random
    now: datetime = START
    dues: dict[str, date] = field(default_factory=dict)
    facts: dict[str, dict[str, date]] = field(default_factory=dict)
    dragged: dict[str, date] = field(default_factory=dict)
    retitled: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    contacted: dict[str, set[date]] = field(default_factory=dict)
    known: dict[str, tuple[Kind, str, str]] = field(default_factory=dict)
    number: int = 0

    @property
    def today(self) -> date:
        return self.now.date()

    # The config

    def write_config(self, url: str) -> None:
        text = config_text(replace(self.server, url=url)).partition("[[letters]]")[0]
        text += '[sync]\nevery = "1d"\n'
        for mentor, due in self.dues.items():
            text += f'\n[[letters]]\nmentor = "{mentor}"\ndeadline = {due}\n'
            for fact, day in self.facts.get(mentor, {}).items():
                text += f"{fact} = {day}\n"
        aside = self.config.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.config)

    def learn_names(self) -> None:
        """Work out the name of every event that there may be."""
        season = load(self.config).season
        key = season_key(season)
        for letter in season.letters:
            name = season.mentors[letter.mentor].name
            for kind in Kind:
                for subject in (letter.id, letter.mentor):
                    for slot in (
                        "",
                        *map(str, range(1, 9)),
                        "declined",
                        "provisional",
                        "submitted",
                    ):
                        for generation in range(12):
                            uid = uid_for(key, kind, subject, slot, generation)
                            self.known[f"{uid}.ics"] = (kind, name, slot)

    def person_states_something(self, url: str) -> None:
        mentor = self.draw.choice(MENTORS)
        due, said = self.dues[mentor], self.facts.setdefault(mentor, {})
        days = (due - self.today).days
        if "asked_on" not in said and days < 45:
            said["asked_on"] = self.today
        elif "asked_on" in said and "submitted_on" not in said and days < 5:
            said["submitted_on"] = self.today
        elif days > 60:
            self.dues[mentor] = due + timedelta(days=self.draw.randrange(-10, 20))
        self.write_config(url)

    # The calendar

    def events(self) -> list[There]:
        """Return what is on the calendar, but for lorsync's memory."""
        found = []
        folder = Path(self.server_storage) / self.phone.collection.strip("/")
        for file in folder.glob("lorsync-*.ics"):
            if file.name.startswith(MEMORY):
                continue
            body = re.sub(r"\r?\n[ \t]", "", file.read_text())
            day = re.findall(r"DTSTART;VALUE=DATE:(\d+)", body)[0]
            kind, mentor, _ = self.known[file.name]
            found.append(
                There(
                    href=self.phone.collection + file.name,
                    body=body,
                    day=date.fromisoformat(day),
                    title=re.findall(r"(?m)^SUMMARY:(.*?)\r?$", body)[0].replace("\\,", ","),
                    kind=kind,
                    mentor=mentor,
                )
            )
        return sorted(found, key=lambda event: event.href)

    @property
    def server_storage(self) -> Path:
        return self.user.home / "radicale" / "storage" / "collection-root"

    def look(self) -> None:
        """See whom the person follows up with today."""
        for event in self.events():
            if (
                event.kind is Kind.FOLLOW_UP
                and event.day == self.today
                and not event.title.startswith("Not needed")
            ):
                self.contacted.setdefault(event.mentor, set()).add(event.day)

    def person_edits(self) -> None:
        ahead = [e for e in self.events() if e.day > self.today + DAY]
        if ahead:
            act = self.draw.choice((self.drag, self.drag, self.retitle, self.delete))
            act(self.draw.choice(ahead))

    def drag(self, event: There) -> None:
        """Drag it to a weekend, on which lorsync would never contact anybody."""
        if event.kind not in CONTACTS or event.href in self.dragged:
            return
        day = self.today + timedelta(days=self.draw.randrange(5, 40))
        day += timedelta(days=5 - day.weekday()) if day.weekday() < 5 else timedelta(0)
        body = event.body
        for name, value in (("DTSTART", day), ("DTEND", day + DAY)):
            body, count = re.subn(
                rf"{name};VALUE=DATE:\d+", f"{name};VALUE=DATE:{value:%Y%m%d}", body
            )
            assert count == 1, body
        self.phone.write(event.href, body)
        self.dragged[event.href] = day

    def retitle(self, event: There) -> None:
        self.number += 1
        title = f"Mine {self.number}"
        body, count = re.subn(r"(?m)^SUMMARY:.*?\r?$", f"SUMMARY:{title}", event.body)
        assert count == 1, body
        self.phone.write(event.href, body)
        self.retitled[event.href] = title

    def delete(self, event: There) -> None:
        if len(self.deleted) < 4:
            self.phone.delete(event.href)
            self.deleted.add(event.href)

    # What must hold

    def hold(self) -> int:
        """Hold the calendar against the plan and the person; return how many events are wrong."""
        document = self.user.json("plan", config=self.config)
        assert document["as_of"] == str(self.today)
        planned = {self.phone.collection + e["uid"] + ".ics": e for e in document["events"]}
        there = {event.href: event for event in self.events()}
        wrong = []
        for href, event in planned.items():
            if date.fromisoformat(event["date"]) < self.today:
                continue
            if (href in there) == (href in self.deleted):
                wrong.append(("there or not", event, href in there))
        for href, seen in there.items():
            mine = self.retitled.get(href)
            if href in self.deleted:
                wrong.append(("came back", seen))
            if seen.day < self.today:
                continue
            if href not in planned:
                if mine is None or seen.title not in (mine, f"Not needed: {mine}"):
                    wrong.append(("nobody's", seen))
                continue
            want = planned[href]["summary"] if mine is None else mine
            day = self.dragged.get(href, date.fromisoformat(planned[href]["date"]))
            if (seen.title, seen.day) != (want, day):
                wrong.append(("differs", seen, want, day))
        twice = Counter(self.known[href.rpartition("/")[2]] for href in there)
        wrong += [("twice", name) for name, count in twice.items() if count > 1]
        for mentor, days in self.contacted.items():
            if len(days) > 2:
                wrong.append(("badgered", mentor, days))
        assert not wrong, wrong
        return len(wrong)


def resident_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


@contextmanager
def season(user: User, draw: random.Random) -> Iterator[tuple[Season, str]]:
    """Start a server and what lies before it, and let the year begin."""
    hostile = Hostile()
    with starting.radicale(user.home / "radicale") as server:
        network = Network(through=passed_on(server), draw=random.Random(draw.random()))  # noqa: S311
        hostile.answer = network
        watch = Watch(user=user)
        watch.set(START)
        made = Season(
            user=user,
            config=user.home / "config.toml",
            server=server,
            network=network,
            watch=watch,
            phone=Phone(server=server, collection="/"),
            draw=draw,
            dues=dict(zip(MENTORS, FIRST_DUES, strict=True)),
        )
        made.write_config(hostile.url)
        made.learn_names()
        user.json("sync", config=made.config)
        address = user.json("status", config=made.config)["calendar"]["address"]
        made.phone.collection = urlsplit(address).path
        try:
            yield made, hostile.url
        finally:
            hostile.close()


def lived(user: User, days: int) -> str:
    """Live so many days, hold what must hold, and return the report."""
    begun_with = seed(SEED)
    draw = random.Random(begun_with)  # noqa: S311 -- no secret is drawn
    passes, failed, kills, logged, begin = 0, 0, 0, 0, 0.0
    with season(user, draw) as (it, url), listening(user):
        daemon = Daemon(user, it.config)
        try:
            daemon.wait_for("A pass has ended")
            begin = resident_mb(daemon.process.pid)
            for day in range(days):
                it.now += DAY
                # What the person sees and does comes before the daemon's day begins: whoever edits
                # an event while it is written may take back what was written.
                it.look()
                if draw.random() < 0.3 and user.record.last_error is None:
                    it.person_edits()
                it.watch.set(it.now)
                if draw.random() < 0.2:
                    it.person_states_something(url)
                it.network.bad = draw.random() < 0.2
                if draw.random() < 0.06 and day < days / 2:
                    daemon.process.send_signal(signal.SIGUSR1)
                    threading.Event().wait(draw.uniform(0, 0.3))
                    daemon.kill()
                    kills += 1
                    passes += daemon.over
                    logged += len([line for line in daemon.lines if line[1] < "7"])
                    daemon = Daemon(user, it.config)
                    daemon.wait_for("A pass has ended")
                    begin = resident_mb(daemon.process.pid)
                daemon.passes(signal.SIGHUP if draw.random() < 0.1 else signal.SIGUSR1)
                failed += user.record.last_error is not None
            it.network.bad = False
            before = daemon.over
            for _ in range(3):
                daemon.passes(signal.SIGUSR1)
            assert user.record.last_error is None
            assert daemon.over >= before + 3
            end = resident_mb(daemon.process.pid)
            wrong = it.hold()
            daemon.stop(signal.SIGTERM)
            assert not daemon.said("nternal error"), daemon.lines
            passes += daemon.over
            logged += len([line for line in daemon.lines if line[1] < "7"])
        finally:
            daemon.kill()
        settled = user.json("sync", config=it.config)
        assert not settled["created"] + settled["updated"] + settled["deleted"]
        edits = len(it.dragged) + len(it.retitled) + len(it.deleted)
        most = max(map(len, it.contacted.values()), default=0)
        report = (
            f"{days} days, seed {begun_with}: {passes} passes, {it.network.requests} requests, "
            f"{sum(it.network.faults.values())} faults ({dict(it.network.faults)}), {failed} days "
            f"that ended in an error, {kills} kills, {edits} edits, {logged} lines logged; "
            f"resident {begin:.1f} MB at the last start, {end:.1f} MB at the end; "
            f"at most {most} follow-ups for a mentor, {wrong} wrong events."
        )
    print(report)
    assert end < begin + 4, report
    return report


@needs_faketime
def test_some_days_of_a_season_pass_untouched(user: User) -> None:
    lived(user, 8)


@pytest.mark.long
@pytest.mark.timeout(1500)
@needs_faketime
def test_a_season_of_300_days_passes_untouched(user: User) -> None:
    lived(user, 300)
