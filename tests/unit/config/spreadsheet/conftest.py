"""Somebody who types ``lorsync init`` and ``add`` with answers from a pipe, in a home of theirs."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lorsync.cli import context, main
from lorsync.cli.commands import add, init
from lorsync.cli.wizard import next_steps
from lorsync.config import load
from lorsync.core.model import Season

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """Types commands; ``config`` is their config, there or not."""

    home: Path
    config: Path
    types: Callable[..., Said]

    @property
    def season(self) -> Season:
        return load(self.config).season


@pytest.fixture
def applicant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Applicant:
    """Somebody in Berlin on 22 November 2026."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for module in (init, add, context, next_steps):
        monkeypatch.setattr(module, "now", lambda: NOW)
    config = tmp_path / "config.toml"

    def types(*arguments: str | Path, answers: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        place = ["-c", str(config), "--state-dir", str(tmp_path / "state")]
        code = main([*place, *map(str, arguments)])
        captured = capsys.readouterr()
        return Said(code=code, out=captured.out, err=captured.err)

    return Applicant(home=tmp_path, config=config, types=types)
