"""Give a config a short name by its meaning, so that two machines can tell theirs apart (S20)."""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass, replace

from lorsync.core.model import EventStyle, Season

_HEX_DIGITS = 16


def config_digest(season: Season, style: EventStyle) -> str:
    """Return the digest of all that a plan follows from: not of comments, order or account.

    What a holidays library says is no part of the config.
    """
    ordered = tuple(sorted(season.letters, key=lambda letter: letter.id))
    text = _canonical((replace(season, holidays=None, letters=ordered), style))
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
