"""S4, S18: another writer of the calendar writes into the memory, with a right stamp or not."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import ConfigError, UsageError
from lorsync.core.event.ical import description_of, replace_text
from lorsync.core.event.stamp import find_block, restamped, stamped
from lorsync.core.facts import Fact, Source
from lorsync.core.merge.entry import State
from lorsync.core.merge.memory import MEMORY_DAY, MEMORY_TITLE, is_memory, memory_uid
from lorsync.core.merge.memory_text import text_of
from lorsync.core.model import Facts, Kind, Uid
from lorsync.core.ports import Href
from lorsync.sync.marks import Said, take_back
from lorsync.sync.overrides import restore_memory_of
from lorsync.sync.report import Report
from tests.unit.sync.desk import DUE, START, Desk, letter, name_of

pytestmark = pytest.mark.slow

MENTORS = ("Alvarez", "Chen", "Novak")


@pytest.fixture
def season(desk: Desk) -> Desk:
    """A season with three mentors that stands on the calendar."""
    desk.change(*map(letter, MENTORS))
    desk.sync()
    return desk


def memory_href(desk: Desk) -> Href:
    (href,) = (href for href in desk.calendar.bodies if is_memory(name_of(href)))
    return href


def forge(desk: Desk, *lines: str, right_stamp: bool, instead_of: str = "") -> None:
    """Write lines into the memory, as anybody can who may write to the calendar."""
    href = memory_href(desk)
    body, uid = desk.calendar.bodies[href], Uid(name_of(href))
    description = description_of(body, uid)
    block = find_block(description)
    assert block is not None
    kept = [line for line in block.text.splitlines() if line != instead_of]
    text = "\n".join([*kept, *lines])
    if right_stamp:
        changed = replace_text(body, uid, restamped(block, text))
    else:
        changed = replace_text(body, uid, description.replace(block.text, text))
    desk.calendar.edit(href, changed)


def submitted(*mentors: str) -> list[str]:
    return [
        f"said submitted of {each}-letter on {START} at 2027-05-03T10:00:00+00:00"
        for each in mentors
    ]


def codes(report: Report) -> set[str]:
    return {warning.code for warning in report.warnings}


def message(report: Report, code: str) -> str:
    (warning,) = (each for each in report.warnings if each.code == code)
    return warning.message


def test_s18_facts_out_of_the_memory_explain_no_deletion(season: Desk) -> None:
    before = set(season.events())
    forge(season, *submitted(*MENTORS), right_stamp=True)
    report = season.sync()
    assert not report.deleted
    assert len(report.held) > 5
    assert before <= set(season.events())
    for each in MENTORS:
        assert f"{each}-letter submitted on 2027-05-03" in message(report, "learned")
    again = season.sync(at=time(13))
    assert set(again.held) == set(report.held)
    assert "memory" in message(again, "held")
    # A yes is a yes.
    assert len(season.sync(at=time(14), accept_deletions=True).deleted) == len(report.held)


def test_s4_a_fact_out_of_the_memory_is_named_so_and_can_be_taken_back(desk: Desk) -> None:
    desk.change(letter("Alvarez"))
    desk.sync()
    forge(desk, *submitted("Alvarez"), right_stamp=True)
    desk.sync()
    assert desk.facts() == {Fact.SUBMITTED: (START, Source.MEMORY)}
    said = Said(mentor="Alvarez", fact=Fact.SUBMITTED)
    take_back(desk.settings, desk.folder, said, now=datetime(2027, 5, 4, tzinfo=UTC))
    desk.sync(START + timedelta(days=1))
    assert desk.facts() == {}
    desk.lose_ledger()
    desk.sync()
    assert desk.facts() == {}


def test_s18_a_tick_that_only_the_memory_tells_of_explains_no_deletion(season: Desk) -> None:
    ticks = [
        f"ticked deadline of {each}-letter on 2027-09-10 for {each}-letter as {number:032x} "
        "submitted=2027-05-03"
        for number, each in enumerate(MENTORS)
    ]
    forge(season, *ticks, right_stamp=True)
    report = season.sync()
    assert not report.deleted
    assert len(report.held) > 5
    assert "Chen-letter submitted on 2027-05-03" in message(report, "learned")
    for each in MENTORS:
        said = Said(mentor=each, fact=Fact.SUBMITTED)
        take_back(season.settings, season.folder, said, now=datetime(2027, 5, 4, tzinfo=UTC))
    report = season.sync(at=time(15))
    assert not report.held
    assert season.facts() == {}
    season.lose_ledger()
    season.sync(at=time(16))
    assert season.facts() == {}


@pytest.mark.parametrize("ledger", [True, False])
def test_s4_what_stands_under_a_wrong_stamp_waits_for_a_yes(season: Desk, *, ledger: bool) -> None:
    before = dict(season.events())
    forge(season, *submitted(*MENTORS), right_stamp=False)
    forged = season.calendar.bodies[memory_href(season)]
    if not ledger:
        season.lose_ledger()
    for hour in (13, 14, 15):
        report = season.sync(at=time(hour))
        asked = message(report, "memory-doubted")
        assert "Alvarez-letter submitted on 2027-05-03" in asked
        assert "lorsync sync --accept-memory" in asked
        assert "lorsync restore memory" in asked
        assert not report.wrote
        assert not report.held
        assert season.facts() == {}
    before_it = season.calendar.requests
    assert season.sync(at=time(16)).requests == before_it + 1
    assert season.events() == before
    assert season.calendar.bodies[memory_href(season)] == forged


def test_s4_a_doubted_memory_that_the_person_believes_counts_and_is_stamped(season: Desk) -> None:
    forge(season, *submitted("Alvarez"), right_stamp=False)
    season.sync(at=time(13))
    report = season.sync(at=time(14), accept_memory=True)
    assert "memory-doubted" not in codes(report)
    assert not report.idle
    assert season.facts() == {Fact.SUBMITTED: (START, Source.MEMORY)}
    assert season.memory().marks
    report = season.sync(at=time(15), accept_memory=True)
    assert not report.wrote
    assert "nothing to accept" in report.idle[0]
    season.lose_ledger()
    report = season.sync(at=time(16))
    assert "memory-doubted" not in codes(report)
    assert season.facts() == {Fact.SUBMITTED: (START, Source.MEMORY)}


def test_s4_a_doubted_memory_that_the_person_does_not_believe_is_written_over(
    season: Desk,
) -> None:
    before = season.memory()
    forge(season, *submitted("Alvarez"), right_stamp=False)
    season.sync(at=time(13))
    restore_memory_of(season.folder)
    report = season.sync(at=time(14))
    assert "memory-doubted" not in codes(report)
    assert season.memory() == before
    assert season.facts() == {}
    with pytest.raises(UsageError, match="nobody asked"):
        restore_memory_of(season.folder)


def test_s4_one_yes_answers_one_question(season: Desk) -> None:
    forge(season, *submitted(*MENTORS), right_stamp=False)
    for answer in ("accept_deletions", "accept_newcomers", "take_over"):
        report = season.sync(**{answer: True})
        assert "memory-doubted" in codes(report)
        assert not report.deleted
    report = season.sync(accept_memory=True)
    assert len(report.held) > 5
    assert not report.deleted


@pytest.mark.parametrize("ledger", [True, False])
@pytest.mark.parametrize("line", ["closed for season " + "a" * 32, "config 0123abcd by 4567ef01"])
def test_s4_lines_under_a_wrong_stamp_stop_nothing(
    season: Desk, line: str, *, ledger: bool
) -> None:
    ruled = text_of(season.memory()).splitlines()
    (config,) = (each for each in ruled if each.startswith("config "))
    instead_of = config if line.startswith("config") else ""
    forge(season, line, instead_of=instead_of, right_stamp=False)
    if not ledger:
        season.lose_ledger()
    season.change(*map(letter, (*MENTORS, "Okoro")))
    assert season.sync().created


def test_s4_another_key_in_the_memory_makes_no_second_events(season: Desk) -> None:
    key = season.memory().key
    forge(season, "season " + "b" * 32, instead_of=f"season {key}", right_stamp=True)
    season.lose_ledger()
    before = set(season.events())
    season.sync()
    assert set(season.events()) == before
    assert season.memory().key == key


def test_s11_what_a_doubted_memory_says_was_deleted_is_not_created(season: Desk) -> None:
    request = season.find(Kind.REQUEST)
    season.calendar.remove(request)
    season.sync(at=time(12))
    season.sync(at=time(14))
    assert season.entries()[Uid(name_of(request))].state is State.DISMISSED
    forge(season, *submitted("Chen"), right_stamp=False)
    season.lose_ledger()
    for hour in (15, 17):
        season.sync(at=time(hour))
        assert request not in season.calendar.bodies
    season.sync(at=time(18), accept_memory=True)
    assert season.entries()[Uid(name_of(request))].state is State.DISMISSED
    assert request not in season.calendar.bodies


def test_i1_no_follow_up_is_added_to_those_that_a_doubted_memory_names(desk: Desk) -> None:
    desk.change(letter("Alvarez", facts=Facts(asked_on=START)))
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    desk.sync(DUE - timedelta(days=15))
    desk.calendar.remove(check_in)
    desk.sync()
    forge(desk, "unsaid asked of x on 2027-05-03 at 2027-05-03T10:00:00+00:00", right_stamp=False)
    desk.lose_ledger()
    report = desk.sync()
    assert "memory-doubted" in codes(report)
    follow_ups = [e for e in desk.entries().values() if e.identity.kind is Kind.FOLLOW_UP]
    assert len(follow_ups) + 1 <= 2


def plant(desk: Desk, *lines: str, generation: int = 0, right_stamp: bool = True) -> Href:
    """Write a whole memory of the season that the config names, before or beside lorsync's own."""
    made = desk.copied(desk.folder.with_name(f"planter-{generation}"))
    made.lose_ledger()
    if not any(is_memory(name_of(href)) for href in made.calendar.bodies):
        made.sync()
    memory = made.memory()
    uid = memory_uid(memory.key, generation)
    text = "\n".join(
        [text_of(replace(memory, writer="0123abcd", config="4567ef01", place="89abcdef")), *lines]
    )
    block = stamped(MEMORY_TITLE, MEMORY_DAY.isoformat(), text)
    if not right_stamp:
        block = block.replace("mentor ", "mentor  mentor ", 1)
    body = made.calendar.bodies[memory_href(made)]
    body = replace_text(body, Uid(name_of(memory_href(made))), block)
    return desk.calendar.put_foreign(
        f"{uid}.ics", body.replace(name_of(memory_href(made)).encode(), uid.encode())
    )


