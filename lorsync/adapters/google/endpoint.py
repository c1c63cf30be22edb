"""Google's token endpoint (RFC 6749 sections 4.1.3, 5 and 6), and the login that it grants."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lorsync.adapters.caldav.forms import FormAnswer, post_form
from lorsync.core.errors import (
    CredentialsError,
    LoginRefusedError,
    LorsyncError,
    TryAgainError,
    UnavailableError,
)

TOKEN: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
REVOKE: Final = "https://oauth2.googleapis.com/revoke"
CONSENT: Final = "https://accounts.google.com/o/oauth2/v2/auth"
SCOPE: Final = "https://www.googleapis.com/auth/calendar"

ENDED: Final = (
    "Google has ended the login. That happens when you withdraw it or change your "
    "password, after half a year without use, and after 7 days as long as your app at Google is "
    "in “Testing” (docs/google.md says how to publish it)."
)

_CODE: Final = re.compile(r"[a-z_]{1,40}")
_USUAL_SECONDS: Final = 3600.0

Post = Callable[[str, str], FormAnswer]
"""Posts an encoded form to an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the endpoint granted; ``seconds`` is how long the access token lasts."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    seconds: float
    scopes: frozenset[str]


def ask(form: str, *, ended: str = ENDED, post: Post = post_form) -> Granted:
    """Post a form; ``ended`` is what to say to ``invalid_grant``.

    Raises LoginRefusedError where the login has ended or is none, TryAgainError where Google is
    busy, and UnavailableError where it does not answer.
    """
    outcome = _read(post(TOKEN, form), ended)
    if isinstance(outcome, LorsyncError):
        raise outcome
    return outcome


def _read(answer: FormAnswer, ended: str) -> Granted | LorsyncError:
    if answer.status == 429 or answer.status >= 500:
        return TryAgainError(f"Google's login answered HTTP {answer.status}; will retry.")
    said = read_object(answer.text)
    code = said.get("error")
    if 400 <= answer.status < 500 and isinstance(code, str):
        return _refusal(code, ended)
    token, lasting = said.get("access_token"), said.get("refresh_token")
    if not _is_token(token) or not (lasting is None or _is_token(lasting)):
        # Something in the way, such as the login page of a hotel, and no word of Google's.
        return UnavailableError(f"{TOKEN} does not answer like Google's login: try again later.")
    scopes = said.get("scope")
    return Granted(
        access_token=str(token),
        refresh_token=None if lasting is None else str(lasting),
        seconds=_seconds(said.get("expires_in")),
        # RFC 6749 section 5.1: left out where it is what was asked for.
        scopes=frozenset(scopes.split() if isinstance(scopes, str) and scopes else [SCOPE]),
    )


def _is_token(said: object) -> bool:
    """Tell whether this can stand in a header (RFC 6749 appendix A.12)."""
    return isinstance(said, str) and said.isascii() and said.isprintable() and bool(said.strip())


def _seconds(said: object) -> float:
    """Return how long a token lasts; some servers write the number as text, or leave it out.

    One that ends sooner than was thought is refused once, and renewed then.
    """
    try:
        seconds = float(said) if isinstance(said, str | int | float) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    return seconds if 0 < seconds < math.inf else _USUAL_SECONDS


def _refusal(code: str, ended: str) -> LoginRefusedError:
    """Say what an error code of RFC 6749 section 5.2 means for the person."""
    if code == "invalid_grant":
        return LoginRefusedError(ended)
    if code in {"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"}:
        return LoginRefusedError(
            "Google does not know the client that the login was made with: look at it in the "
            "Google Cloud console (docs/google.md), and run “lorsync login --new-client”."
        )
    # Something else than a code may be anything, a secret that was sent back too.
    known = code if _CODE.fullmatch(code) else "no reason"
    return LoginRefusedError(f"Google refuses the login ({known}).")


_NAMES = ("client_id", "client_secret", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that lasts, until it is withdrawn, unused for half a year, or that of a test."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def to_line(self) -> str:
        """Write it as the one line that a keyring or a file of secrets keeps.

        It is the JSON that Google's own tools call “authorized_user”.
        """
        kept = {name: getattr(self, name) for name in _NAMES}
        return json.dumps({"type": "authorized_user", **kept})

    @classmethod
    def from_line(cls, line: str) -> "Login":
        """Read it back. Raises CredentialsError, with nothing of the line in it."""
        found = read_object(line)
        kept = {name: found.get(name) for name in _NAMES}
        if not all(isinstance(value, str) and value for value in kept.values()):
            raise CredentialsError(
                "The stored login for Google is none: it has to be one line, which holds the "
                "client and its refresh token. Run “lorsync login” (docs/google.md)."
            )
        return cls(**{name: str(value) for name, value in kept.items()})


def read_object(text: str) -> dict[str, object]:
    """Read a JSON object; empty for anything else, since its errors would quote the text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
