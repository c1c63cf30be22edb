"""What goes wrong between lorsync and Google, from a seed: quotas, outages, lost replies."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.emulators.google import Google
from tests.emulators.internet import App
from tests.servers.exchange import Reply, Request


def _google_error(status: int, reason: str, **headers: str) -> Reply:
    """Write an error as Google's calendars do."""
    why = {"domain": "usageLimits", "reason": reason, "message": "Rate Limit Exceeded"}
    body = json.dumps({"error": {"errors": [why], "code": status}}).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json", **headers})


_REFUSALS = {
    "quota": lambda: _google_error(403, "userRateLimitExceeded"),
    "too many": lambda: _google_error(429, "rateLimitExceeded", **{"Retry-After": "120"}),
    "busy": lambda: Reply(status=503, headers={"Retry-After": "3"}),
    "ill": lambda: Reply(status=500, body=b"<D:error xmlns:D='DAV:'/>"),
    "portal": lambda: Reply(
        status=200,
        body=b"<!DOCTYPE html><html>Welcome to the hotel</html>",
        headers={"Content-Type": "text/html"},
    ),
}
KINDS = (*_REFUSALS, "cut", "lost", "torn", "ended", "forgotten", "no tokens")


@dataclass(kw_only=True)
class Weather:
    """What befalls the requests of a pass: ``kind`` from the request ``first`` on, ``many`` times.

    ``cut``: the request never arrives; ``lost``: its answer does not; ``torn``: half of the answer
    does. ``ended``: every access token has ended; ``forgotten``: no sync-token is known any more;
    ``no tokens``: the token endpoint is not well either. ``down``: nothing is reached at all.
    """

    google: Google
    answer: App
    kind: str | None = None
    first: int = 0
    many: int = 0
    down: bool = False
    struck: int = 0
    asked: int = 0

    def __call__(self, request: Request) -> Reply | None:
        self.asked += 1
        if self.down:
            return None
        strikes = self.kind is not None and 0 <= self.asked - self.first < self.many
        if not strikes:
            return self.answer(request)
        self.struck += 1
        return self._spoil(request)

    def _spoil(self, request: Request) -> Reply | None:
        assert self.kind is not None
        if self.kind in _REFUSALS:
            return _REFUSALS[self.kind]()
        before: dict[str, Callable[[], None]] = {
            "ended": self.google.end_access,
            "forgotten": self._forget,
            "no tokens": self._unwell,
        }
        if self.kind in before:
            before[self.kind]()
            return self.answer(request)
        if self.kind == "cut":
            return None
        reply = self.answer(request)
        assert reply is not None
        half = reply.body[: len(reply.body) // 2]
        torn = Reply(status=reply.status, headers=reply.headers, body=half)
        return None if self.kind == "lost" else torn

    def _forget(self) -> None:
        self.google.account.knows_tokens = False

    def _unwell(self) -> None:
        self.google.end_access()
        self.google.unwell = 1

    def changes(self, chance: Random) -> None:
        """Become what it is for the next pass: fine on three of four."""
        self.google.account.knows_tokens = True
        self.google.unwell = 0
        self.asked = 0
        self.kind = chance.choice(KINDS) if chance.random() < 0.25 else None
        self.first, self.many = chance.randint(1, 5), chance.choice((1, 1, 2, 50))

    def clears(self) -> None:
        """Become fine."""
        self.kind, self.down, self.google.unwell = None, False, 0
        self.google.account.knows_tokens = True
