"""Write the manual page from the commands themselves: ``python -m lorsync.cli.manpage``.

``make man`` puts it into docs/lorsync.1, from where a wheel brings it along; a test holds the two
together.
"""

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator

import click

from lorsync import __version__, __version_date__
from lorsync.cli.examples import EXAMPLES
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import cli

_FILES = (
    ("~/.config/lorsync/config.toml", "the config, unless -c names another"),
    ("~/.local/state/lorsync/", "the ledger, unless --state-dir names another folder"),
)
_ENVIRONMENT = (
    (
        "STATE_DIRECTORY",
        "the folder for the ledger, where --state-dir is not given; systemd sets it",
    ),
    ("CREDENTIALS_DIRECTORY", "where systemd keeps the credential lorsync-password"),
    ("NO_COLOR", "if set, nothing is coloured"),
    ("COLUMNS", "the width to write for, where there is no terminal to ask"),
)

EXIT_CODES = {
    0: "All is well.",
    1: "status: something needs you. doctor: something is wrong. service status: it has failed.",
    2: "status: nothing runs lorsync. service status: the service does not run.",
    64: "The command line asks for what there is not.",
    65: "A file or a server's answer cannot be used.",
    66: "A file that was named is not there, or cannot be read.",
    69: "The server is not there, or is no CalDAV server.",
    70: "An internal error.",
    73: "A file that was asked for cannot be written, or the state folder cannot be used.",
    75: "Refused for now, or another lorsync is at work: try again later.",
    77: "The password cannot be had, or does not serve.",
    78: "The config is wrong, another one rules this calendar, or nobody has signed in yet.",
    130: "Stopped with Ctrl-C.",
    141: "The reader of the output left, as head(1) does.",
}
"""As sysexits.h has them; :mod:`lorsync.core.errors` says which exception gives which."""


def manual() -> str:
    """Return the page in man(7)."""
    root = click.Context(cli, info_name="lorsync", **cli.context_settings)
    return "\n".join(
        [
            f'.TH LORSYNC 1 "{__version_date__}" "lorsync {__version__}" "User Commands"',
            ".SH NAME",
            "lorsync \\- keep your calendar in step with your recommendation letters",
            ".SH SYNOPSIS",
            ".B lorsync",
            "[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]",
            ".SH DESCRIPTION",
            *_prose(inspect.cleandoc(cli.help or "").partition("\n\n")[2]),
            ".SH OPTIONS",
            *_options(cli, root),
            ".SH COMMANDS",
            *(line for name in cli.list_commands(root) for line in _command(name, root, cli)),
            ".SH FILES",
            *_listed(_FILES),
            ".SH ENVIRONMENT",
            *_listed(_ENVIRONMENT),
            ".SH EXIT STATUS",
            *_listed((str(code), what) for code, what in EXIT_CODES.items()),
            ".SH SEE ALSO",
            ".BR khal (1),",
            ".BR systemd.service (5)",
            "",
        ]
    )


def _command(name: str, parent: click.Context, group: click.Group) -> Iterator[str]:
    command = group.get_command(parent, name)
    assert command is not None  # noqa: S101 -- listed by the group itself
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_escaped(f"{context.command_path} {usage}")}"'
    yield from _prose(inspect.cleandoc(command.help or ""))
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _command(each, context, command)
    for typed, what in EXAMPLES.get(name, ()):
        # Indented by hand: .EX is no part of man(7) everywhere.
        yield from (".PP", _escaped(f"{what[:1].upper()}{what[1:]}:"), ".RS", ".nf")
        yield from (_guarded(_escaped(f"lorsync {typed}")), ".fi", ".RE")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        of_every_command = context.parent is not None and "--help" in parameter.opts
        if record is not None and not of_every_command:
            names, says = record
            yield from (".TP", f"\\fB{_escaped(names)}\\fR", *_filled(says))


def _prose(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield from _filled(paragraph.replace("\b", ""))


def _listed(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, what in pairs:
        yield from (".TP", f"\\fB{_escaped(name)}\\fR", *_filled(what))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return text.replace("…", "...").replace("“", "\\(lq").replace("”", "\\(rq")


def _filled(text: str) -> Iterator[str]:
    """Return a paragraph in lines of the length that mandoc(1) asks for."""
    for line in textwrap.wrap(text, 70, break_long_words=False, break_on_hyphens=False):
        yield _guarded(_escaped(line))


def _guarded(line: str) -> str:
    """Keep a line of text from being read as a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    echo(manual(), nl=False)
