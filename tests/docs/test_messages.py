"""docs/troubleshooting.md speaks of messages that lorsync has, and of every exit code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import lorsync
from lorsync.cli.manpage import EXIT_CODES
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| `.*\|.*\|$", line)]
MESSAGES = [
    message for row in ROWS for message in re.findall(r"`([^`]+)`", re.split(r"(?<!\\)\|", row)[1])
]


@cache
def texts() -> frozenset[str]:
    """Return every text in the source; ``…`` stands for what is put in when it is shown."""
    found = set()
    for path in Path(lorsync.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
                found.add("".join(map(str, parts)))
    return frozenset(" ".join(text.split()) for text in found)


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 30


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_page_is_one_of_lorsyncs(message: str) -> None:
    assert any(message in text for text in texts())


def test_every_exit_code_has_its_place() -> None:
    stated = {int(code) for code in re.findall(r"\b(\d\d)\b(?=[,)])", PAGE)}
    # 0, Ctrl-C and `| head` are nothing wrong, status and doctor have pages; 64 to 66 say what to
    # type or which file.
    assert set(EXIT_CODES) - {0, 1, 2, 64, 65, 66, 130, 141} <= stated
