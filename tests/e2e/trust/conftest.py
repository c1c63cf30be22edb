"""A person whose calendar is in order, and a server that from now on is not to be trusted."""

import base64
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from tests.e2e.command.running import noon_zone, rewrite
from tests.e2e.trust.running import Done, Warm
from tests.e2e.trust.villain import EVIL, GOOD, Answering, Asked, Villain
from tests.emulators.dav import Account, Kept, Oddities
from tests.unit.adapters.caldav.conftest import Reply

PASSWORD = "hunter2-geheim-2099"
SIGNED = "Basic " + base64.b64encode(f"maya:{PASSWORD}".encode()).decode()
WRITES = frozenset({"PUT", "DELETE", "MKCALENDAR"})
NAME = "Letters of recommendation"


def account() -> Account:
    made = Account(
        principal="/principal/",
        home="/home/",
        home_url=f"https://{GOOD}/home/",
        oddities=Oddities(),
    )
    made.calendars.append(Kept(path="/home/letters/", name=NAME))
    return made


def honest(of: Account) -> Answering:
    """Answer as a server does that is all right."""

    def answer(asked: Asked) -> Reply:
        if asked.request.headers.get("authorization") != SIGNED:
            return Reply(status=401)
        return of.answer(asked.request)

    return answer


@dataclass(kw_only=True)
class Victim:
    """Somebody with a config and a state folder of their own, who runs commands."""

    home: Path
    villain: Villain
    warm: Warm
    account: Account = field(default_factory=account)
    environment: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    budget: int | None = None

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    def configure(
        self, *, provider: str = "caldav", url: str | None = None, more: str = ""
    ) -> None:
        where = "" if url is None else f'url = "{url}"\n'
        text = (
            f'[applicant]\nname = "Maya"\ntimezone = "{noon_zone()}"\n'
            f'[calendar]\nprovider = "{provider}"\n{where}username = "maya"\n'
            f'password_command = ["echo", "{PASSWORD}"]\n{more}\n'
            '[[letters]]\nmentor = "Prof. Ana Ruiz"\ndeadline = 2099-09-10\n'
        )
        rewrite(self.config, text)

    def does(self, *arguments: str) -> Done:
        """Run a command at the level of most words; what is asked for meanwhile is kept alone."""
        self.villain.asked.clear()
        done = self.warm.run(
            *("-vv", "--state-dir", str(self.home / "state"), "-c", str(self.config)),
            *arguments,
            folder=self.home,
            more=self.environment,
            limits=self.limits,
            budget=self.budget,
        )
        assert "Traceback" not in done.out + done.err
        assert PASSWORD not in done.out + done.err
        return done

    def meets(self, answer: Answering, *arguments: str) -> Done:
        """Run a command against a server that answers so."""
        self.villain.answer = answer
        return self.does(*(arguments or ("sync",)))

    def ledger(self) -> tuple[object, object]:
        """Return what the ledger knows of every event."""
        kept = SqliteLedger(self.home / "state")
        try:
            return kept.entries(), kept.retired()
        finally:
            kept.close()

    def is_fine(self) -> None:
        """Bring calendar and plan together, and find nothing to do: nothing was lost or doubled."""
        before = dict(self.account.calendar(NAME).events)
        done = self.meets(honest(self.account), "sync", "--json")
        assert done.code == 0, done.err
        assert '"created": []' in done.out
        assert '"deleted": []' in done.out
        assert self.account.calendar(NAME).events == before


def message(done: Done, code: int) -> str:
    """Return the one plain message with which a command failed."""
    assert done.code == code, (done.code, done.out, done.err)
    said = [line for line in done.err.splitlines() if line.startswith("lorsync: ")]
    assert len(said) == 1, done.err
    text = done.err[done.err.index("lorsync: ") :].strip()
    assert len(text.splitlines()) <= 2, text
    return text


def nothing_leaked(villain: Villain) -> None:
    """Assert that nobody but the server itself was asked, and that nothing was written."""
    assert not [asked for asked in villain.asked if asked.host == EVIL]
    assert not [asked for asked in villain.asked if asked.request.method in WRITES]


@pytest.fixture(scope="package")
def villain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Villain]:
    served = Villain(tmp_path_factory.mktemp("villain"))
    yield served
    served.close()


@pytest.fixture(scope="package")
def warm(villain: Villain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "COLUMNS": "200"}
    running = Warm(folder=tmp_path_factory.mktemp("warm"), environment=base | villain.environment)
    yield running
    running.close()


@pytest.fixture(scope="package")
def settled(villain: Villain, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Victim:
    """Somebody whose first sync went well."""
    first = Victim(home=tmp_path_factory.mktemp("settled"), villain=villain, warm=warm)
    first.configure(url=f"https://{GOOD}/")
    for _ in range(2):
        done = first.meets(honest(first.account))
        assert done.code == 0, done.err
    # The second one had nothing to do, so the next begins with a glance.
    assert done.out.startswith("Nothing to write")
    return first


@pytest.fixture
def victim(settled: Victim, villain: Villain, warm: Warm, tmp_path: Path) -> Victim:
    """Somebody with a calendar that is in order, for one test."""
    home = tmp_path / "home"
    shutil.copytree(settled.home, home)
    known = account()
    known.calendars[0].events = dict(settled.account.calendar(NAME).events)
    known.calendars[0].changes = dict(settled.account.calendar(NAME).changes)
    return Victim(home=home, villain=villain, warm=warm, account=known)


@pytest.fixture
def newcomer(villain: Villain, warm: Warm, tmp_path: Path) -> Victim:
    """Somebody who has never synced."""
    home = tmp_path / "home"
    home.mkdir()
    made = Victim(home=home, villain=villain, warm=warm)
    made.configure(url=f"https://{GOOD}/")
    return made
