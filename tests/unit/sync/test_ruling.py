"""S9, S20: whose config rules a calendar where the ledger is lost, and whose season is whose."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import ConfigError
from lorsync.core.merge.memory import is_memory
from lorsync.core.model import Facts, Letter, MentorId
from lorsync.core.settings import Settings
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, Desk, letter, name_of, settings
from tests.unit.sync.test_crashes import Bomb, Killed, bombed, disarmed

pytestmark = pytest.mark.slow

LATER = DUE + timedelta(days=10)
CHANGED = (letter("Alvarez", due=LATER), letter("Chen"))
ASKED = Facts(asked_on=START)
WEEKS = timedelta(days=14)


def went_on(report: Report) -> bool:
    """Tell whether a pass says that it went on with another config than the one that ruled."""
    return "went-on" in {warning.code for warning in report.warnings}


def another_machine(desk: Desk, tmp_path: Path, *letters: Letter) -> Desk:
    """Return a machine with no ledger and another config."""
    other = replace(desk, folder=tmp_path / "other")
    other.change(*(letters or CHANGED))
    return other


def test_s20_a_lost_ledger_and_a_changed_config_go_on_where_they_were(desk: Desk) -> None:
    desk.sync()
    desk.lose_ledger()
    desk.change(*CHANGED)
    report = desk.sync()
    assert (went_on(report), bool(report.updated)) == (True, True)
    assert not went_on(desk.sync())
    assert not desk.sync().wrote


def test_i1_what_is_used_up_is_so_for_who_goes_on(desk: Desk) -> None:
    desk.change(letter("Alvarez", facts=ASKED), letter("Chen"))
    desk.sync()
    desk.sync(DUE - timedelta(days=15))
    desk.lose_ledger()
    desk.change(letter("Alvarez", due=LATER, facts=ASKED), letter("Chen"))
    report = desk.sync()
    assert went_on(report)
    assert report.plan.budgets[MentorId("Alvarez")].spent == 1


def test_s20_another_machine_stands_by_while_there_are_signs_of_life(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    before = dict(desk.calendar.bodies)
    other = another_machine(desk, tmp_path)
    for day in (START, START + timedelta(days=13)):
        with pytest.raises(ConfigError, match="--take-over"):
            other.sync(day)
    assert desk.calendar.bodies == before


def test_s20_another_machine_goes_on_where_nobody_has_shown_life_for_two_weeks(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    other = another_machine(desk, tmp_path)
    report = other.sync(START + WEEKS)
    assert (went_on(report), bool(report.updated)) == (True, True)
    (message,) = (w.message for w in report.warnings if w.code == "went-on")
    assert "2027-05-03" in message
    # The first one was alive after all: it is the one that stands by now, and says so.
    desk.day = other.day
    with pytest.raises(ConfigError, match="--take-over"):
        desk.sync()
    with pytest.raises(ConfigError, match="--take-over"):
        desk.sync(START + 3 * WEEKS)
    assert not other.sync().wrote


def test_s20_each_writing_of_the_memory_is_a_sign_of_life_and_no_other_request_is(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    desk.day = START + timedelta(days=10)
    desk.sync()
    before = desk.calendar.requests
    desk.sync()
    assert desk.calendar.requests - before == 1
    # What the person does is no sign of a machine's life, what a machine remembers of it is.
    desk.change(letter("Alvarez", facts=ASKED), letter("Chen"))
    desk.sync()
    other = another_machine(desk, tmp_path)
    with pytest.raises(ConfigError):
        other.sync(START + WEEKS)
    assert went_on(other.sync(START + timedelta(days=10) + WEEKS))


def test_s20_a_dry_run_of_who_goes_on_leaves_it_open(desk: Desk, tmp_path: Path) -> None:
    desk.sync()
    other = another_machine(desk, tmp_path)
    assert went_on(other.sync(START + WEEKS, dry_run=True))
    assert went_on(other.sync())


def test_i7_who_went_on_goes_on_though_killed_at_any_point(desk: Desk, tmp_path: Path) -> None:
    desk.sync()
    calm = another_machine(desk.copied(tmp_path / "calm"), tmp_path)
    counter = Bomb(None, Killed)
    bombed(calm, counter)
    calm.sync(START + WEEKS)
    disarmed(calm)
    for at in range(1, counter.count + 1):
        torn = another_machine(desk.copied(tmp_path / f"{at}"), tmp_path / f"at-{at}")
        bombed(torn, Bomb(at, Killed))
        with pytest.raises(Killed):
            torn.sync(START + WEEKS)
        disarmed(torn)
        torn.sync()
        assert torn.sync().plan == calm.sync().plan, f"boundary {at}"
        assert not torn.sync().wrote, f"boundary {at}"
        assert torn.events().keys() == calm.events().keys(), f"boundary {at}"


def of_somebody_else(*letters: Letter) -> Settings:
    """Return the config of another applicant."""
    found = settings(*letters)
    applicant = replace(found.season.applicant, name="Sam Reyes")
    return replace(found, season=replace(found.season, applicant=applicant))


def test_s9_a_season_of_somebody_else_with_the_same_mentor_is_called_that(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    before = desk.events()
    other = replace(desk, folder=tmp_path / "other", settings=of_somebody_else(letter("Alvarez")))
    with pytest.raises(ConfigError) as refused:
        other.sync()
    said = str(refused.value)
    assert "Maya Okafor" in said
    assert "somebody else" in said
    assert "--new-cycle" in said
    report = other.sync(new_cycle=True)
    assert len(report.created) == 6
    assert len(desk.events()) == len(before) + 6
    assert len([h for h in desk.calendar.bodies if is_memory(name_of(h))]) == 2
    for machine in (desk, other, desk):
        assert not machine.sync().wrote
    # Each finds its own season again, and touches none of the other.
    for machine in (desk, other):
        machine.lose_ledger()
        assert not machine.sync().wrote
