from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import emulated_internet, on_every_calendar
from tests.emulators.internet import Internet
from tests.emulators.worlds import EMULATED, EmulatedCalendar, emulate
from tests.unit.sync.desk import Desk, letter, settings

__all__ = ["emulated_internet"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "desk" in metafunc.fixturenames:
        on_every_calendar(metafunc, "desk", ["fake"])


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """Two mentors, one letter each, nothing written yet; on the fake or an emulated provider."""
    made = Desk(folder=tmp_path / "state", settings=settings(letter("Alvarez"), letter("Chen")))
    if request.param in EMULATED:
        internet: Internet = request.getfixturevalue("emulated_internet")
        made.calendar = EmulatedCalendar(emulate(request.param, internet))
    yield made
    made.calendar.close()
