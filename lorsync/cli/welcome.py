"""What ``lorsync run`` shows after its first pass: the plan, and how to open the calendar."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lorsync.adapters.local_files import SETTINGS_NAME
from lorsync.adapters.local_server import ensure_running
from lorsync.cli.plan_table import show_plan
from lorsync.cli.tables import console, show_report
from lorsync.passes import record_of
from lorsync.planning import known
from lorsync.settings import Provider
from lorsync.worker import Passed


def welcome(passed: Passed, state: Path) -> None:
    """Print the plan, what was written, the calendar's address, and the next pass."""
    out = console()
    plan = passed.report.plan
    found = known(passed.settings, state, plan.as_of)
    show_plan(out, plan, found.season, found.history, titled=True)
    out.print()
    show_report(out, passed.report, dry_run=False, with_warnings=False)
    address = record_of(state).calendar
    if address is not None:
        _show_address(out, passed, state, address)
    zone = passed.settings.season.applicant.timezone
    next_pass = passed.next_pass.astimezone(zone)
    out.print(f"\nThe next pass is at {next_pass:%H:%M} ({zone.key}). Ctrl-C stops lorsync.")


def _show_address(out: Console, passed: Passed, state: Path, address: str) -> None:
    out.print("\n[bold]Your calendar[/bold]")
    # No wrapping: an address is to be copied.
    out.print(escape(address), soft_wrap=True)
    if passed.settings.calendar.provider is not Provider.LOCAL:
        return
    with ensure_running(state) as server:
        url, port, user = server.url, server.port, server.username
    lines = (
        f"User: {user}. The password is in {state / SETTINGS_NAME}.",
        (
            f"Apple Calendar: Add Account > Other CalDAV Account > Advanced, server 127.0.0.1, "
            f"port {port}, path /{user}/, without SSL."
        ),
        "Thunderbird: New Calendar > On the Network, with this user and address.",
        f"GNOME: Settings > Online Accounts > Calendar (CalDAV), or Evolution, with {url}",
    )
    for line in lines:
        out.print(f"  {escape(line)}", soft_wrap=True)
