"""sabre/dav 4 as in Baïkal, measured on sabre 4.7; tried against no real one in these tests.

- every calendar of one's own bears ``<cs:shared-owner/>`` in its resourcetype, whoever sees it
- ``cs:invite`` and ``d:invite`` name its owner (as ``organizer``, or with ``d:shared-owner``), and
  beside it those who were invited
"""

from tests.emulators.dav import Account
from tests.emulators.icloud import basic
from tests.emulators.internet import Internet
from tests.emulators.kept import Kept, Oddities
from tests.servers.exchange import Reply, Request

HOST = "baikal.example.org"
USERNAME = "maya"
PASSWORD = "Geheim-of-the-account-4"
OWNED = "<s:shared-owner/>"


class SabreAccount(Account):
    """An account in which all calendars are marked as shared by their owner.

    ``guests``: what stands for those who were invited, in each of the two ways to say it.
    """

    guests = ("", "")

    def about(self, kept: Kept, asked: bytes) -> str:
        who = f"<d:href>{self.principal}</d:href>"
        old, new = self.guests
        return (
            f"<s:invite><s:organizer>{who}</s:organizer>{old}</s:invite>"
            f"<d:invite><d:sharee>{who}<d:share-access><d:shared-owner/></d:share-access>"
            f"<d:invite-accepted/></d:sharee>{new}</d:invite>"
        )


class Sabre:
    """One account on a server of its own, without any calendar yet."""

    def __init__(self, internet: Internet) -> None:
        self.account = SabreAccount(
            principal="/dav.php/principals/maya/",
            home="/dav.php/calendars/maya/",
            home_url="/dav.php/calendars/maya/",
            oddities=Oddities(lists_missing=False, hashes_etags=True, rewrites=False),
        )
        internet.host(HOST, self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != basic(USERNAME, PASSWORD):
            return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="SabreDAV"'})
        reply = self.account.answer(request)
        if request.method == "MKCALENDAR" and reply.status == 201:
            self.account.calendars[-1].kind = OWNED
        return reply
