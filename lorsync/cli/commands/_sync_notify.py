"""What follows a pass of ``lorsync sync``: the outside is told, where it wants to know."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lorsync.cli.context import config_path, now, settings_of
from lorsync.cli.root import Globals
from lorsync.core.errors import CredentialsError

if TYPE_CHECKING:
    from lorsync.core.model import Plan
    from lorsync.core.settings import Settings

_SPARED = timedelta(hours=6)
"""How long a refused login is left alone where nobody is there to correct it."""

_SPARED_AT_FIRST = timedelta(hours=1)
"""The same where it was not refused often enough to be believed wrong."""


def spare_login(options: Globals, state: Path) -> None:
    """Raise CredentialsError while a login is refused: tried every few minutes, it gets locked.

    Another one, of a changed config or a renewed password, is tried at once.
    """
    from lorsync.adapters.unit import system_unit
    from lorsync.sync.runner import record_of

    refused = record_of(state).login_refused
    if refused is None:
        return
    until = spared_until(refused)
    if now() >= until:
        return
    settings = settings_of(options)
    if _is_another(settings, state, refused.get("fingerprint")):
        return
    tell(settings, state, plan=None, well=False)
    at = f"{until.astimezone(settings.season.applicant.timezone):%Y-%m-%d %H:%M %Z}"
    # Who is not the service's user can read neither its credential nor write its ledger.
    by_hand = "" if system_unit() else "; to try it now, run: lorsync sync"
    msg = (
        f"{refused['message']} Not tried again yet, but at {at}; another login is tried at once"
        f"{by_hand or '.'}"
    )
    raise CredentialsError(msg)


def spared_until(refused: dict[str, object]) -> datetime:
    """Return until when (aware) a timer leaves a login alone that was refused, by its memo."""
    from lorsync.sync.runner import BELIEVED_AFTER

    believed = int(str(refused.get("times", BELIEVED_AFTER))) >= BELIEVED_AFTER
    spared = _SPARED if believed else _SPARED_AT_FIRST
    return datetime.fromisoformat(str(refused["at"])) + spared


def _is_another(settings: "Settings", state: Path, refused: object) -> bool:
    """Tell whether the login is not the one that was ``refused``, by its fingerprint.

    So is one that cannot be had, which the pass meets and says.
    """
    from lorsync.adapters.connect import login_fingerprint

    try:
        return refused is not None and login_fingerprint(settings.calendar, state) != refused
    except CredentialsError:
        return True


def tell(settings: "Settings", state: Path, *, plan: "Plan | None", well: bool) -> None:
    """Tell the outside how the pass went that has just ended."""
    from lorsync.monitoring.notifier import Notifier
    from lorsync.monitoring.state import Keeper

    # Who sits at a terminal reads it there.
    notifier = Notifier(state, keeper=Keeper.COMMAND, desktop=not sys.stdout.isatty())
    if well:
        notifier.note(plan, None)
    notifier.after(settings)
    notifier.wait()


def tell_of_glance(options: Globals, state: Path) -> None:
    """Tell of a pass that was spared, where that is wanted; else the config stays unread."""
    import tomllib

    from lorsync.monitoring.state import Keeper, read_state

    wanted = {"metrics", "ping"} & tomllib.loads(config_path(options).read_text("utf-8-sig")).keys()
    if wanted or read_state(state).keeper is not Keeper.COMMAND:
        tell(settings_of(options), state, plan=None, well=True)
