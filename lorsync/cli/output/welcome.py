"""What ``lorsync run`` shows after its first pass: the plan, and how to open the calendar."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lorsync.adapters.local.files import SETTINGS_NAME
from lorsync.adapters.local.server import ensure_running
from lorsync.cli.output.plan import show_plan
from lorsync.cli.output.tables import page, print_paragraph, show_report
from lorsync.core.providers import Backend, traits
from lorsync.daemon.worker import Passed
from lorsync.sync.plan import known, outlook
from lorsync.sync.runner import record_of


def welcome(passed: Passed, state: Path) -> None:
    """Print the plan, what was written, the calendar's address, and the next pass."""
    out = page()
    as_of = passed.report.plan.as_of
    found = known(passed.settings, state, as_of)
    plan, history = outlook(found, as_of)
    show_plan(out, plan, found.season, history, titled=True)
    out.print()
    show_report(out, passed.report, dry_run=False, with_warnings=False)
    address = record_of(state).calendar
    if address is not None:
        _show_address(out, passed, state, address)
    zone = passed.settings.season.applicant.timezone
    next_pass = passed.next_pass.astimezone(zone)
    out.print()
    last = f"The next pass is at {next_pass:%H:%M} ({zone.key}). Ctrl-C stops lorsync."
    print_paragraph(out, last, indent=0)


def _show_address(out: Console, passed: Passed, state: Path, address: str) -> None:
    out.print("\n[bold]Your calendar[/bold]")
    # No wrapping: an address is to be copied.
    out.print(escape(address), soft_wrap=True)
    if traits(passed.settings.calendar).backend is not Backend.LOCAL:
        return
    with ensure_running(state) as server:
        url, port, user = server.url, server.port, server.username
    print_paragraph(out, f"  The user is {user}; the password is in", indent=2)
    out.print(f"  {escape(str(state / SETTINGS_NAME))}", soft_wrap=True)
    apple = f"server 127.0.0.1, port {port}, path /{user}/, without SSL"
    for line in (
        f"Apple Calendar: Add Account > Other CalDAV Account > Advanced; {apple}",
        "Thunderbird: New Calendar > On the Network; this address and user",
        f"GNOME: Settings > Online Accounts > Calendar (CalDAV), or Evolution; {url}",
    ):
        print_paragraph(out, f"  {escape(line)}", indent=4)
