"""Read the TOML config into the model, with every problem at once.

The rest of the package, and pydantic with it, is loaded by the first call: commands that never
look at a config should not pay for it.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorsync.core.settings import Settings

__all__ = ["Regions", "default_path", "digest_of", "load", "loads"]


Regions = Callable[[Collection[str]], Collection[str]]
"""Tells of which regions, such as ``US-NY``, the holidays are known (R6)."""


def load(path: Path, *, regions: Regions | None = None) -> "Settings":
    """Read and check the config at ``path``.

    ``regions`` is for who has the time to look up whether holidays are known. Raises
    :class:`lorsync.core.errors.ConfigError` with every problem of the file, one line each.
    """
    from lorsync.config.reading import changed_at, content_of

    found = loads(content_of(path), path, regions=regions)
    # Looked at after it was read: a write in between makes it the fresher.
    return replace(found, changed=changed_at(path))


def loads(content: bytes, path: Path, *, regions: Regions | None = None) -> "Settings":
    """Check what ``path`` holds or is about to hold, as :func:`load` does."""
    from lorsync.config.building import settings
    from lorsync.config.checking import check
    from lorsync.config.problems import report
    from lorsync.config.reading import parsed
    from lorsync.config.rules import broken, without_holidays

    raw = parsed(path, content)
    draft, problems = check(raw)
    problems = [*problems, *broken(draft)]
    if regions is not None:
        problems += without_holidays(draft, regions)
    if problems:
        raise report(path, raw, problems)
    return replace(settings(draft, path), digest=digest_of(content))


def digest_of(content: bytes) -> str:
    """Return what tells one content of the file from any other: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def default_path() -> Path:
    """Name the file that is read when none is named: in the user's config folder."""
    from platformdirs import user_config_path

    return user_config_path("lorsync") / "config.toml"
