"""Give a config a short name by its meaning, so that two machines can tell theirs apart (S20)."""

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields, is_dataclass, replace
from typing import cast
from zoneinfo import ZoneInfo

from lorsync.core.model import EventStyle, Season

_HEX_DIGITS = 16

_MARK = "<zone>"
"""Stands for a zone in words; no text of a config is wholly this, and no zone holds a bracket."""


def config_digest(season: Season, style: EventStyle) -> str:
    """Return the digest of all that a plan follows from: not of comments, order or account.

    What a holidays library says is no part of the config, nor is what a ledger remembers.
    """
    return _hashed(_text(season, style, season.applicant.timezone))


def zone_of(digest: str, season: Season, style: EventStyle, zones: Iterable[str]) -> str | None:
    """Return the zone with which this config has another's digest; None where more differs (S20).

    For a config that leaves the zone to its machine: one file is two configs on two machines.
    """
    text = _text(season, style, _MARK)
    return next((z for z in zones if _hashed(text.replace(_MARK, z)) == digest), None)


def _text(season: Season, style: EventStyle, zone: object) -> str:
    """Return a config in words, with this as the applicant's zone."""
    ordered = tuple(sorted(season.letters, key=lambda letter: letter.id))
    applicant = replace(season.applicant, timezone=cast("ZoneInfo", zone))
    meant = replace(
        season, holidays=None, renamed=frozenset(), letters=ordered, applicant=applicant
    )
    return _canonical((meant, replace(style, zone=cast("ZoneInfo", zone))))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]


def _canonical(value: object) -> str:
    """Return the same text for what means the same, in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        inside = (
            f"{field.name}={_canonical(getattr(value, field.name))}" for field in fields(value)
        )
        return f"{type(value).__name__}({','.join(inside)})"
    if isinstance(value, Mapping):
        pairs = sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, Set):
        return f"<{','.join(sorted(map(_canonical, value)))}>"
    if isinstance(value, tuple | list):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(str(value))
