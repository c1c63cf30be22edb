"""Draw a season as one HTML file: self-contained, printable, for keyboard and screen reader.

Every mark is a link to its line in the table underneath, so that it takes the focus without a
script and its words show on focus as they do under a pointer. One document serves wide and narrow
screens: each mark knows its row for both, and the style sheet chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import count as counting

from lorsync.core.model import MentorId, PlanWarning
from lorsync.core.phrases import long_day
from lorsync.core.planner.explain import gathered
from lorsync.render.timeline.layout import Band, Layout, Place, PlacedLane, Tick, lay_out
from lorsync.render.timeline.season import Lane, Mark, Timeline
from lorsync.render.timeline.style import page_style
from lorsync.render.timeline.svg import classes, overlays, symbol_id, symbols
from lorsync.render.timeline.words import (
    Entry,
    budget_words,
    dated,
    lane_words,
    legend,
    mark_words,
    state_words,
    title_of,
)

_Ids = Mapping[tuple[MentorId, int], str]
"""The id of the table's row for each mark: by its mentor, and its place in the lane."""

_WIDE, _NARROW = 700, 278
"""The least width of the lanes in px, beside the names and underneath them."""

_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
"""Nothing is to be fetched and nothing is to be run, whatever a name may hold."""

_APART, _CHARACTER = 25, 7.4
"""How far apart marks in one row are, and how wide a character is at most, in px."""


def html(timeline: Timeline, warnings: Sequence[PlanWarning] = ()) -> str:
    """Return the season as an HTML document (HTML Living Standard), UTF-8."""
    numbers = counting(1)
    ids = {
        (lane.mentor.id, index): f"e{next(numbers)}"
        for lane in timeline.lanes
        for index in range(len(lane.marks))
    }
    title = escape(title_of(timeline))
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        _POLICY,
        '<link rel="icon" href="data:,">',
        f"<title>{title}</title>",
        f"<style>{page_style()}</style>",
        "</head>",
        "<body>",
        f'<svg class="shapes" aria-hidden="true"><defs>{"".join(symbols())}</defs></svg>',
        '<a class="skip" href="#dates">Skip the picture: all dates as a table</a>',
        *_header(timeline),
        "<main>",
        *_picture(timeline, ids),
        *_notes(warnings),
        *_table(timeline, ids),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _header(timeline: Timeline) -> Iterator[str]:
    yield "<header>"
    yield f"<h1><bdi>{escape(timeline.title)}</bdi></h1>"
    yield (
        f"<p><bdi>{escape(timeline.applicant)}</bdi> · {escape(timeline.summary)} · seen on "
        f"{_time(timeline.today.isoformat(), long_day(timeline.today))}</p>"
    )
    yield "</header>"


def _time(iso: str, words: str) -> str:
    return f'<time datetime="{iso}">{words}</time>'


def _picture(timeline: Timeline, ids: _Ids) -> Iterator[str]:
    wide = lay_out(timeline, marks=_WIDE / _APART, characters=_WIDE / _CHARACTER)
    narrow = lay_out(timeline, marks=_NARROW / _APART, characters=_NARROW / _CHARACTER)
    yield '<section class="season" aria-labelledby="picture">'
    yield '<h2 id="picture" class="unseen">The season, mentor by mentor</h2>'
    yield '<div class="chart">'
    yield from _scale(wide, "wide")
    yield from _scale(narrow, "narrow")
    for one, other in zip(wide.lanes, narrow.lanes, strict=True):
        yield from _lane(one, other, ids)
    yield "</div>"
    yield '<ul class="legend" aria-label="What the signs mean">'
    yield from map(_legend_entry, legend(timeline))
    yield "</ul>"
    yield "</section>"


def _scale(layout: Layout, kind: str) -> Iterator[str]:
    """Draw years, months and today over the lanes; the words of each mark have its day anyway."""
    yield f'<div class="scale {kind}" aria-hidden="true"><div class="plot">'
    yield _today(layout)
    yield from (_tick(tick, "year") for tick in layout.years)
    yield from (_tick(tick, "month") for tick in layout.months)
    yield "</div></div>"


def _tick(tick: Tick, kind: str) -> str:
    named = "" if tick.label else " bare"
    label = f"<b>{tick.label}</b>" if tick.label else ""
    return f'<span class="{kind}{named}" style="left:{_percent(tick.at)}">{label}</span>'


