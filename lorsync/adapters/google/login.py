"""What is kept of a login at Google: the person's own client, and the refresh token."""

import json
from dataclasses import dataclass, field

from lorsync.errors import CredentialsError

_NAMES = ("client_id", "client_secret", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that lasts, until it is withdrawn, unused for half a year, or that of a test."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def to_line(self) -> str:
        """Write it as the one line that a keyring or a file of secrets keeps.

        It is the JSON that Google's own tools call “authorized_user”.
        """
        kept = {name: getattr(self, name) for name in _NAMES}
        return json.dumps({"type": "authorized_user", **kept})

    @classmethod
    def from_line(cls, line: str) -> "Login":
        """Read it back. Raises CredentialsError, with nothing of the line in it."""
        found = read_object(line)
        kept = {name: found.get(name) for name in _NAMES}
        if not all(isinstance(value, str) and value for value in kept.values()):
            raise CredentialsError(
                "The stored login for Google is none: it has to be one line, which holds the "
                "client and its refresh token. Run “lorsync login” (docs/google.md)."
            )
        return cls(**{name: str(value) for name, value in kept.items()})


def read_object(text: str) -> dict[str, object]:
    """Read a JSON object; empty for anything else, since its errors would quote the text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
