"""Keep the answers of an ``init`` that was stopped, for the next one to go on from."""

import json
import os
from pathlib import Path

from lorsync.adapters.files import read_bytes
from lorsync.adapters.state_dir import make_state_dir

_NAME = "init-answers.json"


class Kept:
    """The answers for one config and spreadsheet, readable by the person alone. No secret is asked.

    Answers that were meant for another file are none.
    """

    def __init__(self, state: Path, config: Path, sheet: Path | None) -> None:
        self._state = state
        self._path = state / _NAME
        self._meant = [str(config.absolute()), str(sheet.absolute()) if sheet else ""]

    def answers(self) -> list[str]:
        """Return what was answered; nothing where nothing is kept."""
        content = read_bytes(self._path)
        try:
            found = json.loads(content or b"{}")
        except ValueError:
            return []
        if not isinstance(found, dict) or found.get("for") != self._meant:
            return []
        return [str(answer) for answer in found.get("answers", [])]

    def keep(self, answers: list[str]) -> None:
        """Keep what was answered so far."""
        make_state_dir(self._state)
        text = json.dumps({"for": self._meant, "answers": answers}, ensure_ascii=False)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)

    def forget(self) -> None:
        """Forget them, when they have served."""
        self._path.unlink(missing_ok=True)
