"""Every error that lorsync shows to a person, and the exit code of each.

::

    LorsyncError
    ├── UsageError            64  the command line asks for what there is not
    ├── DataError             65  a file or an answer cannot be used
    ├── NoInputError          66  a file that was named is not there, or cannot be read
    ├── UnavailableError      69  the server is not there, or is no CalDAV server
    │   ├── CollectionGoneError   the calendar that lorsync writes to has vanished
    │   └── LargeAnswerError      an answer is larger than any that is wanted
    ├── UnwritableError       73  a file that was asked for cannot be written
    ├── StateError            73  the state folder cannot be read or written
    │   ├── NewerLedgerError      a newer lorsync wrote the ledger
    │   └── DamagedLedgerError    the ledger is none any more
    ├── TryAgainError         75  busy, refused for now, or another lorsync is at work
    │   ├── ServerFailedError     the server failed at one request, and does not say why
    │   ├── BusyError             the server limits the rate of requests
    │   ├── AllowanceSpentError   more requests at once than the provider is known to take
    │   ├── PutOffError           the account is being left alone, as its server asked
    │   └── ClockError            the server's clock and ours are too far apart to write by
    ├── CredentialsError      77  a password that cannot be had, or does not serve
    │   ├── NoCredentialError 78  nobody has given one yet: that is part of setting lorsync up
    │   └── LoginRefusedError     the server refuses this very login
    └── ConfigError           78  the config, with every problem in it

A message says what is wrong, where, and what to do, in one or two plain lines. The codes are those
of ``sysexits.h``. Exceptions of other libraries are translated in the one module that knows them.
"""

from datetime import datetime


class LorsyncError(Exception):
    """Something that a person can act on; :func:`str` gives the whole message."""

    exit_code = 70


class UsageError(LorsyncError):
    """Ask for something that does not exist."""

    exit_code = 64


class DataError(LorsyncError):
    """Meet a file or a server's answer that cannot be used."""

    exit_code = 65


class NoInputError(LorsyncError):
    """Be given the name of a file that is not there, or may not be read."""

    exit_code = 66


class UnavailableError(LorsyncError):
    """Find no server, or one that does not speak CalDAV."""

    exit_code = 69


class CollectionGoneError(UnavailableError):
    """Find that the collection lorsync writes to no longer exists."""


class LargeAnswerError(UnavailableError):
    """Get an answer that is larger than any that is wanted; the rest of it was not read."""


class UnwritableError(LorsyncError):
    """Fail to write a file or a folder that the person asked for."""

    exit_code = 73


class StateError(LorsyncError):
    """Fail to read or write the state folder."""

    exit_code = 73


class NewerLedgerError(StateError):
    """Find a ledger that this lorsync is too old for; nothing of it is changed."""


class DamagedLedgerError(StateError):
    """Find a ledger that cannot be read; the next pass rebuilds it from the calendar (S4)."""


class TryAgainError(LorsyncError):
    """Be refused for now; the same command can succeed later."""

    exit_code = 75


class ServerFailedError(TryAgainError):
    """Have the server fail at one request with ``status`` (5xx), which says nothing of the cause.

    Of a write, it may have happened all the same; whether the server fails at others too, only
    these can tell.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class BusyError(TryAgainError):
    """Be asked by the server as a whole to come back later (429, 503, a quota, no room).

    ``retry_after``: the server's own wish in seconds, where it gave one (RFC 9110 section 10.2.3).
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AllowanceSpentError(TryAgainError):
    """Stop ahead of a provider's limit for requests; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PutOffError(TryAgainError):
    """Leave an account alone until the time (aware) to which it was put off."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class ClockError(TryAgainError):
    """Find the server's clock and ours so far apart that one of them has the day wrong (S21)."""


class CredentialsError(LorsyncError):
    """Fail to get the password, or have one that does not serve."""

    exit_code = 77


class NoCredentialError(CredentialsError):
    """Find that no secret was ever given, for want of a step in setting lorsync up.

    Only a person changes that, so no command and no daemon has reason to try again.
    """

    exit_code = 78


class LoginRefusedError(CredentialsError):
    """Have a user name, password or token that the server does not take (401, expired, revoked).

    To try it again would only lock the account. ``login`` tells it from another one within this
    process, and nothing about it (see :func:`lorsync.adapters.connect.login_mark`);
    ``fingerprint`` does so beyond this process, for the ledger
    (:func:`lorsync.adapters.connect.login_fingerprint`).
    """

    def __init__(
        self, message: str, *, login: bytes | None = None, fingerprint: str | None = None
    ) -> None:
        super().__init__(message)
        self.login = login
        self.fingerprint = fingerprint


class ConfigError(LorsyncError):
    """Hold every problem of a config at once, one line each."""

    exit_code = 78


def mistake(error: Exception) -> str:
    """Say of an exception nobody foresaw what and where it is, and not what may be secret in it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(error).__name__} in {name}, line {trace.tb_lineno}"


def as_mistake(error: Exception) -> LorsyncError:
    """Return the error that tells a person of an exception nobody foresaw."""
    return LorsyncError(f"Internal error ({mistake(error)}). Please report it.")
