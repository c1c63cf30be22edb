"""A season that the version before the rooms were laid out has written is taken over whole.

``written_before`` holds its ledger and its calendar: one follow-up was moved, one request ticked,
one event deleted.
"""

import shutil
from datetime import time
from pathlib import Path

import pytest

from lorsync.core.merge.memory import is_memory
from tests.fakes import FakeCalendar
from tests.unit.sync.desk import Desk, letter, name_of, settings

pytestmark = pytest.mark.in_memory

BEFORE = Path(__file__).with_name("written_before")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    calendar = FakeCalendar()
    for file in sorted((BEFORE / "calendar").iterdir()):
        calendar.put_foreign(file.name, file.read_bytes())
    season = settings(letter("Alvarez"), letter("Chen"), letter("Novak"))
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    shutil.copy(BEFORE / "ledger.sqlite3", state)
    return Desk(folder=state, settings=season, calendar=calendar)


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_version_before_has_written_stays_as_it_is(desk: Desk, *, lost: bool) -> None:
    before = dict(desk.calendar.bodies)
    if lost:
        desk.lose_ledger()
    for hour in (16, 18, 20):
        report = desk.sync(at=time(hour))
        assert (report.created, report.deleted, report.missing) == ((), (), ())
    kept = {change.changed for change in report.kept}
    assert kept == {("ticked",), ("date",)}
    events = {href for href in before if not is_memory(name_of(href))}
    assert desk.calendar.bodies.keys() == before.keys()
    assert all(desk.calendar.bodies[href] == before[href] for href in events)
    assert not desk.sync(at=time(21)).wrote
    assert report.plan.budgets["Alvarez"].spent == 0
