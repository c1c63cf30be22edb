"""Keep an access token at hand for as long as a login lasts; none of them is ever written down."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from oauthlib.oauth2 import WebApplicationClient

from lorsync.adapters.caldav.forms import post_form
from lorsync.adapters.google.endpoint import REVOKE, Granted, Login, Post, ask
from lorsync.core.errors import LoginRefusedError

_AHEAD_SECONDS: Final = 300.0
"""How long before its end a token is renewed: longer than any one request takes."""


class GoogleTokens:
    """The access tokens of one login, for any number of threads.

    ``clock`` gives seconds that only go forward. Once Google has refused the login it is not asked
    again, since nothing but another login helps.
    """

    def __init__(
        self,
        login: Login,
        *,
        post: Post = post_form,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._login = login
        self._post = post
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        self._keep: Callable[[Login], None] = _forgotten
        self._refusal: str | None = None

    @property
    def login(self) -> Login:
        """The login as it is now: an endpoint may give another refresh token with a token."""
        return self._login

    def kept_by(self, keep: Callable[[Login], None]) -> None:
        """Hand each refresh token that takes another's place to ``keep`` (RFC 6749 section 6)."""
        self._keep = keep

    def current(self) -> str:
        """Return a token that does not end soon. Raises as :func:`endpoint.ask`."""
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._renew()
            return self._held()

    def renewed(self, refused: str) -> str:
        """Return another token than one that was refused; of many threads, one asks for it."""
        with self._lock:
            if self._token == refused:
                self._renew()
            return self._held()

    def _held(self) -> str:
        assert self._token is not None  # noqa: S101 -- _renew() has set it, or has raised
        return self._token

    def _renew(self) -> None:
        if self._refusal is not None:
            raise LoginRefusedError(self._refusal)
        self._token = None
        client = WebApplicationClient(self._login.client_id)
        form = client.prepare_refresh_body(
            refresh_token=self._login.refresh_token,
            client_id=self._login.client_id,
            client_secret=self._login.client_secret,
        )
        try:
            granted = ask(form, post=self._post)
        except LoginRefusedError as error:
            self._refusal = str(error)
            raise
        self._take(granted)

    def _take(self, granted: Granted) -> None:
        self._token = granted.access_token
        # A token that lasts for less is renewed when three quarters of it are over.
        ahead = min(_AHEAD_SECONDS, granted.seconds / 4)
        self._renew_at = self._clock() + granted.seconds - ahead
        if granted.refresh_token not in {None, self._login.refresh_token}:
            self._login = replace(self._login, refresh_token=str(granted.refresh_token))
            self._keep(self._login)


def _forgotten(_: Login) -> None:
    """Leave a refresh token in memory alone: where it came from is not ours to write to."""


@lru_cache(maxsize=4)
def tokens_for(login: Login) -> GoogleTokens:
    """Return the tokens of a login: the same ones from pass to pass, in memory alone."""
    return GoogleTokens(login)


def revoked(login: Login, *, post: Post = post_form) -> bool:
    """Withdraw a login at Google (RFC 7009); False if Google knew it no more.

    Raises UnavailableError where Google does not answer.
    """
    return post(REVOKE, urlencode({"token": login.refresh_token})).status == 200
