"""Find the fenced blocks of README.md and docs/*.md, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^( *)(```+)([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)

_SHELLS = {"sh", "bash", "shell", "console", "text", ""}
_PROMPT = re.compile(r"^\s*[$#] (?=\S)")


class Block(NamedTuple):
    """A fenced block: its page, the line where it begins, its language, its text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """Say where it stands, as a compiler would."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class Typed(NamedTuple):
    """One command that a page tells people to type."""

    block: Block
    line: str

    @property
    def words(self) -> list[str]:
        """The command's words, without what the shell does with its output."""
        return shlex.split(re.split(r" (?:[|>]|2>|&&) ?", self.line)[0], comments=True)


def blocks(page: Path) -> Iterator[Block]:
    """Find the fenced blocks of a page."""
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        indent = len(found[1])
        body = "".join(line[indent:] for line in found[4].splitlines(keepends=True))
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[3].strip(), body)


def typed(block: Block) -> Iterator[Typed]:
    """Find the commands of a block.

    In a block of a shell every line is one, but where there are prompts: then only the lines with
    a prompt are, and the others are what it printed. Lines that end in a backslash go on.
    """
    if block.language not in _SHELLS:
        return
    lines = block.text.replace("\\\n", " ").splitlines()
    prompted = [line for line in lines if line.lstrip().startswith("$ ")]
    if not prompted and block.language not in {"sh", "bash", "shell"}:
        return
    for line in prompted or lines:
        command = _PROMPT.sub("", line).strip() if prompted else line.strip()
        if command and not command.startswith("#"):
            yield Typed(block, command)
