"""Nextcloud, as its source and its issues say; tried against no real one.

Each fact with its source:

- ``/.well-known/caldav`` is 301 to ``/remote.php/dav/``; a PROPFIND of the page is none (its
  manual)
- an app password; the account's own is 401 ``PasswordLoginForbidden`` with two factors (Auth.php)
- after ten wrong logins of a network everybody there gets 429, right password or not
  (Throttler.php)
- ten new calendars an hour (429) and thirty in all (403) (RateLimitingPlugin.php)
- a UID stands once in a calendar, else 400; another calendar may have it (CalDavBackend.php)
- what is deleted lies in the trash bin for 30 days, and its UID with it (server 30096, 42582,
  61881):
- … up to 24 and in some of 25, creating it again is 400 (:attr:`TrashBin.REFUSES`)
- … then it is renamed there, and the third DELETE of one UID is 403 (:attr:`TrashBin.RENAMES`)
- … lately it is purged (:attr:`TrashBin.PURGES`)
- an ETag is a digest of the body, so it comes back with it; bodies are stored as they come
  (CalDavBackend.php)
- a multiget leaves out what is not there; an unknown token is 403 ``valid-sync-token`` (sabre/dav)
- own shares are in ``oc:invite`` and ``publish-url``, and nowhere in the resourcetype
  (Sharing/Plugin.php)
- what others share has its owner in ``d:owner``, and ``oc:owner-principal`` without an href
  (Calendar.php)
"""

from enum import Enum, auto
from typing import Any
from xml.sax.saxutils import escape

from tests.emulators.dav import Account, uid_in
from tests.emulators.icloud import basic
from tests.emulators.internet import Internet
from tests.emulators.kept import Kept, Oddities, Stored
from tests.servers.exchange import Reply, Request

HOST = "cloud.example.org"
USERNAME = "maya"
APP_PASSWORD = "aBcDe-FgHiJ-kLmNo-PqRsT-uVwXy"
ACCOUNT_PASSWORD = "Geheim-of-the-account-2"
_DAV = "/remote.php/dav/"
_MOST_FAILURES, _MOST_MADE, _MOST_CALENDARS = 10, 10, 30
_NAMES = 'xmlns:o="http://owncloud.org/ns" xmlns:n="http://nextcloud.com/ns"'


class TrashBin(Enum):
    """What becomes of a UID in the trash bin when it is created again, by the server's age."""

    REFUSES = auto()
    RENAMES = auto()
    PURGES = auto()


