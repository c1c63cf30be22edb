"""The ``lorsync`` command itself: its global options, and its subcommands loaded by name."""

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync import __version__
from lorsync.cli.examples import epilog

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "add": "Add a mentor, a program or a letter to the config.",
    "calendars": "List the calendars of your account.",
    "check": "Check the config, and say everything that is wrong with it.",
    "completion": "Print the script by which your shell completes lorsync.",
    "coverage": "Compare each program's letters with what it wants.",
    "doctor": "Look over everything that lorsync needs.",
    "export": "Write the planned events to .ics files.",
    "init": "Write your first config, with a few questions or from a spreadsheet.",
    "login": "Sign in to the calendar's provider.",
    "logout": "Forget the login.",
    "mark": "State what happened: asked, declined, submitted …",
    "plan": "Show what is planned, and why.",
    "restore": "Bring back an event that you deleted.",
    "run": "Keep the calendar in step, until stopped.",
    "service": "Have lorsync run by itself, and start with the machine.",
    "status": "Say how things stand.",
    "suggest": "Rank the mentors for a program, and say why.",
    "sync": "Bring the calendar and the plan together once.",
    "timeline": "Show the season as a picture.",
    "unpin": "Give an event that you moved back to the plan.",
}


_QUIET = "quiet"

_FEW = 5
"""So many commands are named to a person who types another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Globals:
    """The options that come before the command."""

    config: Path | None
    state_dir: Path | None
    verbosity: int
    quiet: bool = False


class Suggesting(click.Group):
    """A group that answers a command that it does not have with what may be meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-") and not ctx.resilient_parsing:
            # As click says it of options.
            ctx.fail(f"No such command {name[:40]!r}.{_meant(name, names)}")
        return super().resolve_command(ctx, args)


def _meant(name: str, names: list[str]) -> str:
    from lorsync.core.phrases import near

    meant = near(name, names)
    if meant:
        return f" Did you mean {meant!r}?"
    return f" It is one of {', '.join(names)}." if len(names) <= _FEW else ""


class _LazyGroup(Suggesting):
    """A group that imports a command's module when it is called, and not for ``--help``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"lorsync.cli.commands.{cmd_name}")
        command: click.Command = module.command
        if not any(parameter.name == _QUIET for parameter in command.params):
            command.params.append(_quiet())
        command.epilog = epilog(cmd_name) or command.epilog
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        formatter.write_paragraph()
        formatter.write_text("lorsync COMMAND --help shows a command's options, and examples.")
        formatter.write_paragraph()
        formatter.write_text(
            "The exit code is 0 when all is well, and 64 to 78 for errors, which the manual page "
            "lists. status and doctor answer with 1 and 2, too."
        )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        # click's own would load every command for its first line.
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=says)
            for name, says in sorted(_COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)


def _quiet() -> click.Option:
    """Return an option that every command takes as well, since people write it there."""

    def keep(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and isinstance(ctx.obj, Globals):
            ctx.obj = replace(ctx.obj, quiet=True)

    return click.Option(
        ["-q", "--quiet", _QUIET], is_flag=True, expose_value=False, hidden=True, callback=keep
    )


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, readable=False),
    help="The config file.  [default: lorsync/config.toml in your config folder]",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    help="Where lorsync keeps its ledger.  [default: $STATE_DIRECTORY, or your state folder]",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what was asked for, and errors.")
@click.version_option(__version__, message="lorsync %(version)s")
@click.pass_context
def cli(
    ctx: click.Context, config: Path | None, state_dir: Path | None, verbose: int, quiet: bool
) -> None:
    """Keep your calendar in step with your recommendation letters.

    lorsync works out when to talk to each mentor, to ask, to check in, to thank them and to report
    back, and keeps these events in your calendar. It never plans more than two follow-ups per
    mentor, and what you move, delete or write there stays.
    """
    ctx.obj = Globals(config=config, state_dir=state_dir, verbosity=verbose, quiet=quiet)
    if verbose:
        import logging

        level = logging.INFO if verbose == 1 else logging.DEBUG
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
