"""Write a file that a person asked for."""

import os
from pathlib import Path

from lorsync.adapters.files import refuse_read_only, written_beside
from lorsync.core.errors import UnwritableError


def write_whole(path: Path, body: bytes) -> None:
    """Write a file whole or not at all; one that is there is replaced, and keeps its mode.

    A link stays a link. A device or a pipe is written to: a file in its place would end it. Raises
    UnwritableError.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(body)
            return
        refuse_read_only(path)
        target = Path(os.path.realpath(path))
        written_beside(target, body).replace(target)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise UnwritableError(msg) from None
