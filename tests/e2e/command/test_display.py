"""Whatever stands in a calendar, no command shows what a terminal acts on, or much of it."""

import json
import logging
import re
import unicodedata
from pathlib import Path

import pytest

from lorsync.cli.output.logs import Format, formatter
from tests.e2e.command.running import User
from tests.e2e.command.test_habits import on_a_terminal

ESCAPES = "\x9b31m\x9d0;owned\x9c \u202efdp.exe \u2066\ufeff"
LONG = "x" * 300_000

COMMANDS = [
    ("sync",),
    ("sync", "--json"),
    ("sync", "--dry-run"),
    ("status",),
    ("status", "--json"),
    ("plan",),
    ("plan", "--json"),
    ("timeline",),
    ("timeline", "--format", "html", "-o", "-"),
    ("doctor",),
    ("doctor", "--json"),
]


def of_titles(folder: Path) -> list[Path]:
    """Return the files of the events, each with its title behind ``SUMMARY:``."""
    return [f for f in sorted(folder.glob("*.ics")) if "memory" not in f.name]


@pytest.fixture
def config(user: User) -> Path:
    """A config whose folder of events somebody else has been writing in."""
    path, folder = user.home / "config.toml", user.home / "events"
    path.write_text(
        f"""
[applicant]
name = "Sam Reyes"
timezone = "UTC"

[calendar]
provider = "folder"
path = "{folder}"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-09-10
"""
    )
    user.json("sync", config=path)
    copied, guests, raw, *others = of_titles(folder)
    stamped = copied.read_bytes()
    (folder / "copy.ics").write_bytes(
        re.sub(rb"UID:\S+", b"UID:a-copy", stamped).replace(
            b"SUMMARY:", f"SUMMARY:{ESCAPES}{LONG}".encode()
        )
    )
    guests.write_bytes(
        guests.read_bytes()
        .replace(b"SUMMARY:", f"ATTENDEE:mailto:a@example.org\r\nSUMMARY:{ESCAPES}{LONG}".encode())
        .replace(b"\r\n\r\n", b"\r\n")
    )
    raw.write_bytes(raw.read_bytes().replace(b"SUMMARY:", b"SUMMARY:\x1b]0;owned\x07\x1b[2J"))
    for other in others:
        title = f"SUMMARY:{ESCAPES}".encode()
        other.write_bytes(other.read_bytes().replace(b"SUMMARY:", title))
    return path


def unfit(shown: str) -> set[str]:
    """Return what a terminal acts on, but for colours and the ends of lines."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.replace("\r\n", "\n"))
    acted_on = {"Cc", "Cf", "Zl", "Zp"}
    return {mark for mark in plain if unicodedata.category(mark) in acted_on} - {"\n", "\u200e"}


def test_no_command_shows_what_a_terminal_acts_on(user: User, config: Path) -> None:
    for command in COMMANDS:
        piped = user.types(*command, config=config)
        assert piped.returncode in {0, 1}, (command, piped.stderr)
        _, seen = on_a_terminal(user, user.arguments(*command, config=config), kind="xterm")
        for shown in (piped.stdout, piped.stderr, seen):
            assert unfit(shown) == set(), command
            assert len(shown) < 60_000, command
    # And what is shown says what the matter is.
    told = user.json("sync", config=config)
    assert "guests)" in user.types("status", config=config).stdout
    assert any("fdp.exe" in warning["message"] for warning in told["warnings"])


@pytest.mark.parametrize("how", Format)
def test_no_log_shows_what_a_terminal_acts_on(how: Format) -> None:
    record = logging.LogRecord(
        "lorsync", logging.WARNING, "", 0, "%s was \x1b[2Jcopied", (ESCAPES,), None
    )
    record.uid = ESCAPES
    line = formatter(how).format(record)
    assert unfit(line) == set()
    assert "fdp.exe" in line
    if how is Format.JSON:
        assert json.loads(line)["uid"] == ESCAPES
