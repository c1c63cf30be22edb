"""Write a file whole: beside its place, then renamed into it, so that nobody reads half of it."""

import os
import tempfile
from pathlib import Path

from lorsync.errors import StateError


def write_aside(path: Path, text: str, *, mode: int) -> None:
    """Write a file with these rights, whatever the umask. Raises StateError where it cannot be."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            aside.chmod(mode)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise StateError(msg) from None