def _today(layout: Layout) -> str:
    timeline = layout.timeline
    words = f"today, {long_day(timeline.today)}"
    if layout.today is None:
        if timeline.today < timeline.first:
            return f'<span class="today off">◂ {words}</span>'
        return f'<span class="today off after">{words} ▸</span>'
    # Near an edge the words stand beside the line instead of over it.
    side = " after" if layout.today > 0.7 else " before" if layout.today < 0.3 else ""
    return (
        f'<span class="now" style="left:{_percent(layout.today)}"></span>'
        f'<span class="today{side}" style="left:{_percent(layout.today)}">{words}</span>'
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _lane(wide: PlacedLane, narrow: PlacedLane, ids: _Ids) -> Iterator[str]:
    lane = wide.lane
    yield f'<section class="lane" style="--w:{wide.rows};--n:{narrow.rows}">'
    yield '<div class="who">'
    yield f"<h3><bdi>{escape(lane.mentor.name)}</bdi></h3>"
    yield f"<p>{escape(lane_words(lane))} {_budget(lane)}</p>"
    if wide.bands:
        away = "; ".join(band.words for band in wide.bands)
        yield f'<p class="unseen">Away: <bdi>{escape(away)}</bdi></p>'
    yield "</div>"
    yield '<div class="plot">'
    yield from (_band(band) for band in wide.bands)
    if wide.writing is not None:
        start, width = wide.writing.start, wide.writing.end - wide.writing.start
        yield (
            f'<span class="writing" style="left:{_percent(start)};width:{_percent(width)}"></span>'
        )
    if wide.places:
        yield "<ol>"
        for index, (one, other) in enumerate(zip(wide.places, narrow.places, strict=True)):
            yield _mark(one, other, ids[lane.mentor.id, index])
        yield "</ol>"
    yield "</div>"
    yield "</section>"


def _budget(lane: Lane) -> str:
    """Return the follow-ups as dots, with their words for those who hear them."""
    budget = lane.budget
    if not budget.cap:
        return ""
    left = max(0, budget.cap - budget.spent - budget.planned)
    used, planned, free = '<i class="used"></i>', '<i class="meant"></i>', "<i></i>"
    dots = used * budget.spent + planned * budget.planned + free * left
    words = budget_words(lane)
    return f'<span class="dots" title="{words}">{dots}<span class="unseen">{words}</span></span>'


def _band(band: Band) -> str:
    width = band.end - band.start
    where = f'style="left:{_percent(band.start)};width:{_percent(width)}"'
    return (
        f'<span class="away" {where} title="{escape(band.words)}"></span>'
        f'<span class="why" {where} aria-hidden="true"><bdi>{escape(band.why)}</bdi></span>'
    )


def _mark(wide: Place, narrow: Place, target: str) -> str:
    mark = wide.mark
    side = " left" if wide.at > 0.5 else ""
    words = escape(mark_words(mark))
    return (
        f'<li style="left:{_percent(wide.at)};--w:{wide.row};--n:{narrow.row}">'
        f'<a href="#{target}" class="mark {classes(mark.sign, mark.state)}">{_icon(mark)}'
        f'<span class="tip{side}"><bdi>{words}</bdi></span></a></li>'
    )


def _icon(mark: Mark) -> str:
    used = "".join(f'<use href="#{name}"/>' for name in (symbol_id(mark.sign), *overlays(mark)))
    return f'<svg viewBox="0 0 22 22" width="20" height="20" aria-hidden="true">{used}</svg>'


def _legend_entry(entry: Entry) -> str:
    words = escape(entry.words)
    if entry.mark is None:
        kind = "away" if entry.is_shade else "writing"
        return f'<li><span class="sample {kind}"></span>{words}</li>'
    look = classes(entry.mark.sign, entry.mark.state)
    return f'<li><span class="mark {look}">{_icon(entry.mark)}</span>{words}</li>'


def _notes(warnings: Sequence[PlanWarning]) -> Iterator[str]:
    if not warnings:
        return
    yield '<section class="notes" aria-labelledby="notes"><h2 id="notes">Take note</h2><ul>'
    for warning in gathered(warnings):
        advice = f" <em>{escape(warning.advice)}</em>" if warning.advice else ""
        yield f"<li>{escape(warning.message)}{advice}</li>"
    yield "</ul></section>"


def _table(timeline: Timeline, ids: _Ids) -> Iterator[str]:
    """Return every mark once more, in the order of time: what the picture says, in words."""
    yield '<section class="dates" aria-labelledby="dates">'
    yield '<h2 id="dates" tabindex="-1">All dates</h2>'
    yield '<div class="sheet"><table>'
    yield (
        '<thead><tr><th scope="col">Day</th><th scope="col">Mentor</th><th scope="col">What</th>'
        '<th scope="col">State</th></tr></thead><tbody>'
    )
    rows = [
        (mark.day, ids[lane.mentor.id, index], lane, mark)
        for lane in timeline.lanes
        for index, mark in enumerate(lane.marks)
    ]
    for _, name, lane, mark in sorted(rows, key=lambda row: row[0]):
        texts = "; ".join(mark.texts)
        yield (
            f'<tr id="{name}"><td>{_time(mark.day.isoformat(), dated(mark))}</td>'
            f"<td><bdi>{escape(lane.mentor.name)}</bdi></td>"
            f'<td><span class="mark {classes(mark.sign, mark.state)}">{_icon(mark)}</span> '
            f"{mark.sign}<br><small><bdi>{escape(texts)}</bdi></small></td>"
            f"<td>{state_words(mark)}</td></tr>"
        )
    yield "</tbody></table></div>"
    yield "</section>"
