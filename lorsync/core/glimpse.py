"""Tell what can be told of a body that is not read as an event of ours, without parsing it.

That is one that a person made unreadable, and one that is theirs and may be a copy (S9), or one of
ours that a client wrote elsewhere (S11).
"""

import re
from dataclasses import dataclass
from datetime import date

from lorsync.core.model import Uid
from lorsync.core.stamp import stamped_day

_FOLDS = re.compile(rb"\r?\n[ \t]")
_TITLE = re.compile(r"^SUMMARY(?:;[^:\r\n]*)?:(.*?)\r?$", re.MULTILINE)
_UID = re.compile(r"^UID(?:;[^:\r\n]*)?:(.*?)\r?$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What stands in a body: the day that the first stamp in it names, the first title and UID.

    ``planned`` is None where there is no stamp of lorsync's, the others are empty where there is
    none.
    """

    planned: date | None
    title: str
    uid: Uid


def glimpse(body: bytes) -> Glimpse:
    """Return what can be told of a body, whatever it is."""
    text = _FOLDS.sub(b"", body).decode(errors="replace")
    found, uid = _TITLE.search(text), _UID.search(text)
    title = "" if found is None else _ESCAPED.sub(_unescaped, found[1])
    return Glimpse(
        planned=stamped_day(text),
        title=" ".join(title.split()),
        uid=Uid("" if uid is None else uid[1]),
    )


def _unescaped(found: re.Match[str]) -> str:
    return " " if found[1] in "nN" else found[1]
