"""Leave a login alone that its server refused: to try it again and again could lock the account."""

from dataclasses import dataclass
from pathlib import Path

from lorsync.errors import LoginRefusedError
from lorsync.opening import login_mark
from lorsync.passes import record_of
from lorsync.settings import CalendarSettings

UNTIL_CHANGED = (
    "Nothing is sent until it or [calendar] changes; to try it once more, run: lorsync sync"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The account whose login its server refused, and what tells that login from another."""

    account: CalendarSettings
    login: bytes

    @classmethod
    def of(cls, account: CalendarSettings, error: LoginRefusedError) -> "Refusal | None":
        """Return what was refused, None where the error does not say which login it was."""
        return None if error.login is None else cls(account=account, login=error.login)

    def stands(self, account: CalendarSettings, state: Path) -> bool:
        """Tell whether the login is still the one that was refused.

        It is another one when [calendar] or the stored password has changed, and worth trying
        again when a `lorsync sync` has got through with it. Raises CredentialsError where the
        password cannot be read.
        """
        return (
            account == self.account
            and record_of(state).login_refused is not None
            and login_mark(account) == self.login
        )
