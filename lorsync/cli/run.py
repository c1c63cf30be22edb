"""``lorsync run``: the daemon."""

import gc
import logging
import os
import sys
from datetime import datetime

import click

from lorsync.cli.context import config_path, say, state_of
from lorsync.cli.logs import set_up
from lorsync.cli.root import Globals
from lorsync.config import load

log = logging.getLogger(__name__)


@click.command("run")
@click.pass_obj
def command(options: Globals) -> None:
    """Keep the calendar true, until stopped with Ctrl-C or SIGTERM.

    A pass runs at the start, every [sync] every, when the day changes and when the config does.
    SIGHUP reads the config again, SIGUSR1 asks for a pass.
    """
    from lorsync.adapters.told_file import Keeper
    from lorsync.daemon import Daemon, Passed
    from lorsync.telling import Teller

    in_journal = "JOURNAL_STREAM" in os.environ
    set_up(-1 if options.quiet else options.verbosity, journal=in_journal)
    gc.enable()
    state = state_of(options)
    teller = Teller(state, keeper=Keeper.DAEMON)

    def tell(passed: Passed) -> None:
        report = passed.report
        teller.note(report.plan, passed.next_pass)
        if passed.first and not in_journal and not options.quiet:
            from lorsync.cli.welcome import welcome

            welcome(passed, state)
        elif report.wrote or report.adopted:
            log.info(
                "%d created, %d updated, %d deleted, %d adopted.",
                len(report.created),
                len(report.updated),
                len(report.deleted),
                len(report.adopted),
            )
        log.debug("Next pass: %s.", _when(passed.next_pass))

    ended = Daemon(config_path(options), state, load=load, tell=tell, after=teller.after).run()
    if not in_journal:
        say(options, "Stopped.")
    if not ended:
        # The interpreter would wait for threads that wait for a server.
        sys.stdout.flush()
        os._exit(0)


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
