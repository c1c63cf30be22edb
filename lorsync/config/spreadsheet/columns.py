"""Tell which column of a spreadsheet says what, by the headings that people give them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lorsync.config.problems import did_you_mean
from lorsync.config.spreadsheet.sheet import Row, Sheet
from lorsync.core.errors import DataError, UsageError


class Column(StrEnum):
    """What a column says. Those of facts are named as the keys of a letter."""

    MENTOR = "mentor"
    EMAIL = "email"
    PROGRAM = "program"
    DEADLINE = "deadline"
    TARGET = "target"
    PORTAL = "portal"
    TYPE = "type"
    STATUS = "status"
    TALKED = "talked_on"
    ASKED = "asked_on"
    AGREED = "agreed_on"
    DECLINED = "declined_on"
    PACKET = "packet_sent_on"
    SUBMITTED = "submitted_on"
    THANKED = "thanked_on"

    @property
    def words(self) -> str:
        """The column as a person calls it."""
        return self.value.removesuffix("_on").replace("_", " ")


FACTS: Final = (
    Column.TALKED, Column.ASKED, Column.AGREED, Column.DECLINED, Column.PACKET,
    Column.SUBMITTED, Column.THANKED,
)  # fmt: skip

HEADINGS: Final[Mapping[Column, str]] = MappingProxyType(
    {
        Column.MENTOR: "mentor, mentor name, mentors, letter writer, letterwriter, writer, writer "
        "name, recommender, recommender name, referee, reference, reference name, professor, "
        "prof, faculty, attending, advisor, adviser, supervisor, who, name of writer, "
        "name of recommender, lor writer, letter from, recommendation from, author",
        Column.EMAIL: "email, e mail, mail, email address, e mail address, mentor email, "
        "writer email, letter writer email, recommender email, professor email, contact email, "
        "referee email, contact",
        Column.PROGRAM: "program, programme, programs, program name, school, university, "
        "institution, college, hospital, application, applying to, position, job, fellowship, "
        "scholarship, residency, residency program, where, for, school program",
        Column.DEADLINE: "deadline, deadlines, due, due date, due by, due on, letter due, "
        "letters due, letter deadline, lor deadline, application deadline, program deadline, "
        "submission deadline, date due, hard deadline, final deadline, application due, "
        "application due date, app due, app deadline, program due, letter due date, closing date, "
        "closes, closes on",
        Column.TARGET: "target, target date, my deadline, own deadline, internal deadline, goal, "
        "goal date, want by, needed by, soft deadline",
        Column.PORTAL: "portal, system, application system, service, submit through, via, "
        "application portal",
        Column.TYPE: "type, letter type, kind, form, type of letter",
        Column.STATUS: "status, state, progress, letter status, stage",
        Column.TALKED: "talked, talked on, talk, met, met on, meeting, spoke, discussed",
        Column.ASKED: "asked, asked on, date asked, ask date, requested, requested on, date "
        "requested, request date, request sent, contacted, letter requested, asked for letter",
        Column.AGREED: "agreed, agreed on, date agreed, accepted, confirmed, said yes, agreed to "
        "write, committed",
        Column.DECLINED: "declined, declined on, refused, said no, rejected",
        Column.PACKET: "packet, packet sent, packet sent on, materials sent, sent materials, "
        "cv sent, documents sent",
        Column.SUBMITTED: "submitted, submitted on, date submitted, received, received on, "
        "uploaded, letter submitted, letter received, letter in, date received, done, complete, "
        "completed",
        Column.THANKED: "thanked, thanked on, thank you, thank you sent, thanks sent, thanks, "
        "thank you note, thank you card",
    }
)
"""Each column's headings, in small letters with blanks for everything between words."""

_SEARCHED: Final = 20
"""The headings stand in one of the first rows."""

_BY_HEADING: Final = {
    heading.strip(): column for column, listed in HEADINGS.items() for heading in listed.split(",")
}
_LATIN_ACCENTS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_EMAIL_OF = re.compile(r".*\be ?mail( address)?")


def _folded(heading: str) -> str:
    """Return a heading's words, in whatever script: only Latin letters lose their accents."""
    plain = _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", heading.casefold()))
    without_remarks = re.sub(r"\(.*?\)", " ", plain)
    words = re.sub(r"[\W_]+", " ", without_remarks.replace("’s", "").replace("'s", ""))
    return words.strip()


