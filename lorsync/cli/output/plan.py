"""Show a plan to a person: by month, 80 columns and fewer, colour never the only sign."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lorsync.cli.output.tables import (
    NARROW,
    day_in_words,
    print_paragraph,
    print_trimmed,
    show_warnings,
)
from lorsync.core.model import (
    Budget,
    Event,
    History,
    Kind,
    Mentor,
    MentorId,
    Placed,
    Plan,
    Season,
    Status,
)
from lorsync.core.phrases import short_day
from lorsync.core.planner.explain import driver_of

_WIDEST_NAME = 24
_DAY, _KIND, _DOTS, _GAP = 6, 10, 2, 2
_USED, _PLANNED, _LEFT = "●", "◐", "○"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the plan: what, with whom, how many follow-ups are used then, and what for."""

    day: date
    kind: Kind
    title: str
    mentor: str
    dots: str
    driver: str
    note: str = ""
    style: str = ""


def show_plan(
    out: Console,
    plan: Plan,
    season: Season,
    history: History,
    *,
    why: bool = False,
    titled: bool = False,
) -> None:
    """Print what is planned, the budgets, and the warnings with what to do.

    ``titled`` shows the events as they are called in the calendar, ``why`` with their reasons.
    """
    rows = _rows(plan, season, history)
    if not rows:
        out.print(f"Nothing is planned from {plan.as_of.isoformat()} on.")
    elif why:
        _show_reasons(out, plan.events)
    else:
        _show_months(out, rows, titled=titled)
    if rows:
        _show_budgets(out, plan.budgets, season.mentors)
    show_warnings(out, plan.warnings, why=why)


def _rows(plan: Plan, season: Season, history: History) -> list[_Row]:
    standings = {letter.id: letter for letter in plan.letters}
    used = Counter({mentor: budget.spent for mentor, budget in plan.budgets.items()})
    rows = []
    for event in plan.events:
        dots = ""
        if event.kind is Kind.FOLLOW_UP:
            used[event.mentor] += 1
            left = plan.budgets[event.mentor].cap - used[event.mentor]
            dots = _USED * used[event.mentor] + _LEFT * left
        rows.append(
            _Row(
                day=event.day,
                kind=event.kind,
                title=event.summary,
                mentor=season.mentors[event.mentor].name,
                dots=dots,
                driver=driver_of(event, standings, season.programs),
                note=_note(event),
            )
        )
    rows += [_deleted(p, season.mentors) for p in history.placed if _is_ahead(p, plan, season)]
    return sorted(rows, key=lambda row: row.day)


def _note(event: Event) -> str:
    notes = []
    if event.status is Status.SHORT_NOTICE:
        notes.append("short notice")
    if event.pinned:
        planned = event.unpinned_day
        notes.append("moved by you" + (f" from {short_day(planned)}" if planned else ""))
    return ", ".join(notes)


def _is_ahead(placed: Placed, plan: Plan, season: Season) -> bool:
    return placed.dismissed and placed.day >= plan.as_of and placed.mentor in season.mentors


def _deleted(placed: Placed, mentors: Mapping[MentorId, Mentor]) -> _Row:
    """Return the row of an event that the person deleted or cancelled: it is not created again."""
    return _Row(
        day=placed.day,
        kind=placed.kind,
        title=mentors[placed.mentor].name,
        mentor=mentors[placed.mentor].name,
        dots="×",
        driver="",
        note="cancelled by you" if placed.fixed else "deleted by you",
        style="dim",
    )


def _show_months(out: Console, rows: Sequence[_Row], *, titled: bool) -> None:
    name = min(_WIDEST_NAME, max(cell_len(row.mentor) for row in rows))
    wide = out.width >= NARROW
    for month, grouped in groupby(rows, key=lambda row: f"{row.day:%B %Y}"):
        own = list(grouped)
        out.print(f"[bold]{month}[/bold]")
        if wide:
            print_trimmed(out, _titles(own) if titled else _wide(own, name))
        else:
            print_trimmed(out, _narrow(own, titled=titled))
        out.print()


def _wide(rows: Iterable[_Row], name: int) -> Table:
    table = _grid(_DAY, _KIND, name, _DOTS)
    for row in rows:
        about = "; ".join(part for part in (escape(row.driver), _noted(row)) if part)
        cells = (_day(row.day), row.kind.value, escape(row.mentor), row.dots, about)
        table.add_row(*cells, style=row.style)
    return table


def _titles(rows: Iterable[_Row]) -> Table:
    table = _grid(_DAY, _KIND)
    for row in rows:
        title = "; ".join(part for part in (escape(row.title), _noted(row)) if part)
        table.add_row(_day(row.day), row.kind.value, title, style=row.style)
    return table


def _narrow(rows: Iterable[_Row], *, titled: bool) -> Table:
    table = _grid(_DAY)
    for row in rows:
        kind = f"{row.kind}  {row.dots}".rstrip()
        about = (row.title,) if titled else (row.mentor, row.driver)
        lines = (kind, *map(escape, about), _noted(row))
        table.add_row(_day(row.day), "\n".join(filter(None, lines)), style=row.style)
    return table


def _grid(*widths: int) -> Table:
    """Return columns of these widths, and one that takes what is left."""
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    return table


def _day(day: date) -> str:
    return f"{day:%a} {day.day:>2}"


def _noted(row: _Row) -> str:
    return f"[yellow]{row.note}[/yellow]" if row.note else ""


def _show_reasons(out: Console, events: Sequence[Event]) -> None:
    """Print the events by their titles, with the rules that put them there."""
    if out.width >= NARROW:
        print_trimmed(out, _reasons(events))
        return
    for event in events:
        out.print(f"[bold]{day_in_words(event.day)}  {event.kind}[/bold]")
        for line in _with_reasons(event):
            print_paragraph(out, f"  {line}", indent=4)


def _reasons(events: Sequence[Event]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Day", no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Event", overflow="fold")
    for event in events:
        table.add_row(day_in_words(event.day), event.kind, "\n".join(_with_reasons(event)))
    return table


def _with_reasons(event: Event) -> list[str]:
    note = "".join(
        [
            " [yellow](short notice)[/yellow]" if event.status is Status.SHORT_NOTICE else "",
            " [cyan](moved by you)[/cyan]" if event.pinned else "",
        ]
    )
    reasons = (f"[dim]{escape(r.rule)}: {escape(r.text)}[/dim]" for r in event.reasons)
    return [escape(event.summary) + note, *reasons]


def _show_budgets(
    out: Console, budgets: Mapping[MentorId, Budget], mentors: Mapping[MentorId, Mentor]
) -> None:
    out.print(f"[bold]Follow-ups[/bold] ({_USED} used up, {_PLANNED} planned, {_LEFT} left)")
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for mentor, budget in budgets.items():
        free = max(0, budget.cap - budget.spent - budget.planned)
        dots = _USED * budget.spent + _PLANNED * budget.planned + _LEFT * free
        said = ((budget.spent, "used up"), (budget.planned, "planned"), (free, "left"))
        words = ", ".join(f"{number} {word}" for number, word in said if number)
        table.add_row(escape(mentors[mentor].name), dots, words or "none wanted")
    print_trimmed(out, table)
