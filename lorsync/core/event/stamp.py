"""The stamp: sign lorsync's own text, so that its writing is told from a person's edit (S3, S12).

The managed text stands in the description between two quiet lines. The last of them is the stamp:
the planned day (and time, where events have one) and a short hash of title, day and text, in two
halves, one for the title and one for the text. Where a half agrees with what is there, a lorsync
wrote this and no person touched it.

All comparison folds white space, undoes HTML and composes characters (NFC), because servers and
clients do all of that to text.
"""

import hashlib
import re
import unicodedata
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from lorsync.core.event.content_lines import content_lines, unfolded
from lorsync.core.event.html_text import HtmlText, html_text
from lorsync.core.model import YEARS, Uid

_OPENING = "--- lorsync ---"
BY_YOU = " by you"
"""What stands behind the day in the stamp where it is the person's own: no plan vouches for it."""

_NOT_NEEDED = " · not needed"
"""What stands in the stamp of an event that lorsync left to the person (S10)."""

_START = r"\S+(?:\s\d\d:\d\d\S*)?(?:\sby\syou)?"
# Folded again, a space may be the end of a line (S12).
_BEGIN = re.compile(r"---\slorsync\s---")
_STAMP = re.compile(
    rf"---\splanned\s(?P<start>{_START})(?P<released>\s·\snot\sneeded)?"
    r"\s·\s(?P<title>[0-9a-f]{6})(?P<text>[0-9a-f]{6})\s---"
)

_LONGEST_WORD: Final = 1000
"""Characters of a word that is composed: marks upon marks take the square of their number."""

_DEEPEST: Final = 8
"""How often HTML is undone at most: a client may make HTML of text that has some already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A managed block found in a description: its text, what the stamp says, and what is around.

    ``start`` is the planned start as the stamp has it: ``2026-07-30``, or with a time and its
    offset from UTC, ``2026-07-30 09:00-04:00``, and `` by you`` behind either;
    ``title_hash`` and ``text_hash`` are its halves. ``released``: lorsync left the event to the
    person as no longer needed (S10). ``before`` and ``after`` are the person's.
    """

    text: str
    start: str
    title_hash: str
    text_hash: str
    released: bool
    before: str
    after: str


def stamped(title: str, start: str, text: str) -> str:
    """Return the managed block for a text; ``start`` as in :class:`Block`."""
    halves = _hash(title, start) + _hash(bare(text), start)
    return f"{_OPENING}\n{text}\n--- planned {start} · {halves} ---"


def find_block(description: str) -> Block | None:
    """Return the managed block of a description, or None where its markers are gone or damaged."""
    found = _found(description)
    if found is None:
        return None
    opening, stamp = found.opening, found.stamp
    if found.as_html:
        plain = found.html.plain
        before, after = plain[: opening.start()], plain[stamp.end() :]
        text = plain[opening.end() : stamp.start()]
    else:
        before, after = description[: found.begin], description[found.end :]
        text = description[found.html.end(opening.end()) : found.html.begin(stamp.start())]
    return Block(
        text=text.strip(),
        start=" ".join(stamp["start"].split()),
        title_hash=stamp["title"],
        text_hash=stamp["text"],
        released=stamp["released"] is not None,
        before=before.strip(),
        after=after.strip(),
    )


def stamped_day(text: str) -> date | None:
    """Return the planned day that the first stamp in a text names, None where there is none."""
    found = _STAMP.search(text)
    return None if found is None else _day(found["start"])


