"""Sign lorsync's own text, so that its writing is told from a person's edit (S3, S12).

The managed text stands in the description between two quiet lines. The last of them is the stamp:
the planned day (and time, where events have one) and a short hash of title, start and text. Where
stamp and content agree, a lorsync wrote this and no person touched it.

All comparison folds white space, because servers and clients refold and re-wrap text.
"""

import hashlib
import re
from dataclasses import dataclass

_OPENING = "--- lorsync ---"
_STAMP = re.compile(r"--- planned (\S+(?: \d\d:\d\d)?) · ([0-9a-f]{10}) ---")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A managed block found in a description: its text, what the stamp says, and what is around.

    ``start`` is the planned start as the stamp has it, ``2026-07-30`` or ``2026-07-30 09:00``.
    """

    text: str
    start: str
    digest: str
    before: str
    after: str


def stamped(title: str, start: str, text: str) -> str:
    """Return the managed block for a text; ``start`` as in :class:`Block`."""
    return f"{_OPENING}\n{text}\n--- planned {start} · {_digest(title, start, text)} ---"


def find_block(description: str) -> Block | None:
    """Return the managed block of a description, or None where its markers are gone or damaged."""
    opening = description.find(_OPENING)
    if opening < 0:
        return None
    stamps = list(_STAMP.finditer(description, opening))
    if not stamps:
        return None
    stamp = stamps[-1]
    return Block(
        text=description[opening + len(_OPENING) : stamp.start()].strip(),
        start=stamp.group(1),
        digest=stamp.group(2),
        before=description[:opening].strip(),
        after=description[stamp.end() :].strip(),
    )


def touched(title: str, start: str, description: str) -> tuple[str, ...]:
    """Name what a person changed since lorsync wrote this: date, title, notes, or nothing (S3)."""
    block = find_block(description)
    if block is None:
        return ("notes",)
    names = []
    if block.start != start:
        names.append("date")
    if block.digest != _digest(title, block.start, block.text):
        names.append("title")
    if block.before or block.after:
        names.append("notes")
    return tuple(names)


def _digest(title: str, start: str, text: str) -> str:
    folded = "\n".join(" ".join(part.split()) for part in (title, start, text))
    return hashlib.sha256(folded.encode()).hexdigest()[:10]
