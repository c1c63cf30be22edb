"""Fetch an address that wants to hear of something, and care little for what it answers."""

from contextlib import closing
from typing import Final

import niquests

from lorsync.adapters.caldav.ca_bundle import trusted_authorities
from lorsync.adapters.caldav.session import (
    LimitedSession,
    Limits,
    TooLargeError,
    TooSlowError,
    UnreadableError,
)
from lorsync.adapters.caldav.urls import as_uri

LIMITS: Final = Limits(connect=5.0, read=5.0, request=10.0, size=65_536)


def fetch(url: str) -> str | None:
    """Fetch it, and return in a few words what went wrong, None where nothing did.

    Nothing of the address is repeated, since all who know it can ping. Redirects are not followed:
    they could lead to plain http. No login is sent.
    """
    url = as_uri(url)
    try:
        opened = LimitedSession(LIMITS, url=url, verify=trusted_authorities())
        with closing(opened) as session:
            response = session.get(url, timeout=(LIMITS.connect, LIMITS.read))
            status = response.status_code or 0
    except TooSlowError:
        return "the answer did not come to its end"
    except (TooLargeError, UnreadableError):
        return "the answer was too large or unreadable"
    except (niquests.exceptions.RequestException, OSError, ValueError) as error:
        return type(error).__name__
    return None if 200 <= status < 300 else f"the answer was {status}"
