"""Notice a copy that the person made of an event of ours: it stays theirs, and is said once (S9).

A copy has a UID of the client's, so its name tells nothing, and what is foreign is not read (I3).
Only what has come since the last pass is looked at, where it is little, and for the stamp alone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lorsync.core.display import excerpt
from lorsync.core.glimpse import glimpse
from lorsync.core.model import PlanWarning, Uid
from lorsync.ports import Href, Ledger, Listing, Resource

_MEMO = "strangers"
_MOST_NEW = 20
"""More than these at once are no copies but somebody's whole calendar."""

_MOST_SOUGHT = 200
"""Among more foreign resources than these no event of ours is looked for."""

_MOST_KNOWN = 2000
"""In a calendar with more of other people's events than these, nobody is told of copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """The foreign resources of a collection.

    ``names`` are digests of their names, None where they are not known or too many. ``new`` are
    those that have come since the last pass, to be looked at, and ``sought`` all among which events
    of ours may be found that are not in their places (S11). ``uids`` says by which UID each goes,
    and ``copies`` names those of the new ones that bear a stamp of lorsync's, by their titles.
    """

    names: frozenset[str] | None = None
    new: tuple[Href, ...] = ()
    sought: tuple[Href, ...] = ()
    uids: Mapping[Href, Uid] = field(default_factory=dict)
    copies: Mapping[Href, str] = field(default_factory=dict)

    def looked_at(self, fetched: Mapping[Href, Resource]) -> "Strangers":
        """Return the same with what is seen of them."""
        looked = [href for href in (*self.new, *self.sought) if href in fetched]
        seen = {href: glimpse(fetched[href].body) for href in looked}
        return replace(
            self,
            uids={href: each.uid for href, each in seen.items()},
            copies={
                href: excerpt(each.title) or "(untitled)"
                for href, each in seen.items()
                if href in self.new and each.planned is not None
            },
        )

    def without(self, ours: Iterable[Href]) -> "Strangers":
        """Return the same without those that turned out to be lorsync's own."""
        own = frozenset(ours)
        copies = {href: title for href, title in self.copies.items() if href not in own}
        return replace(self, copies=copies)


NOBODY = Strangers()
"""Where it is not known who is there."""


def met(listing: Listing, ledger: Ledger, *, seeking: bool) -> Strangers:
    """Return who is in the collection beside ours, not looked at yet.

    ``seeking``: some of ours are not where they were, so that all who are listed may be they.
    """
    before = _known(ledger)
    listed = {_digest(href): href for href in listing.entries if not _is_lorsyncs(href)}
    if before is None and not listing.complete:
        return NOBODY
    left = {_digest(href) for href in listing.removed}
    names = listed.keys() if listing.complete else (before or frozenset()) - left | listed.keys()
    if len(names) > _MOST_KNOWN:
        return NOBODY
    new = [] if before is None else [listed[name] for name in sorted(listed.keys() - before)]
    new = new if len(new) <= _MOST_NEW else []
    sought = [href for href in sorted(listed.values()) if href not in new] if seeking else []
    return Strangers(
        names=frozenset(names),
        new=tuple(new),
        sought=tuple(sought) if len(sought) <= _MOST_SOUGHT else (),
    )


def remember_met(strangers: Strangers, ledger: Ledger) -> None:
    """Remember who is in the collection, so that each is looked at once."""
    if strangers.names != _known(ledger):
        names = strangers.names
        ledger.remember({_MEMO: None if names is None else json.dumps(sorted(names))})


def copy_warnings(strangers: Strangers) -> tuple[PlanWarning, ...]:
    """Say of each copy that it is the person's."""
    return tuple(
        PlanWarning(
            code="copy",
            subject="calendar",
            message=f"“{title}” was copied, and the copy is yours: lorsync neither changes it nor "
            "takes it away.",
        )
        for title in sorted(strangers.copies.values())
    )


def has_met(ledger: Ledger) -> bool:
    """Tell whether it was ever remembered who is in the collection."""
    return _known(ledger) is not None


def _known(ledger: Ledger) -> frozenset[str] | None:
    memo = ledger.memo(_MEMO)
    return None if memo is None else frozenset[str](json.loads(memo))


def _is_lorsyncs(href: Href) -> bool:
    """Tell a name that lorsync gave: of an event, of a memory, of another applicant's."""
    return href.rpartition("/")[2].startswith("lorsync-")


def _digest(href: Href) -> str:
    """Return what stands for a resource: its name, however the collection is spelt."""
    return hashlib.sha256(href.rpartition("/")[2].encode()).hexdigest()[:10]
