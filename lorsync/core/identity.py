"""Derive the identity of an event, so that the same event has the same UID everywhere (S6).

A UID depends on the season's key, the mentor or letter, the kind, the slot and the generation, and
on nothing that may change with the plan: neither day, title nor position in the config.
"""

import hashlib
from typing import NewType

from lorsync.core.model import Kind, LetterId, MentorId, Season, Uid

SeasonKey = NewType("SeasonKey", str)
"""What all UIDs of one season share; derived once and then frozen (S6)."""

_PREFIX = "lorsync-"
_HEX_DIGITS = 32


def season_key(season: Season) -> SeasonKey:
    """Derive the key of a season that was never written before, from applicant and cycle (S6)."""
    return SeasonKey(_digest("season", season.applicant.name, season.cycle.name))


def uid_for(
    key: SeasonKey, kind: Kind, subject: MentorId | LetterId, slot: str = "", generation: int = 0
) -> Uid:
    """Derive the UID of one event.

    ``slot`` tells apart the events of one kind for one subject. ``generation`` grows only where
    lorsync creates again what it deleted itself, since servers refuse a deleted UID (S8).
    """
    return Uid(_PREFIX + _digest(key, kind, subject, slot, str(generation)))


def handout_uid(uid: Uid) -> Uid:
    """Derive the UID of an event in a file for somebody else: always the same, never the event's.

    It does not look like lorsync's own, so that no pass takes it for an event of the calendar (I3).
    """
    return Uid(f"{_PREFIX}handout-{_digest('handout', uid)}")


def looks_like_ours(uid: str) -> bool:
    """Tell whether a UID has the form of lorsync's; whether it is ours, the stamp says (S3)."""
    digits = uid.removeprefix(_PREFIX)
    return (
        uid.startswith(_PREFIX)
        and len(digits) == _HEX_DIGITS
        and all(c in "0123456789abcdef" for c in digits)
    )


def _digest(*parts: str) -> str:
    # Each part carries its length, so that ("ab", "c") and ("a", "bc") differ.
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]
