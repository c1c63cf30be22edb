"""``lorsync timeline``: the season as a picture."""

import sys
from datetime import date
from pathlib import Path

import click

from lorsync.cli.context import now, parse_day, settings_of, state_of
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals
from lorsync.core.display import visible
from lorsync.core.errors import UsageError
from lorsync.sync.plan import known, outlook, today_of

_FORMATS = {".svg": "svg", ".html": "html", ".htm": "html"}


@click.command("timeline")
@click.option(
    "-o", "--output", metavar="FILE", help="Write season.svg or season.html; - for stdout."
)
@click.option(
    "--format",
    "chosen",
    type=click.Choice(("svg", "html")),
    help="What to write.  [default: as the file is called]",
)
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Show it as of this day.")
@click.pass_obj
def command(
    options: Globals, *, output: str | None, chosen: str | None, as_of: date | None
) -> None:
    """Show the season as a picture, one lane per mentor. No server is asked.

    Solid signs are done, hollow ones planned; on the terminal, or in a file for a browser.
    """
    kind = _format(output, chosen)
    settings = settings_of(options)
    today = as_of or today_of(settings, now())
    found = known(settings, state_of(options), today)
    plan, history = outlook(found, today)

    from lorsync.render.timeline.season import timeline

    season = timeline(found.season, plan, history)
    if output is None:
        from lorsync.cli.output.tables import page
        from lorsync.cli.output.timeline import show_lanes

        show_lanes(page(), season)
        return
    if kind == "svg":
        from lorsync.render.timeline.svg import svg

        drawn = svg(season)
    else:
        from lorsync.render.timeline.page import html

        drawn = html(season, plan.warnings)
    _write(output, drawn)


def _format(output: str | None, chosen: str | None) -> str | None:
    """Return what to write. Raises UsageError where neither the name nor an option says it."""
    if output is None:
        if chosen is not None:
            msg = "--format is for a file: add -o FILE, or -o - for stdout."
            raise UsageError(msg)
        return None
    found = chosen or _FORMATS.get(Path(output).suffix.lower())
    if found is None:
        msg = f"{output!r} says neither .svg nor .html: name it so, or add --format."
        raise UsageError(msg)
    return found


def _write(output: str, drawn: str) -> None:
    fit = visible(drawn).encode()
    if output == "-":
        sys.stdout.buffer.write(fit)
        return
    from lorsync.cli.files import write_whole

    write_whole(Path(output), fit)
    echo(f"The season is drawn in {output}.")
