"""Days as people write them: read, found to be two, or refused; never guessed."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorsync.config.spreadsheet.dates import (
    Either,
    Order,
    Read,
    Unread,
    proven_order,
    read_day,
    sure_day,
)

TODAY = date(2026, 11, 22)
FIRST = date(2026, 12, 1)
DAYS = st.dates(date(2023, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    "text",
    ["2026-12-01", "1 Dec 2026", "1 December 2026", "Dec 1, 2026", "Dec. 1st, 2026", "1-Dec-26",
     "December 1 2026", "1st of December, 2026", "Tuesday, 1 December 2026", "Tue 1 Dec 2026",
     "2026/12/01", "2026.12.1", "20261201", "26/12/01", "  2026-12-01  ", "2026 Dec 1",
     "2026-12-01 00:00:00", "2026-12-01T00:00", "DECEMBER 1, 2026", "1. Dec 2026"],
)  # fmt: skip
def test_common_spellings(text: str) -> None:
    assert read_day(text, today=TODAY) == Read(day=FIRST)


@pytest.mark.parametrize(
    "text", ["12/01/2026", "12-01-2026", "12.01.2026", "12/1/26", "12/01/2026."]
)
def test_two_days_stay_two(text: str) -> None:
    assert read_day(text, today=TODAY) == Either(day_first=date(2026, 1, 12), month_first=FIRST)
    assert read_day(text, today=TODAY, order=Order.MONTH_FIRST) == Read(day=FIRST)
    assert proven_order(text, today=TODAY) is None
    with pytest.raises(ValueError, match="Write 2026-01-12 or 2026-12-01"):
        sure_day(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "order"),
    [("12/25/2026", Order.MONTH_FIRST), ("25.12.2026", Order.DAY_FIRST), ("5/5/2027", None),
     ("12/25/26", Order.MONTH_FIRST), ("2026-12-25", None), ("Dec 25, 2026", None)],
)  # fmt: skip
def test_what_a_spelling_proves(text: str, order: Order | None) -> None:
    assert isinstance(read_day(text, today=TODAY), Read)
    assert proven_order(text, today=TODAY) is order


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no day"),
        ("soon", "no day"),
        ("12/01", "year is missing"),
        ("Dec 1", "day or its year is missing"),
        ("Dec-26", "day or its year is missing"),
        ("46357", "1 December 2026"),
        ("46357.5", "Excel"),
        ("30 Feb 2027", "no such day"),
        ("13/13/2026", "no such day"),
        ("2026-02-30", "no such day"),
        ("Fri 1 Dec 2026", "is a Tuesday"),
        ("1 Dec 1066", "year is from"),
        ("1 Dec 98", "four digits"),
        ("24/12/25", "which of these is the year"),
        ("1 Dec or 2 Jan 2027", "no day"),
        ("next Friday", "no day"),
        ("12/01/2026 (firm)", "no day"),
        ("1² Dec 2026", "no day"),
        ("2026-12-01T25:00", "no such day and time"),
    ],
)
def test_what_is_no_day_says_why(text: str, why: str) -> None:
    found = read_day(text, today=TODAY)
    assert isinstance(found, Unread)
    assert why in found.why


@pytest.mark.parametrize(
    "text", ["2026-12-01 23:59", "Dec 1, 2026 at 5pm ET", "12/01/2026 11:59 PM", "1 Dec 2026 17:00"]
)
def test_a_time_without_its_offset_is_left_out_and_said(text: str) -> None:
    found = read_day(text, today=TODAY, order=Order.MONTH_FIRST)
    assert isinstance(found, Read)
    assert found.day == FIRST
    assert found.note is not None
    assert "is left out" in found.note


def test_a_time_with_its_offset_is_kept() -> None:
    found = read_day("2026-12-01T23:59:00-05:00", today=TODAY)
    assert found == Read(day=datetime.fromisoformat("2026-12-01T23:59:00-05:00"))


@given(day=DAYS)
def test_every_day_is_read_back_from_each_spelling(day: date) -> None:
    for spelling in ("%Y-%m-%d", "%d %b %Y", "%B %d, %Y", "%A, %d %B %Y", "%Y/%m/%d", "%d-%b-%Y"):
        assert read_day(day.strftime(spelling), today=TODAY) == Read(day=day)
    for spelling, order in (("%d/%m/%Y", Order.DAY_FIRST), ("%m/%d/%Y", Order.MONTH_FIRST)):
        text = day.strftime(spelling)
        assert read_day(text, today=TODAY, order=order) == Read(day=day)
        unaided = read_day(text, today=TODAY)
        if isinstance(unaided, Either):
            assert day == unaided.by(order)
            assert unaided.day_first != unaided.month_first
        else:
            assert unaided == Read(day=day)


@given(text=st.text(max_size=20) | st.text("0123456789/-. :JanDecTsu,²٣", max_size=16))
def test_any_text_is_read_or_refused(text: str) -> None:
    for order in (None, *Order):
        found = read_day(text, today=TODAY, order=order)
        if isinstance(found, Read):
            assert 1970 <= found.day.year <= 2200
