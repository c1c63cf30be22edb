"""Get the rows of a spreadsheet out of the file that it was saved as (CSV, RFC 4180 and looser).

Rows are numbered as a spreadsheet numbers them: a cell with several lines is still in one row.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lorsync.core.errors import DataError, NoInputError

MAX_BYTES: Final = 20_000_000
MAX_ROWS: Final = 100_000

DELIMITERS: Final = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_AS_CSV: Final = "save it as “CSV UTF-8 (comma delimited)”"

_MAGIC: Final = {
    b"PK\x03\x04": "this is a workbook (.xlsx or .ods), and no text",
    b"\xd0\xcf\x11\xe0": "this is an old Excel workbook (.xls), and no text",
    b"%PDF": "this is a PDF, and no text",
}

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Rows with their numbers from 1; empty rows are left out, but counted.

    ``encoding`` and ``delimiter`` say how the file was understood, in words for a person.
    """

    rows: tuple[tuple[int, Row], ...]
    encoding: str
    delimiter: str


def read_sheet(path: Path, known_headings: Callable[[Sequence[str]], int]) -> Sheet:
    """Read a file of separated values.

    ``known_headings`` counts the cells of a row that are headings; the delimiter under which most
    of them appear is the right one. Raises NoInputError where it cannot be read, DataError where
    it is none.
    """
    text, encoding = _text(path, _content(path))
    stated = _SEPARATOR_LINE.match(text)
    if stated is not None:  # Excel's own hint, which Excel counts as no row
        text = text[stated.end() :]
        return Sheet(rows=_rows(path, text, stated[1]), encoding=encoding, delimiter=stated[1])
    best: tuple[int, str] = (0, DELIMITERS[0])
    for delimiter in DELIMITERS:
        first = _rows(path, text[:20_000], delimiter, lenient=True)[:20]
        known = max((known_headings(row) for _, row in first), default=0)
        if known > best[0]:
            best = (known, delimiter)
    return Sheet(rows=_rows(path, text, best[1]), encoding=encoding, delimiter=best[1])


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise NoInputError(f"{path} cannot be read: {problem.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES // 10**6} MB: no list of letters is.")
    if not content.strip():
        raise DataError(f"{path} is empty.")
    for magic, what in _MAGIC.items():
        if content.startswith(magic):
            raise DataError(f"{path}: {what}. Open it in its program, and {_AS_CSV}.")
    return content


def _text(path: Path, content: bytes) -> tuple[str, str]:
    """Decode what spreadsheets write: UTF-8, UTF-16, or the Western Windows code page."""
    for codec, words in (*_unicode(content), ("cp1252", "Windows-1252, as older Excel saves")):
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff"), words
    raise DataError(f"{path} is no text that can be read. In the spreadsheet, {_AS_CSV}.")


def _unicode(content: bytes) -> list[tuple[str, str]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [("utf-16", "UTF-16")]
    start = content[:2000]
    # Without its mark: in UTF-16 each second byte of Latin letters and of delimiters is 0.
    if start.count(0) * 3 > len(start):
        odd = start[1::2].count(0) >= start[::2].count(0)
        return [("utf-16-le" if odd else "utf-16-be", "UTF-16")]
    return [("utf-8-sig", "UTF-8")]


def _rows(
    path: Path, text: str, delimiter: str, *, lenient: bool = False
) -> tuple[tuple[int, Row], ...]:
    """Split the text; ``lenient`` is for a beginning that may end within quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=not lenient)
    rows: list[tuple[int, Row]] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            row = tuple(" ".join(cell.split()) for cell in cells)
            if any(row):
                rows.append((number, row))
            if number > MAX_ROWS:
                raise DataError(f"{path} has more than {MAX_ROWS:,} rows: no list of letters has.")
    except csv.Error as problem:
        if not lenient:
            raise DataError(
                f"{path}, row {number + 1}: it cannot be split into cells ({problem}). "
                f"In the spreadsheet, {_AS_CSV}."
            ) from None
    return tuple(rows)
