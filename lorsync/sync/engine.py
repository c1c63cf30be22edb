"""Run one pass: fetch, reconcile, decide, write, report.

The order of :func:`applied` makes a pass safe to kill (I7): an intent is in the ledger before its
write, and a write counts as done once its echo was seen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from lorsync.core.errors import ClockError, UsageError
from lorsync.core.identity import season_key
from lorsync.core.merge.actions import Acknowledge, Action, Create, Delete, Note, Release, Update
from lorsync.core.merge.aliases import renamed_now
from lorsync.core.merge.entry import UNCERTAIN, Entry, State, released
from lorsync.core.merge.holds import newcomer_warnings
from lorsync.core.merge.memory import (
    NOTHING,
    departed_of,
    doubted_warning,
    ids_in,
    learned_warning,
    members_of,
)
from lorsync.core.merge.memory_text import config_digest
from lorsync.core.model import PlanWarning, Season, Uid
from lorsync.core.ports import Calendar, Href, Ledger, Progress
from lorsync.core.settings import Settings
from lorsync.sync.backoff import disagreement
from lorsync.sync.decide import Answers, Decision, decision_of, remember_held
from lorsync.sync.fetch import fetch
from lorsync.sync.listing import remember_listing
from lorsync.sync.memory import (
    Memorised,
    believe_gone,
    check_open,
    check_stored,
    goes_on,
    is_ruled_by_another,
    remember,
    stand_by,
    unseen,
    wanted_memory,
    write_memory,
)
from lorsync.sync.new_season import close_season
from lorsync.sync.plan import (
    check_owner,
    cycle_warning,
    freeze_key,
    keep_marks,
    name_warning,
    remember_renamed,
    today_of,
)
from lorsync.sync.reconcile import FetchOptions, Observed, reconcile, restored_warning
from lorsync.sync.report import (
    Change,
    Report,
    change_of,
    changes_of_entries,
    held_warning,
    standing_in,
    stray_warning,
)
from lorsync.sync.state import Snapshot
from lorsync.sync.write import Outcomes, PassContext, write_all

_NOTHING_TO_TAKE_OVER = "There was nothing to take over: no other config rules this calendar."
_NOTHING_TO_ACCEPT = "There was nothing to accept: the memory in the calendar is not in doubt."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a pass.

    Each question has its own answer: ``accept_deletions`` says that what is gone is meant to be
    gone (S18), ``accept_newcomers`` that who is new is nobody who was there before (S7), and
    ``accept_memory`` that the memory is right though a stranger may have written it (S4).
    ``new_cycle`` begins a season of its own beside the last one (S6); ``take_over`` lets this
    config rule where another one did (S20), and ``move`` takes all events to the account that the
    config names now (S19).
    ``full``: list the whole collection, whatever the token says. ``stopping`` is asked between
    writes; when it says yes, the pass ends early and the next one goes on.
    """

    dry_run: bool = False
    full: bool = False
    accept_deletions: bool = False
    accept_newcomers: bool = False
    accept_memory: bool = False
    new_cycle: bool = False
    take_over: bool = False
    move: bool = False
    progress: Progress | None = None
    stopping: Callable[[], bool] = lambda: False

    @property
    def is_plain(self) -> bool:
        """Whether it is a pass like the daemon's own; how much it lists makes no difference."""
        return not (
            self.dry_run
            or self.accept_deletions
            or self.accept_newcomers
            or self.accept_memory
            or self.new_cycle
            or self.take_over
            or self.move
        )


def run_pass(
    settings: Settings, calendar: Calendar, ledger: Ledger, *, now: datetime, options: Options
) -> Report:
    """Bring the calendar and the plan together once.

    ``now`` is aware. Raises a LorsyncError where the calendar or the ledger cannot be used; what
    was written until then is accounted for by the next pass.
    """
    season = settings.season
    zone = season.applicant.timezone
    context = PassContext(
        calendar=calendar, ledger=ledger, zone=zone, now=now, stopping=options.stopping
    )
    closed = _closed(settings, context, options) if options.new_cycle else ()
    check_owner(season, ledger)
    renamed = name_warning(season, ledger)
    fetch_options = FetchOptions(
        now=now,
        full=options.full,
        believe_emptied=options.accept_deletions,
        new_cycle=options.new_cycle,
        believe_memory=options.accept_memory,
        taken_over_by=config_digest(season, settings.style) if options.take_over else None,
    )
    stored = Snapshot.of(ledger)
    remote = fetch(season, calendar, stored, fetch_options)
    observed = reconcile(season, stored, remote, fetch_options)
    apart = disagreement(calendar.stated_time, now, zone)
    if apart is not None and not options.dry_run:
        raise ClockError(apart)
    observed, idle, went_on = _ruled(observed, settings, ledger, options, today_of(settings, now))
    if options.accept_memory and (observed.memory is None or not observed.memory.mending):
        idle = (*idle, _NOTHING_TO_ACCEPT)
    settings = replace(settings, season=replace(season, renamed=observed.renamed))
    answers = Answers(deletions=options.accept_deletions, newcomers=options.accept_newcomers)
    decision = decision_of(settings, stored, observed, now=now, answers=answers)
    if options.dry_run:
        outcomes = foreseen(decision)
    else:
        outcomes = applied(decision, settings, context, options.progress)
    report = report_of(decision, outcomes, season, calendar, ledger)
    # What is said of a new name is said once.
    plain = options.is_plain and not renamed
    repeatable = plain and is_repeatable(decision, outcomes, report.requests)
    report = replace(report, repeatable=repeatable)
    if apart is not None:
        report = _with_warning(report, "clock", apart)
    if went_on is not None:
        report = _with_warning(report, "went-on", went_on)
    report = replace(report, warnings=(*report.warnings, *renamed), idle=idle)
    return replace(report, deleted=(*closed, *report.deleted)) if closed else report


