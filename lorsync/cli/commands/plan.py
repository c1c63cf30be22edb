"""``lorsync plan``: what is planned, and why."""

from datetime import date

import click

from lorsync.cli.context import now, parse_day, settings_of, state_of
from lorsync.cli.root import Globals
from lorsync.sync.plan import known, outlook, today_of


@click.command("plan")
@click.option("--why", is_flag=True, help="Say for each event which rule put it there.")
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Plan as if it were this day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, why: bool, as_of: date | None, as_json: bool) -> None:
    """Show what is planned from today on. No server is asked."""
    settings = settings_of(options)
    today = as_of or today_of(settings, now())
    found = known(settings, state_of(options), today)
    plan, history = outlook(found, today)
    if as_json:
        from lorsync.cli.output.documents import plan_document, show

        show(plan_document(plan))
        return
    from lorsync.cli.output.plan import show_plan
    from lorsync.cli.output.tables import console, page

    # Reasons are long lines: a pipe gets more room for them.
    out = console() if why else page()
    show_plan(out, plan, found.season, history, why=why)