class NextcloudAccount(Account):
    """An account with a trash bin.

    ``shares``: with whom the calendar of a path is shared. ``published``: which have a public link.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.trash_bin = TrashBin.REFUSES
        self.trash: dict[tuple[str, str], Stored] = {}  # by calendar and name, oldest first
        self.shares: dict[str, list[str]] = {}
        self.published: set[str] = set()
        self.made = 0

    def about(self, kept: Kept, asked: bytes) -> str:
        found = ""
        if b"invite" in asked:
            users = "".join(
                f"<o:user><d:href>principal:principals/users/{name}</d:href><o:invite-accepted/>"
                "<o:access><o:read/></o:access></o:user>"
                for name in self.shares.get(kept.path, ())
            )
            found += f"<o:invite {_NAMES}>{users}</o:invite>"
        if kept.path in self.published:
            found += f"<s:publish-url><d:href>https://{HOST}/p/calendars/x</d:href></s:publish-url>"
        if kept.owner is not None:
            owner = kept.owner.partition(_DAV)[2].strip("/")
            found += (
                f"<o:owner-principal {_NAMES}>{owner}</o:owner-principal>"
                f"<n:owner-displayname {_NAMES}>{self.people[kept.owner]}</n:owner-displayname>"
            )
        return found

    def refusal(self, kept: Kept, name: str, body: str) -> Reply | None:
        uid = uid_in(body)
        if any(place is kept and taken != name for place, taken in self.holders(uid)):
            why = "Calendar object with uid already exists in this calendar collection."
            return refused(400, "BadRequest", why)
        return self._out_of_the_trash(kept, uid) if name not in kept.events else None

    def _out_of_the_trash(self, kept: Kept, uid: str) -> Reply | None:
        ours = [key for key, old in self.trash.items() if key[0] == kept.path and old.uid == uid]
        if not ours or self.trash_bin is TrashBin.PURGES:
            for key in ours:
                del self.trash[key]
            return None
        if self.trash_bin is TrashBin.REFUSES:
            why = "Deleted calendar object with uid already exists in this calendar collection."
            return refused(400, "BadRequest", why)
        path, name = ours[0]
        if (path, _deleted(name)) in self.trash:
            return _stuck(name)
        self.trash = {
            (path, _deleted(name)) if key == ours[0] else key: old
            for key, old in self.trash.items()
        }
        return None

    def refusal_to_delete(self, kept: Kept, name: str) -> Reply | None:
        return _stuck(name) if (kept.path, _deleted(name)) in self.trash else None

    def drop(self, kept: Kept, name: str) -> None:
        self.trash[kept.path, _deleted(name)] = kept.events[name]
        super().drop(kept, name)

    def bring_back(self, kept: Kept, name: str, body: str) -> None:
        self.trash.pop((kept.path, _deleted(name)), None)
        super().bring_back(kept, name, body)

    def refusal_to_make(self, path: str) -> Reply | None:
        self.made += 1
        if self.made > _MOST_MADE:
            return refused(429, "TooManyRequests", "Too many calendars created")
        if len(self.calendars) >= _MOST_CALENDARS:
            return refused(403, "Forbidden", "Calendar limit reached")
        return None


class Nextcloud:
    """One account on a server of its own, with a calendar of each kind.

    ``folder``: where in its host it lies. ``well_known``: whether its web server was set up for
    that address.
    """

    def __init__(self, internet: Internet, *, folder: str = "") -> None:
        self._dav = f"{folder}{_DAV}"
        self.account = NextcloudAccount(
            principal=f"{self._dav}principals/users/{USERNAME}/",
            home=f"{self._dav}calendars/{USERNAME}/",
            home_url=f"{self._dav}calendars/{USERNAME}/",
            oddities=Oddities(lists_missing=False, hashes_etags=True, rewrites=False),
        )
        home, ben = self.account.home, f"{self._dav}principals/users/ben/"
        self.account.people[ben] = "Ben Okafor"
        self.account.calendars += [
            Kept(path=f"{home}personal/", name="Personal", color="#0082c9"),
            Kept(path=f"{home}family_shared_by_ben/", name="Family (Ben)", owner=ben),
        ]
        self.account.others |= {
            f"{home}inbox/": "<c:schedule-inbox/>",
            f"{home}outbox/": "<c:schedule-outbox/>",
            f"{home}trashbin/": f"<n:trash-bin {_NAMES}/>",
        }
        self.failures, self.well_known = 0, True
        internet.host(HOST, self._answer)

    def _answer(self, request: Request) -> Reply:
        if self.well_known and request.path.rstrip("/") == "/.well-known/caldav":
            return Reply(status=301, headers={"Location": f"https://{HOST}{self._dav}"})
        if not f"{request.path}/".startswith(self._dav):
            page = b"<!DOCTYPE html><html><title>Nextcloud</title></html>"
            return Reply(status=405, body=page, headers={"Content-Type": "text/html"})
        if self.failures > _MOST_FAILURES:
            return refused(429, "TooManyRequests", "Reached maximum delay")
        secret = request.headers.get("authorization")
        if secret != basic(USERNAME, APP_PASSWORD):
            self.failures += 1
            known = secret == basic(USERNAME, ACCOUNT_PASSWORD)
            kind = "PasswordLoginForbidden" if known else "NotAuthenticated"
            return refused(401, kind, "" if known else "Username or password was incorrect")
        return self.account.answer(request)


def refused(status: int, kind: str, why: str) -> Reply:
    """Write an error as sabre/dav does, with its exception's name."""
    token = "<d:valid-sync-token/>" if kind == "InvalidSyncToken" else ""
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">'
        f"<s:exception>Sabre\\DAV\\Exception\\{kind}</s:exception>"
        f"<s:message>{escape(why)}</s:message>{token}</d:error>"
    )
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Nextcloud", charset="UTF-8"'
    return Reply(status=status, body=body.encode(), headers=headers)


def _deleted(name: str) -> str:
    return f"{name.removesuffix('.ics')}-deleted.ics"


def _stuck(name: str) -> Reply:
    why = (
        f"A calendar object with URI {_deleted(name)} already exists in calendar 1, therefore "
        "this object can't be moved into the trashbin"
    )
    return refused(403, "Forbidden", why)
