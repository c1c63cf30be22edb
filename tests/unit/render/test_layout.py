"""Where everything stands in the picture, for any season."""

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorsync.core.model import History, Kind, Stage
from lorsync.core.phrases import MONTHS
from lorsync.render.timeline.layout import Layout, lay_out
from lorsync.render.timeline.season import Mark, Sign, State, Timeline
from tests.unit.core.seasons import as_placed, letter, mentor, placed, planned, season
from tests.unit.core.strategies import seasons as any_season
from tests.unit.render.seasons import DUE, TODAY, crowded, drawn, neighbours, strange


@cache
def hard(name: str) -> Timeline:
    return drawn({"strange": strange, "crowded": crowded, "neighbours": neighbours}[name]())


def marks(of: Layout) -> list[tuple[str, str, str, int]]:
    """Return a layout's marks in short: day, sign, state, row."""
    return [
        (place.mark.day.isoformat(), place.mark.sign, place.mark.state, place.row)
        for lane in of.lanes
        for place in lane.places
    ]


def test_the_layout_of_a_season_is_this_one():
    told = season(
        letter("a", DUE, asked_on=date(2026, 8, 3), followed_up_on=(date(2026, 8, 21),)),
        mentors=[mentor(not_before=date(2026, 8, 1))],
    )
    layout = lay_out(drawn(told), marks=30, characters=100)
    assert marks(layout) == [
        ("2026-08-03", "request", "done", 0),
        ("2026-08-21", "follow-up", "done", 0),
        ("2026-09-16", "follow-up", "planned", 0),
        ("2026-09-23", "deadline", "planned", 0),
        ("2026-09-24", "thank-you", "planned", 1),
    ]
    timeline = layout.timeline
    assert (timeline.first, timeline.last) == (date(2026, 7, 30), date(2026, 9, 28))
    assert [(round(t.at, 3), t.label) for t in layout.months] == [(0.033, "Aug"), (0.541, "Sep")]
    assert [(t.at, t.label) for t in layout.years] == [(0.0, "2026")]
    (lane,) = layout.lanes
    assert layout.today == pytest.approx((28 + 0.5) / 61)
    assert lane.places[0].at == pytest.approx((4 + 0.5) / 61)
    assert lane.bands[0].start == 0.0
    assert lane.bands[0].end == pytest.approx(2 / 61)
    assert lane.writing is not None
    assert (lane.writing.start, lane.writing.end) == (lane.places[0].at, lane.places[3].at)


@pytest.mark.parametrize("width", [4, 12, 30, 60, 200])
@pytest.mark.parametrize("make", ["strange", "crowded", "neighbours"])
def test_no_two_marks_of_a_lane_overlap(make, width):
    layout = lay_out(hard(make), marks=width, characters=width)
    for lane in layout.lanes:
        for row in range(lane.rows):
            at = [place.at for place in lane.places if place.row == row]
            assert at
            assert all(after - before >= 1 / width - 1e-6 for before, after in pairwise(at))


def test_days_in_a_row_of_a_long_season_stand_under_each_other():
    layout = lay_out(drawn(neighbours()), marks=30, characters=60)
    assert [row for _, _, _, row in marks(layout)[:5]] == [0, 1, 2, 3, 4]


@settings(max_examples=40)
@given(any_season(), st.integers(4, 120))
def test_all_of_any_season_is_inside_and_in_order(of, width):
    told = drawn(of)
    layout = lay_out(told, marks=width, characters=width)
    for lane in layout.lanes:
        assert [place.mark for place in lane.places] == list(lane.lane.marks)
        assert all(0 < place.at < 1 for place in lane.places)
        assert all(0 <= band.start < band.end <= 1 for band in lane.bands)
    for ticks in (layout.months, layout.years):
        named = [tick for tick in ticks if tick.label]
        assert all(0 <= tick.at <= 1 for tick in ticks)
        for tick, following in pairwise(named):
            assert following.at - tick.at >= len(tick.label) / width


