"""Draw a season as one SVG file: no script, no font and no picture from elsewhere."""

import unicodedata
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from lorsync.core.phrases import long_day
from lorsync.render.timeline.layout import Band, Layout, Place, PlacedLane, lay_out
from lorsync.render.timeline.season import Lane, Mark, Sign, State, Timeline
from lorsync.render.timeline.signs import ALARMED, LOOKS, MOVED, STRUCK, hue_of
from lorsync.render.timeline.style import svg_style
from lorsync.render.timeline.words import (
    Entry,
    budget_words,
    lane_words,
    legend,
    mark_words,
    title_of,
)

WIDTH = 960
_MARGIN, _LABELS = 24, 186
_LEFT, _RIGHT = _MARGIN + _LABELS, WIDTH - _MARGIN
_PLOT = _RIGHT - _LEFT
_SIZE, _ROW, _APART = 18, 23, 21
"""A mark's size, the height of a row, and how far apart marks in one row are, in px."""

_WHY = 11
_TOP, _PADDING, _LEAST = 134.0, 12.0, 46.0
_LEGEND_ROW = 24


def svg(timeline: Timeline) -> str:
    """Return the season as an SVG document (SVG 2), with a title and a description."""
    layout = lay_out(timeline, marks=_PLOT / _APART, characters=_PLOT / 7.2)
    tops = list(_tops(layout))
    bottom = tops.pop()
    explained, height = _legend(timeline, bottom + 34)
    parts = [
        _opening(height),
        f'<title id="title">{escape(title_of(timeline))}</title>',
        f'<desc id="summary">{escape(_description(timeline))}</desc>',
        f"<style>{svg_style()}</style>",
        f"<defs>{''.join(symbols())}</defs>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="10"/>',
        *_heading(timeline),
        *_lanes(layout, tops),
        *_calendar(layout, bottom),
        *_marks(layout, tops),
        *_reasons(layout, tops),
        *explained,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="graphics-document document" aria-labelledby="title summary">'
    )


def symbols() -> Iterator[str]:
    """Return the shapes as symbols. ``fill`` and ``stroke`` are what the user of one sets."""
    for sign, look in LOOKS.items():
        body = f'<path d="{look.body}" stroke="currentColor" stroke-width="1.7"/>'
        pen = "" if look.body else ' stroke="currentColor"'
        width = 1.7 if look.body else 2.8
        lines = f'<path d="{look.lines}" fill="none" stroke-width="{width}"{pen}/>'
        yield _symbol(symbol_id(sign), (body if look.body else "") + (lines if look.lines else ""))
    thick = 'fill="none" stroke="currentColor" stroke-width="2"'
    yield _symbol("s-struck", f'<path d="{STRUCK}" {thick}/>')
    yield _symbol("s-alarmed", f'<path d="{ALARMED}" fill="none" stroke-width="2.2"/>')
    yield (
        '<pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="stripe" d="M0 0V7"/></pattern>'
    )
    yield _symbol("s-moved", f'<path d="{MOVED}" fill="currentColor"/>')


def _symbol(name: str, inside: str) -> str:
    return (
        f'<symbol id="{name}" viewBox="-1 -1 22 22" stroke-linejoin="round" '
        f'stroke-linecap="round">{inside}</symbol>'
    )


def symbol_id(sign: Sign) -> str:
    """Return the id of a sign's symbol."""
    return f"s-{sign.value.replace(' ', '-')}"


def overlays(mark: Mark) -> Iterator[str]:
    """Return the ids of the symbols that are laid over a mark's own."""
    if mark.state is State.DISMISSED:
        yield "s-struck"
    if mark.state is State.OVERDUE:
        yield "s-alarmed"
    if mark.pinned:
        yield "s-moved"


def classes(sign: Sign, state: State) -> str:
    """Return the classes of a mark: its hue and its state."""
    return f"{hue_of(sign, state)} {state.name.lower()}"


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in px: any font may draw it, so a little too wide."""
    return sum(_em(mark) for mark in text) * size


def cut(text: str, room: float, size: float) -> str:
    """Return a text that fits into ``room`` px, with an ellipsis where it was longer."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept, size) > room - size:
        kept = kept[:-1]
    # An ellipsis has no direction of its own: it goes with what is before it.
    strong = (d for mark in reversed(kept) if (d := unicodedata.bidirectional(mark)) in _STRONG)
    return kept.rstrip() + "…" + ("\u200f" if next(strong, "L") != "L" else "")


