"""docs/service.md says what the code does."""

import re
from pathlib import Path

from lorsync.adapters.service import launchd, systemd
from lorsync.adapters.service.files import kept
from lorsync.monitoring.health import Health
from lorsync.monitoring.metrics import HELP, NEEDS
from lorsync.monitoring.notifications import MORNING
from tests import ROOT

PAGE = (ROOT / "docs" / "service.md").read_text("utf-8")


def rows(heading: str) -> dict[str, str]:
    """Return the first two cells of each row of the table below a heading."""
    part = PAGE.partition(heading)[2]
    table = re.search(r"(?m)(^\|.*\n)+", part)
    assert table is not None
    cells = [line.strip("|\n").split("|") for line in table[0].splitlines()[2:]]
    return {first.strip(" `"): second.strip(" `") for first, second, *_ in cells}


def test_exit_codes_of_status_are_those_of_the_page() -> None:
    assert rows("and by its exit code:") == {str(int(h)): h.word for h in Health}


def test_needs_are_those_of_the_page() -> None:
    assert set(rows("What needs you, as")) == set(NEEDS)


def test_metrics_are_those_of_the_page() -> None:
    assert rows("### Metrics") == dict(HELP)


def test_files_and_times_are_those_of_the_page() -> None:
    for unit in (ROOT / "systemd").iterdir():
        assert unit.name in PAGE or unit.name == systemd.UNIT
    assert f"systemd/user/{systemd.UNIT}" in PAGE
    assert kept(Path(systemd.UNIT)).name in PAGE
    assert f"LaunchAgents/{launchd.LABEL}.plist" in PAGE
    assert f"from\n{MORNING:%H:%M} on" in PAGE or f"from {MORNING:%H:%M} on" in PAGE
