"""Place a season's marks: days become shares of the width, and what would overlap gets rows.

A share is a number from 0 (the left edge of the first day) to 1 (the right edge of the last). A
renderer says how many marks, and how many characters, fit side by side across its width.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from lorsync.core.phrases import MONTHS
from lorsync.render.timeline.season import Lane, Mark, Timeline

_STEPS = (1, 2, 3, 6)
"""Every how many months are named, the first of these for which there is room."""


_ROOM = 4.5
"""How many characters wide a month has to be to be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The first day of a month, or the first that is shown of one.

    ``label`` is empty where there is no room for its name.
    """

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a mark stands: the middle of its day, and its row in the lane, 0 on top."""

    mark: Mark
    at: float
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of a lane, with a short reason for it and all that there is to say."""

    start: float
    end: float
    why: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLane:
    """One lane with its rows."""

    lane: Lane
    rows: int
    places: tuple[Place, ...]
    bands: tuple[Band, ...]
    writing: Band | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A season with every position in it. ``today`` is None where it is not among the days."""

    timeline: Timeline
    months: tuple[Tick, ...]
    years: tuple[Tick, ...]
    today: float | None
    lanes: tuple[PlacedLane, ...]


def lay_out(timeline: Timeline, *, marks: float, characters: float) -> Layout:
    """Return where everything stands.

    ``marks`` and ``characters`` are how many of them fit side by side across the width; marks in
    one row are at least one ``marks``-th apart, whatever their days.
    """
    months = list(_months(timeline))
    return Layout(
        timeline=timeline,
        months=tuple(_ticks(timeline, months, characters)),
        years=tuple(_years(timeline, months, characters)),
        today=middle(timeline, timeline.today) if timeline.shows_today else None,
        lanes=tuple(_placed(lane, timeline, 1 / marks) for lane in timeline.lanes),
    )


def middle(timeline: Timeline, day: date) -> float:
    """Return the share of a day's middle."""
    return ((day - timeline.first).days + 0.5) / timeline.days


def _edge(timeline: Timeline, day: date) -> float:
    return (day - timeline.first).days / timeline.days


def _placed(lane: Lane, timeline: Timeline, apart: float) -> PlacedLane:
    places = tuple(_in_rows(lane.marks, timeline, apart))
    writing = None
    if lane.writing is not None:
        first, last = lane.writing
        start, end = middle(timeline, first), middle(timeline, last)
        writing = Band(start=start, end=end, why="writing", words="from asking to the last date")
    return PlacedLane(
        lane=lane,
        rows=1 + max((place.row for place in places), default=0),
        places=places,
        bands=tuple(_bands(lane, timeline)),
        writing=writing,
    )


def _in_rows(marks: Iterable[Mark], timeline: Timeline, apart: float) -> Iterator[Place]:
    """Put each mark, in the order of time, into the first row that has room for it."""
    ends: list[float] = []
    for mark in marks:
        at = middle(timeline, mark.day)
        # What is a hair too near for the arithmetic alone is near enough to be apart.
        row = next((r for r, end in enumerate(ends) if at - end >= apart - 1e-9), len(ends))
        ends[row:] = [at, *ends[row + 1 :]]
        yield Place(mark=mark, at=at, row=row)


def _bands(lane: Lane, timeline: Timeline) -> Iterator[Band]:
    for shade in lane.shades:
        first, last = max(shade.first, timeline.first), min(shade.last, timeline.last)
        if first <= last:
            start, end = _edge(timeline, first), _edge(timeline, last + timedelta(days=1))
            yield Band(start=start, end=end, why=shade.why, words=shade.words)


def _months(timeline: Timeline) -> Iterator[date]:
    """Return the first days of months that are shown."""
    first = timeline.first
    month = first if first.day == 1 else _next_month(first)
    while month <= timeline.last:
        yield month
        month = _next_month(month)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _ticks(timeline: Timeline, months: Sequence[date], characters: float) -> Iterator[Tick]:
    """Return a tick per month, named as often as there is room for the names."""
    step = next((step for step in _STEPS if _fits(timeline, months, step, characters)), 0)
    first = next((_edge(timeline, m) for m in months if step and (m.month - 1) % step == 0), 1.0)
    if timeline.first.day > 1 and first >= _ROOM / characters:
        yield Tick(at=0.0, label=MONTHS[timeline.first.month - 1])
    for month in months:
        named = step and (month.month - 1) % step == 0
        at = _edge(timeline, month)
        # A name that would stick out at the right is left out.
        named = named and at + 3 / characters <= 1
        yield Tick(at=at, label=MONTHS[month.month - 1] if named else "")


def _fits(timeline: Timeline, months: Sequence[date], step: int, characters: float) -> bool:
    named = [_edge(timeline, month) for month in months if (month.month - 1) % step == 0]
    return all(after - at >= _ROOM / characters for at, after in pairwise(named))


def _years(timeline: Timeline, months: Sequence[date], characters: float) -> Iterator[Tick]:
    """Name the year where the picture begins, and each one that begins in it."""
    found = [Tick(at=0.0, label=str(timeline.first.year))]
    for month in months:
        if month.month != 1:
            continue
        at = _edge(timeline, month)
        if at + 4 / characters > 1:
            continue
        if at - found[-1].at < 5.5 / characters:
            found.pop()
        found.append(Tick(at=at, label=str(month.year)))
    yield from found