def _closed(settings: Settings, context: PassContext, options: Options) -> tuple[Change, ...]:
    """Close the season before (S6), and return what of it was taken off the calendar."""
    if options.dry_run:
        msg = "--new-cycle closes the season before, so it cannot be tried with --dry-run."
        raise UsageError(msg)
    closing = close_season(settings, context.calendar, context.ledger, context)
    return changes_of_entries(action.entry for action in closing)


def _ruled(
    observed: Observed, settings: Settings, ledger: Ledger, options: Options, today: date
) -> tuple[Observed, tuple[str, ...], str | None]:
    """Stand by where another lorsync rules (S20), or went on to the next season (S6).

    Returns what was seen as it counts then, what was asked for without need, and why this lorsync
    goes on though another config ruled, None where it did not. Raises ConfigError.
    """
    # Who goes back to a season on purpose, by its own name, opens it again.
    if not (options.new_cycle and observed.key == season_key(settings.season)):
        check_open(observed.memory)
    there = observed.memory
    if there is None or not is_ruled_by_another(settings, ledger, there):
        needless = options.take_over and observed.doubted is None
        return observed, (_NOTHING_TO_TAKE_OVER,) if needless else (), None
    why = None if options.take_over else goes_on(ledger, there, today)
    if why is None and not options.take_over:
        stand_by(settings, there)
    if why is not None and not options.dry_run:
        believe_gone(ledger, there)
    return replace(observed, entries=_as_unwritten(observed.entries)), (), why


def _as_unwritten(entries: Mapping[Uid, Entry]) -> dict[Uid, Entry]:
    """Forget what was written: another config's lorsync wrote since, so what is there counts."""
    return {uid: replace(entry, sent_digests=None) for uid, entry in entries.items()}


def _with_warning(report: Report, code: str, message: str) -> Report:
    warning = PlanWarning(code=code, subject="calendar", message=message)
    return replace(report, warnings=(*report.warnings, warning))


def foreseen(decision: Decision) -> Outcomes:
    """Return what would come of it, for a dry run."""
    actions = decision.actions
    changes = [a for a in actions if isinstance(a, Update | Release | Acknowledge)]
    return Outcomes(
        created=frozenset(a.event.uid for a in actions if isinstance(a, Create)),
        updated=frozenset(a.entry.uid for a in changes),
        deleted=frozenset(a.entry.uid for a in actions if isinstance(a, Delete)),
    )


def applied(
    decision: Decision, settings: Settings, context: PassContext, progress: Progress | None
) -> Outcomes:
    """Record what was seen, write, and only then believe the listing's token.

    Raises TryAgainError when ``context.stopping`` says so before the end, and the LorsyncError of a
    server that cannot be used; the ledger then holds what the next pass needs.
    """
    observed, ledger = decision.observed, context.ledger
    freeze_key(settings.season, ledger, observed.key, decision.doubts)
    keep_marks(settings.season, ledger, observed.learned.marks)
    # First, since one of these may stand again, from a backup, and is an entry then (S17).
    ledger.save((), retire=observed.learned.retired)
    ledger.save(
        observed.changed.values(),
        forget=[gone.uid for gone in observed.gone if not gone.retired],
        retire=[gone.uid for gone in observed.gone if gone.retired],
    )
    remember_held([action.entry.uid for action in decision.held], decision.among, ledger)
    memory = _memorised(decision, settings, context)
    besides, warnings = _to_look_at(memory, decision, context), memory.warnings
    writing = replace(context, besides=besides, troubled=memory.failed)
    outcomes = write_all(decision.actions, writing, progress)
    if besides:
        stored = check_stored(context.calendar, ledger, outcomes.besides, now=context.now)
        warnings = (*warnings, *stored)
    remember_listing(
        observed.listing,
        ledger,
        context.now,
        written=_written(memory, outcomes),
        created=memory.created or bool(outcomes.created),
        emptied=observed.emptied,
    )
    return replace(outcomes, warnings=(*warnings, *outcomes.warnings))


def _to_look_at(memory: Memorised, decision: Decision, context: PassContext) -> tuple[Href, ...]:
    """Return where to look beside the events, which costs nothing where any of them is written.

    A server may say of a memory, too, that it has stored what it has not.
    """
    looks = any(not isinstance(action, Delete | Note) for action in decision.actions)
    if memory.written is not None and (looks or memory.doubtful):
        return (memory.written,)
    return unseen(context.ledger, context.calendar)


