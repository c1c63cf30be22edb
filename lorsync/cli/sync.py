"""``lorsync sync``: one pass."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, now, settings_of, state_of
from lorsync.cli.root import Globals
from lorsync.errors import CredentialsError, LorsyncError
from lorsync.ports import Progress

if TYPE_CHECKING:
    from lorsync.core.model import Plan
    from lorsync.report import Summary
    from lorsync.settings import Settings

_SPARED = timedelta(hours=6)
"""How long a refused login is left alone where nobody is there to mend it."""

_WORTH_A_BAR = 20
"""From so many writes on, a terminal shows a progress bar."""


@click.command("sync")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--accept-deletions", is_flag=True, help="What is gone is meant to be gone.")
@click.option("--new-cycle", is_flag=True, help="Begin a new season, with budgets of its own.")
@click.option("--take-over", is_flag=True, help="Let this config rule where another one did.")
@click.option("--move", is_flag=True, help="Take all events to the account that is named now.")
@click.option("--unattended", is_flag=True, help="For timers: spare a refused login for six hours.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    options: Globals,
    *,
    dry_run: bool,
    accept_deletions: bool,
    new_cycle: bool,
    take_over: bool,
    move: bool,
    unattended: bool,
    as_json: bool,
) -> None:
    """Bring the calendar and the plan together once."""
    if unattended:
        _spare_login(options, state_of(options))
    from lorsync.glance import glance
    from lorsync.report import Summary

    ahead = None
    if not (dry_run or accept_deletions or new_cycle or take_over or move):
        seen = glance(config_path(options), state_of(options), now=now())
        if isinstance(seen, Summary):
            _show(seen, dry_run=False, as_json=as_json)
            _tell_of_glance(options, state_of(options))
            return
        ahead = seen

    from lorsync.passes import pass_once
    from lorsync.sync import Options

    settings, state = settings_of(options), state_of(options)
    try:
        with _Bar() as bar:
            report = pass_once(
                settings,
                state,
                now=now(),
                ahead=ahead,
                options=Options(
                    dry_run=dry_run,
                    accept_deletions=accept_deletions,
                    new_cycle=new_cycle,
                    take_over=take_over,
                    move=move and not dry_run,
                    progress=None if as_json else bar.advance,
                ),
            )
    except LorsyncError:
        if not dry_run:
            _tell(settings, state, plan=None, well=False)
        raise
    _show(report, dry_run=dry_run, as_json=as_json)
    if not dry_run:
        _tell(settings, state, plan=report.plan, well=True)


def _spare_login(options: Globals, state: Path) -> None:
    """Raise CredentialsError while a login is refused: tried every few minutes, it gets locked."""
    from lorsync.passes import record_of

    refused = record_of(state).login_refused
    if refused is None or now() - datetime.fromisoformat(str(refused["at"])) >= _SPARED:
        return
    _tell(settings_of(options), state, plan=None, well=False)
    msg = f"{refused['message']} Not tried again yet; to try it now, run: lorsync sync"
    raise CredentialsError(msg)


def _tell(settings: "Settings", state: Path, *, plan: "Plan | None", well: bool) -> None:
    """Tell the outside how the pass went that has just ended."""
    from lorsync.adapters.told_file import Keeper
    from lorsync.telling import Teller

    # Who sits at a terminal reads it there.
    teller = Teller(state, keeper=Keeper.COMMAND, desktop=not sys.stdout.isatty())
    if well:
        teller.note(plan, None)
    teller.after(settings)
    teller.wait()


def _tell_of_glance(options: Globals, state: Path) -> None:
    """Tell of a pass that was spared, where that is wanted; else the config stays unread."""
    import tomllib

    from lorsync.adapters.told_file import Keeper, read_told

    wanted = {"metrics", "ping"} & tomllib.loads(config_path(options).read_text("utf-8-sig")).keys()
    if wanted or read_told(state).keeper is not Keeper.COMMAND:
        _tell(settings_of(options), state, plan=None, well=True)


def _show(report: "Summary", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        from lorsync.cli.documents import report_document, show

        show(report_document(report))
    elif report.repeatable and report.is_silent:
        # Loading what draws tables takes longer than all that a glance does.
        click.echo(report.headline())
    else:
        from lorsync.cli.tables import console, show_report

        show_report(console(), report, dry_run=dry_run)


class _Bar:
    """A progress bar on a terminal, made at the first write where there is much to write."""

    def __init__(self) -> None:
        self._live: object = None
        self.advance: Progress = self._advance

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is None:
            return
        from rich.progress import Progress as RichProgress

        if isinstance(self._live, RichProgress):
            self._live.stop()

    def _advance(self, done: int, total: int) -> None:
        if total < _WORTH_A_BAR or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress as RichProgress

        if not isinstance(self._live, RichProgress):
            self._live = RichProgress(console=Console(stderr=True), transient=True)
            self._live.add_task("Writing events", total=total)
            self._live.start()
        self._live.update(self._live.task_ids[0], completed=done)
