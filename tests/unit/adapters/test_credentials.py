"""The password comes from the first configured source, and is in nothing that is shown (I10)."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from lorsync.adapters.credentials import Source, account, forget, password_for, remember, source
from lorsync.core.errors import CredentialsError, NoCredentialError
from lorsync.core.settings import CalendarSettings, Provider
from tests.servers.starting import is_running, wait_until

SECRET = "correct horse battery staple"


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring backend that lives as long as the test, and fails when told to."""

    priority = -1.0  # type: ignore[assignment]  # never chosen by itself

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.before: Callable[[], None] = lambda: None

    def get_password(self, service: str, username: str) -> str | None:
        self.before()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.before()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.before()
        del self.entries[service, username]


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def settings(
    command: tuple[str, ...] | None = None,
    *,
    provider: Provider = Provider.CALDAV,
    url: str | None = "https://cal.example.org:8443/dav/",
    username: str | None = "maya",
) -> CalendarSettings:
    return CalendarSettings(provider=provider, url=url, username=username, password_command=command)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def refusal(call: Callable[[], object]) -> CredentialsError:
    """Get the error of a call, and look for the secret in all that hangs on it."""
    with pytest.raises(CredentialsError) as caught:
        call()
    problem: BaseException | None = caught.value
    seen: list[BaseException] = []
    while problem is not None and problem not in seen:
        seen.append(problem)
        assert SECRET not in str(problem)
        assert SECRET not in repr(vars(problem))
        problem = problem.__cause__ or problem.__context__
    assert seen == [caught.value]
    nobody_gave_one = isinstance(caught.value, NoCredentialError)
    assert caught.value.exit_code == (78 if nobody_gave_one else 77)
    assert "\n" not in str(caught.value)
    return caught.value


# The command


def test_command_gives_its_first_line() -> None:
    code = f"print({SECRET!r}); print('user: maya'); print('x' * 200_000)"
    assert password_for(settings(python(code)), environ={}) == SECRET


def test_command_comes_before_the_credential_and_the_keyring(
    ring: MemoryKeyring, tmp_path: Path
) -> None:
    (tmp_path / "lorsync-password").write_text("from systemd")
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "from the keyring"
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password_for(settings(python("print('first')")), environ=environ) == "first"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (f"import sys; print({SECRET!r}); sys.stderr.write({SECRET!r}); sys.exit(3)", "code 3"),
        ("pass", "printed nothing"),
        ("print()", "printed nothing"),
        (f"print({SECRET!r} * 9000)", "too long for a password"),
        (rf"import sys; sys.stdout.buffer.write(b'\xff' + {SECRET!r}.encode())", "not UTF-8"),
    ],
)
def test_failing_command_is_an_error_and_no_reason_to_try_the_next(
    ring: MemoryKeyring, code: str, said: str
) -> None:
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "from the keyring"
    assert said in str(refusal(lambda: password_for(settings(python(code)), environ={})))


def test_command_that_is_not_there_is_not_repeated() -> None:
    # Somebody may have taken password_command for the place of the password.
    problem = refusal(lambda: password_for(settings((SECRET,)), environ={}))
    assert "full path" in str(problem)


def test_command_goes_through_no_shell(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = (*python("import sys; print(sys.argv[1])"), f"$(touch {trace}); `id`")
    assert password_for(settings(command), environ={}) == f"$(touch {trace}); `id`"
    assert not trace.exists()


def test_command_cannot_ask_anything() -> None:
    code = "import sys; print(repr(sys.stdin.read()))"
    assert password_for(settings(python(code)), environ={}) == "''"


def test_command_and_what_it_started_end_at_the_time_limit(tmp_path: Path) -> None:
    trace = tmp_path / "pid"
    # Both sleep longer than any test may take.
    script = f'sleep 1000 & echo $! >"{trace}.new"; mv "{trace}.new" "{trace}"; echo; sleep 1000'
    slow = settings(("sh", "-c", script))
    for seconds in (0.5, 2.0, 8.0, 32.0):  # until it has come so far, on a machine that is busy
        problem = refusal(lambda s=seconds: password_for(slow, environ={}, command_seconds=s))
        assert f"within {seconds:g} s" in str(problem)
        if trace.exists():
            break
    wait_until(lambda: not is_running(int(trace.read_text())))


# The systemd credential


def test_credential_comes_before_the_keyring(ring: MemoryKeyring, tmp_path: Path) -> None:
    (tmp_path / "lorsync-password").write_text(SECRET + "\n")
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "from the keyring"
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password_for(settings(), environ=environ) == SECRET


def test_service_without_the_credential_asks_the_keyring(
    ring: MemoryKeyring, tmp_path: Path
) -> None:
    ring.entries["lorsync", "maya@cal.example.org:8443"] = SECRET
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password_for(settings(), environ=environ) == SECRET


def test_where_the_secret_is_another_accounts_the_keyring_alone_is_asked(
    ring: MemoryKeyring, tmp_path: Path
) -> None:
    (tmp_path / "lorsync-password").write_text(SECRET)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    former = replace(settings(), keyring_only=True)
    with pytest.raises(NoCredentialError, match="no other account's is sent there"):
        password_for(former, environ=environ)
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "its own"
    assert password_for(former, environ=environ) == "its own"
    assert source(former, environ=environ) is Source.KEYRING


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "holds nothing"), (b"\xff" + SECRET.encode(), "not UTF-8")]
)
def test_unusable_credential_is_an_error(
    ring: MemoryKeyring, tmp_path: Path, content: bytes, said: str
) -> None:
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "from the keyring"
    (tmp_path / "lorsync-password").write_bytes(content)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert said in str(refusal(lambda: password_for(settings(), environ=environ)))


