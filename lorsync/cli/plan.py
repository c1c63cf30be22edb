"""``lorsync plan``: what is planned, and why."""

from datetime import date

import click

from lorsync.cli.context import now, parse_day, settings_of, state_of
from lorsync.cli.root import Globals
from lorsync.planning import planned, today_of


@click.command("plan")
@click.option("--why", is_flag=True, help="Say for each event which rule put it there.")
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Plan as if it were this day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, why: bool, as_of: date | None, as_json: bool) -> None:
    """Show what is planned from today on. No server is asked."""
    settings = settings_of(options)
    plan = planned(settings, state_of(options), as_of or today_of(settings, now()))
    if as_json:
        from lorsync.cli.documents import plan_document, show

        show(plan_document(plan))
        return
    from lorsync.cli.tables import console, show_plan

    show_plan(console(), plan, settings.season.mentors, why=why)
