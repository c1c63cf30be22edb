"""Killed at any boundary, before or after its effect, the next pass reaches the undisturbed state.

(I2, I7.) Every call to the calendar and every transaction of the ledger is a boundary; each is
failed once, as a kill (nothing more runs) and as an error of the network.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import LorsyncError, UnavailableError
from lorsync.core.facts import Mark
from lorsync.core.merge.entry import Entry
from lorsync.core.model import Facts, Kind, Uid
from lorsync.core.ports import Ledger
from tests.fakes import FakeCalendar
from tests.unit.sync.desk import DUE, START, Desk, letter, settings

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Bomb:
    """Goes off at the n-th boundary; counts them when it has none."""

    def __init__(self, at: int | None, error: type[BaseException]) -> None:
        self.count = 0
        self._at = at
        self._error = error

    def tick(self) -> None:
        self.count += 1
        if self.count == self._at:
            raise self._error("boom")


class BombedLedger:
    """A real ledger whose transactions are boundaries."""

    def __init__(self, ledger: Ledger, bomb: Bomb) -> None:
        self._ledger = ledger
        self._bomb = bomb

    @property
    def place(self) -> str:
        return self._ledger.place

    def entries(self) -> dict[Uid, Entry]:
        return self._ledger.entries()

    def retired(self) -> frozenset[Uid]:
        return self._ledger.retired()

    def memos(self) -> Mapping[str, str]:
        return self._ledger.memos()

    def marks(self) -> Sequence[Mark]:
        return self._ledger.marks()

    def save_marks(self, marks: Iterable[Mark], *, forget: Iterable[Mark] = ()) -> None:
        self._bomb.tick()
        self._ledger.save_marks(marks, forget=forget)
        self._bomb.tick()

    def save(
        self,
        entries: Iterable[Entry],
        *,
        forget: Iterable[Uid] = (),
        retire: Iterable[Uid] = (),
        memos: Mapping[str, str | None] | None = None,
    ) -> None:
        self._bomb.tick()
        self._ledger.save(entries, forget=forget, retire=retire, memos=memos)
        self._bomb.tick()

    def clear(self, memos: Mapping[str, str | None]) -> None:
        self._bomb.tick()
        self._ledger.clear(memos)
        self._bomb.tick()

    def remember_later(self, memos: Mapping[str, str | None]) -> None:
        self._ledger.remember_later(memos)

    def remember(self, memos: Mapping[str, str | None]) -> None:
        self._bomb.tick()
        self._ledger.remember(memos)
        self._bomb.tick()


def bombed(desk: Desk, bomb: Bomb) -> None:
    desk.ledger_of = lambda ledger: BombedLedger(ledger, bomb)
    desk.calendar.faults = lambda *_: bomb.tick()


def disarmed(desk: Desk) -> None:
    desk.ledger_of = lambda ledger: ledger
    desk.calendar.faults = None


def first_write(desk: Desk) -> None:
    """Nothing was ever written."""


def plan_moved(desk: Desk) -> None:
    """One letter is due later, another left the config: updates and deletions."""
    desk.sync()
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))


def person_was_there(desk: Desk) -> None:
    """The person retitled one event and deleted another, and the plan has moved."""
    plan_moved(desk)
    desk.person_changes(desk.find(Kind.REQUEST), summary="Mine now")
    desk.calendar.remove(desk.find(Kind.FOLLOW_UP, slot="1"))


def one_left(desk: Desk) -> None:
    """One letter left the config: deletions."""
    desk.settings = settings(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen", due=DUE + timedelta(days=7)))


SITUATIONS = [first_write, plan_moved, person_was_there, one_left]


def new_desk(folder: Path) -> Desk:
    return Desk(
        folder=folder,
        settings=settings(letter("Alvarez"), letter("Chen")),
        calendar=FakeCalendar(connections=1),
    )


def state_of(desk: Desk) -> tuple[dict[str, bytes], frozenset[object]]:
    """Return what is on the calendar, the memory by what it says: who wrote it is by chance."""
    bodies = {str(href): desk.calendar.bodies[href] for href in desk.events()}
    return bodies, desk.memory().points


@pytest.mark.parametrize("error", [Killed, UnavailableError], ids=["kill", "network"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_i7_a_pass_that_dies_at_any_boundary_is_made_good_by_the_next(
    tmp_path: Path, situation: Callable[[Desk], None], error: type[BaseException]
) -> None:
    before = new_desk(tmp_path / "before")
    situation(before)
    calm = before.copied(tmp_path / "calm")
    counter = Bomb(None, error)
    bombed(calm, counter)
    calm.sync(accept_deletions=True)
    disarmed(calm)
    expected = state_of(calm)
    assert counter.count > 10
    for at in range(1, counter.count + 1):
        desk = before.copied(tmp_path / f"{at}")
        bombed(desk, Bomb(at, error))
        with pytest.raises((Killed, LorsyncError)):
            desk.sync(accept_deletions=True)
        disarmed(desk)
        desk.sync(accept_deletions=True)
        assert state_of(desk) == expected, f"boundary {at}"
        settled = desk.sync(accept_deletions=True)
        assert not settled.wrote, f"boundary {at}"
        assert not settled.adopted, f"boundary {at}"


def test_i7_a_pass_that_dies_after_ledger_and_memory_were_lost_still_asks(tmp_path: Path) -> None:
    before = new_desk(tmp_path / "before")
    before.change(letter("Alvarez", facts=Facts(asked_on=START)))
    before.sync()
    before.day = DUE - timedelta(days=15)
    before.lose_ledger()
    (memory,) = before.calendar.bodies.keys() - before.events().keys()
    before.calendar.remove(memory)
    calm = before.copied(tmp_path / "calm")
    counter = Bomb(None, Killed)
    bombed(calm, counter)
    calm.sync()
    for at in range(1, counter.count + 1):
        desk = before.copied(tmp_path / f"{at}")
        bombed(desk, Bomb(at, Killed))
        with pytest.raises(Killed):
            desk.sync()
        disarmed(desk)
        for _ in range(2):
            report = desk.sync()
            asked = "unknown-follow-ups" in {warning.code for warning in report.warnings}
            assert asked, f"boundary {at}"
            assert Kind.FOLLOW_UP not in {event.kind for event in report.plan.events}


# What a person deleted a moment ago is known to the ledger alone: that has no answer here.
@pytest.mark.parametrize("situation", [first_write, plan_moved, one_left])
def test_i2_a_kill_and_a_lost_ledger_leave_no_duplicate_and_no_gap(
    tmp_path: Path, situation: Callable[[Desk], None]
) -> None:
    before = new_desk(tmp_path / "before")
    situation(before)
    calm = before.copied(tmp_path / "calm")
    counter = Bomb(None, Killed)
    bombed(calm, counter)
    calm.sync(accept_deletions=True)
    expected = set(calm.events())
    for at in range(1, counter.count + 1, 3):
        desk = before.copied(tmp_path / f"{at}")
        bombed(desk, Bomb(at, Killed))
        with pytest.raises(Killed):
            desk.sync(accept_deletions=True)
        disarmed(desk)
        desk.lose_ledger()
        desk.sync(accept_deletions=True, take_over=True)
        assert set(desk.events()) >= expected, f"boundary {at}"
        planned = {event.uid for event in desk.sync(accept_deletions=True).plan.events}
        uids = [href.rpartition("/")[2].removesuffix(".ics") for href in desk.calendar.bodies]
        assert len(uids) == len(set(uids))
        assert planned <= set(uids)
