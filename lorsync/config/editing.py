"""Write entries of the config, and add one to a file without touching anything else in it.

``[[…]]`` entries are put into the text where the others of their kind end: tomlkit's own way to
append one tears comments from what they introduce, and writes interleaved tables in another order
(0.15.2). tomlkit writes the values, and appends to lists such as ``letters = [{ … }]``. Whatever
is tried, the result counts only if it is the old text with one piece put in, and says what the old
one said with one entry more.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import takewhile
from operator import eq
from typing import Any, Final

from lorsync.core.errors import DataError

BOM: Final = "\ufeff"
_HEADER = re.compile(
    r"^([ \t]*)(\[\[?)[ \t]*[\"']?([A-Za-z0-9_-]+)[\"']?[ \t]*(?:\.[^\]\n]*)?\]", re.MULTILINE
)


def value_text(value: object) -> str:
    """Write a value as TOML, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {value_text(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    import tomlkit

    return str(tomlkit.item(value).as_string())


def key_line(key: str, value: object, remark: str | None = None) -> str:
    """Write one key, with a comment behind it."""
    return f"{key} = {value_text(value)}" + (f"   # {remark}" if remark else "")


def entry_lines(
    table: str, values: Mapping[str, Any], remarks: Mapping[str, str] | None = None
) -> list[str]:
    """Write one ``[[table]]`` entry; ``remarks`` are comments behind its keys."""
    said = remarks or {}
    return [f"[[{table}]]", *(key_line(key, v, said.get(key)) for key, v in values.items())]


def with_entry(text: str, table: str, values: Mapping[str, Any]) -> str:
    """Return a config's text with one entry more, the last of its table.

    Comments, order, line ends and style of all else stay. Raises DataError, with the entry to
    write by hand, where the file is written in a way that allows no safe addition.
    """
    mark, text = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    before = tomllib.loads(text)
    wanted = {**before, table: [*before.get(table, []), dict(values)]}
    for candidate in _candidates(text, table, values):
        if _is_insertion(text, candidate) and _parsed(candidate) == wanted:
            return mark + candidate
    entry = "\n".join(f"  {line}" for line in entry_lines(table, values))
    raise DataError(
        f"{table} is written in a way to which nothing can be added safely. Write it yourself:\n"
        + entry
    )


def _candidates(text: str, table: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Give the texts to try, the best one first."""
    headers = list(_HEADER.finditer(text))
    own = [n for n, header in enumerate(headers) if header[2] == "[[" and header[3] == table]
    for number in reversed(own):
        others = (header for header in headers[number + 1 :] if header[3] != table)
        following = next(others, None)
        end = len(text) if following is None else following.start()
        start = headers[number].start()
        end = start + _end_of_entry(text[start:end])
        yield _spliced(text, end, table, values, like=headers[number])
    appended = _appended_to_list(text, table, values)
    if appended is not None:
        yield appended
    yield from _behind_last_entry(text, table, values)
    yield _spliced(text, len(text), table, values, like=headers[-1] if headers else None)


def _end_of_entry(region: str) -> int:
    """Find where an entry ends: what stands behind a blank line introduces what follows."""
    lines = region.splitlines(keepends=True)
    while True:
        while lines and not lines[-1].strip():
            lines.pop()
        comments = len(list(takewhile(_is_comment, reversed(lines))))
        if not comments or comments == len(lines) or lines[-comments - 1].strip():
            return len("".join(lines))
        del lines[-comments:]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _spliced(
    text: str, place: int, table: str, values: Mapping[str, Any], *, like: re.Match[str] | None
) -> str:
    """Put an entry in, indented and set apart as the header ``like`` is."""
    newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    indent = like[1] if like is not None else ""
    block = "".join(f"{indent}{line}{newline}" for line in entry_lines(table, values))
    if _set_apart(text, like):
        block = newline + block
    if place and not text[:place].endswith("\n"):
        block = newline + block
    return text[:place] + block + text[place:]


def _set_apart(text: str, like: re.Match[str] | None) -> bool:
    """Tell whether a blank line stands above a header, or above the comments on it."""
    if like is None:
        return bool(text)
    above = text[: like.start()].splitlines()
    while above and _is_comment(above[-1]):
        above.pop()
    return not above or not above[-1].strip()


def _appended_to_list(text: str, table: str, values: Mapping[str, Any]) -> str | None:
    """Append to a table that is written as a list of ``{ … }``.

    tomlkit sees the list alone: of a whole file with interleaved tables it changes the order.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import Array

    found = _list_of(text, table)
    if found is None:
        return None
    start, end = found
    try:
        document = tomlkit.parse(text[start:end])
    except TOMLKitError:  # it refuses here and there what tomllib takes
        return None
    entries = document[table]
    if not isinstance(entries, Array):
        return None
    entries.append(tomlkit.parse(f"_ = {value_text(values)}")["_"])
    return text[:start] + tomlkit.dumps(document) + text[end:]


def _behind_last_entry(text: str, table: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Append to a list on one line, where tomlkit would take the blank before a ``}`` away."""
    found = _list_of(text, table)
    brace = -1 if found is None else text.rfind("}", *found)
    if brace >= 0:
        place = brace + 1
        yield f"{text[:place]}, {value_text(values)}{text[place:]}"


def _list_of(text: str, table: str) -> tuple[int, int] | None:
    """Find where ``table = [ … ]`` stands: it ends with the first bracket that makes it whole."""
    key = re.search(rf"^[ \t]*{table}[ \t]*=[ \t]*\[", text, re.MULTILINE)
    if key is None:
        return None
    for bracket in re.finditer(r"\]", text[key.start() :]):
        end = key.start() + bracket.end()
        if _parsed(text[key.start() : end]) is not None:
            return key.start(), end
    return None


def _is_insertion(old: str, new: str) -> bool:
    """Tell whether ``new`` is ``old`` with one piece put in."""
    front = sum(1 for _ in takewhile(bool, map(eq, old, new)))
    return len(new) >= len(old) and new.endswith(old[front:])


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
