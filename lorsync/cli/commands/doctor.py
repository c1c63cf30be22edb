"""``lorsync doctor``: look over everything that lorsync needs, and say what to do about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, now, state_of
from lorsync.cli.root import Globals
from lorsync.config import load
from lorsync.doctor.findings import Finding, Verdict

if TYPE_CHECKING:
    from rich.table import Table

_MARKS = {
    Verdict.OK: "[green]ok[/green]",
    Verdict.NOTE: "[yellow]note[/yellow]",
    Verdict.PROBLEM: "[red]PROBLEM[/red]",
}


@click.command("doctor")
@click.option(
    "--probe",
    "with_probe",
    is_flag=True,
    help="Try the calendar out with an event that is taken away again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, with_probe: bool, as_json: bool) -> int:
    """Look over config, login, state folder, clock, account and calendar.

    It says of each what was found, what that means, and what to do. The exit code is 1 where
    something is wrong. --probe writes an event on 2 January 2001 to see what the server makes of
    it, and takes it away again, even after Ctrl-C.
    """
    from lorsync.doctor.run import examine, has_problems

    found = examine(
        config_path(options), state_of(options), load=load, now=now(), with_probe=with_probe
    )
    if as_json:
        document = [
            {
                "check": each.check,
                "finding": each.code,
                "verdict": each.verdict,
                "found": each.found,
                "means": each.means,
                "do": each.do or None,
            }
            for each in found
        ]
        from lorsync.cli.output.documents import show

        show(document)
    else:
        _show(found)
    return int(has_problems(found))


def _show(found: Sequence[Finding]) -> None:
    from lorsync.cli.output.tables import NARROW, console, print_paragraph, print_trimmed

    out = console()
    if out.width >= NARROW:
        print_trimmed(out, _table(found))
    else:
        for each in found:
            out.print(f"[bold]{_MARKS[each.verdict]}[/bold]  {each.check}")
            for line in _lines(each):
                print_paragraph(out, f"  {line}", indent=2)
    out.print(f"\n{_summary(found)}")


def _table(found: Sequence[Finding]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("Looked at", no_wrap=True)
    table.add_column("Found", overflow="fold")
    before = None
    for each in found:
        check = "" if each.check == before else each.check
        table.add_row(_MARKS[each.verdict], check, "\n".join(_lines(each)))
        before = each.check
    return table


def _lines(each: Finding) -> list[str]:
    from rich.markup import escape

    lines = [escape(each.found), f"[dim]{escape(each.means)}[/dim]"]
    return [*lines, f"→ {escape(each.do)}"] if each.do else lines


def _summary(found: Sequence[Finding]) -> str:
    problems = sum(each.verdict is Verdict.PROBLEM for each in found)
    if not problems:
        return "Nothing is wrong."
    return "1 problem was found." if problems == 1 else f"{problems} problems were found."