def _written(memory: Memorised, outcomes: Outcomes) -> frozenset[Href]:
    """Return the hrefs of what stands as this pass wrote it."""
    uids = outcomes.entries.keys() & (outcomes.created | outcomes.updated)
    hrefs = {Href(outcomes.entries[uid].href) for uid in uids}
    return frozenset(hrefs if memory.written is None else {*hrefs, memory.written})


def _after(actions: Iterable[Action]) -> dict[Uid, Entry]:
    """Return the entries of events that are left to the person, or needed again, as they will be.

    So the memory says what will hold, and need not be written once more behind the act (I5).
    """
    left = {
        action.entry.uid: released(action.entry)
        for action in actions
        if isinstance(action, Release)
    }
    again = {
        action.entry.uid: replace(action.entry, state=State.LIVE)
        for action in actions
        if isinstance(action, Update) and action.entry.state is State.RELEASED
    }
    return left | again


def _memorised(decision: Decision, settings: Settings, context: PassContext) -> Memorised:
    """Write the memory where it has to say more, before the act that it remembers (S4)."""
    observed, ledger = decision.observed, context.ledger
    if observed.emptied:
        return Memorised()
    if observed.memory is not None and (observed.memory.news or observed.memory.gone):
        remember(ledger, observed.memory)
    before = observed.said.members if decision.swaps and observed.said is not None else None
    left = {action.entry.uid for action in decision.actions if isinstance(action, Delete)}
    after = {**observed.entries, **_after(decision.actions)}
    renamed = renamed_now(settings.season, ids_in(observed.said))
    remember_renamed(ledger, renamed)
    wanted = wanted_memory(
        settings,
        ledger,
        observed.key,
        after,
        ledger.retired() | left,
        # As long as a question is open, who was known before it is.
        members=before or members_of(settings.season),
        departed=departed_of(observed.said, settings.season),
        finished=decision.finished,
        renamed=renamed,
        planned=decision.plan.events,
        today=today_of(settings, context.now),
    )
    return write_memory(context.calendar, ledger, observed.memory, wanted, now=context.now)


def report_of(
    decision: Decision, outcomes: Outcomes, season: Season, calendar: Calendar, ledger: Ledger
) -> Report:
    """Return what a pass did, or would do. Whether it is repeatable is not said in it yet."""
    today, actions, observed = decision.plan.as_of, decision.actions, decision.observed
    entries = {
        uid: entry
        for uid, entry in {**observed.entries, **outcomes.entries}.items()
        if uid not in outcomes.deleted
    }
    found = sorted((observed.adopted | outcomes.adopted) & entries.keys())
    return Report(
        plan=decision.plan,
        created=_changes_written(actions, outcomes.created),
        updated=_changes_written(actions, outcomes.updated),
        deleted=changes_of_entries(
            a.entry for a in actions if isinstance(a, Delete) and a.entry.uid in outcomes.deleted
        ),
        adopted=changes_of_entries(entries[uid] for uid in found),
        kept=standing_in(lambda e: e.is_kept, entries.values(), today),
        missing=standing_in(lambda e: e.state is State.MISSING, entries.values(), today),
        held=changes_of_entries(action.entry for action in decision.held),
        dismissed=changes_of_entries(observed.entries[uid] for uid in sorted(observed.believed)),
        requests=calendar.requests,
        again_at=decision.rests_at,
        warnings=(
            *decision.plan.warnings,
            *newcomer_warnings(decision.swaps),
            *learned_warning(
                observed.learned.marks,
                [
                    *observed.learned.entries.values(),
                    *(e for uid in observed.learned.ticked if (e := observed.entries[uid]).learned),
                ],
            ),
            *doubted_warning(observed.doubted),
            *cycle_warning(season, ledger),
            *_emptied_warning(observed.emptied),
            *restored_warning(len(observed.lost)),
            *stray_warning(calendar.strays),
            *held_warning(len(decision.held), by_memory=decision.by_memory),
            *_resting_warning(len(decision.resting), decision.rests_at, season),
            *outcomes.warnings,
        ),
    )


def is_repeatable(decision: Decision, outcomes: Outcomes, requests: int) -> bool:
    """Tell whether another pass of the day would do and say the same if nothing else changes.

    So it wrote nothing and fetched nothing, its listing told of no change since a token, and no
    event waits for its hour (S11). ``requests`` counts all of the pass.
    """
    observed, listing = decision.observed, decision.observed.listing
    differs = observed.changed or observed.gone or observed.emptied or observed.learned != NOTHING
    reported = listing.complete or listing.entries or listing.removed or listing.token is None
    waits = any(e.state in UNCERTAIN or e.intent is not None for e in observed.entries.values())
    return requests == 1 and not (
        differs or reported or waits or decision.actions or decision.resting or outcomes.warnings
    )


def _changes_written(actions: Iterable[Action], uids: frozenset[Uid]) -> tuple[Change, ...]:
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
