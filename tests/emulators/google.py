"""Google, as far as it is known: OAuth with PKCE and short-lived tokens, and an odd CalDAV.

Each fact with its source:

- OAuth 2.0 alone; loopback redirect with PKCE; access tokens of an hour (developers.google.com,
  OAuth)
- ``invalid_grant`` for a withdrawn refresh token, and 7 days after it in "testing"
  (developers.google.com, OAuth)
- no MKCALENDAR, no If-None-Match, If-Match kept, pages by 507 (developers.google.com, CalDAV)
- 403 ``usageLimits`` and 429 for a quota, 403 ``accessNotConfigured`` (developers.google.com,
  errors)
- an ETag is the second of the last change, counted from year 1 (logs in vdirsyncer 692 and 843)
- a PUT may give no ETag (calcurse 245)
- the UID of a deleted event is 409 (vdirsyncer 613, calcurse 470)
- 409 where SEQUENCE goes back (the calendar API; vdirsyncer 963 looks like it)
- which properties are lost is unknown: here all X-, CATEGORIES and COLOR (a guess, to be safe)
"""

import base64
import hashlib
import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.emulators.dav import Account, uid_in, unfolded
from tests.emulators.internet import Internet
from tests.emulators.kept import READ, Kept, Oddities
from tests.servers.exchange import Reply, Request

CONSENT, TOKENS, CALENDARS = (
    "accounts.google.com",
    "oauth2.googleapis.com",
    "apidata.googleusercontent.com",
)
USERNAME = "maya@gmail.com"
CLIENT_ID, CLIENT_SECRET = "12-x.apps.googleusercontent.com", "GOCSPX-geheim-of-the-client"
SCOPE = "https://www.googleapis.com/auth/calendar"
PAGE = 230
_YEAR_ONE = 62_135_596_800  # seconds from year 1 to 1970


class GoogleAccount(Account):
    """Refuses what Google refuses. ``clock`` gives seconds since 1970 for its ETags."""

    clock: Callable[[], float] | None = None

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.deleted: set[str] = set()

    def etag_of(self, body: str) -> str:
        if self.clock is None:
            return super().etag_of(body)
        return f'"{_YEAR_ONE + int(self.clock())}"'

    def refusal(self, kept: Kept, name: str, body: str) -> Reply | None:
        if uid_in(body) in self.deleted:
            return Reply(status=409)
        before = kept.events.get(name)
        if before is not None and _sequence(body) < _sequence(before.body):
            return Reply(status=409)
        return None

    def bring_back(self, kept: Kept, name: str, body: str) -> None:
        self.deleted.discard(uid_in(body))
        super().bring_back(kept, name, body)

    def drop(self, kept: Kept, name: str) -> None:
        self.deleted.add(kept.events[name].uid)
        super().drop(kept, name)


def _sequence(body: str) -> int:
    return int(next(iter(re.findall(r"^SEQUENCE:(\d+)", unfolded(body), re.MULTILINE)), 0))


