"""Write an address that opens a draft in a mail program: a ``mailto`` URI (RFC 6068)."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

_BREAK, _SPACE = quote("\r\n\r\n"), quote(" ")


def mailto(address: str, subject: str, paragraphs: Sequence[str]) -> str:
    """Return the URI of a message; lines end as RFC 6068 section 5 has it, with ``%0D%0A``."""
    body = _BREAK.join(map(_quoted, paragraphs))
    return f"mailto:{quote(address, safe='@')}?subject={_quoted(subject)}&body={body}"


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    # Drafts are made of the same paragraphs, and paragraphs of the same words; quoting is slow.
    return _SPACE.join(map(_quoted_word, text.split(" ")))


@lru_cache(maxsize=4096)
def _quoted_word(word: str) -> str:
    return quote(word.replace("\n", "\r\n"), safe="")
