"""Fastmail, as its pages and the source of Cyrus say; tried against no real one.

Each fact with its source:

- ``caldav.fastmail.com``, and SRV records of fastmail.com that name it (its page of server names)
- the bare host is no principal: ``/.well-known/caldav`` leads to ``/dav/calendars`` (utf9k.net;
  Cyrus)
- ``/dav/principals/user/NAME@fastmail.com/`` and ``/dav/calendars/user/…/`` (utf9k.net)
- an app password of 16 letters and digits; the account's own is 401 (its page of app passwords)
- a UID stands once in a home: 403 ``unique-scheduling-object-resource`` with the href; a MOVE to
  another calendar of it is taken (measured on Cyrus 3.6)
- a resource keeps its UID: 403 ``no-uid-conflict`` (Cyrus)
- an ETag is a digest of what is stored, so it comes back with it; bodies are rewritten (Cyrus)
- an unknown token is 403 ``valid-sync-token``, and a multiget names what is missing (Cyrus 3.6)
- ``Schedule-Tag`` on events with an organizer alone: none of lorsync's (Cyrus)
- Inbox, Outbox and Attachments stand beside the calendars (Cyrus)
"""

from urllib.parse import quote

from tests.emulators.dav import Account, condition, uid_in
from tests.emulators.icloud import basic
from tests.emulators.internet import Internet
from tests.emulators.kept import READ, Kept, Oddities
from tests.servers.exchange import Reply, Request

HOST = "caldav.fastmail.com"
USERNAME = "maya@fastmail.com"
APP_PASSWORD = "a2b3c4d5e6f7g8h9"
ACCOUNT_PASSWORD = "Geheim-of-the-account-3"


class FastmailAccount(Account):
    """Refuses what Cyrus refuses; ``moves``: how many more resources may change their calendar."""

    moves: int | None = None

    def refusal_to_move(self, kept: Kept, target: Kept) -> Reply | None:
        if self.moves == 0:
            return condition(403, "<d:quota-not-exceeded/>")
        self.moves = None if self.moves is None else self.moves - 1
        return None

    def refusal(self, kept: Kept, name: str, body: str) -> Reply | None:
        uid, before = uid_in(body), kept.events.get(name)
        for place, taken in self.holders(uid):
            if (place, taken) != (kept, name):
                href = f"<d:href>{quote(place.path + taken)}</d:href>"
                name = "unique-scheduling-object-resource"
                return condition(403, f"<c:{name}>{href}</c:{name}>")
        if before is not None and before.uid != uid:
            return condition(403, "<c:no-uid-conflict/>")
        return None


class Fastmail:
    """One account with its default calendar, one of another member, and a subscribed one."""

    def __init__(self, internet: Internet) -> None:
        home = f"/dav/calendars/user/{USERNAME}/"
        self.account = FastmailAccount(
            principal=f"/dav/principals/user/{USERNAME}/",
            home=home,
            home_url=quote(home),
            oddities=Oddities(hashes_etags=True),
        )
        ben = "/dav/principals/user/ben@fastmail.com/"
        self.account.people[ben] = "Ben Okafor"
        self.account.calendars += [
            Kept(path=f"{home}5b1a7a0e/", name="Calendar", color="#3a429c"),
            Kept(path=f"{home}ben.Family/", name="Family", owner=ben, kind="<s:shared/>"),
            Kept(path=f"{home}holidays/", name="Holidays", rights=READ),
        ]
        self.account.others |= {
            f"{home}Inbox/": "<c:schedule-inbox/>",
            f"{home}Outbox/": "<c:schedule-outbox/>",
            f"{home}Attachments/": "",
        }
        internet.host(HOST, self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.path.rstrip("/") == "/.well-known/caldav":
            return Reply(status=301, headers={"Location": "/dav/calendars/"})
        if not request.path.startswith("/dav/"):
            return Reply(status=404, body=b"<html></html>", headers={"Content-Type": "text/html"})
        if request.headers.get("authorization") != basic(USERNAME, APP_PASSWORD):
            return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="Fastmail"'})
        return self.account.answer(request)
