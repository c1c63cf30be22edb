"""Write a file that a person asked for."""

from pathlib import Path

from lorsync.adapters.aside import replace_file, usual_mode
from lorsync.errors import UnwritableError


def write_whole(path: Path, body: bytes) -> None:
    """Write a file whole or not at all; one that is there is replaced. Raises UnwritableError."""
    try:
        # What a person asks for is for handing on.
        replace_file(path, body, mode=usual_mode())
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise UnwritableError(msg) from None
