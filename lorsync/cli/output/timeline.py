"""Draw a season on the terminal: one or more lines per mentor, within the width."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lorsync.cli.output.terminal import is_unicode
from lorsync.core.phrases import long_day
from lorsync.render.timeline.layout import Layout, PlacedLane, Tick, lay_out
from lorsync.render.timeline.season import Lane, Mark, State, Timeline
from lorsync.render.timeline.signs import Hue, character, hue_of
from lorsync.render.timeline.words import lane_words, legend

_BESIDE = 56
"""With fewer columns the names stand above their lanes, and not beside them."""

_WIDEST_NAME, _GAP, _NARROWEST_PLOT = 26, 2, 4
_STYLES = {
    Hue.CONTACT: "blue",
    Hue.DUE: "magenta",
    Hue.GOOD: "green",
    Hue.BAD: "red",
    Hue.TASK: "yellow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pens:
    """The characters that are not signs."""

    shade: str
    writing: str
    now: str
    month: str
    before: str
    after: str


_UNICODE = _Pens(shade="░", writing="─", now="│", month="·", before="◂", after="▸")
_ASCII = _Pens(shade=":", writing="-", now="|", month=".", before="<", after=">")


def show_lanes(out: Console, timeline: Timeline) -> None:
    """Print the season and what its signs mean."""
    ascii_only = not is_unicode(out.encoding)
    pens = _ASCII if ascii_only else _UNICODE
    names = _names(timeline, out.width)
    plot = max(_NARROWEST_PLOT, out.width - names)
    layout = lay_out(timeline, marks=plot, characters=plot)
    _show_head(out, timeline)
    for line in _heading(layout, plot, pens):
        _print(out, " " * names, line)
    for placed in layout.lanes:
        for name, row in _lane(placed, layout, plot, pens, ascii_only=ascii_only, names=names):
            _print(out, name, row)
    _show_legend(out, timeline, pens, ascii_only=ascii_only)


def _names(timeline: Timeline, width: int) -> int:
    """Return how many columns the names take beside the lanes; none where it is too narrow."""
    if width < _BESIDE:
        return 0
    longest = max((cell_len(lane.mentor.name) for lane in timeline.lanes), default=0)
    return min(longest, _WIDEST_NAME, width // 3) + _GAP


def _show_head(out: Console, timeline: Timeline) -> None:
    out.print(Text(timeline.title, style="bold"))
    out.print(Text(f"{timeline.applicant}, {timeline.summary}"))
    out.print()


def _heading(layout: Layout, plot: int, pens: _Pens) -> Iterator[Text]:
    """Return today's line, the years and the months."""
    today = layout.timeline.today
    words = f"today, {long_day(today)}"
    if layout.today is None:
        before = today < layout.timeline.first
        told = f"{pens.before} {words}" if before else f"{words} {pens.after}"
        yield Text(told if before else told.rjust(plot), style="bold yellow")
    else:
        column = _column(layout.today, plot)
        start = min(max(0, column - len(words) // 2), max(0, plot - len(words)))
        yield Text(" " * start + words, style="bold yellow")
    yield Text(_labels(layout.years, plot), style="bold")
    if any(month.label for month in layout.months):
        yield Text(_labels(layout.months, plot))


def _labels(ticks: Sequence[Tick], plot: int) -> str:
    line = [" "] * plot
    for tick in ticks:
        start = _column(tick.at, plot)
        line[start : start + len(tick.label)] = tick.label
    return "".join(line)[:plot].rstrip()


def _lane(
    placed: PlacedLane, layout: Layout, plot: int, pens: _Pens, *, ascii_only: bool, names: int
) -> Iterator[tuple[str | Text, Text]]:
    """Return the lines of a lane, each with what stands beside it."""
    lane = placed.lane
    beside = [_fitted(lane.mentor.name, names), _fitted(lane_words(lane), names)]
    if not names:
        yield "", Text(_fitted(lane.mentor.name, plot + _GAP), style="bold")
        yield "", Text(_fitted(lane_words(lane), plot + _GAP), style=_told_style(lane))
        beside = []
    empty = " " * names
    for number in range(max(placed.rows, len(beside))):
        row = _background(placed, layout, plot, pens, track=number == 0)
        for place in placed.places:
            if place.row == number:
                sign = character(place.mark.sign, place.mark.state, ascii_only=ascii_only)
                row[_column(place.at, plot)] = (sign, _style(place.mark))
        name = beside[number] if number < len(beside) else empty
        style = "bold" if number == 0 else _told_style(lane)
        yield Text(name, style=style if number < len(beside) else ""), Text.assemble(*row)
    yield "", Text()


def _background(
    placed: PlacedLane, layout: Layout, plot: int, pens: _Pens, *, track: bool
) -> list[tuple[str, str]]:
    """Return what stands under the marks of a row, column by column."""
    row = [(" ", "")] * plot
    for month in layout.months:
        row[_column(month.at, plot)] = (pens.month, "dim")
    for band in placed.bands:
        start = _column(band.start, plot)
        row[start : _column(band.end - 1e-9, plot) + 1] = [
            (pens.shade, "dim") for _ in range(start, _column(band.end - 1e-9, plot) + 1)
        ]
    if placed.writing is not None and track:
        first, last = _column(placed.writing.start, plot), _column(placed.writing.end, plot)
        row[first : last + 1] = [(pens.writing, "dim")] * (last + 1 - first)
    if layout.today is not None:
        row[_column(layout.today, plot)] = (pens.now, "bold yellow")
    return row


def _column(share: float, plot: int) -> int:
    return min(plot - 1, max(0, int(share * plot)))


def _style(mark: Mark) -> str:
    strength = "bold " if mark.state in (State.DONE, State.OVERDUE) else ""
    return strength + _STYLES[hue_of(mark.sign, mark.state)]


def _told_style(lane: Lane) -> str:
    return "dim" if lane.letters else ""


def _fitted(text: str, names: int) -> str:
    """Return a text in the columns of the names, cut where it is longer."""
    room = max(0, names - _GAP)
    cut = text if cell_len(text) <= room else set_cell_size(text, max(0, room - 1)) + "…"
    return set_cell_size(cut, names) if cut.isascii() else _padded(cut, names)


def _padded(text: str, names: int) -> str:
    return _isolated(text) + " " * max(0, names - cell_len(text))


def _isolated(text: str) -> str:
    """Return a text behind which the line goes on from left to right, whatever its script."""
    is_rtl = any(unicodedata.bidirectional(mark) in ("R", "AL") for mark in text)
    return f"{text}\u200e" if is_rtl else text


def _print(out: Console, name: str | Text, line: Text) -> None:
    whole = Text.assemble(name, line)
    whole.rstrip()
    out.print(whole, no_wrap=True, overflow="ignore", crop=False)


def _show_legend(out: Console, timeline: Timeline, pens: _Pens, *, ascii_only: bool) -> None:
    entries: list[Text] = []
    for entry in legend(timeline):
        if entry.mark is not None and entry.mark.pinned:
            continue  # no character has room for it; the plan says so
        if entry.mark is None:
            sign, style = (pens.shade if entry.is_shade else pens.writing), "dim"
        else:
            sign = character(entry.mark.sign, entry.mark.state, ascii_only=ascii_only)
            style = _style(entry.mark)
        words = entry.words
        if entry.mark is not None and entry.mark.state is State.PASSED:
            words = "before today: its day has passed"
        entries.append(Text.assemble((sign, style), f" {words}"))
    line = Text()
    for told in entries:
        if line and line.cell_len + 3 + told.cell_len > out.width:
            out.print(line)
            line = Text()
        line = Text.assemble(line, "   ", told) if line else told
    out.print(line)
