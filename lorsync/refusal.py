"""Leave a login alone that its server refused: to try it again and again could lock the account.

One refusal may be the server's own trouble, such as a directory that is down for a minute, so it is
believed only after two more, an hour apart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from lorsync.errors import LoginRefusedError
from lorsync.opening import login_mark
from lorsync.passes import BELIEVED_AFTER, record_of
from lorsync.settings import CalendarSettings

AGAIN_AFTER = timedelta(hours=1)
"""When a refused login is tried again that may be right."""

UNTIL_CHANGED = "Nothing is sent until it or [calendar] changes; to try it once more, run: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The account whose login its server refused, and what tells that login from another.

    ``times`` counts the refusals that were an hour apart; ``again_at`` (aware) is when it is tried
    again, None once it is believed.
    """

    account: CalendarSettings
    login: bytes
    times: int
    again_at: datetime | None

    @classmethod
    def of(
        cls,
        account: CalendarSettings,
        error: LoginRefusedError,
        before: "Refusal | None",
        now: datetime,
    ) -> "Refusal | None":
        """Return what was refused, None where the error does not say which login it was.

        ``before`` is the refusal that stood until now, ``now`` is aware. One that comes because
        somebody asked meanwhile changes nothing.
        """
        if error.login is None:
            return None
        same = before is not None and (before.account, before.login) == (account, error.login)
        if before is None or not same:
            return cls(account=account, login=error.login, times=1, again_at=now + AGAIN_AFTER)
        if before.again_at is None or now < before.again_at:
            return before
        times = before.times + 1
        again_at = None if times >= BELIEVED_AFTER else now + AGAIN_AFTER
        return cls(account=account, login=error.login, times=times, again_at=again_at)

    def stands(self, account: CalendarSettings, state: Path, now: datetime) -> bool:
        """Tell whether the login is still the one that was refused, and not to be tried ``now``.

        It is another one when [calendar] or the stored password has changed, and worth trying
        again when a `lorsync sync` has got through with it. Raises CredentialsError where the
        password cannot be read.
        """
        return (
            (self.again_at is None or now < self.again_at)
            and account == self.account
            and record_of(state).login_refused is not None
            and login_mark(account) == self.login
        )

    def what_follows(self, zone: ZoneInfo, command: str) -> str:
        """Say when the login is tried again, for a person in ``zone``; ``command`` does it now."""
        if self.again_at is None:
            return f"{UNTIL_CHANGED}{command}"
        at = f"{self.again_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        return f"That may pass, so it is tried again at {at}; sooner by: {command}"
