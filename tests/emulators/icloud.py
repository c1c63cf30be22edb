"""iCloud, as far as it is known; only from reports, since no test can have an account there.

Each fact with its source:

- an app password, made at account.apple.com; the account's own is 401 (Apple's support page 102654)
- the home set is on ``pNN-caldav.icloud.com``, with the port written out (DAVx5, vdirsyncer,
  caldav)
- METHOD and an event without DTEND are refused; so is a UID of another calendar (412) (reports)
- ``If-Match: *`` holds where nothing is there, and fails where something is (reports)
- a report of changes lists the collection itself (reports)
- 503 when hurried, with an interval that is often shorter than the real one (DAVx5's forum)
"""

import base64

from tests.emulators.dav import Account, condition, uid_in
from tests.emulators.internet import Internet
from tests.emulators.kept import READ, Kept, Oddities
from tests.servers.exchange import Reply, Request

FRONT, HOME = "caldav.icloud.com", "p42-caldav.icloud.com"
USERNAME = "maya@icloud.com"
APP_PASSWORD = "abcd-efgh-ijkl-mnop"
ACCOUNT_PASSWORD = "Geheim-of-the-account-1"
_SHARED = "<s:shared/>"


class ICloudAccount(Account):
    """Refuses what iCloud refuses."""

    def refusal(self, kept: Kept, name: str, body: str) -> Reply | None:
        if "METHOD:" in body or "DTEND" not in body:
            return condition(400, "<c:valid-calendar-data/>")
        if any(taken != (kept, name) for taken in self.holders(uid_in(body))):
            return condition(412, "<c:no-uid-conflict/>")
        return None


class ICloud:
    """One account with three calendars, on two hosts."""

    def __init__(self, internet: Internet) -> None:
        self.account = ICloudAccount(
            principal="/1234/principal/",
            home="/1234/calendars/",
            home_url=f"https://{HOME}:443/1234/calendars/",
            oddities=Oddities(lists_itself=True, inverts_any_match=True),
        )
        home = self.account.home
        self.account.calendars += [
            Kept(path=f"{home}home/", name="Home", color="#FF2968FF"),
            Kept(path=f"{home}family/", name="Family", owner="/99/principal/", kind=_SHARED),
            Kept(path=f"{home}feed/", name="Holidays", rights=READ),
        ]
        self.account.people["/99/principal/"] = "Ben Okafor"
        self.hurried = 0  # how many requests more are told to come later
        internet.host(FRONT, self._answer)
        internet.host(HOME, self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != basic(USERNAME, APP_PASSWORD):
            return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="iCloud"'})
        if self.hurried:
            self.hurried -= 1
            return Reply(status=503, headers={"Retry-After": "1"})
        return self.account.answer(request)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
