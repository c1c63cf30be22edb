"""Get the account's password from where the person keeps it, and never let it out again (I10).

Sources, of which the first *configured* one is the one: ``password_command``, the systemd
credential ``lorsync-password``, the keyring. Its failure is an error and no reason to try the next,
since a second, older password could lock the account.

Errors here are raised outside of ``except`` blocks, so that no traceback leads to an exception that
holds a secret (an expired command's output, say).
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue
from signal import SIGKILL
from threading import Thread
from typing import Final, TypeVar
from urllib.parse import urlsplit

from lorsync.adapters.caldav.urls import comparable
from lorsync.adapters.unit import system_unit
from lorsync.core.errors import CredentialsError, NoCredentialError
from lorsync.core.providers import SignIn, traits
from lorsync.core.settings import CalendarSettings

SERVICE: Final = "lorsync"
"""The service under which the keyring knows our passwords."""

CREDENTIAL: Final = "lorsync-password"
"""The name of the systemd credential (``LoadCredentialEncrypted=``)."""

COMMAND_SECONDS: Final = 30.0
KEYRING_SECONDS: Final = 10.0
"""A locked keyring may wait for a prompt that nobody sees."""


class Source(StrEnum):
    """Where a secret comes from, as it is said to a person."""

    COMMAND = "password_command"
    CREDENTIAL = f"the systemd credential {CREDENTIAL}"
    KEYRING = "the keyring"


_MAX_BYTES: Final = 65_536

Answer = TypeVar("Answer")


def password_for(
    settings: CalendarSettings,
    *,
    environ: Mapping[str, str] = os.environ,
    command_seconds: float = COMMAND_SECONDS,
    keyring_seconds: float = KEYRING_SECONDS,
) -> str:
    """Get the password (for Google: the line that keeps the login) of the account.

    Raises CredentialsError if the configured source has none, fails, or takes longer than its
    limit in seconds. The text of the error says what to do and holds nothing secret.
    """
    if settings.password_command is not None:
        return _from_command(settings.password_command, command_seconds)
    credential = None if settings.keyring_only else _credential(environ)
    if credential is not None:
        return _from_credential(credential)
    name = account(settings)
    lacking = (
        f"The keyring has no login for {name}: run “lorsync login”, or set password_command in "
        "the config."
    )
    try:
        found = stored(settings, keyring_seconds=keyring_seconds)
    except NoCredentialError as error:
        found, lacking = None, str(error)
    if not found and settings.keyring_only:
        msg = f"The keyring has no login for {name}, and no other account's is sent there."
        raise NoCredentialError(msg)
    if not found:
        raise NoCredentialError(_missing(environ, lacking))
    return found


def _missing(environ: Mapping[str, str], lacking: str) -> str:
    """Say that a service has not got the credential; nobody else would know what that is."""
    if {"CREDENTIALS_DIRECTORY", "INVOCATION_ID"}.isdisjoint(environ):
        return lacking
    missing = f"The systemd credential {CREDENTIAL} is missing."
    unit = system_unit(environ) or ""
    applicant = unit.partition("@")[2]
    if not (unit.startswith("lorsync") and applicant):
        return f"{missing} {lacking}"
    return (
        f"{missing} Write it to /etc/credstore.encrypted/lorsync-{applicant}, as docs/service.md "
        f"says, then run “systemctl restart {unit}”. Or set password_command in the config."
    )


def source(settings: CalendarSettings, *, environ: Mapping[str, str] = os.environ) -> Source:
    """Tell where the account's secret comes from; that place is the only one that is asked."""
    if settings.password_command is not None:
        return Source.COMMAND
    in_keyring = settings.keyring_only or _credential(environ) is None
    return Source.KEYRING if in_keyring else Source.CREDENTIAL


def account(settings: CalendarSettings) -> str:
    """Name the account as the keyring does: ``USER@HOST``, ``USER@HOST:PORT`` or ``USER@PROVIDER``.

    The host is in lower case and A-labels, a port stands there where it is not the scheme's, and
    the provider where the host is its own or none is named: one account has one name, however it
    is spelt, and two have two.
    """
    host: str = settings.provider.value
    if settings.url is not None:
        place = urlsplit(comparable(settings.url)).netloc
        own = urlsplit(traits(settings).address or "").netloc.partition(".")[2]
        host = host if own and place.endswith(f".{own}") else place or host
    return host if settings.username is None else f"{settings.username}@{host}"