class Google:
    """One account, its consent page, its token endpoint and its calendars.

    ``clock`` gives seconds. ``lifetime``: how many an access token lasts; ``told``: how many it is
    said to last, where that is something else; ``testing``: how many a
    refresh token does, as long as the app is in "testing". ``withdrawn``: whether the login has
    ended. ``allows``: whether the person does. ``scope``: what is granted. ``enabled``: whether the
    CalDAV API is. ``unwell``: how often the token endpoint is not well.
    """

    def __init__(self, internet: Internet) -> None:
        self.account = GoogleAccount(
            principal=f"/caldav/v2/{USERNAME}/user",
            home=f"/caldav/v2/{USERNAME}/",
            home_url=f"/caldav/v2/{USERNAME.replace('@', '%40')}/",
            oddities=Oddities(
                guards_creation=False,
                tells_etags=False,
                makes_calendars=False,
                page=PAGE,
                dropped=("X-", "CATEGORIES", "COLOR", "PRODID"),
            ),
        )
        self.account.calendars += [
            Kept(path=f"/caldav/v2/{USERNAME}/events/", name=USERNAME, color="#9FE1E7"),
            Kept(path="/caldav/v2/holidays@group/events/", name="Holidays", rights=READ),
        ]
        self.lifetime, self.scope = 3600.0, SCOPE
        self.told: float | None = None
        self.testing: float | None = None
        self.clock: Callable[[], float] = time.monotonic
        self.allows, self.withdrawn, self.enabled, self.unwell = True, False, True, 0
        self.left = 0  # after how many requests more every access token ends
        self.refreshes = self.exchanges = self.refused = 0
        self.secrets: set[str] = {CLIENT_SECRET}
        self.lost: list[str] = []  # what was wrong with a request of the login
        self._numbers = itertools.count()
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, float] = {}  # when each was given
        self._access: dict[str, float] = {}
        internet.host(CONSENT, self._consent)
        internet.host(TOKENS, self._tokens)
        internet.host(CALENDARS, self._calendars)

    def make(self, name: str) -> Kept:
        """Let the person make a calendar in the web page."""
        made = Kept(path=f"/caldav/v2/c{next(self._numbers)}@group/events/", name=name)
        self.account.calendars.append(made)
        return made

    def lets_in(self) -> str:
        """Return a refresh token, as after a login."""
        token = self._secret("1//refresh-geheim")
        self._refresh[token] = self.clock()
        return token

    def end_access(self) -> None:
        """Let every access token end ahead of its time."""
        self._access.clear()

    def refresh_token(self) -> str:
        return next(iter(self._refresh))

    # RFC 6749 section 4.1.1, RFC 7636 section 4.3

    def _consent(self, request: Request) -> Reply:
        asked = _fields(urlsplit(request.path).query)
        wanted = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
        }
        redirect = asked.get("redirect_uri", "")
        challenge, state = asked.get("code_challenge", ""), asked.get("state", "")
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        wrong += ["redirect_uri"] if urlsplit(redirect).hostname != "127.0.0.1" else []
        wrong += ["code_challenge"] if len(challenge) != 43 else []
        wrong += ["state"] if len(state) < 32 else []
        if wrong:
            self.lost += wrong
            return Reply(status=400, body=f"wrong: {wrong}".encode())
        answer = {"state": state}
        if self.allows:
            answer["code"] = self._secret("4/code-geheim")
            self._codes[answer["code"]] = {"challenge": challenge, "redirect_uri": redirect}
        else:
            answer["error"] = "access_denied"
        return Reply(status=302, headers={"Location": f"{redirect}?{urlencode(answer)}"})

    # RFC 6749 section 4.1.3 and 6

    def _tokens(self, request: Request) -> Reply:
        if self.unwell:
            self.unwell -= 1
            return Reply(status=503)
        asked = _fields(request.body.decode())
        if request.path == "/revoke":
            known = asked.get("token", "") in self._refresh
            self._refresh.pop(asked.get("token", ""), None)
            return _json({}) if known else _json({"error": "invalid_token"}, status=400)
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _json({"error": "invalid_client"}, status=401)
        if asked.get("grant_type") == "authorization_code":
            return self._exchange(asked)
        if self.withdrawn or not self._stands(asked.get("refresh_token", "")):
            return _json({"error": "invalid_grant", "error_description": "expired"}, status=400)
        self.refreshes += 1
        return _json(self._access_token())

    def _stands(self, refresh_token: str) -> bool:
        given = self._refresh.get(refresh_token)
        if given is None:
            return False
        return self.testing is None or self.clock() - given < self.testing

    def _exchange(self, asked: dict[str, str]) -> Reply:
        code = self._codes.pop(asked.get("code", ""), None)  # once
        verifier = asked.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            code is None
            or challenge != code["challenge"]
            or asked.get("redirect_uri") != code["redirect_uri"]
        ):
            self.lost.append("code, verifier or redirect_uri")
            return _json({"error": "invalid_grant"}, status=400)
        self.exchanges += 1
        return _json({**self._access_token(), "refresh_token": self.lets_in()})

    def _access_token(self) -> dict[str, object]:
        token = self._secret("ya29.access-geheim")
        self._access[token] = self.clock() + self.lifetime
        return {
            "access_token": token,
            "expires_in": int(self.lifetime) if self.told is None else self.told,
            "scope": self.scope,
            "token_type": "Bearer",
        }

    def _secret(self, start: str) -> str:
        made = f"{start}-{next(self._numbers)}"
        self.secrets.add(made)
        return made

    # CalDAV

    def _calendars(self, request: Request) -> Reply:
        self.left -= 1
        if self.left == 0:
            self.end_access()
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or self._access.get(token, 0.0) <= self.clock():
            self.refused += 1
            return Reply(status=401, headers={"WWW-Authenticate": 'Bearer realm="Google"'})
        if not self.enabled:
            why = {"domain": "usageLimits", "reason": "accessNotConfigured"}
            return _json({"error": {"errors": [why], "code": 403}}, status=403)
        return self.account.answer(request)


def _fields(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _json(document: dict[str, object], *, status: int = 200) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(status=status, body=json.dumps(document).encode(), headers=headers)
