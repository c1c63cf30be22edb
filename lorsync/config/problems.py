"""Say what is wrong in a config: key path, value, what is allowed, and what may be meant.

No text that could hold a password is shown: the user part of an address is masked everywhere, and
problems about keys that may carry a secret come without their value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from lorsync.core.display import printable
from lorsync.core.errors import ConfigError
from lorsync.core.phrases import near

KeyPath = tuple[str | int, ...]

SHOWN: Final = 60
"""How many characters of a value a problem shows."""

_ABSENT: Final = object()

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, and what is allowed there.

    The value is looked up in the file when the problem is shown, unless it may be a ``secret``.
    """

    path: KeyPath
    allowed: str
    secret: bool = False


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Say ``; did you mean "…"?`` if an option is near, else nothing."""
    found = near(word, options)
    return "" if found is None else f"; did you mean {shown(found)}?"


def one_of(options: Iterable[str]) -> str:
    """List what is allowed: ``one of a, b, c``."""
    return "one of " + ", ".join(options)


def masked(text: str) -> str:
    """Leave the user part out of an address (``https://…@host``): it may hold a password."""
    start, end = text.find("//"), text.rfind("@")
    return text if start < 0 or end < start else f"{text[:start]}//…{text[end:]}"


def shortened(text: str) -> str:
    """Cut a text at 60 characters."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def shown(value: object) -> str:
    """Write a value much as TOML does, on one line and not at length."""
    match value:
        case str():
            # Masked before it is cut, since the end of a user part may lie behind the cut.
            return '"' + shortened(printable(masked(value)[: 2 * SHOWN])) + '"'
        case bool():
            return str(value).lower()
        case int() if abs(value) >= 10**SHOWN:
            return "a very long number"
        case datetime() | date() | time():
            return value.isoformat()
        case list():
            return _shown_list(value)
        case dict():
            return "{ … }" if value else "{}"
        case _:
            return shortened(str(value))


def _shown_list(values: list[Any]) -> str:
    """Show a list of plain values; one of tables or lists only by its length."""
    if any(isinstance(value, list | dict) for value in values):
        return f"a list of {len(values)}"
    first = ", ".join(shown(value) for value in values[:10])
    return shortened(f"[{first}]") if len(values) <= 10 else shortened(f"[{first}, …]")


def written(path: KeyPath) -> str:
    """Write a key path as ``letters[3].deadline``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part if _BARE_KEY.fullmatch(part) else shown(part)
            text += ("." if text else "") + shortened(bare)
    return text


def report(source: Path, raw: Mapping[str, Any], problems: Iterable[Problem]) -> ConfigError:
    """Put all problems into one error: a heading, then one line each in the file's order."""
    ordered = sorted(problems, key=lambda problem: _place(raw, problem.path))
    lines = list(dict.fromkeys(_line(raw, problem) for problem in ordered))
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return ConfigError("\n  ".join([f"{printable(str(source))}: {count}", *lines]))


def _line(raw: Mapping[str, Any], problem: Problem) -> str:
    value = _ABSENT if problem.secret else _value(raw, problem.path)
    said = "" if value is _ABSENT else f" {shown(value)} —"
    return f"{written(problem.path)}:{said} {problem.allowed}{_label(raw, problem.path, value)}"


def _value(raw: object, path: KeyPath) -> object:
    """Look up what the file says at a path."""
    node = raw
    for part in path:
        if isinstance(node, dict):
            node = node.get(part, _ABSENT)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return _ABSENT
    return node


def _label(raw: Mapping[str, Any], path: KeyPath, value: object) -> str:
    """Name the entry that a path with an index is about, as a person would look for it."""
    entry = _value(raw, path[:2])
    if len(path) < 2 or not isinstance(path[1], int) or not isinstance(entry, dict):
        return ""
    names = (entry.get(key) for key in ("id", "name", "mentor"))
    name = next((name for name in names if isinstance(name, str) and name.strip()), None)
    return "" if name is None or name == value else f" (in {shown(name)})"


def _place(raw: object, path: KeyPath) -> tuple[int, ...]:
    """Say where in the file a path stands; a key that is missing comes after its table."""
    place: list[int] = []
    node = raw
    for part in path:
        if isinstance(node, dict):
            keys = list(node)
            place.append(keys.index(part) if part in node else len(keys))
            node = node.get(part)
        elif isinstance(node, list) and isinstance(part, int):
            place.append(part)
            node = node[part] if part < len(node) else None
    return tuple(place)
