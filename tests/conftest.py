"""What holds for every test."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import chance
from tests.needs import NEEDS, missing

_LACKS = "lacks "
"""How the reason of a test begins that was not run for want of something."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--account",
        metavar="FILE",
        help="Add to this file, as lines of JSON, what was collected and what became of it, for "
        "tools/what_ran.py.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let the usual run draw what it drew before, and the one with the long tests draw anew.

    What the usual run finds is then of the change at hand, and not a rare mistake of long ago that
    happens to be met now: the run without a limit to its minutes is there to find those. Test
    modules build settings of their own from the loaded profile when they are imported, after this.
    """
    marks = config.option.markexpr
    chance.derandomized = "not long" in marks and "long or" not in marks
    # How long an example takes says nothing on a machine that does more at once.
    settings.register_profile("lorsync", deadline=None, derandomize=chance.derandomized)
    settings.load_profile("lorsync")
    path, is_worker = config.getoption("--account"), hasattr(config, "workerinput")
    if path is not None and not is_worker:
        config.pluginmanager.register(Account(Path(path)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a test that needs what is not here."""
    needs = [name for mark in item.iter_markers("needs") for name in mark.args]
    needs += ["root"] if item.get_closest_marker("root") else []
    needs += ["ordinary user"] if item.get_closest_marker("not_root") else []
    lacking = missing(*needs)
    if lacking is not None:
        pytest.skip(f"{_LACKS}{lacking}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end which tests were not run, and with what they will be."""
    left_out = Counter(map(_reason, terminalreporter.stats.get("skipped", ())))
    if not left_out:
        return
    terminalreporter.section("not run")
    for reason, count in sorted(left_out.items()):
        need = NEEDS.get(reason.removeprefix(_LACKS))
        cure = "" if need is None else f"; to run them: {need.brought_by}"
        terminalreporter.write_line(f"{count} × {reason}{cure}")


class Account:
    """Keeps the account of a run for --account; with xdist, in the process that gathers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @pytest.hookimpl(tryfirst=True)  # before -m takes some of them out
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._write(
            {"collected": item.nodeid} for item in items if not item.get_closest_marker("long")
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self._write([{"ran": report.nodeid}])
        elif report.skipped:
            self._write([{"skipped": report.nodeid, "reason": _reason(report)}])

    def _write(self, lines: "Iterator[Mapping[str, str]] | list[Mapping[str, str]]") -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in lines)


def _reason(report: Any) -> str:
    """Return why a test was skipped."""
    _, _, reason = report.longrepr
    return str(reason).removeprefix("Skipped: ")
