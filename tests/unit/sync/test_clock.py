"""S21: nothing is written, and nothing concluded, while the server's clock and ours disagree."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest

from lorsync.core.errors import ClockError
from lorsync.core.merge.entry import State
from lorsync.core.model import Kind
from lorsync.sync.listing import FULL_LISTING_EVERY
from lorsync.sync.overrides import unpin
from tests.unit.sync.desk import DUE, START, ZONE, Desk, event_of, letter

NOON = datetime.combine(START, time(12), ZONE)

pytestmark = pytest.mark.in_memory


def server_is(desk: Desk, off: timedelta) -> None:
    """Let the server's clock be off from ours at the desk's next pass."""
    ours = datetime.combine(desk.day, desk.at, ZONE).astimezone(UTC)
    desk.calendar.stated_time = ours + off


@pytest.mark.parametrize("off", [timedelta(hours=1, seconds=1), timedelta(days=-400)])
def test_s21_nothing_is_written_while_the_clocks_are_over_an_hour_apart(
    desk: Desk, off: timedelta
) -> None:
    server_is(desk, off)
    with pytest.raises(ClockError) as caught:
        desk.sync()
    assert caught.value.exit_code == 75
    message = str(caught.value)
    assert f"{NOON:%Y-%m-%d %H:%M} EDT by this machine's clock" in message
    assert f"{NOON + off:%Y-%m-%d %H:%M} " in message
    assert "Set this machine's clock" in message
    assert {operation for operation, _ in desk.calendar.operations} == {"listing"}
    assert desk.entries() == {}


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(minutes=-59), None])
def test_s21_an_hour_or_a_server_without_a_clock_is_no_reason(
    desk: Desk, off: timedelta | None
) -> None:
    if off is not None:
        server_is(desk, off)
    assert desk.sync().created


def test_s21_the_hours_of_a_zone_are_no_difference(desk: Desk) -> None:
    desk.calendar.stated_time = NOON.astimezone(UTC)
    assert desk.sync().created


def test_s21_instants_are_compared_over_the_end_of_summer_time(desk: Desk) -> None:
    desk.sync()
    # 01:30 comes twice on this night in New York; the server's is the second one.
    desk.day, desk.at = date(2027, 11, 7), time(1, 30)
    desk.calendar.stated_time = datetime(2027, 11, 7, 6, 30, 1, tzinfo=UTC)
    with pytest.raises(ClockError, match=r"01:30 EDT by .* 01:30 EST by"):
        desk.sync()


def test_s21_a_wrong_clock_makes_no_missing_event_dismissed(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    desk.calendar.remove(href)
    desk.sync()
    before = desk.entries()
    desk.day += timedelta(days=2)
    server_is(desk, timedelta(days=-2))
    with pytest.raises(ClockError):
        desk.sync(full=True)
    assert desk.entries() == before
    assert [e.state for e in before.values() if e.href == href] == [State.MISSING]


def test_s21_a_wrong_clock_spends_no_follow_up(desk: Desk) -> None:
    desk.sync()
    before, bodies = desk.entries(), desk.calendar.bodies
    desk.day = DUE + timedelta(days=3)
    server_is(desk, timedelta(days=-100))
    desk.change(letter("Alvarez", due=DUE + timedelta(days=120)), letter("Chen"))
    with pytest.raises(ClockError):
        desk.sync()
    assert desk.entries() == before
    assert desk.calendar.bodies == bodies
    desk.day = START + timedelta(days=1)
    server_is(desk, timedelta(0))
    budget = desk.sync().plan.budgets["Alvarez"]
    assert (budget.spent, budget.planned) == (0, 2)


def test_s21_what_the_wrong_clock_saw_is_seen_again_by_the_right_one(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    desk.person_changes(href, summary="Mine now")
    server_is(desk, FULL_LISTING_EVERY)
    with pytest.raises(ClockError):
        desk.sync()
    server_is(desk, timedelta(0))
    assert [change.changed for change in desk.sync().kept] == [("title",)]


def test_s21_a_dry_run_warns_and_goes_on(desk: Desk) -> None:
    server_is(desk, timedelta(hours=5))
    report = desk.sync(dry_run=True)
    assert report.created
    (warning,) = [w for w in report.warnings if w.code == "clock"]
    assert "by the calendar server's" in warning.message
    server_is(desk, timedelta(0))
    assert "clock" not in {w.code for w in desk.sync(dry_run=True).warnings}


@pytest.mark.parametrize("at", [None, time(0), time(8, 30)])
def test_s21_no_floating_time_is_ever_written(desk: Desk, at: time | None) -> None:
    desk.settings = replace(desk.settings, style=replace(desk.settings.style, at=at))
    desk.sync()
    assert not any(floating(body) for body in desk.calendar.bodies.values())
    # A person's app may write one; once the date is lorsync's again, it is put right.
    href = desk.find(Kind.REQUEST)
    start, end = (datetime.combine(date(2027, 8, 2), time(hour)) for hour in (9, 10))
    desk.person_changes(href, dtstart=start, dtend=end)
    desk.sync()
    assert floating(desk.calendar.bodies[href]) == ["DTSTART", "DTEND"]
    unpin(desk.folder, "Alvarez", START)
    desk.change(letter("Alvarez", due=DUE + timedelta(days=20)), letter("Chen"))
    assert desk.sync().updated
    assert not any(floating(body) for body in desk.calendar.bodies.values())


def floating(body: bytes) -> list[str]:
    """Name the properties of a body whose times have no zone."""
    event = event_of(body)
    found = []
    for component in [event, *event.subcomponents]:
        for name, value in component.property_items(recursive=False):
            moment = getattr(value, "dt", None)
            if isinstance(moment, datetime) and moment.tzinfo is None:
                found.append(name)
            assert not isinstance(value, icalendar.vDDDLists)
    return found
