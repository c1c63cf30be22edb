"""Fetch an address that wants to hear of something, and care little for what it answers."""

from typing import Final

import niquests
from niquests.utils import get_environ_proxies

from lorsync.adapters.caldav.addresses import trust_anchors

SECONDS: Final = 5.0
"""For the connection, and again for the answer."""


def fetch(url: str) -> str | None:
    """Fetch it, and return in a few words what went wrong, None where nothing did.

    Nothing of the address is repeated, since whoever knows it can ping. Redirects are not followed:
    they could lead to plain http. No login is sent.
    """
    try:
        with niquests.Session(disable_http3=True) as session:
            session.trust_env = False  # no .netrc
            response = session.get(
                url,
                timeout=(SECONDS, SECONDS),
                verify=trust_anchors(),
                proxies=dict(get_environ_proxies(url)),
                allow_redirects=False,
                stream=True,
            )
            status = response.status_code or 0
    except (niquests.exceptions.RequestException, OSError, ValueError) as error:
        return type(error).__name__
    return None if 200 <= status < 300 else f"the answer was {status}"
