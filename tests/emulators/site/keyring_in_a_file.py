"""A keyring for machines without one: a JSON file, as only tests may have it."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Keeps everything in the file that ``KEYRING_FILE`` names."""

    priority = -1

    def __init__(self):
        super().__init__()
        self._file = Path(os.environ["KEYRING_FILE"])

    def get_password(self, service, username):
        return self._read().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self._file.write_text(json.dumps(self._read() | {f"{service} {username}": password}))

    def delete_password(self, service, username):
        kept = self._read()
        if kept.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError(username)
        self._file.write_text(json.dumps(kept))

    def _read(self):
        return json.loads(self._file.read_text()) if self._file.exists() else {}