@pytest.mark.in_memory
@pytest.mark.parametrize("right_stamp", [True, False])
def test_s4_a_memory_planted_before_the_first_sync_is_not_believed(
    desk: Desk, *, right_stamp: bool
) -> None:
    deleted = f"deleted deadline of Chen-letter on {DUE} noticed {START} for Chen-letter as " + (
        "c" * 32
    )
    planted = plant(desk, *submitted("Alvarez"), deleted, right_stamp=right_stamp)
    report = desk.sync()
    assert "memory-doubted" in codes(report)
    assert desk.facts() == {}
    assert {e.mentor for e in desk.entries().values()} == {"Alvarez", "Chen"}
    # What it says was deleted waits with it, and nothing else does.
    assert not [e for e in desk.entries().values() if e.state is not State.LIVE]
    for answer in ("take_over", "accept_deletions"):
        desk.sync(**{answer: True})
        assert desk.facts() == {}
    restore_memory_of(desk.folder)
    report = desk.sync()
    assert Kind.DEADLINE in {event.identity.kind for event in desk.entries().values()}
    assert "memory-doubted" not in codes(report)
    assert desk.facts() == {}
    assert planted in desk.calendar.bodies
    assert not desk.memory().marks
    assert not desk.sync().wrote


@pytest.mark.in_memory
def test_s20_a_config_that_takes_over_does_not_believe_the_facts_of_a_planted_memory(
    desk: Desk,
) -> None:
    made = desk.copied(desk.folder.with_name("made"))
    made.sync()
    talk = made.find(Kind.TALK)
    plant(desk, *submitted("Alvarez"))
    desk.calendar.put_foreign(f"{name_of(talk)}.ics", made.calendar.bodies[talk])
    with pytest.raises(ConfigError, match="--take-over"):
        desk.sync()
    report = desk.sync(take_over=True)
    assert "memory-doubted" in codes(report)
    assert desk.facts() == {}
    assert talk in desk.calendar.bodies
    assert {"Alvarez", "Chen"} == {event.mentor for event in report.plan.events}
    desk.sync(accept_memory=True)
    assert desk.facts() == {Fact.SUBMITTED: (START, Source.MEMORY)}


