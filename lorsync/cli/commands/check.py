"""``lorsync check``: everything that is wrong with the config, in one go."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, now, say, state_of
from lorsync.cli.output.terminal import complain, counted
from lorsync.cli.root import Globals
from lorsync.core.errors import ConfigError, LorsyncError

if TYPE_CHECKING:
    from lorsync.core.settings import Settings

_DATED = frozenset({"past-due", "future-fact"})
"""The plan's warnings that are about a date in the config."""


@click.command("check")
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON schema for editors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, show_schema: bool, as_json: bool) -> None:
    """Check the config, and say everything that is wrong with it.

    What is allowed, and yet may be a slip, is a caution and no error: a deadline that has passed
    with nothing known of its letter, a fact dated in the future, requests that go through a proxy.
    """
    if show_schema:
        from lorsync.cli.output.documents import show
        from lorsync.config.json_schema import schema

        show(schema())
        return
    try:
        settings = _checked(options)
    except ConfigError as error:
        if as_json:
            heading, *problems = str(error).splitlines()
            _show(options, ok=False, problems=[line.strip() for line in problems] or [heading])
        raise
    season, cautions = settings.season, list(_cautions(settings, options))
    counts = {
        "letter": len(season.letters),
        "mentor": len(season.mentors),
        "program": len(season.programs),
    }
    if as_json:
        numbers = {f"{noun}s": n for noun, n in counts.items()}
        _show(options, ok=True, problems=[], cautions=cautions, **numbers)
        return
    for caution in cautions:
        complain(caution)
    what = ", ".join(counted(n, noun) for noun, n in counts.items())
    but = f", with {counted(len(cautions), 'caution')}" if cautions else ""
    say(options, f"{config_path(options)} is fine{but}: {what}.")


def _checked(options: Globals) -> "Settings":
    """Read the config. Raises ConfigError with every problem, those that take longer to see too."""
    from lorsync.adapters.holidays import known_regions
    from lorsync.config import load

    settings = load(config_path(options), regions=known_regions)
    if settings.calendar.ca_file is not None:
        from lorsync.adapters.caldav.ca_bundle import check_authorities

        check_authorities(Path(settings.calendar.ca_file))
    return settings


def _cautions(settings: "Settings", options: Globals) -> Iterator[str]:
    """Say what is allowed, and yet may be a slip; what was said with ``mark`` or a tick counts."""
    from lorsync.config.account import cautions
    from lorsync.sync.plan import planned, today_of

    yield from cautions(settings.calendar)
    try:
        plan = planned(settings, state_of(options), today_of(settings, now()))
    except LorsyncError as error:
        # The config is right all the same; what is wrong here, the next pass meets, too.
        yield str(error)
        return
    for warning in plan.warnings:
        if warning.code in _DATED:
            yield f"{warning.message} {warning.advice}".rstrip()


def _show(options: Globals, **told: object) -> None:
    from lorsync.cli.output.documents import show

    show({"config": str(config_path(options)), **told})
