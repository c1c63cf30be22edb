"""``lorsync sync``: one pass."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, now, remark, settings_of, state_of
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals

if TYPE_CHECKING:
    from pathlib import Path

    from lorsync.adapters.connect import Prefetched
    from lorsync.core.settings import Settings
    from lorsync.sync.engine import Options
    from lorsync.sync.report import Report, Summary


@click.command("sync")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--accept-deletions", is_flag=True, help="Say yes to deletions that wait for it.")
@click.option(
    "--accept-newcomers", is_flag=True, help="Say that who is new is nobody who was there before."
)
@click.option(
    "--accept-memory",
    is_flag=True,
    help="Say that what lorsync's memory in the calendar says is so.",
)
@click.option("--new-cycle", is_flag=True, help="Begin a new season, with follow-ups of its own.")
@click.option("--take-over", is_flag=True, help="Let this config rule where another one did.")
@click.option("--move", is_flag=True, help="Take all events to the account that [calendar] names.")
@click.option(
    "--unattended",
    is_flag=True,
    help="For timers: do nothing beside a daemon, and leave a refused login alone for hours.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask before anything is removed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    options: Globals,
    *,
    dry_run: bool,
    accept_deletions: bool,
    accept_newcomers: bool,
    accept_memory: bool,
    new_cycle: bool,
    take_over: bool,
    move: bool,
    unattended: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring the calendar and the plan together once.

    On a terminal, --accept-deletions and --move ask before anything is removed. In a script they
    are the yes themselves.
    """
    from lorsync.cli.commands._sync_notify import spare_login, tell_of_glance
    from lorsync.core.errors import UsageError
    from lorsync.sync.noop import check_noop
    from lorsync.sync.report import Summary

    if move and accept_deletions:
        msg = (
            "--move and --accept-deletions answer two questions, and what would be deleted is "
            "known only once the events are moved. Run lorsync sync --move first."
        )
        raise UsageError(msg)

    if unattended:
        if not dry_run and _is_left_to_daemon(options, as_json=as_json):
            return
        spare_login(options, state_of(options))
    ahead = None
    answers = accept_deletions or accept_newcomers or accept_memory
    if not (dry_run or answers or new_cycle or take_over or move):
        seen = check_noop(config_path(options), state_of(options), now=now())
        if isinstance(seen, Summary):
            _show(options, seen, dry_run=False, as_json=as_json)
            tell_of_glance(options, state_of(options))
            return
        ahead = seen

    # Loaded only where a glance was not enough: it takes longer than all that a glance does.
    from lorsync.sync.engine import Options

    wanted = Options(
        dry_run=dry_run,
        accept_deletions=accept_deletions,
        accept_newcomers=accept_newcomers,
        accept_memory=accept_memory,
        new_cycle=new_cycle,
        take_over=take_over,
        move=move and not dry_run,
    )
    _pass(options, wanted, ahead, yes=yes, as_json=as_json)


def _is_left_to_daemon(options: Globals, *, as_json: bool) -> bool:
    """Tell, here and to the person, whether a daemon keeps the calendar: a timer has no need to."""
    from lorsync.adapters.state_dir import daemon_pid

    state = state_of(options)
    pid = daemon_pid(state)
    if pid is None:
        return False
    if as_json:
        from lorsync.cli.output.documents import show

        show({"left_to": pid})
    else:
        remark(options, f"Left to the daemon (process {pid}), which serves {state} already.")
    return True


def _pass(
    options: Globals, wanted: "Options", ahead: "Prefetched | None", *, yes: bool, as_json: bool
) -> None:
    """Run a whole pass, after a question where it may remove much; show it, and tell the outside.

    ``ahead`` is what a glance has learned. Raises a LorsyncError where the pass does not come to
    its end, and click.Abort where it is not wanted.
    """
    from lorsync.cli.commands._sync_notify import tell
    from lorsync.cli.output.progress import Waiting
    from lorsync.core.errors import UsageError
    from lorsync.sync.runner import pass_once

    settings, state = settings_of(options), state_of(options)
    if (wanted.accept_deletions or wanted.move) and not (wanted.dry_run or yes):
        _ask(settings, state, wanted)
    try:
        with Waiting("Looking at the calendar") as waiting:
            wanted = replace(wanted, progress=None if as_json else waiting.advance)
            report = pass_once(settings, state, now=now(), ahead=ahead, options=wanted)
    except Exception as error:
        if not wanted.dry_run and not isinstance(error, UsageError):
            tell(settings, state, plan=None, well=False)
        raise
    _show(options, report, dry_run=wanted.dry_run, as_json=as_json)
    if not wanted.dry_run:
        tell(settings, state, plan=report.plan, well=True)


def _show(options: Globals, report: "Summary", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        from lorsync.cli.output.documents import report_document, show

        show(report_document(report))
    elif options.quiet and not dry_run and not report.held:
        return
    elif report.repeatable and report.is_silent:
        # Loading what draws tables takes longer than all that a glance does.
        echo(report.headline())
    else:
        from lorsync.cli.output.tables import console, show_report

        show_report(console(), report, dry_run=dry_run)


def _ask(settings: "Settings", state: "Path", wanted: "Options") -> None:
    """Say on a terminal what would be removed, and ask. Raises click.Abort where it is not wanted.

    That takes a look at the calendar of its own, which a script is spared.
    """
    from lorsync.cli.context import asks, confirm
    from lorsync.cli.output.progress import Waiting
    from lorsync.sync.account import awaits_move
    from lorsync.sync.runner import pass_once

    if not asks():
        return
    if wanted.move and awaits_move(settings.calendar, state):
        where = settings.calendar.name
        confirm(f"Write all events to “{where}”, and take them out of the old one?", yes=False)
        return
    if not wanted.accept_deletions:
        return
    with Waiting("Looking at the calendar"):
        looked = pass_once(settings, state, now=now(), options=replace(wanted, dry_run=True))
    if looked.deleted or looked.dismissed:
        _show_losses(looked)
        confirm("Go on?", yes=False)


def _show_losses(looked: "Report") -> None:
    from lorsync.cli.output.tables import console, show_changes

    out = console(stderr=True)
    for heading, changes in (
        ("Would be deleted:", looked.deleted),
        ("Would count as deleted by you:", looked.dismissed),
    ):
        show_changes(out, heading, sorted(changes, key=lambda change: change.day))
