"""Get a TOML document out of a file, or say in plain words why there is none."""

import contextlib
import os
import pwd
import re
import stat
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lorsync.core.display import printable
from lorsync.core.errors import ConfigError

MAX_BYTES: Final = 5_000_000
"""A season is a few kilobytes; a larger file is a mistake, and would only cost memory."""

LEAST_KEYS: Final = (
    "The least is [applicant] with name, [calendar] with provider, and one [[letters]] "
    "with mentor and deadline."
)

PIPE_SECONDS: Final = 5.0
"""How long a pipe may take from its opening to its end."""

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_POSITION = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")

# What tomllib says, by its beginning, and what a person can act on.
_IN_PLAIN_WORDS: Final = {
    "Invalid statement": "a key, a [table] or a comment is expected here",
    "Expected '=' after a key": "“=” is expected after the key",
    "Expected newline or end of document": "one key a line: a new line is expected here",
    "Expected ']' at the end": "“]” is missing at the end of the table's name",
    "Expected ']]' at the end": "“]]” is missing at the end of the table's name",
    "Expected": "a character is missing here",
    "Cannot declare": "this table stands twice",
    "Cannot overwrite a value": "this key stands twice",
    "Cannot redefine namespace": "this table stands twice",
    "Cannot mutate immutable namespace": "a table in { … } cannot be added to here",
    "Duplicate inline table key": "this key stands twice in { … }",
    "Unclosed array": "“]” is missing at the end of the list",
    "Unclosed inline table": "“}” is missing; a table in { … } stands on one line",
    "Unescaped '\\'": "“\\” in a text is written “\\\\”, or the text in '…'",
    "Invalid hex value": "“\\u” needs four hexadecimal digits",
    "Escaped character is not": "this “\\u” names no character",
    "Unterminated string": "the closing quote is missing",
    "Illegal character": "a text ends with a quote on its own line, and holds no control character",
    "Found invalid character": "a control character cannot stand here",
    "Invalid date or datetime": "there is no such day or time",
    "Invalid initial character": "a key or a table's name is expected here",
    "Invalid value": "a value is expected here: text stands in quotes, a date is 2026-09-23",
}


def parsed(path: Path, content: bytes) -> dict[str, Any]:
    """Read one TOML document, what ``path`` held or is about to hold.

    Raises ConfigError where it is empty, not UTF-8 or not TOML; the message never repeats a line of
    the file, since that could hold a secret.
    """
    text = _text(path, content)
    raw, problem = _parsed(text)
    if problem is not None:
        raise _unusable(path, problem)
    if not raw:
        raise _unusable(path, f"it is empty. {LEAST_KEYS}")
    return raw


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError(f"{printable(str(path))}: {why}")


def content_of(path: Path) -> bytes:
    """Return what a file holds. Raises ConfigError if it is missing, unreadable or too large."""
    try:
        # A pipe without a writer must not keep anybody waiting.
        with open(path, "rb", opener=_open_at_once) as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(MAX_BYTES + 1) if is_file else _of_pipe(path, file.fileno())
    except (FileNotFoundError, NotADirectoryError):
        raise _unusable(
            path,
            "there is no such file. Write one with “lorsync init”, or name another with -c FILE.",
        ) from None
    except IsADirectoryError:
        raise _unusable(path, "this is a folder. Name the file in it with -c FILE.") from None
    except PermissionError:
        raise _unusable(path, f"no permission to read it. {_how_to_permit(path)}") from None
    except OSError as problem:
        raise _unusable(path, f"it cannot be read: {problem.strerror}.") from None
    except ValueError:  # a NUL byte in the path
        raise _unusable(path, "this is no file name.") from None
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"it is larger than {MAX_BYTES // 10**6} MB, so it is no config.")
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _of_pipe(path: Path, pipe: int) -> bytes:
    """Read a pipe, such as a shell's <(…), or a device. Raises ConfigError where its end is far.

    Before anybody has opened it to write, a read finds its end (fifo(7)).
    """
    content, patience = b"", time.monotonic() + PIPE_SECONDS
    while len(content) <= MAX_BYTES:
        with contextlib.suppress(BlockingIOError):
            more = os.read(pipe, MAX_BYTES)
            if not more and content:
                break
            content += more
        if time.monotonic() > patience:
            why = "comes to no end" if content else "nobody writes to"
            raise _unusable(path, f"this is a pipe that {why}. Name a file with -c FILE.")
        time.sleep(0.02)
    return content


def changed_at(path: Path) -> datetime | None:
    """Return when a file was last written (aware); None where it is not there any more."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):  # the last two: a time of no calendar
        return None


_HOMES = frozenset({"/home", "/root", "/run/user"})
"""What ProtectHome= takes away from a service (systemd.exec(5))."""


def _how_to_permit(path: Path) -> str:
    """Say how the user that lorsync runs as, often one that systemd made, comes to read a file."""
    user = os.geteuid()
    try:
        owner = path.stat().st_uid
    except OSError:
        # The innermost that can be seen is the one that cannot be entered; links may lead there.
        folder = next(f for f in Path(os.path.realpath(path)).parents if _is_seen(f))
        if str(folder) in _HOMES and "INVOCATION_ID" in os.environ:
            return f"A system service sees nothing of {folder}: put it into /etc/lorsync."
        where = printable(str(folder))
        return f"The user {_name(user)} may not enter {where}: try “chmod o+x” on it."
    if owner == user:
        return "Try “chmod u+r” on it."
    return (
        f"It belongs to {_name(owner)}, and lorsync runs as {_name(user)}: try “chmod o+r” on it. "
        "A config holds no password."
    )


def _is_seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _text(path: Path, content: bytes) -> str:
    if content.startswith(_UTF16):
        raise _unusable(path, "it is UTF-16. Save it as UTF-8.")
    try:
        # Editors on Windows begin a file with a byte order mark, which TOML does not know.
        return content.removeprefix(_BOM).decode()
    except UnicodeDecodeError as problem:
        start = problem.start + (len(_BOM) if content.startswith(_BOM) else 0)
    line = content[:start].count(b"\n") + 1
    raise _unusable(path, f"line {line} (byte {start}) is not UTF-8. Save it as UTF-8.")


def _parsed(text: str) -> tuple[dict[str, Any], str | None]:
    """Parse TOML; the second value says what is wrong with it, if anything."""
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as problem:
        return {}, _in_plain_words(str(problem), text)
    except RecursionError:
        return {}, "lists or tables are nested too deeply."
    except ValueError:  # int() refuses thousands of digits
        return {}, "it holds a number that is too long."


def _in_plain_words(message: str, text: str) -> str:
    position = _POSITION.search(message)
    if position is not None and position[1]:
        where = f"line {position[1]}, column {position[2]}"
    else:
        lines = text.split("\n")
        where = f"line {len(lines)}, column {len(lines[-1]) + 1} (its end)"
    for beginning, plain in _IN_PLAIN_WORDS.items():
        if message.startswith(beginning):
            return f"{where}: {plain}."
    return f"{where}: this is not TOML."
