"""Post a form, as the endpoints of a login take it (RFC 6749 appendix B)."""

from dataclasses import dataclass
from typing import Final

import niquests
from niquests.utils import get_environ_proxies

from lorsync.adapters.caldav.addresses import shown, trust_anchors
from lorsync.adapters.caldav.transport import unreachable
from lorsync.errors import LorsyncError, UnavailableError

_CONNECT_SECONDS, _READ_SECONDS = 10.0, 30.0
_LARGEST_ANSWER: Final = 65_536


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
        with niquests.Session(disable_http3=True) as session:
            session.trust_env = False  # no .netrc
            response = session.post(
                url,
                data=form.encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                verify=trust_anchors(),
                proxies=dict(get_environ_proxies(url)),
                allow_redirects=False,
                stream=True,
            )
            content = next(response.iter_content(_LARGEST_ANSWER), b"")
            return FormAnswer(status=response.status_code or 0, text=content.decode())
    except (niquests.exceptions.RequestException, OSError) as error:
        return unreachable(error, url, _READ_SECONDS)
    except ValueError:
        return UnavailableError(f"{shown(url)} gave an answer that cannot be read.")
