"""``lorsync check``: everything that is wrong with the config, in one go."""

import click

from lorsync.cli.context import config_path, settings_of
from lorsync.cli.root import Globals
from lorsync.config import schema
from lorsync.errors import ConfigError
from lorsync.planning import unknown_regions


@click.command("check")
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON schema for editors.")
@click.pass_obj
def command(options: Globals, *, show_schema: bool) -> None:
    """Check the config, and say everything that is wrong with it."""
    if show_schema:
        from lorsync.cli.documents import show

        show(schema())
        return
    settings = settings_of(options)
    season = settings.season
    unknown = unknown_regions(settings)
    if unknown:
        lines = [
            f"  {key}: {region!r} — no holidays are known for it; a country such as US is "
            "allowed, or a part of one such as US-NY"
            for key, region in unknown
        ]
        msg = "\n".join([f"{config_path(options)}: unknown holidays", *lines])
        raise ConfigError(msg)
    counts = (
        (len(season.letters), "letter"),
        (len(season.mentors), "mentor"),
        (len(season.programs), "program"),
    )
    what = ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts)
    click.echo(f"{config_path(options)} is fine: {what}.")