_STRONG = frozenset({"L", "R", "AL"})


def _em(mark: str) -> float:
    if unicodedata.combining(mark) or mark == "\u200f":
        return 0.0
    if unicodedata.east_asian_width(mark) in "WF":
        return 1.02
    if mark in " .,:;'’|!ijlI()[]":
        return 0.32
    if mark in "mMW@%":
        return 1.0
    return 0.75 if mark.isupper() or mark in "w&" else 0.57


def _x(share: float) -> float:
    return round(_LEFT + share * _PLOT, 1)


def _tops(layout: Layout) -> Iterator[float]:
    """Return the upper edge of each lane, and then the lower edge of the last."""
    top: float = _TOP
    for placed in layout.lanes:
        yield top
        top += _height(placed)
    yield top


def _height(placed: PlacedLane) -> float:
    return max(_LEAST, placed.rows * _ROW + 2 * _PADDING)


def _description(timeline: Timeline) -> str:
    return (
        f"Seen on {long_day(timeline.today)}, from {long_day(timeline.first)} to "
        f"{long_day(timeline.last)}. {timeline.summary}. One lane per mentor; solid shapes are "
        "done, hollow ones planned."
    )


def _heading(timeline: Timeline) -> Iterator[str]:
    title = cut(timeline.title, WIDTH - 2 * _MARGIN, 20)
    told = f"{timeline.applicant} · {timeline.summary}"
    yield _text(_MARGIN, 40, title, "title")
    yield _text(_MARGIN, 61, cut(told, WIDTH - 2 * _MARGIN, 12.5), "quiet")


def _text(x: float, y: float, text: str, kind: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}"{more}>{escape(text)}</text>'


def _lanes(layout: Layout, tops: Sequence[float]) -> Iterator[str]:
    """Return what lies under the marks: names, absences, and from when to when is written."""
    for placed, top in zip(layout.lanes, tops, strict=True):
        height = _height(placed)
        yield f'<path class="rule" d="M{_MARGIN} {top}H{_RIGHT}"/>'
        yield from _label(placed.lane, top + height / 2)
        for band in placed.bands:
            yield _band(band, top, height)
        if placed.writing is not None:
            start, end = _x(placed.writing.start), _x(placed.writing.end)
            y = _first_row(placed, top) + _SIZE / 2 - 3
            yield (
                f'<rect class="writing" x="{start}" y="{y}" '
                f'width="{round(end - start, 1)}" height="6" rx="3"/>'
            )


def _band(band: Band, top: float, height: float) -> str:
    start, end = _x(band.start), _x(band.end)
    box = f'x="{start}" y="{top + 1}" width="{round(end - start, 1)}" height="{height - 1}"'
    return (
        f'<g><title>{escape(band.words)}</title><rect class="away" {box}/>'
        f'<rect fill="url(#stripes)" {box}/></g>'
    )


def _reasons(layout: Layout, tops: Sequence[float]) -> Iterator[str]:
    """Say why somebody is away where there is room for it, over the line of today."""
    for placed, top in zip(layout.lanes, tops, strict=True):
        for band in placed.bands:
            room = (band.end - band.start) * _PLOT
            taken = any(band.start <= place.at <= band.end for place in placed.places)
            if not taken and text_width(band.why, _WHY) + 12 <= room:
                x = round((_x(band.start) + _x(band.end)) / 2, 1)
                y = top + _height(placed) / 2 + 4
                yield _text(x, y, band.why, "why", ' text-anchor="middle"')


def _label(lane: Lane, middle: float) -> Iterator[str]:
    room = _LABELS - 16
    name = lane.mentor.name
    dots = "".join(_dots(lane, middle - 5))
    taken = 10 * lane.budget.cap
    shown = cut(name, room - taken, 13.5)
    full = f"<title>{escape(name)}</title>" if shown != name else ""
    yield (f'<text x="{_MARGIN}" y="{middle - 1}" class="name">{full}{escape(shown)}</text>{dots}')
    yield _text(_MARGIN, middle + 15, cut(lane_words(lane), room, 11.5), "quiet small")


