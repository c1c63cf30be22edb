"""Make the report of a pass of what was planned, seen and written."""

from collections.abc import Iterable
from datetime import datetime

from lorsync.core.decision import Acknowledge, Action, Create, Delete, Release, Update
from lorsync.core.entry import UNCERTAIN, State
from lorsync.core.learning import NOTHING, doubted_warning, learned_warning
from lorsync.core.model import PlanWarning, Season, Uid
from lorsync.core.newcomers import newcomer_warnings
from lorsync.deciding import Work
from lorsync.planning import cycle_warning
from lorsync.ports import Calendar, Ledger
from lorsync.report import (
    Change,
    Report,
    change_of,
    changes_of_entries,
    held_warning,
    standing_in,
    stray_warning,
)
from lorsync.restored import restored_warning
from lorsync.writing import Outcomes


def report_of(
    work: Work, outcomes: Outcomes, season: Season, calendar: Calendar, ledger: Ledger
) -> Report:
    """Return what a pass did, or would do. Whether it is repeatable is not said in it yet."""
    today, actions, seen = work.plan.as_of, work.actions, work.seen
    entries = {
        uid: entry
        for uid, entry in {**seen.entries, **outcomes.entries}.items()
        if uid not in outcomes.deleted
    }
    found = sorted((seen.adopted | outcomes.adopted) & entries.keys())
    return Report(
        plan=work.plan,
        created=_written(actions, outcomes.created),
        updated=_written(actions, outcomes.updated),
        deleted=changes_of_entries(
            a.entry for a in actions if isinstance(a, Delete) and a.entry.uid in outcomes.deleted
        ),
        adopted=changes_of_entries(entries[uid] for uid in found),
        kept=standing_in(lambda e: e.is_kept, entries.values(), today),
        missing=standing_in(lambda e: e.state is State.MISSING, entries.values(), today),
        held=changes_of_entries(action.entry for action in work.held),
        dismissed=changes_of_entries(seen.entries[uid] for uid in sorted(seen.believed)),
        requests=calendar.requests,
        again_at=work.rests_at,
        warnings=(
            *work.plan.warnings,
            *newcomer_warnings(work.swaps),
            *learned_warning(
                seen.learned.marks,
                [
                    *seen.learned.entries.values(),
                    *(e for uid in seen.learned.ticked if (e := seen.entries[uid]).learned),
                ],
            ),
            *doubted_warning(seen.doubted),
            *cycle_warning(season, ledger),
            *_emptied_warning(seen.emptied),
            *restored_warning(len(seen.lost)),
            *stray_warning(calendar.strays),
            *held_warning(len(work.held), by_memory=work.by_memory),
            *_resting_warning(len(work.resting), work.rests_at, season),
            *outcomes.warnings,
        ),
    )


def is_repeatable(work: Work, outcomes: Outcomes, requests: int) -> bool:
    """Tell whether another pass of the day would do and say the same if nothing else changes.

    So it wrote nothing and fetched nothing, its listing told of no change since a token, and no
    event waits for its hour (S11). ``requests`` counts all of the pass.
    """
    seen, listing = work.seen, work.seen.listing
    observed = seen.changed or seen.gone or seen.emptied or seen.learned != NOTHING
    reported = listing.complete or listing.entries or listing.removed or listing.token is None
    waits = any(e.state in UNCERTAIN or e.intent is not None for e in seen.entries.values())
    return requests == 1 and not (
        observed or reported or waits or work.actions or work.resting or outcomes.warnings
    )


def _written(actions: Iterable[Action], uids: frozenset[Uid]) -> tuple[Change, ...]:
    events = [
        change_of(a.event)
        for a in actions
        if isinstance(a, Create | Update) and a.event.uid in uids
    ]
    others = (
        a.entry for a in actions if isinstance(a, Release | Acknowledge) and a.entry.uid in uids
    )
    return (*events, *changes_of_entries(others))


def _resting_warning(
    number: int, rests_at: datetime | None, season: Season
) -> tuple[PlanWarning, ...]:
    if rests_at is None:
        return ()
    events = "1 event that is" if number == 1 else f"{number} events that are"
    at = f"{rests_at.astimezone(season.applicant.timezone):%H:%M:%S}"
    message = (
        f"The config was changed within the last minute, and may not be saved whole yet: {events} "
        f"not in it any more will go in the next pass after {at}. The daemon runs that by itself; "
        "else run: lorsync sync"
    )
    return (PlanWarning(code="resting", subject="config", message=message),)


def _emptied_warning(emptied: bool) -> tuple[PlanWarning, ...]:
    if not emptied:
        return ()
    message = (
        "Every event of lorsync's is gone from the calendar at once, which looks like an accident. "
        "Nothing is created and nothing counts as deleted by you. Bring the calendar back, or, if "
        "you meant it, run: lorsync sync --accept-deletions"
    )
    return (PlanWarning(code="emptied", subject="calendar", message=message),)
