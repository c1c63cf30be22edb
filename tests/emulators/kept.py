"""What an emulated account keeps, and how its provider differs from the RFCs."""

from dataclasses import dataclass, field

READ = "<d:privilege><d:read/></d:privilege>"
WRITE = READ + "<d:privilege><d:write/></d:privilege>"


@dataclass(kw_only=True)
class Stored:
    body: str
    etag: str
    uid: str


@dataclass(kw_only=True)
class Kept:
    """One calendar; ``kind`` is what stands in its resourcetype beside collection and calendar."""

    path: str
    name: str
    rights: str = WRITE
    owner: str | None = None
    kind: str = ""
    color: str = ""
    events: dict[str, Stored] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Oddities:
    """How a provider differs from the RFCs, or uses what they leave open.

    ``page``: how many entries a listing holds at most. ``lists_missing``: whether a multiget names
    what is not there. ``hashes_etags``: an ETag is of the content, and comes back with it.
    ``rewrites``: whether a body is stored in other bytes; ``dropped`` are the lines that it loses.
    """

    guards_creation: bool = True
    tells_etags: bool = True
    makes_calendars: bool = True
    page: int | None = None
    lists_itself: bool = False
    lists_missing: bool = True
    hashes_etags: bool = False
    rewrites: bool = True
    inverts_any_match: bool = False
    dropped: tuple[str, ...] = ()
