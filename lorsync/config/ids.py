"""Make the ids that a config leaves out, from content and never from a position (S7).

This loads neither pydantic nor the model, so that a shell can complete an id while one types.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

ID_LENGTH: Final = 64

_OTHERS = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """Make an id of a name: ``Dr. Petra Novák`` is ``dr-petra-novak``.

    A name with letters that are not Latin, or a very long one, gets a digest, so that it is still
    its own.
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    marks = [mark for mark in folded if not unicodedata.combining(mark)]
    base = _OTHERS.sub("-", "".join(marks)).strip("-")
    lossless = all(mark.isascii() or not mark.isalnum() for mark in marks)
    if base and lossless and len(base) <= ID_LENGTH:
        return base
    return f"{base[:40]}-{_digest(folded)}".strip("-")


def letter_slug(mentor: str, form: str) -> str:
    """Make a letter's id from mentor and type, so that a late program makes no other letter."""
    return _shortened(f"{mentor}-{form}")


def letter_slug_with_programs(mentor: str, form: str, programs: Iterable[str]) -> str:
    """Make the id that an earlier lorsync made of a letter: with its programs in it.

    It tells apart letters of one mentor and type, too.
    """
    return _shortened("-".join([mentor, form, *sorted(programs)]))


def _shortened(base: str) -> str:
    return base if len(base) <= ID_LENGTH else f"{base[:50]}-{_digest(base)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
