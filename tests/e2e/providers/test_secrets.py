"""I10: every command at its most talkative, and no secret anywhere it does not belong.

The libraries below log all they can, too, which lorsync itself does not let them. What is searched:
all output, every file below the home as long as it is there, with its mode, and the command line
and environment of every process of the machine.
"""

import json
import os
import secrets
import signal
import stat
import subprocess
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from lorsync.adapters.google.endpoint import Login
from tests.e2e.command.running import User
from tests.e2e.providers.conftest import Person
from tests.emulators.google import CLIENT_ID, CLIENT_SECRET, Google
from tests.emulators.icloud import ICloud
from tests.emulators.internet import SITE
from tests.servers.starting import wait_until

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

NAME = "Letters of recommendation"

_LOOKS = 5
"""How often one process is looked at: what it was started with does not change after that."""


def marked(name: str) -> str:
    """Return a secret of this test alone, with all that is quoted somewhere."""
    return f"Gehe!m&%41 =+/'\"\\ñ-{name}-{secrets.token_hex(8)}"


def forms_of(secret: str) -> set[bytes]:
    """Return every spelling in which a secret might slip out."""
    plain = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    plain |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain |= {repr(secret)[1:-1], repr(secret.encode())[2:-1]}
    found = {form.encode() for form in plain}
    # After a user name of any length, and without what the characters beside it decide, too.
    for before in (b"", b"x", b"xx"):
        whole = before + secret.encode()
        found.add(b64encode(whole)[(len(before) * 4 + 2) // 3 : len(whole) * 4 // 3])
    return found


@dataclass(kw_only=True)
class Watch:
    """Looks for secrets while commands run; ``kept`` are the files where they belong."""

    home: Path
    kept: set[Path] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    leaks: set[str] = field(default_factory=set)
    looks: int = 0
    _seen: set[tuple[Path, int, int]] = field(default_factory=set)
    _looked_at: Counter[str] = field(default_factory=Counter)

    def run(self, ended: threading.Event) -> None:
        while not ended.wait(0.05):
            self.look()

    def look(self) -> None:
        forms = self.forms()
        self._search_processes(forms)
        self._search_files(forms)
        self.looks += 1

    def forms(self) -> set[bytes]:
        return {form for one in set(self.secrets) for form in forms_of(one)}

    def search(self, text: bytes, forms: set[bytes], where: str) -> None:
        self.leaks |= {f"{form!r} in {where}" for form in forms if form in text}

    def _search_processes(self, forms: set[bytes]) -> None:
        for process in Path("/proc").iterdir():
            if not process.name.isdigit() or self._looked_at[process.name] > _LOOKS:
                continue
            self._looked_at[process.name] += 1
            if not self._is_ours(process):
                continue
            for name in ("cmdline", "environ"):
                try:
                    text = (process / name).read_bytes()
                except OSError:
                    continue  # it has ended, or is somebody else's
                self.search(text, forms, f"{name} of a process: {text[:200]!r}")

    def _is_ours(self, process: Path) -> bool:
        """Tell whether a command of this test has started it."""
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            return False  # it has ended, or is somebody else's
        return str(self.home).encode() in words

    def _search_files(self, forms: set[bytes]) -> None:
        for folder, _, names in os.walk(self.home):
            for file in (Path(folder) / name for name in names):
                try:
                    about = file.stat()
                    # What others could read of it; lorsync's own folders keep them out as well.
                    if file.is_relative_to(self.home / "state") and about.st_mode & 0o077:
                        self.leaks.add(f"{file} has the mode {stat.filemode(about.st_mode)}")
                    known = (file, about.st_mtime_ns, about.st_size)
                    if file in self.kept or known in self._seen:
                        continue
                    self.search(file.read_bytes(), forms, str(file))
                    self._seen.add(known)
                except FileNotFoundError:
                    continue


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    return User(home=home)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(home=tmp_path / "home")
    ended = threading.Event()
    watching = threading.Thread(target=watch.run, args=(ended,))
    watching.start()
    yield watch
    ended.set()
    watching.join()
    watch.look()
    assert watch.looks > 5
    assert watch.leaks == set()


@dataclass(kw_only=True)
class Talker:
    """Types commands at the level of most words, whatever comes of them."""

    user: User
    config: Path
    watch: Watch
    said: int = 0

    def __post_init__(self) -> None:
        temporary = self.user.home / "tmp"
        temporary.mkdir()
        self.user.environment |= {
            "LOUD_LIBRARIES": "1",
            "PYTHON_CALDAV_COMMDUMP": "1",
            "TMPDIR": str(temporary),
        }

    def types(self, *arguments: str | Path, typed: str = "", codes: tuple[int, ...] = (0,)) -> str:
        command, *rest = self.user.arguments(*arguments, config=self.config)
        done = subprocess.run(
            [command, "-vv", *rest],
            env=self.user.environ(),
            input=typed.encode(),
            capture_output=True,
            timeout=120,
            cwd=self.user.home,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode in codes, (arguments, done.returncode, output)
        return self.heard(output, arguments[0])

    def heard(self, output: bytes, what: object) -> str:
        self.watch.search(output, self.watch.forms(), f"what {what} says")
        self.said += len(output)
        return output.decode()

    def runs(self, *, passes: int, refused: bool = False) -> str:
        """Run the daemon through so many passes that are asked for, and stop it."""
        command, *rest = self.user.arguments("run", config=self.config)
        log = self.user.home / "run.log"
        with log.open("wb") as output:
            running = subprocess.Popen(
                [command, "-vv", *rest],
                env=self.user.environ(),
                stdout=output,
                stderr=output,
                cwd=self.user.home,
            )

        def is_done(number: int) -> bool:
            sign = b"Nothing is sent until" if refused else b"Next pass:"
            return log.read_bytes().count(sign) >= number

        try:
            for number in range(1, passes + 1):
                wait_until(lambda n=number: is_done(n) or running.poll() is not None)
                assert running.poll() is None, log.read_text()
                if number < passes:
                    running.send_signal(signal.SIGUSR1)
            running.send_signal(signal.SIGINT)
            assert running.wait(120) == 0
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        return self.heard(log.read_bytes(), "run")

    def goes_through(self, *, all_of_it: bool) -> None:
        """Type what a season is made of, signed in."""
        said = self.types("sync")
        said += self.types("doctor", "--probe", codes=(0, 1))
        # The libraries were as loud as they can be: else nothing is proved.
        for library in ("urllib3", "caldav"):
            assert f"DEBUG {library}" in said
        if not all_of_it:
            return
        assert "A pass begins: asked." in self.runs(passes=2)
        self.types("calendars")
        self.types("check")
        self.types("plan", "--why")
        self.types("mark", "prof-nr-0", "asked", "--on", "2026-01-02")
        self.types("sync")
        self.types("status")
        self.types("export", "-o", self.user.home / "season.ics")

    def is_refused(self, *, all_of_it: bool) -> None:
        """Type what goes to the server, with a login that it does not take."""
        self.types("sync", codes=(77,))
        if all_of_it:
            self.types("doctor", "--probe", codes=(1,))
            self.types("calendars", codes=(77,))
            self.types("sync", "--dry-run", codes=(77,))
            self.runs(passes=1, refused=True)
            self.types("status", codes=(2,))  # the daemon has stopped


AT_ALL_LENGTHS = pytest.mark.parametrize(
    "all_of_it", [False, pytest.param(True, marks=pytest.mark.long)], ids=["in short", "at length"]
)


@AT_ALL_LENGTHS
def test_i10_app_password_in_the_keyring(
    icloud_person: Person,
    icloud: ICloud,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    all_of_it: bool,
) -> None:
    right, wrong = marked("right"), marked("wrong")
    monkeypatch.setattr("tests.emulators.icloud.APP_PASSWORD", right)
    watch.secrets |= {right, wrong}
    watch.kept.add(icloud_person.keyring)
    talker = Talker(user=icloud_person, config=icloud_person.config, watch=watch)
    talker.types("login", typed=f"{wrong}\n", codes=(77,))
    talker.types("login", typed=f"{right}\n")
    talker.goes_through(all_of_it=all_of_it)
    monkeypatch.setattr("tests.emulators.icloud.APP_PASSWORD", marked("another"))
    talker.is_refused(all_of_it=all_of_it)
    talker.types("logout")


@AT_ALL_LENGTHS
def test_i10_google_with_its_client_tokens_and_codes(
    google_person: Person, google: Google, watch: Watch, tmp_path: Path, all_of_it: bool
) -> None:
    google.make(NAME)
    watch.secrets = google.secrets  # grows with each code and token
    watch.kept.add(google_person.keyring)
    file = tmp_path / "client_secret.json"
    installed = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    file.write_text(json.dumps({"installed": installed}))
    talker = Talker(user=google_person, config=google_person.config, watch=watch)
    talker.types("login", "--client", file)
    google.left = 5  # a token that ends amid the requests
    talker.goes_through(all_of_it=all_of_it)
    google.withdrawn = True
    talker.is_refused(all_of_it=all_of_it)
    google.withdrawn = False
    talker.types("logout")


@pytest.mark.long
def test_i10_systemd_credential_with_a_login_for_google(
    google_person: Person, google: Google, watch: Watch, tmp_path: Path
) -> None:
    google.make(NAME)
    watch.secrets = google.secrets
    login = Login(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=google.lets_in())
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "lorsync-password").write_text(login.to_line())
    google_person.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    talker = Talker(user=google_person, config=google_person.config, watch=watch)
    talker.types("login")
    talker.goes_through(all_of_it=True)
    google.withdrawn = True
    talker.is_refused(all_of_it=True)


@pytest.mark.long
def test_i10_password_command(
    icloud_person: Person,
    icloud: ICloud,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    right, wrong = marked("right"), marked("wrong")
    monkeypatch.setattr("tests.emulators.icloud.APP_PASSWORD", right)
    watch.secrets |= {right, wrong}
    store = tmp_path / "store"
    store.write_text(right)
    command = json.dumps(["sh", "-c", f"cat {store}; echo; cat {store} >&2"])
    icloud_person.writes(
        f'provider = "icloud"\nusername = "maya@icloud.com"\npassword_command = {command}'
    )
    talker = Talker(user=icloud_person, config=icloud_person.config, watch=watch)
    talker.types("login")
    talker.goes_through(all_of_it=True)
    store.write_text(wrong)
    talker.is_refused(all_of_it=True)
    # Not UTF-8, and no line: what a decoder would quote in its error.
    store.write_bytes(right.encode("latin-1"))
    talker.types("sync", codes=(77,))
    icloud_person.config.write_text(
        icloud_person.config.read_text().replace("; echo;", "; exit 3;")
    )
    talker.types("doctor", codes=(1,))


@pytest.mark.long
def test_i10_password_of_the_local_server(user: User, watch: Watch) -> None:
    config = user.home / "config.toml"
    config.write_text(
        '[applicant]\nname = "Maya"\ntimezone = "Europe/Madrid"\n[calendar]\nprovider = "local"\n'
        '[[letters]]\nmentor = "Prof. Nr 0"\ndeadline = 2099-09-10\n'
    )
    user.environment["PYTHONPATH"] = str(SITE)
    settings = user.state / "local-server.json"
    talker = Talker(user=user, config=config, watch=watch)
    talker.types("calendars")
    watch.kept.add(settings)
    watch.secrets.add(json.loads(settings.read_text())["password"])
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    talker.goes_through(all_of_it=True)
