"""Ask the holidays library for a region's holidays, and keep its answers in the state folder.

Importing the library takes longer than all else that ``lorsync plan`` does, so what it said is kept
as JSON, by the library's version, region and year. The cache is a convenience: where it cannot be
read or written, or there is no state folder, the library is asked, and the plan is the same.
"""

import contextlib
import json
import warnings
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lorsync.core.model import Holidays

FILE_NAME = "holidays.json"

_ANY_YEAR = 2026
"""Whether a region is known is the same in every year."""

_Years = dict[str, dict[str, str]]
"""Holidays by year and ISO day."""


def holidays_of(
    regions: Iterable[str], years: Iterable[int], cache: Path | None
) -> dict[str, Holidays]:
    """Return the holidays of each region, such as ``US`` or ``US-NY``, in these years.

    A region that the library does not know is left out. ``cache`` is the state folder, or None; it
    is not made where it is missing.
    """
    wanted, span = sorted(set(regions)), [str(year) for year in years]
    if not wanted:
        return {}
    kept = _read(cache)
    missing = [
        (region, year)
        for region in wanted
        for year in span
        if kept.get(region, {}) is not None and year not in (kept.get(region) or {})
    ]
    for region, year in missing:
        _learn(kept, region, year)
    if missing:
        _write(cache, kept)
    return {
        region: {
            date.fromisoformat(day): name
            for year in span
            for day, name in known.get(year, {}).items()
        }
        for region in wanted
        if (known := kept[region]) is not None
    }


def known_regions(regions: Collection[str]) -> Collection[str]:
    """Return those regions of which the library knows the holidays."""
    return holidays_of(regions, [_ANY_YEAR], None)


def _learn(kept: dict[str, _Years | None], region: str, year: str) -> None:
    """Ask the library for one year of a region; None stands for one that it does not know."""
    import holidays

    known = kept.setdefault(region, {})
    if known is None:
        return
    country, _, subdivision = region.partition("-")
    try:
        with warnings.catch_warnings():
            # Whether a subdivision's code is going out of use is no matter of the applicant's.
            warnings.simplefilter("ignore")
            found = holidays.country_holidays(
                country, subdiv=subdivision or None, years=int(year), expand=False
            )
    except NotImplementedError:
        kept[region] = None
        return
    known[year] = {day.isoformat(): name for day, name in sorted(found.items())}


def _read(cache: Path | None) -> dict[str, _Years | None]:
    """Return what is kept, nothing where that is damaged or of another version."""
    if cache is None:
        return {}
    try:
        document = json.loads((cache / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return _regions(document)


def _regions(document: Any) -> dict[str, _Years | None]:
    if not isinstance(document, dict) or document.get("version") != _version():
        return {}
    regions = document.get("regions")
    if not isinstance(regions, dict) or not all(map(_is_sound, regions.values())):
        return {}
    return regions


def _is_sound(years: object) -> bool:
    if years is None:
        return True
    return isinstance(years, dict) and all(
        isinstance(days, dict)
        and all(_is_day(day) and isinstance(name, str) for day, name in days.items())
        for days in years.values()
    )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _write(cache: Path | None, kept: Mapping[str, _Years | None]) -> None:
    """Keep the answers, whole or not at all, where there is a folder that can be written."""
    if cache is None:
        return
    from lorsync.adapters.files import replace_file

    text = json.dumps({"version": _version(), "regions": kept}, ensure_ascii=False)
    # Where there is no folder, none is made.
    with contextlib.suppress(OSError):
        replace_file(cache / FILE_NAME, text.encode(), mode=0o600)


def _version() -> str:
    """Return the library's version, from the name of its metadata's folder where that is plain.

    Reading the metadata itself takes 40 ms.
    """
    spec = find_spec("holidays")
    if spec is not None and spec.origin is not None:
        named = list(Path(spec.origin).parent.parent.glob("holidays-*.dist-info"))
        if len(named) == 1:
            return named[0].name.removeprefix("holidays-").removesuffix(".dist-info")
    from importlib.metadata import version

    return version("holidays")
