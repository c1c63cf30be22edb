"""Write files whole or not at all: the person's own behind their links, and lorsync's."""

import contextlib
import os
import shlex
import stat
import tempfile
from pathlib import Path

from lorsync.core.errors import NoInputError, StateError, TryAgainError, UnwritableError

_ANYBODY_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def read_bytes(path: Path) -> bytes | None:
    """Read a file; None where there is none. Raises NoInputError, for a pipe or a device too."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise NoInputError(f"{path} is no file: a pipe or a device stands there.")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoInputError(f"{path} cannot be read: {error.strerror}.") from None


def refuse_unwritable(path: Path) -> None:
    """Raise UnwritableError where it is plain, before anybody is asked, that a file cannot be."""
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise UnwritableError(f"{path} is a folder. Name the file in it.")
        if target.exists() and not os.access(target, os.R_OK):
            raise UnwritableError(f"{path} cannot be read, so it is not replaced.")
        above = next(folder for folder in target.parents if folder.exists())
        if not above.is_dir():
            raise UnwritableError(f"{path} cannot be written: {above} is no folder.")
    except OSError as error:
        raise _unwritable(path, error) from None
    if not os.access(above, os.W_OK | os.X_OK):
        raise UnwritableError(f"{path} cannot be written: you may not write to {above}.")


def refuse_read_only(path: Path) -> None:
    """Raise UnwritableError where a file is marked so that nobody writes it, and OSError."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.stat().st_mode & _ANYBODY_WRITES:
        raise UnwritableError(
            f"{path} is marked read-only, so nothing is written. To let it be changed, run: "
            f"chmod u+w {shlex.quote(str(target))}"
        )


def write_whole(path: Path, content: bytes, *, before: bytes | None) -> None:
    """Put a file in place in one step; its folder is made where it is missing.

    A link stays a link, and the file that it leads to keeps its mode and, where that is allowed,
    its owner. ``before`` is what the file held when it was read (None: there was none). Raises
    TryAgainError where another program has written it since, UnwritableError where it cannot be
    written, or must not be: a rename would go through where nobody may write, and so for root.
    """
    target = Path(os.path.realpath(path))
    try:
        refuse_read_only(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        written = written_beside(target, content)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        if read_bytes(target) != before:
            raise TryAgainError(
                f"{path} was changed by another program just now, so nothing is written. Try again."
            )
        written.replace(target)
        _settle(target.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        written.unlink(missing_ok=True)


def write_copy(path: Path, content: bytes) -> Path:
    """Keep a copy beside a file, under the first name ``NAME.1``, ``NAME.2`` … that is free."""
    number = 1
    while True:
        copy = path.with_name(f"{path.name}.{number}")
        try:
            with copy.open("xb") as stream:
                take_rights(stream.fileno(), path)  # before the content, which may be private
                stream.write(content)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise _unwritable(copy, error) from None
        else:
            return copy


def _settle(folder: Path) -> None:
    """Make a rename last over a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(f"{path} cannot be written: {error.strerror}.")


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
            file.flush()
            os.fsync(descriptor)
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
