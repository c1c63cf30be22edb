"""Without strong ETags nothing can be guarded: a pass looks, warns once, and goes on (S22)."""

from datetime import timedelta

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.errors import TryAgainError
from lorsync.core.model import Kind
from lorsync.sync.memory import restore_memory
from tests.unit.sync.desk import DUE, Desk, letter
from tests.unit.sync.test_careless import before_the_look
from tests.unit.sync.test_merge import annotate, drag, retitle

pytestmark = pytest.mark.slow

LATER = DUE + timedelta(days=14)


@pytest.fixture
def vague(desk: Desk) -> Desk:
    """A desk before a server that names no versions."""
    desk.calendar.names_versions = False
    desk.sync()
    return desk


def warned(report) -> list[str]:
    return [w.code for w in report.warnings if w.code == "unguarded"]


def test_s22_a_pass_with_nothing_to_do_writes_nothing_and_says_nothing(vague: Desk) -> None:
    before = dict(vague.calendar.bodies)
    report = vague.sync()
    assert not report.wrote
    assert not warned(report)
    assert vague.calendar.bodies == before


def test_s22_events_and_memory_are_changed_after_a_look_and_one_warning(vague: Desk) -> None:
    before = {vague.calendar.href_for(change.uid) for change in vague.sync().plan.events}
    assert before
    vague.change(letter("Alvarez", due=LATER), letter("Chen"))
    report = vague.sync()
    assert report.updated
    assert warned(report) == ["unguarded"]
    assert not vague.sync().wrote
    vague.change(letter("Chen"))
    report = vague.sync(accept_deletions=True)
    assert report.deleted
    assert warned(report) == []
    hrefs = {vague.calendar.href_for(event.uid) for event in report.plan.events}
    assert hrefs == set(vague.events())


@pytest.mark.parametrize("edit", [drag, retitle, annotate])
def test_s22_what_the_person_does_before_the_look_stays(vague: Desk, edit) -> None:
    href = vague.find(Kind.REQUEST)
    vague.change(letter("Alvarez", due=LATER), letter("Chen"))
    # The first look is the listing's, the second the memory's; then the events are written.
    before_the_look(vague, lambda: edit(vague, href), number=2)
    vague.sync()
    report = vague.sync()
    assert [change.changed for change in report.kept]


def test_s22_a_memory_that_another_one_wrote_meanwhile_is_read_first(vague: Desk) -> None:
    other = Desk(
        folder=vague.folder.with_name("second"), settings=vague.settings, calendar=vague.calendar
    )
    other.sync()
    other.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    vague.change(letter("Alvarez", due=LATER), letter("Chen"))
    before_the_look(vague, lambda: other.sync(take_over=True), number=2)
    with pytest.raises(TryAgainError):
        vague.sync()


def test_s22_a_memory_that_is_deleted_meanwhile_stays_deleted(vague: Desk) -> None:
    memory = next(href for href in vague.calendar.bodies if "memory" in href)
    vague.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    before_the_look(vague, lambda: vague.calendar.remove(memory), number=2)
    report = vague.sync()
    assert "memory-deleted" in {w.code for w in report.warnings}
    assert memory not in vague.calendar.bodies
    ledger = SqliteLedger(vague.folder)
    try:
        assert restore_memory(ledger)
    finally:
        ledger.close()
