"""Plan from a config and what the ledger remembers; no calendar is needed for it."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from lorsync.adapters.ledger import FILE_NAME, SqliteLedger
from lorsync.core.entry import Entry, State
from lorsync.core.identity import SeasonKey, season_key
from lorsync.core.model import History, Plan, Season, Uid
from lorsync.core.schedule import plan
from lorsync.errors import ConfigError
from lorsync.ports import Ledger
from lorsync.settings import Settings

_KEY, _OWNER = "season_key", "season_owner"


def today_of(settings: Settings, now: datetime) -> date:
    """Return the applicant's day at an instant."""
    return now.astimezone(settings.season.applicant.timezone).date()


def planned(settings: Settings, state: Path, today: date) -> Plan:
    """Return the plan of a day as a pass would make it, reading no more than the ledger.

    A state folder without a ledger is left as it is.
    """
    if not (state / FILE_NAME).exists():
        return plan(settings.season, today=today, key=season_key(settings.season))
    ledger = SqliteLedger(state)
    try:
        check_owner(settings.season, ledger)
        return plan(
            settings.season,
            today=today,
            key=frozen_key(settings.season, ledger),
            history=history_of(ledger.entries().values(), ledger.retired(), today),
        )
    finally:
        ledger.close()


def history_of(entries: Iterable[Entry], retired: frozenset[Uid], today: date) -> History:
    """Return what the planner has to know of earlier passes."""
    listed = list(entries)
    # A past event is never moved (I6), so what is planned anew for its identity needs a new UID.
    past = {e.uid for e in listed if e.day < today and e.state is not State.MISSING}
    return History(placed=tuple(e.placed for e in listed), retired=retired | past)


def frozen_key(season: Season, ledger: Ledger) -> SeasonKey:
    """Return the season's key: the one of its first write, whatever the config says now (S6)."""
    kept = ledger.memo(_KEY)
    return SeasonKey(kept) if kept is not None else season_key(season)


def freeze_key(season: Season, ledger: Ledger) -> None:
    """Remember the season's key at its first write, and whose season it is (S6)."""
    if ledger.memo(_KEY) is None:
        owner = f"{season.applicant.name}\n{season.cycle.name}"
        ledger.remember({_KEY: season_key(season), _OWNER: owner})


def check_owner(season: Season, ledger: Ledger) -> None:
    """Refuse a ledger of somebody else's season: every event of it would go.

    A changed name or a changed cycle alone is the same season (S6). Raises ConfigError.
    """
    owner = ledger.memo(_OWNER)
    if owner is None:
        return
    name, _, cycle = owner.partition("\n")
    if name != season.applicant.name and cycle != season.cycle.name:
        msg = (
            f"The state folder belongs to {name}, {cycle}; the config is of "
            f"{season.applicant.name}, {season.cycle.name}. Give this one its own --state-dir."
        )
        raise ConfigError(msg)
