"""Write a file whole: beside its place, then renamed into it, so that nobody reads half of it."""

import os
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


def usual_mode() -> int:
    """Return the rights that a new file of the person's has by their umask."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