def how_to_change(settings: CalendarSettings, *, environ: Mapping[str, str] = os.environ) -> str:
    """Say how the person changes the secret that :func:`password_for` gets."""
    origin = source(settings, environ=environ)
    if origin is Source.KEYRING:
        return "To sign in again, run “lorsync login”."
    made = (
        " (“lorsync login --print” makes one)" if traits(settings).sign_in is SignIn.OAUTH else ""
    )
    if origin is Source.CREDENTIAL:
        return f"The secret comes from {origin}. {_how_to_renew(environ, made)}"
    return f"The secret comes from {origin}: renew it there{made}."


def _how_to_renew(environ: Mapping[str, str], made: str = "") -> str:
    """Say how a credential is renewed; systemd reads it once, when it starts the service."""
    unit = system_unit(environ)
    then = "restart the service" if unit is None else f"run “systemctl restart {unit}”"
    return f"Write the credential again{made}, then {then}."


def stored(settings: CalendarSettings, *, keyring_seconds: float = KEYRING_SECONDS) -> str | None:
    """Return what the keyring has for the account, or None.

    Raises CredentialsError if the keyring cannot be asked within ``keyring_seconds``.
    """
    name = account(settings)

    def look_up() -> str | None:
        import keyring

        return keyring.get_password(SERVICE, name)

    return _ask_keyring(look_up, keyring_seconds)


def backend() -> str:
    """Name the keyring that is used here, as it calls itself."""
    import keyring

    found: str = keyring.get_keyring().name
    return found


def remember(
    settings: CalendarSettings, secret: str, *, keyring_seconds: float = KEYRING_SECONDS
) -> None:
    """Store the account's password, or the line of Google's login, in the keyring.

    Raises CredentialsError if the keyring does not take it within ``keyring_seconds``, or has not
    got it then: a “null” one takes everything.
    """
    name = account(settings)

    def store() -> bool:
        import keyring

        keyring.set_password(SERVICE, name, secret)
        return keyring.get_password(SERVICE, name) == secret

    if not _ask_keyring(store, keyring_seconds):
        raise CredentialsError(
            f"The keyring ({backend()}) did not keep the login. Choose another one in the "
            "settings of keyring, or set password_command in the config."
        )


def forget(settings: CalendarSettings, *, keyring_seconds: float = KEYRING_SECONDS) -> bool:
    """Take the account's secret out of the keyring; False if there was none.

    Raises CredentialsError if the keyring cannot be asked within ``keyring_seconds``, or has the
    secret still.
    """
    name = account(settings)

    def remove() -> tuple[bool, bool]:
        import keyring

        if keyring.get_password(SERVICE, name) is None:
            return False, False
        keyring.delete_password(SERVICE, name)
        return True, keyring.get_password(SERVICE, name) is not None

    removed, still = _ask_keyring(remove, keyring_seconds)
    if still:
        raise CredentialsError(
            f"The keyring ({backend()}) still has the login for {name}: remove it there, under "
            f"“{SERVICE}”."
        )
    return removed


