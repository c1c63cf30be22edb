"""The service's file: written, replaced and removed, unless the person has made it theirs.

Its stamp is a comment with the digest of the rest. While that holds, the file is lorsync's; a file
that was edited, linked elsewhere or written by somebody else is the person's.
"""

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from lorsync.adapters.files import write_aside
from lorsync.core.errors import StateError, UsageError

_STAMP = re.compile(
    r"^.*Written by “lorsync service install”; once edited it is yours\. ([0-9a-f]{64}).*\n",
    re.MULTILINE,
)
_KEPT = ".before"


class Whose(StrEnum):
    """To whom a service's file belongs."""

    NOBODY = "absent"
    LORSYNC = "lorsync's"
    PERSON = "edited"


def stamp(text: str) -> str:
    """Return what goes into a comment of a file with this text."""
    return f"Written by “lorsync service install”; once edited it is yours. {_digest(text)}"


def whose(path: Path) -> Whose:
    """Tell whose the file is. Raises StateError where it cannot be read."""
    if path.is_symlink():
        return Whose.PERSON
    text = _read(path)
    if text is None:
        return Whose.NOBODY
    found = _STAMP.search(text)
    if found is None:
        return Whose.PERSON
    rest = text[: found.start()] + text[found.end() :]
    return Whose.LORSYNC if found[1] == _digest(rest) else Whose.PERSON


def put(path: Path, text: str, *, force: bool) -> bool:
    """Write the file unless it is there already, and tell whether that changed anything.

    Raises UsageError where it is the person's; with ``force`` theirs is kept beside it.
    """
    owner = whose(path)
    if owner is Whose.LORSYNC and _read(path) == text:
        return False
    if owner is Whose.PERSON:
        _check_forced(path, "overwritten", force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if owner is Whose.PERSON:
            path.replace(kept(path))
    except OSError as error:
        raise _unusable(path, error) from None
    write_aside(path, text, mode=0o644)
    return True


def remove(path: Path, *, force: bool) -> bool:
    """Remove the file, and tell whether there was one.

    Raises UsageError where it is the person's; with ``force`` it is kept under another name.
    """
    owner = whose(path)
    if owner is Whose.NOBODY:
        return False
    if owner is Whose.PERSON:
        _check_forced(path, "removed", force=force)
    try:
        if owner is Whose.PERSON:
            path.replace(kept(path))
        else:
            path.unlink()
    except OSError as error:
        raise _unusable(path, error) from None
    return True


def check_removable(path: Path, *, force: bool) -> None:
    """Raise as :func:`remove` would, and remove nothing."""
    if whose(path) is Whose.PERSON:
        _check_forced(path, "removed", force=force)


def kept(path: Path) -> Path:
    """Return where a person's file goes when it has to make room."""
    return path.with_name(path.name + _KEPT)


def _check_forced(path: Path, what: str, *, force: bool) -> None:
    if not force:
        msg = (
            f"{path} is not as lorsync wrote it, so it is not {what}. With --force it is, and "
            f"yours is kept as {kept(path).name}."
        )
        raise UsageError(msg)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unusable(path: Path, error: OSError) -> StateError:
    return StateError(f"{path} cannot be used: {error.strerror}.")
