"""``lorsync timeline`` and ``lorsync plan`` as they are typed."""

import os
import pty
import re
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from lorsync.cli import main
from tests import ROOT
from tests.e2e.command.running import User

SEASON = ROOT / "docs" / "season.toml"
AS_OF = ("--as-of", "2026-08-29")


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on the season of the docs, and return its code, output and error."""

    def tell(*arguments: str, config: Path = SEASON) -> tuple[int, str, str]:
        code = main(["-c", str(config), "--state-dir", str(tmp_path / "state"), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return tell


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "season.png"), "neither .svg nor .html"),
        (("-o", "season"), "add --format"),
        (("-o", "-"), "add --format"),
        (("--format", "svg"), "add -o FILE"),
        (("-o", "/nowhere/season.svg"), "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(told, arguments, said):
    code, out, error = told("timeline", *arguments)
    assert (code, out) == (73 if "written" in said else 64, "")
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("name", "start"), [("a.svg", "<svg "), ("b.HTML", "<!doctype html>")])
def test_a_file_is_written_whole_and_no_state_is_made(told, tmp_path, name, start):
    file = tmp_path / name
    file.write_text("old")
    code, out, _ = told("timeline", *AS_OF, "-o", str(file))
    assert (code, out) == (0, f"The season is drawn in {file}.\n")
    assert file.read_text(encoding="utf-8").startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_facts_of_the_ledger_are_drawn_as_those_of_the_config(told):
    assert told("mark", "chen", "submitted", "--on", "2026-08-28")[0] == 0
    _, out, _ = told("timeline", *AS_OF)
    lane = out[out.index("Dr. Wei Chen") : out.index("Dr. Petra")]
    assert "submitted" in lane
    assert "▣" in lane
    assert "○" not in lane


def on_a_terminal(user: User, columns: int, *arguments: str, **environment: str) -> str:
    """Return what a command shows on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        user.arguments(*arguments, config=SEASON),
        env=user.environ() | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=user.home,
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk
    except OSError:
        pass  # the other end is closed: all of it is read
    os.close(ours)
    assert process.wait(timeout=300) == 0
    return shown.decode()


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"),
    [("xterm-256color", "", True), ("xterm-256color", "1", False), ("dumb", "", False)],
)
def test_a_terminal_of_50_columns_is_kept_to(tmp_path, terminal, no_color, coloured):
    told = User(home=tmp_path)
    environment = {"TERM": terminal} | ({"NO_COLOR": no_color} if no_color else {})
    shown = on_a_terminal(told, 50, "timeline", *AS_OF, **environment)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)) == coloured
    assert ("\x1b" in shown) == coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line.rstrip("\r")) for line in plain.split("\n")) <= 50
    assert "Dr. Petra Novák" in plain