@pytest.mark.parametrize(("characters", "labels"), [(200, 12), (60, 12), (40, 6), (24, 4), (12, 2)])
def test_months_are_named_as_often_as_there_is_room(characters, labels):
    told = season(letter("a", date(2027, 6, 15), asked_on=date(2026, 7, 1)))
    layout = lay_out(drawn(told, date(2026, 7, 1)), marks=30, characters=characters)
    named = [tick.label for tick in layout.months if tick.label]
    assert set(named) <= set(MONTHS)
    assert abs(len(named) - labels) <= 1


def test_a_today_far_from_the_season_does_not_stretch_it():
    told = season(letter("a", date(2027, 9, 10)))
    far = drawn(told, date(2026, 8, 1))
    assert not far.shows_today
    assert lay_out(far, marks=30, characters=60).today is None
    assert drawn(told, date(2027, 7, 10)).shows_today


def test_r10_the_time_of_writing_ends_with_the_submission():
    told = season(letter("a", DUE, asked_on=date(2026, 8, 3), submitted_on=date(2026, 8, 20)))
    (lane,) = drawn(told).lanes
    assert lane.writing == (date(2026, 8, 3), date(2026, 8, 20))
    due = next(mark for mark in lane.marks if mark.sign is Sign.DEADLINE)
    assert due.state is State.DONE


def test_what_is_alike_on_one_day_is_one_mark():
    told = season(letter("a", DUE), letter("b", DUE), mentors=[mentor()])
    (lane,) = drawn(told, date(2026, 7, 1)).lanes
    (due,) = (mark for mark in lane.marks if mark.sign is Sign.DEADLINE)
    assert due.letters == ("a", "b")
    assert len(due.texts) == 2 or len(set(due.texts)) == 1


def states(*listed: object, sign: Sign, **facts: object) -> list[tuple[date, State]]:
    """Return the marks of a sign after events that the ledger remembers."""
    told = season(letter("a", DUE, **facts))
    (lane,) = drawn(told, TODAY, History(placed=listed)).lanes  # type: ignore[arg-type]
    return [(mark.day, mark.state) for mark in lane.marks if mark.sign is sign]


def test_r1_a_request_whose_day_passed_is_told_from_one_that_was_stated():
    past = placed(Kind.REQUEST, date(2026, 8, 5), slot="1")
    assert states(past, sign=Sign.REQUEST) == [(date(2026, 8, 5), State.PASSED)]
    stated = states(past, sign=Sign.REQUEST, asked_on=date(2026, 8, 6))
    assert stated == [(date(2026, 8, 6), State.DONE)]


def test_s11_what_was_deleted_stays_to_be_seen():
    gone = placed(Kind.FOLLOW_UP, date(2026, 9, 2), slot="1", dismissed=True)
    found = states(gone, sign=Sign.FOLLOW_UP, asked_on=date(2026, 8, 1))
    assert (date(2026, 9, 2), State.DISMISSED) in found


def test_s10_a_moved_event_is_marked_where_it_was_put():
    told = season(letter("a", DUE, asked_on=date(2026, 8, 1)))
    marks_of = drawn(told).lanes[0].marks
    assert not any(mark.pinned for mark in marks_of)
    follow_up = next(m for m in marks_of if m.sign is Sign.FOLLOW_UP)
    event = next(e for e in planned(told, TODAY).events if e.day == follow_up.day)
    moved = as_placed(event, day=event.day + timedelta(days=1), pinned=True)
    (lane,) = drawn(told, TODAY, History(placed=(moved,))).lanes
    pinned = [mark for mark in lane.marks if mark.pinned]
    assert [(mark.day, mark.sign) for mark in pinned] == [(moved.day, Sign.FOLLOW_UP)]


def test_a_passed_due_date_without_a_letter_is_overdue():
    told = season(letter("a", date(2026, 8, 20), asked_on=date(2026, 7, 1)))
    (lane,) = drawn(told).lanes
    assert lane.letters[0].stage is Stage.OVERDUE
    due: Mark = next(mark for mark in lane.marks if mark.sign is Sign.DEADLINE)
    assert (due.day, due.state) == (date(2026, 8, 20), State.OVERDUE)
