"""Text for terminals and pipes that do not take Unicode: signs and letters become ASCII.

Nothing that lorsync prints may fail over its encoding. What an encoding lacks is replaced by what
looks like it, in as many columns as it would have taken.
"""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Mapping

import click

from lorsync.core.display import visible

_HANDLER = "lorsync.plain"
_NARROWEST = 20
"""Columns below which nothing is folded any further."""

_USUAL = 80
"""Columns of a terminal that does not say how many it has."""

_LOOKALIKES = {
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "─": "-", "━": "-", "═": "=",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "·": "-", "•": "*", "…": "...",
    "→": ">", "←": "<", "▸": ">", "◂": "<", "│": "|", "░": ":", "▏": "|", "×": "x", "✗": "x",
    "●": "*", "◐": "+", "○": "o", "✓": "v", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "\u00a0": " ", "\u200e": "",
}  # fmt: skip


def speak_plainly() -> None:
    """Let stdout and stderr replace what they cannot encode, and be ASCII in the C locale.

    Python writes UTF-8 in the C locale (PEP 540); somebody who asks for C by name has a terminal
    for ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if asks_for_ascii(os.environ):
            stream.reconfigure(encoding="ascii", errors=_HANDLER)
        elif not is_unicode(stream.encoding):
            stream.reconfigure(errors=_HANDLER)


def echo(message: str = "", *, err: bool = False, nl: bool = True, styled: bool = False) -> None:
    """Print to stdout, or stderr, in whatever these speak; click's own writes UTF-8 over ASCII.

    Colours are for terminals alone: ``styled`` says that there are some, and that the text between
    them has been made fit to be shown.
    """
    stream = sys.stderr if err else sys.stdout
    text = message if styled and stream.isatty() else visible(click.unstyle(message))
    print(text, end="\n" if nl else "", file=stream)


def complain(message: str) -> None:
    """Print what is wrong to stderr, with whose words they are in front."""
    text = folded(f"lorsync: {message}", err=True, more="  ")
    if in_journal():
        # Without its level a line counts as information, and “journalctl -p err” leaves it out.
        text = "\n".join(f"<3>{line}" for line in text.splitlines())
    echo(text, err=True)


def in_journal() -> bool:
    """Tell whether the journal reads stderr (systemd.exec(5), $JOURNAL_STREAM).

    A terminal of a desktop that is itself a service hands the variable on to its shells; what they
    start writes elsewhere all the same.
    """
    stated = os.environ.get("JOURNAL_STREAM")
    if stated is None:
        return False
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return stated == f"{found.st_dev}:{found.st_ino}"


def folded(text: str, *, err: bool = False, more: str = "") -> str:
    """Fold the lines of a message at the width of the terminal on stdout, or on stderr.

    A pipe gets each line whole. ``more`` sets in what is folded below the line that
    it belongs to. An address or a path stays in one piece, so that it can be copied.
    """
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return text
    import textwrap

    wide = columns(err=err)
    return "\n".join(
        textwrap.fill(
            line,
            wide,
            subsequent_indent=line[: len(line) - len(line.lstrip())] + more,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts, ``1 event``, ``2 events``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def columns(*, err: bool = False) -> int:
    """Return how wide the terminal on stdout, or stderr, is; COLUMNS goes first.

    It is 80 where there is no terminal, or one that does not say.
    """
    stated = os.environ.get("COLUMNS", "")
    if stated.isdecimal() and int(stated):
        return max(_NARROWEST, int(stated))
    try:
        return max(
            _NARROWEST, os.get_terminal_size((sys.stderr if err else sys.stdout).fileno())[0]
        )
    except (OSError, ValueError):  # ValueError: a stream without a descriptor
        return _USUAL


def at_most_80() -> int:
    """Return the width of a paragraph: the terminal's, and no more than is read with ease."""
    return min(_USUAL, columns())


def asks_for_ascii(environ: Mapping[str, str]) -> bool:
    """Tell whether the locale is C by name, and nothing says more of Python's own encoding."""
    if environ.get("PYTHONIOENCODING") or environ.get("PYTHONUTF8"):
        return False
    named = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, named), "") in {"C", "POSIX"}


def is_unicode(encoding: str | None) -> bool:
    """Tell whether an encoding has every sign."""
    return (encoding or "utf-8").lower().startswith("utf")


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    kept = "".join(_plain(mark) for mark in error.object[error.start : error.end])
    return kept, error.end


def _plain(mark: str) -> str:
    """Return one mark in ASCII: a lookalike, the letter without its accent, or question marks."""
    if mark in _LOOKALIKES:
        return _LOOKALIKES[mark]
    base = "".join(part for part in unicodedata.normalize("NFKD", mark) if part.isascii())
    if base or unicodedata.combining(mark):
        return base
    return "??" if unicodedata.east_asian_width(mark) in "WF" else "?"


codecs.register_error(_HANDLER, _replaced)
