"""Find the time zone that this machine is set to, where the config names none.

The C library's order: ``TZ``, else ``/etc/localtime``. ``/etc/timezone`` is a note that Debian
keeps beside it and that others leave behind, so it decides only where there is nothing else. Zone
files are TZif (RFC 8536); their last line is the rule that holds from now on, as a POSIX ``TZ``.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

from lorsync.core.settings import MachineZone

_DATABASE: Final = "zoneinfo/"
_LINKS: Final = 8
"""How many links are followed from /etc/localtime; more of them are a circle."""

_LARGEST: Final = 100_000
"""Bytes of a zone file; the largest has some 5,000."""

# Names that the database holds beside places: what the machine is set to, leap-second copies.
_NO_PLACES = ("localtime", "posixrules", "Factory", "posix/", "right/", "leap", "tzdata")

_POSIX: Final = re.compile(
    r"(?P<std>[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?P<offset>[+-]?[0-9:]+)"
    r"(?:(?P<dst>[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?P<ahead>[+-]?[0-9:]+)?"
    r"(?:,(?P<begins>[^,/]+)(?:/(?P<begins_at>[^,]+))?,(?P<ends>[^,/]+)(?:/(?P<ends_at>[^,]+))?)?)?"
)
"""A POSIX TZ (IEEE Std 1003.1 section 8.3): names and offsets of standard and summer time."""

_CITIES: Final[tuple[str, ...]] = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Lisbon",
    "Europe/Dublin", "Europe/Athens", "Europe/Helsinki", "Europe/Moscow", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage",
    "America/Halifax", "Asia/Kolkata", "Asia/Jerusalem", "Asia/Karachi", "Asia/Shanghai",
    "Asia/Manila", "Asia/Tokyo", "Asia/Seoul", "Australia/Sydney", "Australia/Perth",
    "Pacific/Auckland", "Africa/Johannesburg", "Africa/Nairobi", "Africa/Lagos",
)  # fmt: skip
"""Of zones that are alike from now on, these are named first: people know them."""

_Rule = tuple[str, int, str | None, int | None, tuple[object, ...] | None]
"""Name and offset (seconds east of UTC) of standard time, those of summer time, and its days."""


def known_zone(name: str) -> ZoneInfo | None:
    """Look a zone up by its IANA name; None if there is no such zone."""
    if not name or name.startswith(_NO_PLACES) or name.endswith((".tab", ".zi")):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A path, a folder of the database (“America”) and a NUL byte fail in as many ways.
        return None


def machine_zone(environ: Mapping[str, str] = os.environ, etc: Path = Path("/etc")) -> ZoneInfo:
    """Tell the machine's zone; UTC where nothing says it."""
    return machine_says(environ, etc).zone


def machine_says(environ: Mapping[str, str] = os.environ, etc: Path = Path("/etc")) -> MachineZone:
    """Tell the machine's zone, where it was read, and what on the machine says another one."""
    variable, local, note = environ.get("TZ", ""), etc / "localtime", _text_of(etc / "timezone")
    said = []
    if variable:
        said.append(("TZ", variable, _of_variable(variable, note)))
    if os.path.lexists(local):
        said.append((str(local), "a zone that is on no list", _of_file(local, note)))
    if note:
        said.append((str(etc / "timezone"), note, known_zone(note)))
    zone, source = next(
        ((zone, source) for source, _, zone in said if zone is not None), (ZoneInfo("UTC"), "")
    )
    others = tuple(
        (where, text if found is None else found.key)
        for where, text, found in said
        if where != source and (found is None or not _are_alike(found.key, zone.key))
    )
    return MachineZone(zone=zone, source=source, others=others)


def named_by_abbreviation(word: str, limit: int = 3) -> list[str]:
    """Return zones whose clocks are called so in winter or in summer (“CEST”), known ones first."""
    wanted = word.strip().upper()
    found = [
        name
        for name, rule in _rules().items()
        if wanted in (rule[0], rule[2]) and "/" in name and not name.startswith("Etc/")
    ]
    known = [name for name in _CITIES if name in found]
    return (known or sorted(found))[:limit]


def _of_variable(text: str, note: str) -> ZoneInfo | None:
    """Read what TZ may be: a name, a file, or a rule of its own (tzset(3))."""
    text = text.removeprefix(":")
    if text.startswith("/"):
        return _of_file(Path(text), note)
    return known_zone(text) or _ruled_by(text)


