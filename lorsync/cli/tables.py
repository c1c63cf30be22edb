"""Show a plan, a report and a status to a person: 80 columns, colour never the only sign."""

from collections.abc import Mapping, Sequence
from datetime import date

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lorsync.core.model import Event, Mentor, MentorId, Plan, PlanWarning, Status
from lorsync.report import Change, Summary

_WIDTH_OF_PIPES = 100
_NOT_ASKED = "not-asked"


def console(*, stderr: bool = False) -> Console:
    """Return the console. A pipe gets plain text that is not cut to a screen."""
    found = Console(highlight=False, soft_wrap=False, stderr=stderr)
    if found.is_terminal:
        return found
    return Console(highlight=False, width=_WIDTH_OF_PIPES, color_system=None, stderr=stderr)


def show_plan(
    out: Console, plan: Plan, mentors: Mapping[MentorId, Mentor], *, why: bool = False
) -> None:
    """Print what is planned, the budgets, and the warnings."""
    if not plan.events:
        out.print(f"Nothing is planned from {plan.as_of.isoformat()} on.")
    else:
        out.print(_events(plan.events, why=why))
        _show_budgets(out, plan, mentors)
    show_warnings(out, plan.warnings, why=why)


def show_warnings(out: Console, warnings: Sequence[PlanWarning], *, why: bool = False) -> None:
    """Print warnings, one paragraph each, and in one all letters that wait for their request."""
    if warnings:
        out.print("\n[bold]Take note[/bold]")
    waiting = [warning for warning in warnings if warning.code == _NOT_ASKED]
    if len(waiting) > 1:
        ids = ", ".join(escape(warning.subject) for warning in waiting)
        out.print(f"[yellow]![/yellow] Not asked for yet: {ids}.")
    for warning in warnings:
        if len(waiting) > 1 and warning.code == _NOT_ASKED:
            continue
        out.print(f"[yellow]![/yellow] {escape(warning.message)}")
        if why:
            for reason in warning.reasons:
                out.print(f"  [dim]{escape(reason.rule)}: {escape(reason.text)}[/dim]")


def show_report(
    out: Console, report: Summary, *, dry_run: bool, with_warnings: bool = True
) -> None:
    """Print what a pass did, or would do."""
    out.print(report.headline(dry_run=dry_run))
    if dry_run:
        for verb, changes in report.written:
            show_changes(out, f"Would be {verb}:", changes)
    show_changes(out, "Left as you changed them:", report.kept)
    show_changes(out, "Deleted or moved away by you, and not created again:", report.missing)
    show_changes(out, "Not deleted without your yes:", report.held)
    if with_warnings:
        show_warnings(out, report.warnings)


def day_in_words(day: date) -> str:
    """Return a day with its weekday, ``Thu 2026-07-30``."""
    return f"{day:%a} {day.isoformat()}"


def _events(events: Sequence[Event], *, why: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Day", no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Event", overflow="fold")
    for event in events:
        note = "".join(
            [
                " [yellow](short notice)[/yellow]" if event.status is Status.SHORT_NOTICE else "",
                " [cyan](moved by you)[/cyan]" if event.pinned else "",
            ]
        )
        lines = [escape(event.summary) + note]
        if why:
            lines += [
                f"[dim]{escape(reason.rule)}: {escape(reason.text)}[/dim]"
                for reason in event.reasons
            ]
        table.add_row(day_in_words(event.day), event.kind, "\n".join(lines))
    return table


def _show_budgets(out: Console, plan: Plan, mentors: Mapping[MentorId, Mentor]) -> None:
    out.print("\n[bold]Follow-ups[/bold] (● spent, ◐ planned, ○ free)")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("Mentor", overflow="fold")
    table.add_column("Budget", no_wrap=True)
    for mentor, budget in plan.budgets.items():
        free = max(0, budget.cap - budget.spent - budget.planned)
        dots = "●" * budget.spent + "◐" * budget.planned + "○" * free
        table.add_row(escape(mentors[mentor].name), dots or "none wanted")
    out.print(table)


def show_changes(out: Console, heading: str, changes: Sequence[Change]) -> None:
    """Print events under a heading; nothing where there are none."""
    if not changes:
        return
    out.print(f"\n{heading}")
    for change in changes:
        what = f" ({', '.join(change.changed)})" if change.changed else ""
        out.print(f"  {day_in_words(change.day)}  {escape(change.summary)}{escape(what)}")
