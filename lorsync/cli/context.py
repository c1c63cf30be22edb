"""What every command starts from: the settings, the state folder, the time.

What it takes is loaded by the call that needs it: a shell that completes a word loads a command,
too, and should not pay for the config's model.
"""

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.output.terminal import echo, folded, in_journal
from lorsync.cli.root import Globals
from lorsync.core.display import visible
from lorsync.core.errors import ConfigError, StateError, UsageError

if TYPE_CHECKING:
    from lorsync.core.settings import Settings


def config_path(options: Globals) -> Path:
    """Return the config file: ``-c``, else the default place.

    Raises ConfigError where the bytes of its path are no text.
    """
    from lorsync.config import default_path
    from lorsync.config.paths import undecodable

    path = options.config if options.config is not None else default_path()
    shown = undecodable(path)
    if shown is not None:
        msg = f"The path of the config is no UTF-8 text: {shown}. Name another with -c FILE."
        raise ConfigError(msg)
    return path


def settings_of(options: Globals) -> "Settings":
    """Read the config. Raises ConfigError with every problem in it."""
    from lorsync.config import load

    return load(config_path(options))


def state_of(options: Globals) -> Path:
    """Return the state folder, whether or not it exists.

    Raises UsageError for what is no path, and StateError where its bytes are no text.
    """
    from lorsync.adapters.state_dir import state_dir
    from lorsync.config.paths import misread, undecodable

    meant = None if options.state_dir is None else misread(os.fspath(options.state_dir))
    if meant is not None:
        msg = f"--state-dir {options.state_dir}: {meant}."
        raise UsageError(msg)
    path = state_dir(options.state_dir, os.environ)
    shown = undecodable(path)
    if shown is not None:
        msg = (
            f"The path of the state folder is no UTF-8 text: {shown}. Name another one with "
            "--state-dir."
        )
        raise StateError(msg)
    return path


def say(options: Globals, *lines: str) -> None:
    """Print what a command did; nothing where only results and errors are wanted (--quiet)."""
    if not options.quiet:
        for line in lines:
            echo(folded(line))


def remark(options: Globals, line: str) -> None:
    """Print what a command has to say, as a service to the journal, which gets no stdout of it."""
    if in_journal():
        echo(f"<5>{line}", err=True)
    else:
        say(options, line)


def now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


def parse_day(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """Read a day from the command line, as ISO 8601 alone. Raises UsageError."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        msg = f"{value!r} is not a day. Write it like 2026-09-23."
        raise UsageError(msg) from None
    if not 1970 <= day.year <= 2200:
        msg = f"{value} is outside the years 1970 to 2200."
        raise UsageError(msg)
    return day


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, unless ``yes`` was given; the default is no. Raises click.Abort on it.

    Where nobody can be asked, the command itself is the yes: scripts name it on purpose.
    """
    if yes or not asks():
        return
    if not click.confirm(visible(question), err=True):
        raise click.Abort


def asks() -> bool:
    """Tell whether somebody is there: a terminal to read from, and one to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()