def _of_file(file: Path, note: str) -> ZoneInfo | None:
    """Read a zone file: by the name of what it is or links to, else by what stands in it.

    ``note`` is the name that is meant where many have the same content.
    """
    for _ in range(_LINKS):
        zone = known_zone(_below_database(os.fspath(file)))
        if zone is not None:
            return zone
        try:
            file = file.parent / file.readlink()
        except OSError:
            break
    try:
        with file.open("rb") as stream:
            return _of_content(stream.read(_LARGEST), note)
    except OSError:
        return None


@cache
def _of_content(content: bytes, note: str) -> ZoneInfo | None:
    if known_zone(note) is not None and content in _files_of(note):
        return known_zone(note)
    same = (name for name in available_timezones() if content in _files_of(name))
    named = min(filter(known_zone, same), key=_by_renown, default="")
    if named:
        return known_zone(named)
    # Of another year's database, as in a container: what holds from now on is the same.
    return _ruled_by(_last_line(content))


def _text_of(note: Path) -> str:
    try:
        return note.read_text("utf-8", errors="replace").strip()[:64]
    except OSError:
        return ""


def _below_database(path: str) -> str:
    """Return the name of a file in the database, "" for any other file."""
    _, database, name = path.rpartition(_DATABASE)
    return name.removeprefix("posix/").removeprefix("right/") if database else ""


@cache
def _ruled_by(text: str) -> ZoneInfo | None:
    """Return a zone whose clocks go by a POSIX TZ from now on; None where there is none."""
    wanted = _rule_of(text)
    if wanted is None:
        return None
    alike = {name: rule for name, rule in _rules().items() if _matches(wanted, rule)}
    named = [name for name, rule in alike.items() if (rule[0], rule[2]) == (wanted[0], wanted[2])]
    return known_zone(min(named or alike, key=_by_renown, default=""))


def _matches(wanted: _Rule, rule: _Rule) -> bool:
    """Compare two rules: by offsets and days, and by names where the one has no days."""
    has_summer, has_days = wanted[2] is not None, wanted[4] is not None
    if has_summer and not has_days:
        return wanted[:4] == rule[:4]
    return (wanted[1], *wanted[3:]) == (rule[1], *rule[3:])


def _are_alike(one: str, other: str) -> bool:
    """Tell whether two zones are one, or go by one rule from now on."""
    return one == other or (_rule_named(one) or one) == (_rule_named(other) or other)


def _by_renown(name: str) -> tuple[int, bool, bool, str]:
    """Order zones that are alike: known cities first, then bare offsets, then other places."""
    known = _CITIES.index(name) if name in _CITIES else len(_CITIES)
    return (known, not name.startswith("Etc/GMT"), "/" not in name, name)


def _rules() -> Mapping[str, _Rule]:
    """Return the rule of each zone; to read them all takes some 50 ms."""
    named = ((name, _rule_named(name)) for name in available_timezones() if known_zone(name))
    return {name: rule for name, rule in named if rule is not None}


@cache
def _rule_named(name: str) -> _Rule | None:
    """Return the rule of a zone from now on."""
    rules = (_rule_of(_last_line(content)) for content in _files_of(name))
    return next((rule for rule in rules if rule is not None), None)


def _files_of(name: str) -> Iterator[bytes]:
    """Yield what the databases of this machine and of tzdata hold of a zone."""
    from importlib import resources  # by few commands, and it takes as long as the rest of them

    for folder in TZPATH:
        with suppress(OSError):
            yield Path(folder, name).read_bytes()
    with suppress(OSError, ModuleNotFoundError):
        yield resources.files("tzdata").joinpath("zoneinfo", name).read_bytes()


def _last_line(content: bytes) -> str:
    """Return the last line of a zone file (RFC 8536 section 3.3)."""
    return content.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", errors="replace")


def _rule_of(text: str) -> _Rule | None:
    """Read a POSIX TZ; None for what is none."""
    found = _POSIX.fullmatch(text)
    if found is None:
        return None
    try:
        offset = -_seconds(found["offset"])
        ahead = offset + 3600 if found["ahead"] is None else -_seconds(found["ahead"])
        times = [_seconds(at or "2") for at in (found["begins_at"], found["ends_at"])]
    except ValueError:
        return None
    if found["dst"] is None:
        return found["std"].strip("<>"), offset, None, None, None
    days = None if found["begins"] is None else (found["begins"], found["ends"], *times)
    return found["std"].strip("<>"), offset, found["dst"].strip("<>"), ahead, days


def _seconds(text: str) -> int:
    """Read hours, minutes and seconds: ``-5:30``."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    if len(parts) > 3:
        raise ValueError(text)
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