def planned_day(block: Block) -> date | None:
    """Return the day that the plan had when a block was written, None where it had none."""
    return None if block.start.endswith(BY_YOU) else _day(block.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a description a text is exchanged, and the text that has to stand there."""

    begin: int
    end: int
    text: str


def block_place(description: str, block: str) -> Place | None:
    """Return the place for another managed block, None where the markers are gone (S12).

    What is around it stays to the letter. In HTML, the block is made HTML of as well.
    """
    found = _found(description)
    if found is None:
        return None
    if found.html.broken or not found.literal:
        import html

        block = html.escape(block, quote=False)
    if found.html.broken:
        block = block.replace("\n", "<br>")
    return Place(begin=found.begin, end=found.end, text=block)


def release_place(description: str, *, released: bool) -> Place | None:
    """Return the place in the stamp that says that the event is not needed, or that it is (S10).

    None where the markers are gone.
    """
    found = _found(description)
    if found is None:
        return None
    return Place(
        begin=found.html.end(found.stamp.end("start")),
        end=found.html.begin(found.stamp.start("title")),
        text=f"{_NOT_NEEDED if released else ''} · ",
    )


def restamped(block: Block, text: str) -> str:
    """Return a block with another text, and what its stamp says of day and title as it was."""
    halves = block.title_hash + _hash(bare(text), block.start)
    return f"{_OPENING}\n{text}\n--- planned {block.start} · {halves} ---"


def touched(title: str, start: date | datetime, block: Block | None) -> tuple[str, ...]:
    """Name what a person changed since lorsync wrote this: date, title, text, or nothing (S3).

    ``start`` is a day or an instant; a floating time is never ours.
    """
    if block is None:
        return ("date", "title", "text")
    names = []
    if not _is_start(block.start, start):
        names.append("date")
    if not vouches_for_title(block, title):
        names.append("title")
    if not vouches_for_text(block):
        names.append("text")
    return tuple(names)


def vouches_for_title(block: Block, title: str) -> bool:
    """Tell whether lorsync wrote this title."""
    return block.title_hash == _hash(title, block.start)


def vouches_for_text(block: Block) -> bool:
    """Tell whether lorsync wrote the text of this block."""
    return block.text_hash == _hash(bare(block.text), block.start)


def bare(text: str) -> str:
    """Return a text as it is compared: without anything that reads as HTML, however often undone.

    A text of ours may itself have a tag or an entity in it. As it was written, that is undone once
    in reading, and where a client made HTML of it, it is not: both have to come to the same.
    """
    for _ in range(_DEEPEST):
        plainer = html_text(text).plain
        if plainer == text:
            break
        text = plainer
    return text.strip()


def composed(text: str) -> str:
    """Return a text with its white space folded and its characters composed (NFC).

    Apple's file systems and keyboards write characters in parts (S12).
    """
    return " ".join(
        word if len(word) > _LONGEST_WORD else unicodedata.normalize("NFC", word)
        for word in text.split()
    )


def _day(start: str) -> date | None:
    """Return the day of a start as the stamp has it, None where it is none, or out of range."""
    try:
        day = date.fromisoformat(start[:10])
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _is_start(stamp: str, start: date | datetime) -> bool:
    """Tell whether a stamp names this start: the same day, or the same instant."""
    if not isinstance(start, datetime):
        return stamp == start.isoformat()
    try:
        planned = datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return start.tzinfo is not None and planned.tzinfo is not None and planned == start


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The markers of a block, found in the plain text of a description.

    ``begin`` and ``end`` say where in the description itself the block stands. ``literal``: the
    markers stand there as they were written.
    """

    html: HtmlText
    opening: re.Match[str]
    stamp: re.Match[str]
    begin: int
    end: int
    literal: bool

    @property
    def as_html(self) -> bool:
        """Whether all of it is to be read as HTML."""
        return self.html.marked or not self.literal


def _found(description: str) -> _Found | None:
    html = html_text(description)
    opening = _BEGIN.search(html.plain)
    if opening is None:
        return None
    # The last one: what comes before it may be a stamp that somebody copied.
    stamps = deque(_STAMP.finditer(html.plain, opening.end()), maxlen=1)
    if not stamps:
        return None
    (stamp,) = stamps
    begin, end = html.begin(opening.start()), html.end(stamp.end())
    literal = (
        description[begin : html.end(opening.end())] == opening[0]
        and description[html.begin(stamp.start()) : end] == stamp[0]
    )
    return _Found(html=html, opening=opening, stamp=stamp, begin=begin, end=end, literal=literal)


def _hash(text: str, start: str) -> str:
    return hashlib.sha256(f"{composed(text)}\n{start}".encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """What stands in a body: the day that the first stamp in it names, the first title and UID.

    ``planned`` is None where there is no stamp of lorsync's, the others are empty where there is
    none.
    """

    planned: date | None
    title: str
    uid: Uid


def peek(body: bytes) -> Peek:
    """Return what can be told of a body, whatever it is."""
    found: dict[str, str] = {}
    for line in content_lines(body):
        if line.name in {"SUMMARY", "UID"}:
            found.setdefault(line.name, line.text)
    return Peek(
        planned=stamped_day(html_text(unfolded(body).decode(errors="replace")).plain),
        title=" ".join(found.get("SUMMARY", "").split()),
        uid=Uid(found.get("UID", "")),
    )