def _dots(lane: Lane, y: float) -> Iterator[str]:
    """Draw the budget: solid for used up, a circle with a dot for planned, a circle for left."""
    budget = lane.budget
    if not budget.cap:
        return
    yield f'<g class="dots"><title>{escape(budget_words(lane))}</title>'
    for number in range(max(budget.cap, budget.spent)):
        x = _LEFT - 16 - 10 * (max(budget.cap, budget.spent) - 1 - number)
        used = number < budget.spent
        yield f'<circle cx="{x}" cy="{y}" r="3.4"{" class=" + quoteattr("used") if used else ""}/>'
        if not used and number < budget.spent + budget.planned:
            yield f'<circle cx="{x}" cy="{y}" r="1.2" class="used"/>'
    yield "</g>"


def _calendar(layout: Layout, bottom: float) -> Iterator[str]:
    """Draw years, months and today."""
    yield f'<path class="rule" d="M{_MARGIN} {bottom}H{_RIGHT}"/>'
    for month in layout.months:
        start = _TOP - (18 if month.label else 5)
        yield f'<path class="month" d="M{_x(month.at)} {start}V{bottom}"/>'
    yield from _today(layout, bottom)
    for year in layout.years:
        yield _text(_x(year.at) + 4, _TOP - 26, year.label, "year tick")
    for month in layout.months:
        if month.label:
            yield _text(_x(month.at) + 4, _TOP - 8, month.label, "quiet tick")


def _today(layout: Layout, bottom: float) -> Iterator[str]:
    timeline = layout.timeline
    words = f"today, {long_day(timeline.today)}"
    if layout.today is None:
        before = timeline.today < timeline.first
        edge, anchor = (_LEFT, "start") if before else (_RIGHT, "end")
        words = f"◂ {words}" if before else f"{words} ▸"
        yield _text(edge, _TOP - 45, words, "today", f' text-anchor="{anchor}"')
        return
    x = _x(layout.today)
    half = text_width(words, 12) / 2
    centre = round(min(max(x, _LEFT + half), _RIGHT - half), 1)
    yield f'<path class="now" d="M{x} {_TOP - 40}V{bottom}"/>'
    yield _text(centre, _TOP - 45, words, "today", ' text-anchor="middle"')


def _marks(layout: Layout, tops: Sequence[float]) -> Iterator[str]:
    for placed, top in zip(layout.lanes, tops, strict=True):
        name = quoteattr(f"{placed.lane.mentor.name}: {lane_words(placed.lane)}")
        yield f'<g role="list" aria-label={name}>'
        start = _first_row(placed, top)
        for place in placed.places:
            yield _mark(place, start + place.row * _ROW)
        yield "</g>"


def _first_row(placed: PlacedLane, top: float) -> float:
    return top + (_height(placed) - placed.rows * _ROW) / 2 + (_ROW - _SIZE) / 2


def _mark(place: Place, y: float) -> str:
    mark, x = place.mark, round(_x(place.at) - _SIZE / 2, 1)
    words = mark_words(mark)
    used = "".join(_use(name, x, y) for name in (symbol_id(mark.sign), *overlays(mark)))
    return (
        f'<g role="listitem" class="mark {classes(mark.sign, mark.state)}" '
        f"aria-label={quoteattr(words)}><title>{escape(words)}</title>{used}</g>"
    )


def _use(name: str, x: float, y: float) -> str:
    return f'<use href="#{name}" x="{x}" y="{y}" width="{_SIZE}" height="{_SIZE}"/>'


def _legend(timeline: Timeline, top: float) -> tuple[list[str], float]:
    """Return what explains the signs, in rows, and the lower edge of that."""
    x, y = float(_MARGIN), top
    drawn = []
    for entry in legend(timeline):
        width = _SIZE + 6 + text_width(entry.words, 12) + 16
        if x + width > _RIGHT:
            x, y = float(_MARGIN), y + _LEGEND_ROW
        drawn.append(_sample(entry, round(x, 1), y))
        drawn.append(_text(round(x + _SIZE + 6, 1), y, entry.words, "quiet"))
        x += width
    return drawn, y + 24


def _sample(entry: Entry, x: float, y: float) -> str:
    if entry.mark is None:
        height, kind = (_SIZE, "away") if entry.is_shade else (6, "writing")
        box = f'x="{x}" y="{y - 4.5 - height / 2}" width="{_SIZE}" height="{height}"'
        stripes = f'<rect fill="url(#stripes)" {box}/>' if entry.is_shade else ""
        return f'<rect class="{kind}" {box}/>{stripes}'
    mark = entry.mark
    used = "".join(_use(name, x, y - 13) for name in (symbol_id(mark.sign), *overlays(mark)))
    return f'<g class="mark {classes(mark.sign, mark.state)}">{used}</g>'
