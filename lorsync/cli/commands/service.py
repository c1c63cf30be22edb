"""``lorsync service``: the daemon as a service of the person's own."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import config_path, settings_of, state_of
from lorsync.cli.output.terminal import echo, folded
from lorsync.cli.root import Globals, Suggesting
from lorsync.core.errors import TryAgainError, UsageError

if TYPE_CHECKING:
    from lorsync.adapters.service import Launch, Manager, ServiceState
    from lorsync.adapters.service.files import Whose
    from lorsync.core.settings import Settings

_FAILED, _NOT_RUNNING = 1, 2
_LABEL = " " * 10


@click.group("service", cls=Suggesting)
def command() -> None:
    """Have lorsync run by itself: a systemd user unit, or a launch agent on macOS."""


@command.command("install")
@click.option("--force", is_flag=True, help="Replace a file that you have edited; yours is kept.")
@click.option("--as-root", is_flag=True, help="Yes, the service is meant to be root's own.")
@click.pass_obj
def install(options: Globals, *, force: bool, as_root: bool) -> None:
    """Put the service in place and start it."""
    from lorsync.adapters.service import manager_here
    from lorsync.adapters.service.files import Whose, kept, put, whose

    _check_root(as_root=as_root)
    launch = _launch(settings_of(options), config_path(options), state_of(options))
    manager = manager_here()
    notes = manager.check(launch)
    _check_daemon(manager, launch.state)
    before = whose(manager.path)
    changed = put(manager.path, manager.text(launch), force=force)
    _tell(f"Wrote {manager.path}" if changed else f"{manager.path} is as it should be.")
    if before is Whose.PERSON:
        _tell(f"Yours is kept as {kept(manager.path)}")
    for ran in manager.start(changed=changed):
        _tell(f"Ran: {ran}")
    state = manager.state()
    _tell(f"The service is {state.says}.")
    for line in (*notes, *manager.advice(state), "How it is doing: lorsync status", _undo(options)):
        _tell(line)


@command.command("uninstall")
@click.option("--force", is_flag=True, help="Remove a file that you have edited; yours is kept.")
@click.pass_obj
def uninstall(options: Globals, *, force: bool) -> None:
    """Stop the service, and take it away.

    The calendar, the config and what lorsync remembers stay as they are.
    """
    from lorsync.adapters.service import manager_here
    from lorsync.adapters.service.files import Whose, check_removable, remove, whose

    manager = manager_here()
    if whose(manager.path) is Whose.NOBODY:
        _tell(f"There is no service to take away: {manager.path} is not there.")
        return
    check_removable(manager.path, force=force)
    for ran in manager.stop():
        _tell(f"Ran: {ran}")
    remove(manager.path, force=force)
    _tell(f"Removed {manager.path}")
    for ran in manager.forget():
        _tell(f"Ran: {ran}")
    _tell(f"The calendar and {state_of(options)} are as they were.")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def status(options: Globals, *, as_json: bool) -> int:
    """Say whether the service runs.

    The exit code is 0 if it does, 1 where it has failed, and 2 where it does not run.
    """
    from lorsync.adapters.service import manager_here
    from lorsync.adapters.service.files import whose

    manager = manager_here()
    owner, state, missing = whose(manager.path), manager.state(), manager.missing()
    if as_json:
        from lorsync.cli.output.documents import show

        show(_document(manager, owner, state, missing=missing))
    else:
        says = "not running" if missing else f"{state.says}, by {manager.name}"
        _tell(f"Service   {says}", more=_LABEL)
        _tell(f"File      {manager.path}, {owner}", more=_LABEL)
        _tell(f"At start  {'comes up by itself' if state.enabled else 'stays down'}", more=_LABEL)
        advice = [missing or f"To have it run: {_typed(options)} service install"]
        for line in manager.advice(state) if state.active else advice:
            _tell(line)
    if state.active:
        return 0
    return _FAILED if state.failed else _NOT_RUNNING


def _tell(line: str, *, more: str = "  ") -> None:
    echo(folded(line, more=more))


def _document(
    manager: "Manager", owner: "Whose", state: "ServiceState", *, missing: str | None
) -> dict[str, object]:
    from lorsync.adapters.service.files import Whose

    return {
        "manager": manager.name,
        "available": missing is None,
        "file": str(manager.path),
        "installed": owner is not Whose.NOBODY,
        "edited": owner is Whose.PERSON,
        "enabled": state.enabled,
        "running": state.active,
        "failed": state.failed,
        "state": state.says,
        "pid": state.pid,
        "outlives_login": state.outlives_login,
    }


def _check_root(*, as_root: bool) -> None:
    """Ask before root gets a service of its own, which is rarely what is meant."""
    if os.geteuid() != 0 or as_root:
        return
    person = os.environ.get("SUDO_USER")
    meant = f"Without sudo it is {person}'s." if person else "Run it as the person who applies."
    msg = (
        f"You are root, so this would be root's own service. {meant} For a server with services "
        "for several people: docs/service.md. If root it is: lorsync service install --as-root"
    )
    raise UsageError(msg)


def _check_daemon(manager: "Manager", state: Path) -> None:
    """Refuse to start a second daemon on one state folder beside one that is not the service's."""
    from lorsync.adapters.state_dir import daemon_pid

    pid = daemon_pid(state)
    if pid is not None and pid != manager.state().pid:
        msg = f"A daemon runs already (process {pid}), started by hand. Stop it first: kill {pid}"
        raise TryAgainError(msg)


def _launch(settings: "Settings", config: Path, state: Path) -> "Launch":
    from lorsync.adapters.service import Launch

    textfile = settings.metrics.textfile
    folders = (settings.calendar.path, None if textfile is None else Path(textfile).parent)
    return Launch(
        program=_program(),
        config=config.expanduser().absolute(),
        # systemd ignores a path with ".." in it.
        state=state.resolve(),
        writes=tuple(Path(folder).resolve() for folder in folders if folder is not None),
    )


def _program() -> tuple[str, ...]:
    """Return how this very lorsync is started.

    A link, such as pipx makes, is not followed: it stays when what it points to is renewed.
    """
    started = Path(sys.argv[0]).absolute()
    if started.suffix != ".py" and os.access(started, os.X_OK) and started.is_file():
        return (str(started),)
    beside = Path(sys.executable).with_name("lorsync")
    return (str(beside),) if beside.is_file() else (sys.executable, "-m", "lorsync")


def _undo(options: Globals) -> str:
    return f"To undo all of this: {_typed(options)} service uninstall"


def _typed(options: Globals) -> str:
    """Return the command with the config that was named, as it is to be typed again."""
    config = options.config
    return "lorsync" if config is None else f"lorsync -c {shlex.quote(str(config))}"
