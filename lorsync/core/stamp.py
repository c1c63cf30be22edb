"""Sign lorsync's own text, so that its writing is told from a person's edit (S3, S12).

The managed text stands in the description between two quiet lines. The last of them is the stamp:
the planned day (and time, where events have one) and a short hash of title, day and text, in two
halves, one for the title and one for the text. Where a half agrees with what is there, a lorsync
wrote this and no person touched it.

All comparison folds white space and undoes HTML, because servers and clients do both to text. What
merely stands in angle brackets, such as an address, is no HTML: it is the text's own.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime

_OPENING = "--- lorsync ---"
BY_YOU = " by you"
"""What stands behind the day in the stamp where it is the person's own: no plan vouches for it."""

_NOT_NEEDED = " · not needed"
"""What stands in the stamp of an event that lorsync left to the person (S10)."""

_START = r"\S+(?:\s\d\d:\d\d\S*)?(?:\sby\syou)?"
# Folded anew, a space may be the end of a line (S12).
_BEGIN = re.compile(r"---\slorsync\s---")
_STAMP = re.compile(
    rf"---\splanned\s(?P<start>{_START})(?P<released>\s·\snot\sneeded)?"
    r"\s·\s(?P<title>[0-9a-f]{6})(?P<text>[0-9a-f]{6})\s---"
)
_BREAKS = re.compile(r"<br\s*/?>|</p>|</div>|</li>", re.IGNORECASE)
_ELEMENTS = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font"
    "|footer|h[1-6]|head|header|hr|html|html-blob|i|img|ins|kbd|label|li|link|mark|meta|o:p|ol|p"
    "|pre|q|s|samp|section|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead"
    "|title|tr|tt|u|ul|var|wbr"
)
_ATTRIBUTE = r"""\s+[a-z][\w:.-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
_TAGS = re.compile(rf"</?(?:{_ELEMENTS})(?:{_ATTRIBUTE})*\s*/?>", re.IGNORECASE)


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
    found = _spans(description)
    if found is None:
        return None
    opening, stamp = found
    return Block(
        text=_plain(description[opening.end() : stamp.start()]),
        start=" ".join(stamp["start"].split()),
        title_hash=stamp["title"],
        text_hash=stamp["text"],
        released=stamp["released"] is not None,
        before=_plain(description[: opening.start()]),
        after=_plain(description[stamp.end() :]),
    )


def stamped_day(text: str) -> date | None:
    """Return the planned day that the first stamp in a text names, None where there is none."""
    found = _STAMP.search(text)
    try:
        return None if found is None else date.fromisoformat(found["start"][:10])
    except ValueError:
        return None


def planned_day(block: Block) -> date | None:
    """Return the day that the plan had when a block was written, None where it had none."""
    try:
        return None if block.start.endswith(BY_YOU) else date.fromisoformat(block.start[:10])
    except ValueError:
        return None


def with_block(description: str, block: str) -> str:
    """Return a description with another managed block in the place of its own (S12).

    What is around it stays to the letter. Where its markers are gone, ``description`` comes back
    as it is: there is never a second block.
    """
    found = _spans(description)
    if found is None:
        return description
    opening, stamp = found
    before, after = description[: opening.start()], description[stamp.end() :]
    if _BREAKS.search(description):
        import html

        block = html.escape(block, quote=False).replace("\n", "<br>")
    return before + block + after


def with_release(description: str, *, released: bool) -> str:
    """Return a description whose stamp says that the event is not needed, or that it is (S10).

    All else stays to the letter. Where the markers are gone, ``description`` comes back as it is.
    """
    found = _spans(description)
    if found is None:
        return description
    stamp = found[1]
    said = _NOT_NEEDED if released else ""
    return f"{description[: stamp.end('start')]}{said} · {description[stamp.start('title') :]}"


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

    A text of ours may itself have a tag in it. As it was written, that is undone once in reading,
    and where a client made HTML of it, it is not: both have to come to the same.
    """
    while (plainer := _plain(text)) != text:
        text = plainer
    return text


def _is_start(stamp: str, start: date | datetime) -> bool:
    """Tell whether a stamp names this start: the same day, or the same instant."""
    if not isinstance(start, datetime):
        return stamp == start.isoformat()
    try:
        planned = datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return start.tzinfo is not None and planned.tzinfo is not None and planned == start


def _spans(description: str) -> tuple[re.Match[str], re.Match[str]] | None:
    """Return what opens the block, and its stamp."""
    opening = _BEGIN.search(description)
    if opening is None:
        return None
    stamps = list(_STAMP.finditer(description, opening.end()))
    return (opening, stamps[-1]) if stamps else None


def _plain(text: str) -> str:
    """Return a text without the HTML that a client may have put into it."""
    if _TAGS.search(text):
        import html

        text = html.unescape(_TAGS.sub("", _BREAKS.sub("\n", text)))
    return text.strip()


def _hash(text: str, start: str) -> str:
    folded = f"{' '.join(text.split())}\n{start}"
    return hashlib.sha256(folded.encode()).hexdigest()[:6]
