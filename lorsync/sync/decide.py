"""Decide what a pass does, given what was observed and a snapshot of the ledger; pure.

Which deletions were held back, and among how many events, is remembered here too: what the same
pass creates would make them a smaller share (S18).

The rules are the core's; here they are given what they need.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lorsync.core.event.content import content_of
from lorsync.core.facts import with_statements
from lorsync.core.merge.actions import Action, Delete, Release, decide
from lorsync.core.merge.aliases import names_of
from lorsync.core.merge.entry import Entry, State
from lorsync.core.merge.holds import (
    Swap,
    explained_by_facts,
    hold_back,
    hold_doubted,
    hold_newcomers,
    let_rest,
    swaps,
)
from lorsync.core.merge.memory import Members, finished_of
from lorsync.core.merge.unknown_history import Doubt, in_doubt, latest, unanswered
from lorsync.core.model import CONTACTS, LetterId, MentorId, Plan, Season, Uid
from lorsync.core.ports import Ledger, LedgerReader
from lorsync.core.settings import Settings
from lorsync.sync.plan import Known, doubts_of, is_new, plan_of, statements_of, today_of
from lorsync.sync.reconcile import Observed
from lorsync.sync.state import keep, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a pass is to do: what it saw, what follows from it, and what has to be asked first.

    ``held`` are the deletions that wait for a yes (S18), ``among`` so many events; ``by_memory``:
    facts that only the memory tells of would explain some of them. ``swaps`` are the newcomers who
    wait for one (S7). ``finished`` are the letters that are in or were declined. ``resting`` wait
    until the config has rested, which is then the case: ``rests_at`` (aware).
    """

    plan: Plan
    actions: Sequence[Action]
    held: Sequence[Delete]
    by_memory: bool
    among: int
    observed: Observed
    doubts: Sequence[Doubt]
    swaps: Sequence[Swap]
    finished: Members
    resting: Sequence[Delete | Release] = ()
    rests_at: datetime | None = None


REST = timedelta(minutes=1)
"""How long a config has to be left alone before it is believed that something is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the person has said yes to: deletions (S17, S18), newcomers (S7)."""

    deletions: bool = False
    newcomers: bool = False


def decision_of(
    settings: Settings, ledger: LedgerReader, observed: Observed, *, now: datetime, answers: Answers
) -> Decision:
    """Return what a pass is to do; nothing is written, and the ledger is only read.

    ``now`` is aware.
    """
    today = today_of(settings, now)
    marks = names_of(settings.season).marks([*ledger.marks(), *observed.learned.marks])
    said = statements_of(observed.entries.values(), marks)
    told = replace(settings, season=with_statements(settings.season, said))
    retired = ledger.retired() | {gone.uid for gone in observed.gone if gone.retired}
    doubts = _doubts(told.season, ledger, observed, now, today)
    known = Known(
        season=told.season,
        key=observed.key,
        entries=observed.entries.values(),
        retired=retired | observed.learned.retired,
        unsure=unanswered(doubts),
    )
    planned, _ = plan_of(known, today)
    wanted = {event.uid: (event, content_of(event, settings.style)) for event in planned.events}
    finished = finished_of(observed.said, settings.season, planned.letters, said)
    found = [] if answers.newcomers else _swaps(settings.season, observed, finished)
    letters = {letter.id: letter for letter in told.season.letters}
    # What another writer of the calendar may have put into the memory explains no deletion (S18).
    own = with_statements(settings.season, [s for s in said if not s.learned])
    explained = explained_by_facts(
        observed.entries.values(), {letter.id: letter for letter in own.letters}, today
    )
    by_facts = explained_by_facts(observed.entries.values(), letters, today)
    decided = decide(
        observed.entries,
        wanted,
        today=today,
        style=settings.style,
        known_letters=frozenset(letters),
        explained=explained,
    )
    actions, _ = hold_newcomers(hold_doubted(decided, observed.doubted), found)
    rests_at, resting = _rests_at(settings, now), list[Delete | Release]()
    if rests_at is not None and not answers.deletions:
        actions, resting = let_rest(actions, explained=by_facts, before=held_before(ledger))
    among, held = standing_among(observed.entries.values(), ledger), list[Delete]()
    # A yes to what is gone from the calendar is none to what lorsync itself would delete.
    if observed.believed or not answers.deletions:
        limit = settings.sync.deletion_limit
        actions, held = hold_back(
            actions, live=among, share=limit.share, count=limit.count, before=held_before(ledger)
        )
    if observed.emptied:
        # As the warning says: with everything gone, nothing is created beside it.
        actions = []
    return Decision(
        plan=planned,
        actions=actions,
        held=held,
        by_memory=any(action.entry.uid in by_facts for action in held),
        among=among,
        observed=observed,
        doubts=doubts,
        swaps=found,
        finished=finished,
        resting=resting,
        rests_at=rests_at if resting else None,
    )


def _rests_at(settings: Settings, now: datetime) -> datetime | None:
    """Return when the config has rested long enough, None where it has; ``now`` is aware.

    A file of the future, by a clock that was wrong or by another machine's, is believed.
    """
    if settings.changed is None or abs(now - settings.changed) >= REST:
        return None
    return settings.changed + REST


def _doubts(
    season: Season, ledger: LedgerReader, observed: Observed, now: datetime, today: date
) -> tuple[Doubt, ...]:
    """Return the mentors whose follow-up count was lost, with the person's answers (S4)."""
    doubts = [*doubts_of(season, ledger), *observed.learned.doubts]
    unknown = observed.memory is None or observed.memory.damaged
    if is_new(ledger) and unknown and observed.adopted:
        found = in_doubt(season, [observed.entries[uid] for uid in observed.adopted], today)
        doubts += [Doubt(mentor=mentor, at=now) for mentor in found]
    return latest(doubts)


def _swaps(season: Season, observed: Observed, finished: Members) -> list[Swap]:
    """Return who vanished from the config while another appeared, in the whole season (S7)."""
    if observed.said is None:
        return []
    written: dict[MentorId, tuple[LetterId, ...]] = {}
    for entry in observed.entries.values():
        if entry.identity.kind in CONTACTS:
            written[entry.mentor] = (*written.get(entry.mentor, ()), *entry.letters)
    return swaps(season, observed.said, written, finished)


def standing_among(entries: Iterable[Entry], ledger: LedgerReader) -> int:
    """Return how many events stand, or stood when deletions were first held that still are."""
    standing = sum(entry.state is State.LIVE for entry in entries)
    before = state_of(ledger).held_among
    return standing if before is None else min(standing, before)


def held_before(ledger: LedgerReader) -> frozenset[Uid]:
    """Return the events whose deletions the last pass held back."""
    return state_of(ledger).held_events


def remember_held(held: Iterable[Uid], among: int, ledger: Ledger) -> None:
    """Remember it, before anything is written; nothing where nothing is held."""
    events = frozenset(held)
    state = replace(state_of(ledger), held_events=events, held_among=among if events else None)
    keep(ledger, state)
