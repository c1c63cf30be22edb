"""Make text fit to be shown: what others wrote goes to terminals, logs and desktops only like this.

A title, the name of a calendar or the answer of a server holds whatever somebody put there. A
terminal acts on control characters (ECMA-48), and marks that nobody sees turn a line around
(UAX 9) or hide a part of it.
"""

import re
import unicodedata
from typing import Final

EXCERPT: Final = 200
"""So many characters of a text of somebody else's are shown."""

# C0 without tab and line feed, DEL, C1; soft hyphen and zero-width marks, but neither the joiners
# that emoji and Indic scripts need nor the two marks that lorsync itself puts behind a name;
# embeddings, overrides and isolates; line and paragraph separator; annotations; tags.
_UNSHOWN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""No encoding has one; Python makes it of a byte that is no UTF-8."""

_JOINER: Final = "\u200d"
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def visible(text: str) -> str:
    """Return a text without what a terminal would act on or hide; its lines stay lines."""
    return _LONE_SURROGATE.sub("\ufffd", _UNSHOWN.sub("", text))


def excerpt(text: str, room: int = EXCERPT) -> str:
    """Return a text on one line, in at most ``room`` characters, that can stand in a sentence."""
    return shortened(" ".join(visible(" ".join(text.split())).split()), room)


def printable(text: str) -> str:
    """Escape what a terminal would act on or hide, for somebody who is to find it in a file."""
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )


def in_json(document: str) -> str:
    """Escape in a JSON document what is not to be shown; it means the same (RFC 8259 section 7)."""
    return _LONE_SURROGATE.sub(_escape, _UNSHOWN.sub(_escape, document))


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def shortened(name: str, room: int) -> str:
    """Return a name in at most ``room`` characters, cut with an ellipsis where it is longer.

    The cut takes no mark off its letter and no half of a joined sign (UAX 29, in its main rules).
    """
    if len(name) <= room:
        return name
    end = max(1, room - 1)
    while end > 1 and (_belongs_before(name[end]) or name[end - 1] == _JOINER):
        end -= 1
    return name[:end].rstrip() + "…"


def _belongs_before(mark: str) -> bool:
    return (
        mark == _JOINER or mark in _SKIN_TONES or unicodedata.category(mark) in {"Mn", "Mc", "Me"}
    )
