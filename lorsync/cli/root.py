"""The ``lorsync`` command itself: its global options, and its subcommands loaded by name."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import click

from lorsync import __version__

_COMMANDS = {
    "calendars": "List the calendars of your account.",
    "check": "Check the config, and say everything that is wrong with it.",
    "coverage": "Hold each program's letters against what it wants.",
    "doctor": "Look over everything that lorsync needs.",
    "export": "Write the planned events to one .ics file.",
    "login": "Sign in to the calendar's provider.",
    "logout": "Forget the login.",
    "mark": "State what happened: asked, declined, submitted …",
    "plan": "Show what is planned, and why.",
    "restore": "Bring back an event that you deleted.",
    "run": "Keep the calendar true, until stopped.",
    "service": "Have lorsync run by itself, and start with the machine.",
    "status": "Say how things stand.",
    "suggest": "Rank the mentors for a program, and say why.",
    "sync": "Bring the calendar and the plan together once.",
    "unpin": "Give an event that you moved back to the plan.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Globals:
    """The options that come before the command."""

    config: Path | None
    state_dir: Path | None
    verbosity: int


class _LazyGroup(click.Group):
    """A group that imports a command's module when it is called, and not for ``--help``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"lorsync.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    help="The config file.  [default: lorsync/config.toml in your config folder]",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where lorsync keeps its ledger.  [default: $STATE_DIRECTORY, or your state folder]",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for all.")
@click.version_option(__version__, message="lorsync %(version)s")
@click.pass_context
def cli(ctx: click.Context, config: Path | None, state_dir: Path | None, verbose: int) -> None:
    """Keep a calendar true to your letters of recommendation.

    lorsync works out when to talk to each mentor, to ask, to check in, to thank them and to report
    back, and keeps these events in your calendar. It never plans more than two follow-ups per
    mentor, and what you move, delete or write there stays.
    """
    ctx.obj = Globals(config=config, state_dir=state_dir, verbosity=verbose)
    if verbose:
        import logging

        level = logging.INFO if verbose == 1 else logging.DEBUG
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
