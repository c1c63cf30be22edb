"""Somebody with an account at an emulated provider, who types the installed command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.conftest import emulated_internet
from tests.e2e.command.running import User
from tests.emulators.google import Google
from tests.emulators.icloud import ICloud
from tests.emulators.internet import Internet
from tests.unit.adapters.caldav.conftest import hostile

__all__ = ["emulated_internet", "hostile"]

_BROWSER = f"""#!{sys.executable}
import sys, urllib.request
urllib.request.urlopen(sys.argv[-1], timeout=120).read()
"""


@dataclass(kw_only=True)
class Person(User):
    """A user with a keyring, who can type what is asked for."""

    said: str = ""

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    @property
    def keyring(self) -> Path:
        return self.home / "keyring.json"

    def does(
        self, *arguments: str | Path, typed: str = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command at the level of most words, to this exit code, and keep what it says."""
        done = self.runs(self.arguments(*arguments, config=self.config), typed=typed)
        self.said += done.stdout + done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def arguments(self, *arguments: str | Path, config: Path | None = None) -> list[str]:
        command, *rest = super().arguments(*arguments, config=config)
        return [command, "-vv", *rest]

    def writes(self, calendar: str, letters: int = 2) -> None:
        """Write a config of so many letters."""
        text = f'[applicant]\nname = "Maya"\ntimezone = "Europe/Madrid"\n[calendar]\n{calendar}\n'
        for number in range(letters):
            text += f'[[letters]]\nmentor = "Prof. Nr {number}"\ndeadline = 2099-09-10\n'
        self.config.write_text(text)

    def has_stored(self, account: str, secret: str) -> None:
        """Begin where a login has ended, with the secret in the keyring."""
        self.keyring.write_text(json.dumps({f"lorsync {account}": secret}))

    def has_a_browser(self) -> None:
        """Give the person a browser, in which everything is allowed."""
        browser = self.home / "browser"
        browser.write_text(_BROWSER)
        browser.chmod(0o700)
        self.environment["BROWSER"] = str(browser)

    def never_shows(self, secrets: set[str]) -> None:
        """Search all that was said, and every file but the keyring's (I10)."""
        assert secrets
        for secret in secrets:
            assert secret not in self.said
            for file in self.home.rglob("*"):
                if file.is_file() and file != self.keyring:
                    assert secret.encode() not in file.read_bytes(), file


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    emulated = Internet(tmp_path)
    yield emulated
    emulated.close()


def person_in(tmp_path: Path, internet: Internet) -> Person:
    home = tmp_path / "home"
    home.mkdir()
    person = Person(home=home, environment=internet.open())
    person.environment |= {
        "PYTHON_KEYRING_BACKEND": "keyring_in_a_file.FileKeyring",
        "KEYRING_FILE": str(person.keyring),
    }
    return person


@pytest.fixture
def icloud(internet: Internet) -> ICloud:
    return ICloud(internet)


@pytest.fixture
def google(internet: Internet) -> Google:
    return Google(internet)


@pytest.fixture
def icloud_person(tmp_path: Path, internet: Internet, icloud: ICloud) -> Person:
    person = person_in(tmp_path, internet)
    person.writes('provider = "icloud"\nusername = "maya@icloud.com"')
    return person


@pytest.fixture
def google_person(tmp_path: Path, internet: Internet, google: Google) -> Person:
    person = person_in(tmp_path, internet)
    person.writes('provider = "google"\nusername = "maya@gmail.com"')
    person.has_a_browser()
    return person
