"""Begin a new cycle on purpose: close the season before, and start with a clean ledger (S6)."""

from dataclasses import replace
from datetime import datetime

from lorsync.core.errors import ClockError, UsageError
from lorsync.core.identity import season_key
from lorsync.core.merge.actions import Delete, Release
from lorsync.core.merge.entry import State
from lorsync.core.ports import Calendar, Ledger
from lorsync.core.settings import Settings
from lorsync.sync.backoff import disagreement
from lorsync.sync.fetch import fetch
from lorsync.sync.listing import unlisted
from lorsync.sync.memory import key_after, unremembered, write_closed
from lorsync.sync.plan import begun, frozen_key, is_new, today_of
from lorsync.sync.reconcile import FetchOptions, Observed, reconcile
from lorsync.sync.state import Snapshot, changes, state_of
from lorsync.sync.write import PassContext, write_all


def close_season(
    settings: Settings, calendar: Calendar, ledger: Ledger, context: PassContext
) -> tuple[Delete | Release, ...]:
    """Take what is still ahead of the season before off the calendar; its past stays as it is.

    An event with the person's own words in it becomes theirs (S10). The ledger then knows of the
    new season alone: budgets, marks and identities belonged to the other. It is the one that
    another lorsync began, where one did. Raises UsageError where the config still names the cycle
    before, ClockError where nothing may be written (S21), and TryAgainError.
    """
    if is_new(ledger):
        return ()
    if frozen_key(settings.season, ledger) == season_key(settings.season):
        msg = (
            f"cycle.name is still “{settings.season.cycle.name}”. Give the new cycle its own name "
            "in the config first."
        )
        raise UsageError(msg)
    fetch_options = FetchOptions(now=context.now, full=True, believe_emptied=False, new_cycle=True)
    stored = Snapshot.of(ledger)
    remote = fetch(settings.season, calendar, stored, fetch_options)
    observed = reconcile(settings.season, stored, remote, fetch_options)
    apart = disagreement(calendar.stated_time, context.now, context.zone)
    if apart is not None:
        raise ClockError(apart)
    key = key_after(settings.season, observed.said, observed.listing)
    actions = _closing(observed, settings, context.now)
    deleted = frozenset(action.entry.uid for action in actions if isinstance(action, Delete))
    write_closed(calendar, ledger, observed.memory, follower=key, deleted=deleted, now=context.now)
    ledger.save(
        observed.changed.values(),
        forget=[gone.uid for gone in observed.gone if not gone.retired],
        retire=[gone.uid for gone in observed.gone if gone.retired],
    )
    write_all(actions, replace(context, insistent=True), None)
    state = unlisted(unremembered(begun(state_of(ledger), settings.season, key)))
    ledger.clear(changes(ledger, state))
    return actions


def _closing(observed: Observed, settings: Settings, now: datetime) -> tuple[Delete | Release, ...]:
    today = today_of(settings, now)
    ahead = [
        entry
        for entry in observed.entries.values()
        if entry.state is State.LIVE and entry.day >= today and not entry.ticks
    ]
    return tuple(
        Release(entry=entry) if entry.has_words else Delete(entry=entry, explained=True)
        for entry in ahead
    )
