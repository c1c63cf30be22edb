"""Show warnings and a report to a person: 80 columns, colour never the only sign."""

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import date

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment, Segments
from rich.table import Table

from lorsync.core.display import visible
from lorsync.core.model import PlanWarning
from lorsync.core.planner.explain import gathered
from lorsync.sync.report import Change, Summary

NARROW = 64
"""With fewer columns a table becomes paragraphs."""

_WIDTH_OF_PIPES = 100


class _Console(Console):
    """A console to which nothing gets that is not fit to be shown."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            fit = segment.text if segment.control else visible(segment.text)
            yield segment if fit == segment.text else Segment(fit, segment.style)


def console(*, stderr: bool = False, width_of_pipes: int = _WIDTH_OF_PIPES) -> Console:
    """Return the console. A pipe gets plain text that is not cut to a screen.

    With NO_COLOR the text is plain too, as that of ``status`` is: rich would leave it bold.
    """
    found = _Console(highlight=False, soft_wrap=False, stderr=stderr)
    if found.is_dumb_terminal:
        # rich takes a terminal without colours to be 80 wide, whatever it is.
        size = shutil.get_terminal_size()
        return _Console(highlight=False, width=size.columns, height=size.lines, stderr=stderr)
    if found.is_terminal:
        plain = _Console(highlight=False, color_system=None, stderr=stderr)
        return plain if os.environ.get("NO_COLOR") else found
    return _Console(highlight=False, width=width_of_pipes, color_system=None, stderr=stderr)


def page() -> Console:
    """Return the console for what is laid out in columns: 80 wide in a pipe, or as COLUMNS says."""
    stated = os.environ.get("COLUMNS", "")
    return console(width_of_pipes=max(20, int(stated)) if stated.isdecimal() else 80)


def print_trimmed(out: Console, table: Table) -> None:
    """Print a table without the blanks at the ends of its lines."""
    for line in out.render_lines(table, pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        out.print(Segments([*line, Segment.line()]), end="")


def show_warnings(out: Console, warnings: Sequence[PlanWarning], *, why: bool = False) -> None:
    """Print warnings, one paragraph each, and in one all letters that wait for their request."""
    if warnings:
        out.print("\n[bold]Take note[/bold]")
    for warning in gathered(warnings):
        print_paragraph(out, f"[yellow]![/yellow] {escape(warning.message)}")
        if why:
            for reason in warning.reasons:
                out.print(f"  [dim]{escape(reason.rule)}: {escape(reason.text)}[/dim]")
        elif warning.advice:
            _advise(out, escape(warning.advice))


def _advise(out: Console, advice: str) -> None:
    print_paragraph(out, f"  [cyan]→[/cyan] {advice}", indent=4)


def print_paragraph(out: Console, text: str, *, indent: int = 2) -> None:
    """Print a paragraph whose lines after the first stand under its text."""
    lines = out.render_str(text).wrap(out, max(1, out.width - indent))
    for number, line in enumerate(lines):
        out.print(" " * (indent if number else 0), line, sep="", end="\n")


def show_report(
    out: Console, report: Summary, *, dry_run: bool, with_warnings: bool = True
) -> None:
    """Print what a pass did, or would do."""
    out.print(report.headline(dry_run=dry_run))
    for remark in report.idle:
        print_paragraph(out, escape(remark), indent=0)
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


def show_changes(out: Console, heading: str, changes: Sequence[Change]) -> None:
    """Print events under a heading; nothing where there are none."""
    if not changes:
        return
    out.print(f"\n{heading}")
    for change in changes:
        what = f" ({', '.join(change.changed)})" if change.changed else ""
        out.print(f"  {day_in_words(change.day)}  {escape(change.summary)}{escape(what)}")
