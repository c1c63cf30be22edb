"""``lorsync run``: the daemon."""

import gc
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, say, state_of
from lorsync.cli.output.logs import Format, set_up, tell_changes
from lorsync.cli.output.terminal import in_journal
from lorsync.cli.root import Globals
from lorsync.core.errors import TryAgainError

if TYPE_CHECKING:
    from lorsync.daemon.worker import Passed

log = logging.getLogger(__name__)


@click.command("run")
@click.option(
    "--log-format",
    type=click.Choice([kind.value for kind in Format]),
    help="How the log on stderr looks.  [default: journal under systemd, else text]",
)
@click.pass_obj
def command(options: Globals, log_format: str | None) -> int:
    """Keep the calendar in step, until stopped with Ctrl-C or SIGTERM.

    A pass runs at the start, every [sync] every, when the day changes and when the config does.
    SIGHUP reads the config again, SIGUSR1 asks for a pass.
    """
    from lorsync.daemon.config_loader import ConfigLoader
    from lorsync.daemon.sd_notify import ServiceManager
    from lorsync.daemon.supervisor import Daemon
    from lorsync.monitoring.notifier import Notifier
    from lorsync.monitoring.state import Keeper

    manager = ServiceManager.of(os.environ)
    alone = not in_journal()
    _set_up_log(options, log_format, alone=alone)
    gc.enable()
    config, state = config_path(options), state_of(options)
    loader = ConfigLoader(config)
    notifier = Notifier(state, keeper=Keeper.DAEMON)

    def tell(passed: "Passed") -> None:
        notifier.note(passed.report.plan, passed.next_pass)
        _tell(passed, state, greet=passed.first and alone and not options.quiet)

    daemon = Daemon(
        config,
        state,
        loaded=loader.load(),
        load=loader.load,
        tell=tell,
        begin=notifier.begin,
        after=notifier.after,
        manager=manager,
    )
    ended = daemon.run()
    # It is no error, but only after one is it started again.
    code = TryAgainError.exit_code if daemon.upgraded else 0
    if alone:
        say(options, "Stopped.")
    if not ended:
        # The interpreter would wait for threads that wait for a server.
        sys.stdout.flush()
        os._exit(code)
    return code


def _set_up_log(options: Globals, log_format: str | None, *, alone: bool) -> None:
    """Log as was asked for, else as the one who started the daemon reads it."""
    usual = Format.TEXT if alone else Format.JOURNAL
    set_up(
        -1 if options.quiet else options.verbosity,
        usual if log_format is None else Format(log_format),
    )


def _tell(passed: "Passed", state: Path, *, greet: bool) -> None:
    """Show the first pass to somebody at a terminal, and log what any other one did."""
    if greet:
        from lorsync.cli.output.welcome import welcome

        welcome(passed, state)
    else:
        tell_changes(passed.report)
    for warning in passed.report.warnings:
        if warning.code == "ledger":
            log.warning("%s", warning.message)
    log.debug("Next pass: %s.", _when(passed.next_pass))


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
