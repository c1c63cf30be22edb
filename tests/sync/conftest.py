from pathlib import Path

import pytest

from tests.sync.desk import Desk, letter, settings


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two mentors, one letter each, nothing written yet."""
    return Desk(folder=tmp_path / "state", settings=settings(letter("Alvarez"), letter("Chen")))
