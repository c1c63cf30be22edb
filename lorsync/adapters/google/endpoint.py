"""Ask Google's token endpoint (RFC 6749 sections 4.1.3, 5 and 6), and say plainly what it says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from lorsync.adapters.caldav.forms import FormAnswer, post_form
from lorsync.adapters.google.login import read_object
from lorsync.errors import LoginRefusedError, LorsyncError, TryAgainError, UnavailableError

TOKEN: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
REVOKE: Final = "https://oauth2.googleapis.com/revoke"
CONSENT: Final = "https://accounts.google.com/o/oauth2/v2/auth"
SCOPE: Final = "https://www.googleapis.com/auth/calendar"

ENDED: Final = (
    "Google has ended the login. That happens when you withdraw it or change your "
    "password, after half a year without use, and after 7 days as long as your app at Google is "
    "in “Testing” (docs/google.md says how to publish it)."
)

Post = Callable[[str, str], FormAnswer]
"""Posts an encoded form to an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the endpoint granted; ``seconds`` is how long the access token lasts."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    seconds: float
    scopes: frozenset[str]


def ask(
    client: WebApplicationClient, form: str, *, ended: str = ENDED, post: Post = post_form
) -> Granted:
    """Post a form that ``client`` has prepared; ``ended`` is what to say to ``invalid_grant``.

    Raises LoginRefusedError where the login has ended or is none, TryAgainError where Google is
    busy, and UnavailableError where it does not answer.
    """
    outcome = _read(client, post(TOKEN, form), ended)
    if isinstance(outcome, LorsyncError):
        # Outside of every except clause: oauthlib's errors hold what Google answered.
        raise outcome
    return outcome


def _read(client: WebApplicationClient, answer: FormAnswer, ended: str) -> Granted | LorsyncError:
    if answer.status == 429 or answer.status >= 500:
        return TryAgainError(f"Google's login is not well ({answer.status}): try again.")
    said = read_object(answer.text)
    code = said.get("error")
    if 400 <= answer.status < 500 and isinstance(code, str):
        return _refusal(code, ended)
    try:
        token = client.parse_request_body_response(answer.text) if said else {}
    except OAuth2Error:
        token = {}
    if not token.get("access_token"):
        # Something in the way, such as the login page of a hotel, and no word of Google's.
        return UnavailableError(f"{TOKEN} does not answer like Google's login: try again later.")
    seconds = token.get("expires_in")
    return Granted(
        access_token=str(token["access_token"]),
        refresh_token=token.get("refresh_token"),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        scopes=frozenset(token.get("scope") or [SCOPE]),
    )


def _refusal(code: str, ended: str) -> LoginRefusedError:
    """Say what an error code of RFC 6749 section 5.2 means for the person."""
    if code == "invalid_grant":
        return LoginRefusedError(ended)
    if code in {"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"}:
        return LoginRefusedError(
            "Google does not know the client that the login was made with: look at it in the "
            "Google Cloud console (docs/google.md), and run “lorsync login --new-client”."
        )
    known = code if code.isascii() and code.replace("_", "").isalnum() else "no reason"
    return LoginRefusedError(f"Google refuses the login ({known}).")
