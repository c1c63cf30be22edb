"""A real keyring: unlocked, locked, absent; and what is typed on a real terminal."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.providers.conftest import Person
from tests.emulators.icloud import APP_PASSWORD, ICloud

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"
_UNLOCKED = (
    # The daemon ends with the session's bus.
    'printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@"'
)

gnome = pytest.mark.needs("gnome-keyring", "dbus")


class AtADesktop:
    """A person in a session with a bus of its own; the keyring's file outlives it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        runtime = person.home / "run"
        runtime.mkdir(mode=0o700)
        person.environment["XDG_RUNTIME_DIR"] = str(runtime)
        del person.environment["PYTHON_KEYRING_BACKEND"]

    def does(self, *arguments: str, typed: str = "", locked: bool = False, code: int = 0) -> str:
        command = self.person.arguments(*arguments, config=self.person.config)
        inside = command if locked else ["sh", "-c", _UNLOCKED, "sh", *command]
        done = subprocess.run(
            ["dbus-run-session", "--", *inside],
            env=self.person.environ(),
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.person.said += done.stdout + done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


@gnome
def test_login_sync_and_logout_with_a_real_keyring(icloud_person: Person, icloud: ICloud) -> None:
    desktop = AtADesktop(icloud_person)
    assert "run “lorsync login”" in desktop.does("sync", code=78)
    assert "is in the keyring now" in desktop.does("login", typed=f"{APP_PASSWORD}\n")
    desktop.does("sync")
    assert icloud.account.summaries(NAME)
    files = list((icloud_person.home / ".local/share/keyrings").iterdir())
    assert files
    assert "no longer has the login" in desktop.does("logout")
    assert "run “lorsync login”" in desktop.does("sync", code=78)
    icloud_person.never_shows({APP_PASSWORD})


@gnome
def test_locked_keyring_is_found_before_anything_is_asked(
    icloud_person: Person, icloud: ICloud
) -> None:
    desktop = AtADesktop(icloud_person)
    desktop.does("login", typed=f"{APP_PASSWORD}\n")
    said = desktop.does("login", typed=f"{APP_PASSWORD}\n", locked=True, code=77)
    assert "Set password_command in the config" in said or "set password_command" in said
    assert "app password" not in said
    desktop.does("sync", locked=True, code=77)
    desktop.does("sync")
    icloud_person.never_shows({APP_PASSWORD})


def test_machine_without_a_keyring_is_told_before_anything_is_asked(icloud_person: Person) -> None:
    del icloud_person.environment["PYTHON_KEYRING_BACKEND"]
    icloud_person.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"
    done = icloud_person.does("login", typed=f"{APP_PASSWORD}\n", code=77)
    assert "password_command" in done.stderr
    assert "app password" not in done.stderr


def test_login_into_a_keyring_that_keeps_nothing_is_no_login(icloud_person: Person) -> None:
    icloud_person.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    done = icloud_person.does("login", typed=f"{APP_PASSWORD}\n", code=77)
    assert "did not keep the login" in " ".join(done.stderr.split())
    assert "is in the keyring now" not in done.stdout
    icloud_person.does("sync", code=78)
    icloud_person.never_shows({APP_PASSWORD})


def test_password_is_not_shown_while_it_is_typed(icloud_person: Person) -> None:
    keyboard, terminal = os.openpty()
    running = subprocess.Popen(
        icloud_person.arguments("login", config=icloud_person.config),
        env=icloud_person.environ(),
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # else getpass would ask on the terminal of whoever runs the tests
    )
    assert running.stderr is not None
    asked = ""
    while "Password of maya@icloud.com: " not in asked:
        mark = running.stderr.read(1)
        assert mark, asked
        asked += mark
    os.write(keyboard, f"{APP_PASSWORD}\n".encode())
    assert running.wait(120) == 0
    shown = os.read(keyboard, 65_536).decode()
    os.close(terminal)
    os.close(keyboard)
    asked += running.stderr.read()
    running.stderr.close()
    assert "Signed in to iCloud" in shown
    assert APP_PASSWORD not in shown + asked
    assert APP_PASSWORD in Path(icloud_person.keyring).read_text()
