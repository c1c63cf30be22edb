"""Write a file that a person asked for."""

import os
import tempfile
from pathlib import Path

from lorsync.errors import UsageError


def write_whole(path: Path, body: bytes) -> None:
    """Write a file whole or not at all; one that is there is replaced. Raises UsageError."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            # mkstemp's file is for the user alone; what a person asks for is for handing on.
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise UsageError(msg) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
