"""Tell a path that cannot be meant as it stands, before anything is made there.

No shell reads the config, and none expands the words of ``--state-dir``: what looks like a variable
or an address would become a folder of that very name.
"""

import os
import re
from pathlib import Path
from urllib.parse import unquote

_VARIABLE = re.compile(r"(?:^|/)\$[A-Za-z_]|\$\{[A-Za-z_]\w*\}|%[A-Za-z_]\w*%")
_FILE_URL = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def misread(text: str) -> str | None:
    """Say what to write in place of a path that no shell has read; None where it is fine."""
    if _VARIABLE.search(text):
        return "no variable is replaced here: write the path in full, or with “~” for your home"
    url = _FILE_URL.match(text)
    if url is not None:
        return f'a path is needed, and no address: write "{unquote(text[url.end() :])}"'
    if _ADDRESS.match(text):
        return "a path is needed, and no address"
    return None


def undecodable(path: Path) -> str | None:
    """Return a path whose bytes are no UTF-8 as it can be shown; None for any other.

    Python keeps such bytes as lone surrogates, which no file, database or calendar takes.
    """
    name = os.fsencode(path.absolute())
    try:
        name.decode()
    except UnicodeDecodeError:
        return name.decode(errors="backslashreplace")
    return None
