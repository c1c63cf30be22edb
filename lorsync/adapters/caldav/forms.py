"""Post a form, as the endpoints of a login take it (RFC 6749 appendix B)."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import niquests

from lorsync.adapters.caldav import errors
from lorsync.adapters.caldav.ca_bundle import trusted_authorities
from lorsync.adapters.caldav.session import (
    LimitedSession,
    Limits,
    TooLargeError,
    TooSlowError,
    UnreadableError,
)
from lorsync.core.errors import LorsyncError

_LIMITS: Final = Limits(request=60.0, size=65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswer:
    """What an endpoint said; ``text`` may hold secrets."""

    status: int
    text: str


def post_form(url: str, form: str) -> FormAnswer:
    """Post an encoded form to an https address; redirects are answers, and are not followed.

    Raises UnavailableError where there is no answer, with nothing of the form in it.
    """
    outcome = _posted(url, form)
    if isinstance(outcome, LorsyncError):
        # Raised outside of every except clause: the foreign exception holds the form.
        raise outcome
    return outcome


def _posted(url: str, form: str) -> FormAnswer | LorsyncError:
    try:
        opened = LimitedSession(_LIMITS, url=url, verify=trusted_authorities())
        with closing(opened) as session:
            response = session.post(
                url,
                data=form.encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                timeout=(_LIMITS.connect, _LIMITS.read),
            )
            return FormAnswer(status=response.status_code or 0, text=session.content.decode())
    except TooSlowError:
        return errors.too_slow(url, _LIMITS)
    except (niquests.exceptions.RequestException, OSError) as error:
        return errors.unreachable(error, url, _LIMITS.read)
    except (TooLargeError, UnreadableError, ValueError):
        return errors.unreadable(url)
