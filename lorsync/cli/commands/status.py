"""``lorsync status``: how things stand, from the config and the ledger alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli.context import now, settings_of, state_of
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals
from lorsync.core.errors import ConfigError, StateError

if TYPE_CHECKING:
    from lorsync.cli.output.status import Picture
    from lorsync.core.settings import Settings


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, as_json: bool) -> int:
    """Say how things stand: the daemon, the last and next pass, the letters, the follow-ups.

    The exit code is 0 where all is well, 1 where something needs you, and 2 where nothing runs
    lorsync: no daemon, and no pass of a timer or by hand for three times [sync] every.
    """
    from lorsync.monitoring.health import Health

    state = state_of(options)
    picture = _picture(options, state, now())
    if as_json:
        from lorsync.cli.output.documents import show

        show(_document(picture))
    else:
        from lorsync.adapters.service import manager_here
        from lorsync.adapters.unit import unit_over
        from lorsync.cli.output.status import lines

        if picture.standing.health is Health.NOT_RUNNING:
            # Asked only where it is to be started.
            unit = unit_over(state)
            there = unit is not None or manager_here().missing() is None
            picture = replace(picture, has_services=there, unit=unit)
        echo("\n".join(lines(picture)), styled=True)
    return int(picture.standing.health)


def _picture(options: Globals, state: Path, at: datetime) -> "Picture":
    """Gather all that is known; with a broken config or ledger, what there is without one.

    Raises ConfigError for a broken config where nothing has ever run, and StateError where not even
    the state folder can be looked into.
    """
    from lorsync.adapters.ledger.store import has_ledger
    from lorsync.adapters.state_dir import daemon_pid
    from lorsync.cli.output.status import Picture
    from lorsync.core.settings import SyncSettings
    from lorsync.monitoring.health import standing
    from lorsync.sync.report import Record

    settings, broken = None, None
    try:
        settings = settings_of(options)
    except ConfigError as error:
        if not has_ledger(state):
            raise
        broken = str(error)
    pid = daemon_pid(state)
    try:
        return _known(settings, state, at, pid=pid, broken=broken)
    except StateError as error:
        judged = standing(
            Record(),
            pid=pid,
            keeper=None,
            every=SyncSettings().every,
            now=at,
            broken=broken,
            unusable=str(error),
        )
        return Picture(at=at, pid=pid, standing=judged, settings=settings)


def _known(
    settings: "Settings | None", state: Path, at: datetime, *, pid: int | None, broken: str | None
) -> "Picture":
    """Return what the ledger knows; raises StateError where it cannot be read."""
    from lorsync.adapters.state_dir import why_unwritable
    from lorsync.cli.output.status import Picture
    from lorsync.core.settings import SyncSettings
    from lorsync.monitoring.health import standing
    from lorsync.monitoring.state import read_state
    from lorsync.sync.overrides import away, listed, pinned
    from lorsync.sync.plan import facts_of, planned, today_of
    from lorsync.sync.runner import record_of

    record = record_of(state)
    every: timedelta = (SyncSettings() if settings is None else settings.sync).every
    plan = None if settings is None else planned(settings, state, today_of(settings, at))
    return Picture(
        at=at,
        record=record,
        pid=pid,
        standing=standing(
            record,
            pid=pid,
            keeper=read_state(state).keeper,
            every=every,
            now=at,
            plan=plan,
            broken=broken,
            unusable=why_unwritable(state),
        ),
        settings=settings,
        plan=plan,
        facts=() if settings is None else tuple(facts_of(settings, state)),
        pinned=listed(state, pinned),
        changed=listed(state, lambda entry: entry.is_kept),
        away=listed(state, away),
        dismissed=listed(state, lambda entry: entry.placed.dismissed),
    )


def _document(picture: "Picture") -> dict[str, object]:
    """Return the picture as a document; what a broken config or ledger would tell is null."""
    from lorsync.cli.output.documents import budgets, changes, events, facts, letters
    from lorsync.sync.report import Record

    record, plan, settings = picture.record or Record(), picture.plan, picture.settings
    put_off = picture.put_off
    calendar = None if settings is None else settings.calendar
    return {
        "health": picture.standing.health.word,
        "needs": [{"code": n.code, "message": n.message} for n in picture.standing.needs],
        "last_pass": record.last_pass,
        "last_error": record.last_error,
        "config_error": record.config_error,
        "next_pass": None if picture.next_pass is None else picture.next_pass.isoformat(),
        "put_off": None
        if put_off is None
        else {"until": put_off.until.isoformat(), "why": put_off.why},
        "login_refused": record.login_refused,
        "letters": None if plan is None else letters(plan.letters),
        "facts": None if plan is None else facts(picture.facts),
        "budgets": None if plan is None else budgets(plan.budgets),
        "events": None if plan is None else events(picture.coming),
        "calendar": {
            "provider": None if calendar is None else calendar.provider,
            "name": None if calendar is None else calendar.name,
            "address": record.calendar,
        },
        "pinned": [
            {**change, "planned": None if day is None else day.isoformat()}
            for change, day in zip(
                changes(picture.pinned), map(picture.planned_day, picture.pinned), strict=True
            )
        ],
        "changed": changes(picture.changed),
        "dismissed": changes(picture.dismissed),
        "away": changes(picture.away),
        "daemon": {"running": picture.pid is not None, "pid": picture.pid},
    }
