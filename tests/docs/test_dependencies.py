"""docs/dependencies.md has a row for each package that pyproject.toml names, and no other."""

import inspect
import re
import tomllib
from typing import Any

import pytest

from tests import ROOT, warm


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


def test_the_benchmarks_have_all_that_their_servers_need():
    """A fresh clone has made nothing else when ``make bench`` runs."""
    project = _project()
    extra, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    brought = [*extra["local"], *groups["bench"]]
    brought += [e for entry in groups["bench"] if isinstance(entry, dict) for e in _in(entry)]
    started = re.search(r'Warm\("(\w+)\.server", "(\w+)\.web"', inspect.getsource(warm.servers))
    assert started is not None
    assert {_name(entry) for entry in brought if isinstance(entry, str)} >= {*started.groups()}


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _in(entry: dict[str, str]) -> list[str]:
    """Return what a group has that another one includes."""
    found: list[str] = _project()["dependency-groups"][entry["include-group"]]
    return found


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9.-]", requirement)[0]


def _named() -> list[str]:
    project = _project()
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    return [_name(entry) for group in groups for entry in group if isinstance(entry, str)]


def _page() -> str:
    return (ROOT / "docs" / "dependencies.md").read_text()
