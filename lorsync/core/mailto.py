"""Write an address that opens a draft in a mail program: a ``mailto`` URI (RFC 6068)."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

_BREAK = quote("\r\n\r\n")


def mailto(address: str, subject: str, paragraphs: Sequence[str]) -> str:
    """Return the URI of a message; lines end as RFC 6068 section 5 has it, with ``%0D%0A``."""
    body = _BREAK.join(map(_quoted, paragraphs))
    return f"mailto:{_quoted(address, '@')}?subject={_quoted(subject)}&body={body}"


@lru_cache(maxsize=1024)
def _quoted(text: str, safe: str = "") -> str:
    # Most paragraphs are the same in every draft, and quoting is slow.
    return quote(text.replace("\n", "\r\n"), safe=safe)