def column_of(heading: str) -> Column | None:
    """Tell what a column with this heading says; None for one that lorsync does not use."""
    folded = _folded(heading)
    found = _BY_HEADING.get(folded)
    if found is None and folded.endswith(" s"):
        found = _BY_HEADING.get(folded.removesuffix(" s"))
    return found or (Column.EMAIL if _EMAIL_OF.fullmatch(folded) else None)


def known_headings(cells: Sequence[str]) -> int:
    """Count the headings in a row that are understood, each meaning once."""
    return len({column_of(cell) for cell in cells} - {None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row: its number in the spreadsheet, and its cells by what they say."""

    number: int
    cells: Mapping[Column, str]

    def __getitem__(self, column: Column) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A spreadsheet whose columns are understood.

    ``headings``: the person's own heading of each column that is used. ``unused``: the others.
    """

    lines: tuple[Line, ...]
    headings: Mapping[Column, str]
    unused: tuple[str, ...]
    header_row: int

    @property
    def columns(self) -> frozenset[Column]:
        """The columns that there are."""
        return frozenset(self.headings)


def table_of(sheet: Sheet, chosen: Mapping[Column, str]) -> Table:
    """Find the row of headings and name the columns.

    ``chosen`` gives a column's heading where the person said it. Raises DataError where a column
    that is needed is not found, or where two say the same.
    """
    position, number, headings = _header(sheet, chosen)
    places: dict[Column, int] = {}
    for place, heading in enumerate(headings):
        column = _meaning(heading, chosen)
        if column is None:
            continue
        if column in places:
            raise DataError(
                f"row {number}: “{headings[places[column]]}” and “{heading}” would both be the "
                f"{column}. Say which one is: --column {column}=HEADING."
            )
        places[column] = place
    _check_needed(places, headings, number)
    used = set(places.values())
    return Table(
        lines=tuple(_line(number, row, places) for number, row in sheet.rows[position + 1 :]),
        headings={column: headings[place] for column, place in places.items()},
        unused=tuple(h for place, h in enumerate(headings) if h and place not in used),
        header_row=number,
    )


def _line(number: int, row: Row, places: Mapping[Column, int]) -> Line:
    cells = {column: row[place] for column, place in places.items() if place < len(row)}
    return Line(number=number, cells=cells)


def _header(sheet: Sheet, chosen: Mapping[Column, str]) -> tuple[int, int, Row]:
    """Find the row with most headings among the first ones; the first of two alike."""
    counts = [
        (len({_meaning(cell, chosen) for cell in row} - {None}), -position)
        for position, (_, row) in enumerate(sheet.rows[:_SEARCHED])
    ]
    most, position = max(counts, default=(0, 0))
    if most == 0 and not sheet.rows:
        raise DataError("it has no row with anything in it.")
    if most == 0:
        seen = ", ".join(f"“{cell}”" for cell in sheet.rows[0][1][:10] if cell)
        raise DataError(
            f"no row of headings was found. The first row says {seen}. Headings such as Mentor, "
            "Email, Program and Deadline are needed."
        )
    number, row = sheet.rows[-position]
    for column, heading in chosen.items():
        if not any(_folded(cell) == _folded(heading) for cell in row):
            hint = did_you_mean(heading, [cell for cell in row if cell])
            raise UsageError(f"--column {column}={heading}: there is no such heading{hint}")
    return -position, number, row


def _meaning(heading: str, chosen: Mapping[Column, str]) -> Column | None:
    for column, named in chosen.items():
        if _folded(named) == _folded(heading):
            return column
    found = column_of(heading)
    return None if found in chosen else found


def _check_needed(places: Mapping[Column, int], headings: Row, number: int) -> None:
    if Column.MENTOR not in places:
        missing = Column.MENTOR
    elif not {Column.DEADLINE, Column.TARGET} & set(places):
        missing = Column.DEADLINE
    else:
        return
    listed = ", ".join(f"“{heading}”" for heading in headings if heading)
    used = set(places.values())
    free = (h for place, h in enumerate(headings) if h and place not in used)
    example = next(free, "HEADING")
    raise DataError(
        f"row {number}: no column with the {missing} was found among {listed}. Say which one it "
        f'is, such as --column "{missing}={example}".'
    )
