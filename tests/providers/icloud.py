"""iCloud, as far as it is known: app passwords, and calendars on a host of their own."""

import base64

from tests.caldav.conftest import Reply, Request
from tests.providers.dav import READ, Account, Kept, Oddities
from tests.providers.internet import Internet

FRONT, HOME = "caldav.icloud.com", "p42-caldav.icloud.com"
USERNAME = "maya@icloud.com"
APP_PASSWORD = "abcd-efgh-ijkl-mnop"
ACCOUNT_PASSWORD = "Geheim-of-the-account-1"
_SHARED = "<s:shared/>"


class ICloud:
    """One account with three calendars, on two hosts."""

    def __init__(self, internet: Internet) -> None:
        self.account = Account(
            principal="/1234/principal/",
            home="/1234/calendars/",
            home_url=f"https://{HOME}:443/1234/calendars/",
            oddities=Oddities(lists_itself=True, one_calendar_per_uid=True, inverts_any_match=True),
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
