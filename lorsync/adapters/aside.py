"""Write a file whole: beside its place, then renamed into it, so that nobody reads half of it."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from lorsync.errors import StateError


def write_aside(path: Path, text: str, *, mode: int) -> None:
    """Write a file with these rights, whatever the umask. Raises StateError where it cannot be."""
    try:
        replace_file(path, text.encode(), mode=mode)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise StateError(msg) from None


def replace_file(path: Path, body: bytes, *, mode: int) -> None:
    """Write a file with these rights, whole or not at all. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        aside.chmod(mode)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def written_beside(target: Path, body: bytes) -> Path:
    """Write a file that is to take the place of ``target`` and is on the disk; return its path.

    It has the mode and, where that is allowed, the owner of the file that is there; where none is,
    the mode that the umask gives a new file. Its name is one that readers of a folder of events
    pass over. Raises OSError, and leaves nothing then.
    """
    aside = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    # Not mkstemp, which makes it 0600, and not os.umask, which all threads share.
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            take_rights(descriptor, target)  # before the content, which may be private
            file.write(body)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        aside.unlink()
        raise
    return aside


def take_rights(descriptor: int, like: Path) -> None:
    """Give an open file the mode and owner of another, where there is another. Raises OSError."""
    try:
        known = like.stat()
    except FileNotFoundError:
        return
    with contextlib.suppress(PermissionError):  # only root may give files away
        os.fchown(descriptor, known.st_uid, known.st_gid)
    mode = stat.S_IMODE(known.st_mode)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:  # FAT refuses a change
        os.fchmod(descriptor, mode)
