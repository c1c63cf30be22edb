"""Tell what can be told of a body that is not read as an event of ours, without parsing it.

That is one that a person made unreadable, and one that is theirs and may be a copy (S9), or one of
ours that a client wrote elsewhere (S11).
"""

from dataclasses import dataclass
from datetime import date

from lorsync.core.content_lines import content_lines, unfolded
from lorsync.core.html_text import html_text
from lorsync.core.model import Uid
from lorsync.core.stamp import stamped_day


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
    found: dict[str, str] = {}
    for line in content_lines(body):
        if line.name in {"SUMMARY", "UID"}:
            found.setdefault(line.name, line.text)
    return Glimpse(
        planned=stamped_day(html_text(unfolded(body).decode(errors="replace")).plain),
        title=" ".join(found.get("SUMMARY", "").split()),
        uid=Uid(found.get("UID", "")),
    )
