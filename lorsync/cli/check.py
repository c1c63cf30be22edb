"""``lorsync check``: everything that is wrong with the config, in one go."""

import click

from lorsync.cli.context import config_path, say, settings_of
from lorsync.cli.plain_text import echo
from lorsync.cli.root import Globals
from lorsync.errors import ConfigError


@click.command("check")
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON schema for editors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, show_schema: bool, as_json: bool) -> None:
    """Check the config, and say everything that is wrong with it."""
    if show_schema:
        from lorsync.cli.documents import show
        from lorsync.config import schema

        show(schema())
        return
    try:
        counts = _counted(options)
    except ConfigError as error:
        if as_json:
            heading, *problems = str(error).splitlines()
            _show(options, ok=False, problems=[line.strip() for line in problems] or [heading])
        raise
    if as_json:
        _show(options, ok=True, problems=[], **{f"{noun}s": n for noun, n in counts.items()})
        return
    what = ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for noun, n in counts.items())
    say(options, f"{config_path(options)} is fine: {what}.")


def _counted(options: Globals) -> dict[str, int]:
    """Read the config and count what is in it. Raises ConfigError with every problem."""
    from lorsync.config.account import cautions
    from lorsync.planning import refuse_unknown_regions

    settings = settings_of(options)
    refuse_unknown_regions(settings)
    if settings.calendar.ca_file is not None:
        from lorsync.adapters.authorities import check_authorities

        check_authorities(settings.calendar.ca_file)
    for caution in cautions(settings.calendar):
        echo(f"lorsync: {caution}", err=True)
    season = settings.season
    return {
        "letter": len(season.letters),
        "mentor": len(season.mentors),
        "program": len(season.programs),
    }


def _show(options: Globals, **told: object) -> None:
    from lorsync.cli.documents import show

    show({"config": str(config_path(options)), **told})
