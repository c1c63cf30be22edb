"""Find the time zone that this machine is set to, where the config names none."""

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DATABASE = "zoneinfo/"

# Names that the database holds beside places: what the machine is set to, leap-second copies.
_NO_PLACES = ("localtime", "posixrules", "Factory", "posix/", "right/", "leap", "tzdata")


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
    """Tell the machine's zone from ``TZ``, ``/etc/timezone`` or ``/etc/localtime``, else UTC."""
    for name in (_from_environ(environ), _from_timezone(etc), _from_localtime(etc)):
        zone = known_zone(name)
        if zone is not None:
            return zone
    return ZoneInfo("UTC")


def _from_environ(environ: Mapping[str, str]) -> str:
    return _below_database(environ.get("TZ", "").removeprefix(":"))


def _from_timezone(etc: Path) -> str:
    try:
        return (etc / "timezone").read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def _from_localtime(etc: Path) -> str:
    try:
        return _below_database(str((etc / "localtime").readlink()))
    except OSError:
        return ""


def _below_database(path: str) -> str:
    return path.rpartition(_DATABASE)[2]