def test_unreadable_credential_is_an_error(ring: MemoryKeyring, tmp_path: Path) -> None:
    ring.entries["lorsync", "maya@cal.example.org:8443"] = "from the keyring"
    (tmp_path / "lorsync-password").mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    problem = refusal(lambda: password_for(settings(), environ=environ))
    assert "cannot be read" in str(problem)


# The keyring


@pytest.mark.parametrize(
    ("calendar", "name"),
    [
        (settings(), "maya@cal.example.org:8443"),
        (settings(provider=Provider.ICLOUD, url=None), "maya@icloud"),
        (settings(provider=Provider.GOOGLE, url=None, username=None), "google"),
    ],
)
def test_keyring_knows_the_account_by_user_and_host(
    ring: MemoryKeyring, calendar: CalendarSettings, name: str
) -> None:
    assert account(calendar) == name
    remember(calendar, SECRET)
    assert ring.entries == {("lorsync", name): SECRET}
    assert password_for(calendar, environ={}) == SECRET
    assert forget(calendar)
    assert not forget(calendar)
    assert ring.entries == {}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://cal.example.org/dav/", "maya@cal.example.org"),
        ("https://cal.example.org:443", "maya@cal.example.org"),
        ("HTTPS://Cal.Example.ORG./other/", "maya@cal.example.org"),
        ("https://bücher.example/", "maya@xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example/", "maya@xn--bcher-kva.example"),
        ("http://localhost:5232/", "maya@127.0.0.1:5232"),
        ("http://127.0.0.1:5232/maya/", "maya@127.0.0.1:5232"),
        ("http://[::1]:5232/", "maya@[::1]:5232"),
    ],
)
def test_keyring_has_one_name_for_every_spelling_and_another_for_each_port(
    ring: MemoryKeyring, url: str, name: str
) -> None:
    one, other = settings(url=url), settings(url="http://127.0.0.1:8008/")
    assert account(one) == name
    remember(one, SECRET)
    remember(other, "another")
    assert password_for(one, environ={}) == SECRET
    assert password_for(other, environ={}) == "another"
    assert forget(other)
    assert password_for(one, environ={}) == SECRET


def test_keyring_knows_a_provider_by_its_own_hosts_too(ring: MemoryKeyring) -> None:
    address = "https://caldav.fastmail.com/dav/calendars/user/maya@fastmail.com/work/"
    remember(settings(provider=Provider.FASTMAIL, url=None), SECRET)
    assert password_for(settings(provider=Provider.FASTMAIL, url=address), environ={}) == SECRET
    elsewhere = settings(provider=Provider.FASTMAIL, url="https://fastmail.com.example.org/")
    assert account(elsewhere) == "maya@fastmail.com.example.org"


def test_keyring_that_keeps_nothing_is_found_out(ring: MemoryKeyring) -> None:
    keyring.set_keyring(keyring.backends.null.Keyring())
    problem = refusal(lambda: remember(settings(), SECRET))
    assert "did not keep the login" in str(problem)
    assert "password_command" in str(problem)


def test_keyring_that_keeps_something_else_is_found_out(ring: MemoryKeyring) -> None:
    ring.set_password = (
        lambda service, username, password: MemoryKeyring.set_password(  # type: ignore[method-assign]
            ring, service, username, password[:8]
        )
    )
    assert "did not keep the login" in str(refusal(lambda: remember(settings(), SECRET)))


def test_keyring_that_forgets_nothing_is_found_out(ring: MemoryKeyring) -> None:
    remember(settings(), SECRET)
    ring.delete_password = lambda *_: None  # type: ignore[method-assign]
    problem = refusal(lambda: forget(settings()))
    assert "still has the login for maya@cal.example.org:8443" in str(problem)


def test_no_entry_says_what_to_run(ring: MemoryKeyring) -> None:
    problem = refusal(lambda: password_for(settings(), environ={}))
    assert "maya@cal.example.org:8443" in str(problem)
    assert "run “lorsync login”" in str(problem)
    assert "password_command" in str(problem)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (keyring.errors.NoKeyringError(SECRET), "no keyring"),
        (keyring.errors.KeyringLocked(SECRET), "locked"),
        (keyring.errors.InitError(SECRET), "not unlocked"),
        (keyring.errors.KeyringError(SECRET), "KeyringError"),
        (RuntimeError(SECRET), "RuntimeError"),
        (OSError(SECRET), "OSError"),
    ],
)
def test_keyring_that_fails_is_said_plainly(
    ring: MemoryKeyring, failure: Exception, said: str
) -> None:
    def fail() -> None:
        raise failure

    ring.before = fail
    for call in (
        lambda: password_for(settings(), environ={}),
        lambda: remember(settings(), SECRET),
        lambda: forget(settings()),
    ):
        problem = refusal(call)
        assert said in str(problem)
        assert "password_command" in str(problem)


def test_keyring_that_waits_for_a_prompt_is_given_up(ring: MemoryKeyring) -> None:
    answered = threading.Event()

    def wait() -> None:
        answered.wait(600)

    ring.before = wait
    problem = refusal(lambda: password_for(settings(), environ={}, keyring_seconds=0.1))
    assert "within 0.1 s" in str(problem)
    answered.set()


def test_nothing_is_logged(ring: MemoryKeyring, caplog: pytest.LogCaptureFixture) -> None:
    ring.entries["lorsync", "maya@cal.example.org:8443"] = SECRET
    with caplog.at_level(logging.DEBUG):
        password_for(settings(), environ={})
        password_for(settings(python(f"print({SECRET!r})")), environ={})
    assert SECRET not in caplog.text


def test_machine_without_a_keyring_is_told_so(ring: MemoryKeyring) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    problem = refusal(lambda: password_for(settings(), environ={}))
    assert "no keyring" in str(problem)
