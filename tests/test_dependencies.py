"""docs/dependencies.md has a row for each package that pyproject.toml names, and no other."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_each_dependency_has_one_row():
    rows = re.findall(r"(?m)^\| ([a-z][a-z0-9-]*) \|(?! what for)", _page())
    assert sorted(rows) == sorted(_named())


def test_each_row_names_places_that_are_there():
    """A module that is renamed takes its row along."""
    cells = re.findall(r"(?m)^\|.*\| ([^|]*`[^|]*) \|$", _page())
    places = {place for cell in cells for place in re.findall(r"`([^`]+)`", cell)} - {"zoneinfo"}
    assert len(places) > 10
    # The lorsync that the tests import is the installed one; the page speaks of the source.
    assert {place for place in places if not (ROOT / place).exists()} == set()


@pytest.mark.parametrize("table", ["apscheduler", "radicale", "pytest", "ruff", "vdirsyncer"])
def test_a_row_says_all_that_its_head_promises(table):
    row = next(line for line in _page().splitlines() if line.startswith(f"| {table} |"))
    assert len([cell for cell in row.strip("|").split("|") if cell.strip()]) == 6


def _named() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    return [re.split(r"[^A-Za-z0-9.-]", entry)[0] for group in groups for entry in group]


def _page() -> str:
    return (ROOT / "docs" / "dependencies.md").read_text()