def _from_command(arguments: tuple[str, ...], seconds: float) -> str:
    """Run ``password_command``; its arguments are not repeated, since people put secrets there."""
    process: subprocess.Popen[bytes] | None = None
    with suppress(OSError, ValueError):
        # A session of its own, so that whatever the command has started can be ended with it.
        process = subprocess.Popen(  # noqa: S603 (the person's own words, and no shell)
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    if process is None:
        raise CredentialsError(
            "password_command: its program cannot be started. Give the program's full path."
        )
    done, output = _within(seconds, lambda: _first_line(process))
    if not done:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.wait()
    if not done or output is None:
        raise CredentialsError(
            f"password_command gave no answer within {seconds:g} s. It must not ask anything."
        )
    if process.returncode != 0:
        raise CredentialsError(
            f"password_command failed with exit code {process.returncode}. "
            "Run it by hand to see why."
        )
    return _secret(output, "password_command printed", "The first line must be the password.")


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """Read the first line, and drain the rest so that the command can end by itself."""
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    with process.stdout as output:
        line = output.readline(_MAX_BYTES)
        while output.read(_MAX_BYTES):
            pass
    process.wait()
    return line


def _credential(environ: Mapping[str, str]) -> Path | None:
    """Find the systemd credential; a service without it has an empty folder or none."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    path = Path(folder) / CREDENTIAL
    return path if os.path.lexists(path) else None


def _from_credential(path: Path) -> str:
    content: bytes | None = None
    with suppress(OSError), path.open("rb") as file:
        content = file.read(_MAX_BYTES)
    if content is None:
        raise CredentialsError(f"The systemd credential {CREDENTIAL} cannot be read ({path}).")
    line = content.partition(b"\n")[0]
    return _secret(line, f"The systemd credential {CREDENTIAL} holds", _how_to_renew(os.environ))


def _secret(line: bytes, source: str, advice: str) -> str:
    """Decode one line; a UnicodeDecodeError would carry the secret and must not get out."""
    if len(line) >= _MAX_BYTES:
        raise CredentialsError(f"{source} a line that is too long for a password. {advice}")
    text: str | None = None
    with suppress(UnicodeDecodeError):
        text = line.decode().rstrip("\r\n")
    if text is None:
        raise CredentialsError(f"{source} something that is not UTF-8. {advice}")
    if not text:
        raise CredentialsError(f"{source} nothing. {advice}")
    return text


def _ask_keyring(ask: Callable[[], Answer], seconds: float) -> Answer:
    """Ask the keyring in a thread, since a prompt can block, and say plainly what failed."""
    done, outcome = _within(seconds, lambda: _outcome(ask))
    if not done or outcome is None:
        raise CredentialsError(
            f"The keyring gave no answer within {seconds:g} s; it may wait to be unlocked. "
            "Unlock it, or set password_command in the config."
        )
    answers, failure = outcome
    if failure is not None:
        raise failure
    return answers[0]


def _outcome(ask: Callable[[], Answer]) -> tuple[list[Answer], CredentialsError | None]:
    """Ask, and turn what keyring raises into a sentence; the exception itself ends here."""
    from keyring.errors import InitError, KeyringLocked, NoKeyringError

    try:
        return [ask()], None
    except NoKeyringError:
        _search_anew()
        # Where there is a session, its keyring may come later than what is started at boot.
        kind = CredentialsError if _in_session(os.environ) else NoCredentialError
        return [], kind("There is no keyring on this machine. Set password_command in the config.")
    except KeyringLocked:
        return [], CredentialsError(
            "The keyring is locked. Unlock it, or set password_command in the config."
        )
    except InitError:
        return [], CredentialsError(
            "The keyring cannot be opened: it has no collection, or was not unlocked. "
            "Unlock it, or set password_command in the config."
        )
    except Exception as problem:  # noqa: BLE001 (backends raise what they like, D-Bus errors too)
        # Without HOME, keyring raises a bare RuntimeError.
        return [], CredentialsError(
            f"The keyring cannot be used ({type(problem).__name__}). "
            "Set password_command in the config."
        )


def _search_anew() -> None:
    """Have keyring look for the machine's keyrings again, which it does once in a process.

    A daemon that was started ahead of the session's keyring would never find that.
    """
    import keyring
    from keyring.backend import get_all_keyring
    from keyring.backends import fail

    if isinstance(keyring.get_keyring(), fail.Keyring):
        with suppress(KeyError):  # nothing was searched, where the environment names the keyring
            get_all_keyring.reset()
        keyring.core.init_backend()


def _in_session(environ: Mapping[str, str]) -> bool:
    """Tell whether this is a session in which there can be a keyring."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    return (
        sys.platform == "darwin"
        or "DBUS_SESSION_BUS_ADDRESS" in environ
        or (runtime is not None and (Path(runtime) / "bus").exists())
    )


def _within(seconds: float, work: Callable[[], Answer]) -> tuple[bool, Answer | None]:
    """Do something in a thread; the first value is False if it took too long or broke down."""
    answers: SimpleQueue[Answer | None] = SimpleQueue()

    def run() -> None:
        answer: Answer | None = None
        try:
            answer = work()
        finally:
            answers.put(answer)

    # A daemon thread, so that one that hangs does not keep the process alive.
    Thread(target=run, name="lorsync-credentials", daemon=True).start()
    with suppress(Empty):
        return True, answers.get(timeout=seconds)
    return False, None