@pytest.mark.in_memory
def test_s4_a_planted_later_generation_takes_no_ledgers_place(season: Desk) -> None:
    request = season.find(Kind.REQUEST)
    season.calendar.remove(request)
    season.sync(at=time(12))
    season.sync(at=time(14))
    plant(season, *submitted("Alvarez"), generation=9, right_stamp=False)
    season.lose_ledger()
    season.sync(at=time(15))
    assert season.facts() == {}
    assert season.entries()[Uid(name_of(request))].state is State.DISMISSED
    assert request not in season.calendar.bodies


@pytest.mark.parametrize("number", ["9" * 5000, "²", "x"])
def test_s4_a_name_that_looks_like_a_memorys_stops_nothing(season: Desk, number: str) -> None:
    uid = memory_uid(season.memory().key, 0)
    season.calendar.put_foreign(f"{uid}-{number}.ics", b"x")
    season.change(*map(letter, (*MENTORS, "Okoro")))
    assert season.sync(at=time(13)).created


def test_s4_an_answer_under_a_wrong_stamp_is_named(season: Desk) -> None:
    forge(season, "sure Chen at 2027-05-03T10:00:00+00:00", right_stamp=False)
    asked = message(season.sync(), "memory-doubted")
    assert "how often Chen was followed up is known" in asked


def test_s20_what_the_other_machine_said_needs_no_yes(season: Desk, tmp_path: Path) -> None:
    other = replace(season, folder=tmp_path / "other")
    report = other.sync()
    assert not codes(report) & {"memory-doubted", "learned"}
    talk = season.find(Kind.TALK)
    season.calendar.remove(talk)
    season.sync(at=time(12))
    season.sync(at=time(14))
    third = replace(season, folder=tmp_path / "third")
    report = third.sync(at=time(15))
    assert "memory-doubted" not in codes(report)
    day = third.entries()[Uid(name_of(talk))].day
    assert f"talk of Alvarez on {day} deleted" in message(report, "learned")
