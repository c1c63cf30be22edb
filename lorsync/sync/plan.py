"""Plan from a config and what the ledger remembers; no calendar is needed for it."""

import gc
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from lorsync.adapters.holidays import holidays_of, known_regions
from lorsync.adapters.ledger.store import has_ledger, open_ledger
from lorsync.core.display import excerpt
from lorsync.core.errors import ConfigError
from lorsync.core.event.content import CANCELLED, GUESTS, SERIES
from lorsync.core.facts import Mark, Statement, known_facts, stated_marks, with_statements
from lorsync.core.identity import SeasonKey, season_key
from lorsync.core.merge.aliases import Names, names_of
from lorsync.core.merge.entry import Entry, State
from lorsync.core.merge.history import settled, without_away
from lorsync.core.merge.memory_text import doubt_lines, read_doubts, read_renamed, renamed_lines
from lorsync.core.merge.unknown_history import Doubt, unanswered
from lorsync.core.model import History, MentorId, Plan, PlanWarning, Reason, Renamed, Season, Uid
from lorsync.core.planner.dates import day_of
from lorsync.core.planner.plan import NO_HISTORY, plan
from lorsync.core.ports import Ledger, LedgerReader
from lorsync.core.settings import Settings
from lorsync.sync.state import SyncState, keep, state_of

_THEIRS = {
    GUESTS: "With guests: {}. lorsync writes nothing to an event with guests, since a server may "
    "mail them each change. To hand it back, take the guests out.",
    SERIES: "A series with exceptions: {}. lorsync writes nothing to it any more. To hand it back, "
    "make it a single event again.",
    CANCELLED: "Cancelled: {}. lorsync writes nothing to a cancelled event, and plans nothing in "
    "its place. To hand it back, confirm the event.",
}
"""Why an event is wholly the person's, and what follows from that (S10)."""


def today_of(settings: Settings, now: datetime) -> date:
    """Return the applicant's day at an instant."""
    return now.astimezone(settings.season.applicant.timezone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known without a calendar: the season with every fact stated, and its history."""

    season: Season
    key: SeasonKey
    entries: Collection[Entry] = ()
    retired: frozenset[Uid] = frozenset()
    unsure: frozenset[MentorId] = frozenset()
    warnings: tuple[PlanWarning, ...] = ()


def planned(settings: Settings, state: Path, today: date) -> Plan:
    """Return the plan of a day as a person is shown it, reading no more than the ledger.

    A state folder without a ledger is left as it is, and a missing one is not made.
    """
    return outlook(known(settings, state, today), today)[0]


def outlook(found: Known, today: date) -> tuple[Plan, History]:
    """Return the plan of a day as a person is shown it, and the history that it follows from.

    It is without the events that are not on the calendar: nothing is created in the place of one
    that the person deleted, for certain or not (S11).
    """
    plan, history = plan_of(found, today)
    return without_away(plan, found.entries), history


def plan_of(found: Known, today: date) -> tuple[Plan, History]:
    """Return the plan of a day that a pass follows, and the history that it follows from."""

    def planned(history: History) -> Plan:
        history = replace(history, unsure=found.unsure)
        return plan_at_once(found.season, today=today, key=found.key, history=history)

    writers = {letter.id: letter.mentor for letter in found.season.letters}
    made, history = settled(planned, found.entries, found.retired, today, writers)
    more = (*_theirs_warnings(found.entries, today), *found.warnings)
    return (replace(made, warnings=(*made.warnings, *more)) if more else made), history


def _theirs_warnings(entries: Iterable[Entry], today: date) -> list[PlanWarning]:
    """Name the events ahead that are wholly the person's, and say how to hand them back (S10)."""
    ahead = [e for e in entries if e.state is State.THEIRS and e.day >= today]
    warnings = []
    for word, message in _THEIRS.items():
        # Of several reasons the first one is enough.
        found = [e for e in ahead if next(w for w in _THEIRS if w in e.extras) == word]
        ordered = sorted(found, key=lambda e: (e.day, e.uid))
        names = [f"“{excerpt(e.summary)}” on {e.day}" for e in ordered]
        if names:
            reason = Reason(rule="S10", text=f"{word}: it is wholly yours")
            warnings.append(
                PlanWarning(
                    code="wholly-yours",
                    subject=", ".join(sorted({e.mentor for e in found})),
                    message=message.format(", ".join(names)),
                    reasons=(reason,),
                )
            )
    return warnings


def known(settings: Settings, state: Path, today: date) -> Known:
    """Return what the config and the ledger say; the state folder is left as it is."""
    season = observing(settings, state, today).season
    warnings = zone_warning(settings)
    if not has_ledger(state):
        return Known(season=season, key=season_key(season), warnings=warnings)
    with open_ledger(state) as ledger:
        check_owner(season, ledger)
        entries = entries_of(season, ledger)
        return Known(
            season=with_statements(season, statements_of(entries, marks_of(season, ledger))),
            key=frozen_key(season, ledger),
            entries=entries,
            retired=ledger.retired(),
            unsure=unanswered(doubts_of(season, ledger)),
            warnings=(*warnings, *name_warning(season, ledger), *cycle_warning(season, ledger)),
        )


def facts_of(settings: Settings, state: Path) -> list[Statement]:
    """Return every fact that counts, with where it was stated."""
    if not has_ledger(state):
        return known_facts(settings.season, ())
    with open_ledger(state) as ledger:
        said = said_of(settings.season, ledger)
    return known_facts(settings.season, said)


def said_of(season: Season, ledger: LedgerReader) -> list[Statement]:
    """Return what a ledger knows to have been stated outside the config."""
    return statements_of(entries_of(season, ledger), marks_of(season, ledger))


def entries_of(season: Season, ledger: LedgerReader) -> list[Entry]:
    """Return the events that a ledger knows, by the ids that their mentors have now (S7)."""
    return list(map(_names(season, ledger).entry, ledger.entries().values()))


def marks_of(season: Season, ledger: LedgerReader) -> tuple[Mark, ...]:
    """Return what was said with ``mark``, by the ids that the letters have now (S7)."""
    return _names(season, ledger).marks(ledger.marks())


def keep_marks(season: Season, ledger: Ledger, learned: Iterable[Mark]) -> None:
    """Keep what was learned beside the marks, all by the ids that the letters have now.

    A former id may be another letter's one day, of which none of it was said.
    """
    before = ledger.marks()
    today = _names(season, ledger).marks([*before, *learned])
    ledger.save_marks(set(today).difference(before), forget=set(before).difference(today))


def _names(season: Season, ledger: LedgerReader) -> Names:
    """Return who is who, by the config and by what it said before (S7)."""
    known = season.renamed | renamed_in(ledger)
    return names_of(replace(season, renamed=known))


def renamed_in(ledger: LedgerReader) -> frozenset[Renamed]:
    """Return which ids a ledger knows to be one and the same (S7)."""
    return read_renamed(state_of(ledger).renamed)


def remember_renamed(ledger: Ledger, renamed: Iterable[Renamed]) -> None:
    """Remember which ids are one and the same; nothing is written where that is known."""
    keep(ledger, replace(state_of(ledger), renamed=tuple(renamed_lines(renamed))))


def statements_of(entries: Iterable[Entry], marks: Iterable[Mark]) -> list[Statement]:
    """Return what was stated outside the config: by marks, and by ticks in titles (S13)."""
    ticked = [statement for entry in entries if entry.ticks for statement in entry.statements]
    return [*stated_marks(marks), *ticked]


def plan_at_once(
    season: Season, *, today: date, key: SeasonKey, history: History = NO_HISTORY
) -> Plan:
    """Plan without a pause for the search for cycles.

    A plan makes some thirty objects for each letter and no cycle among them, and looking for one
    takes a sixth of the time.
    """
    paused = gc.isenabled()
    gc.disable()
    try:
        return plan(season, today=today, key=key, history=history)
    finally:
        if paused:
            gc.enable()


def observing(settings: Settings, state: Path | None, today: date) -> Settings:
    """Return the settings with the holidays of the regions that they name (R6).

    Only the years up to the season's last day are looked up; what the library says is kept
    in the state folder, if there is one. Settings that have their holidays stay as they are.
    """
    season = settings.season
    if season.holidays is not None:
        return settings
    named = {season.policy.holidays, *(m.holidays for m in season.mentors.values())}
    regions = {region for region in named if region is not None}
    if not regions:
        return settings
    # What was ideal for a follow-up that is due now may lie in the year before.
    first = today - timedelta(days=60)
    years = range(first.year, max(today, _last_day(season)).year + 1)
    found = holidays_of(regions, years, state)
    return replace(settings, season=replace(season, holidays=found))


def unknown_regions(settings: Settings) -> list[tuple[str, str]]:
    """Return the key path and value of each region whose holidays nobody knows (R6)."""
    season = settings.season
    named = [("policy.holidays", season.policy.holidays)]
    named += [
        (f"mentors[{index}].holidays", mentor.holidays)
        for index, mentor in enumerate(season.mentors.values())
    ]
    stated = [(key, region) for key, region in named if region is not None]
    known = known_regions([region for _, region in stated])
    return [(key, region) for key, region in stated if region not in known]


def _last_day(season: Season) -> date:
    """Return the last day for which an event may be planned."""
    zone = season.applicant.timezone
    days = [
        *(day_of(p.deadline, zone) for p in season.programs.values() if p.deadline is not None),
        *(day_of(x.deadline, zone) for x in season.letters if x.deadline is not None),
        *(p.target for p in season.programs.values() if p.target is not None),
        *(p.results_on for p in season.programs.values() if p.results_on is not None),
    ]
    # Thanks and news come within a week.
    return max(days, default=date.min) + timedelta(days=8)


def frozen_key(season: Season, ledger: LedgerReader) -> SeasonKey:
    """Return the season's key: the one of its first write, whatever the config says now (S6)."""
    return state_of(ledger).season_key or season_key(season)


def is_new(ledger: LedgerReader) -> bool:
    """Tell whether a ledger knows of no season yet: a first pass, or a lost ledger."""
    return state_of(ledger).season_key is None


def freeze_key(season: Season, ledger: Ledger, key: SeasonKey, doubts: Iterable[Doubt]) -> None:
    """Remember the season's key at its first write, and whose season it is (S6).

    With it, as one step, of whom nobody knows how often they were followed up: only a ledger
    without a key asks itself that (I7, S4).
    """
    state = state_of(ledger)
    if state.season_key is None:
        state = begun(state, season, key)
    name, cycle = _owner(state)
    if name != season.applicant.name and cycle == season.cycle.name:
        # Married in between: the same season, and the next change is held against the new name.
        state = replace(state, season_owner=f"{season.applicant.name}\n{cycle}")
    keep(ledger, replace(state, doubts=tuple(doubt_lines(doubts))))


def begun(state: SyncState, season: Season, key: SeasonKey) -> SyncState:
    """Return a state as it is from the first write of a season on.

    Nobody is in doubt then, and nobody was called anything else before.
    """
    owner = f"{season.applicant.name}\n{season.cycle.name}"
    return replace(state, season_key=key, season_owner=owner, doubts=(), renamed=())


def doubts_of(season: Season, ledger: LedgerReader) -> tuple[Doubt, ...]:
    """Return the mentors whose follow-up count was lost, with the person's answers (S4).

    They are by the ids that the mentors have now (S7).
    """
    return _names(season, ledger).doubts(read_doubts(state_of(ledger).doubts))


def remember_doubts(ledger: Ledger, doubts: Iterable[Doubt]) -> None:
    """Remember of whom nobody knows how often they were followed up, and what was answered."""
    keep(ledger, replace(state_of(ledger), doubts=tuple(doubt_lines(doubts))))


def cycle_warning(season: Season, ledger: LedgerReader) -> tuple[PlanWarning, ...]:
    """Say that another name of the cycle does not begin a new one (S6)."""
    _, before = _owner(state_of(ledger))
    if before in {"", season.cycle.name}:
        return ()
    message = (
        f"cycle.name is “{season.cycle.name}” now and was “{before}”: the same season goes on "
        "under the new name, with what is used up of it. To begin a new one, run: "
        "lorsync sync --new-cycle"
    )
    return (PlanWarning(code="cycle-renamed", subject="cycle", message=message),)


def name_warning(season: Season, ledger: LedgerReader) -> tuple[PlanWarning, ...]:
    """Say that another applicant's name was taken for the same season's new one (S6).

    It is known only until the name is remembered, at the end of a pass.
    """
    before, _ = _owner(state_of(ledger))
    if before in {"", season.applicant.name}:
        return ()
    message = (
        f"applicant.name is “{season.applicant.name}” now and was “{before}”: the same season goes "
        "on under the new name. If this config is of somebody else, or another trial, give it a "
        "--state-dir of its own."
    )
    return (PlanWarning(code="applicant-renamed", subject="applicant", message=message),)


def zone_warning(settings: Settings) -> tuple[PlanWarning, ...]:
    """Say that the config leaves the zone to a machine that does not say it, or says two."""
    machine = settings.machine
    if machine is None or (machine.source and not machine.others):
        return ()
    others = " and ".join(f"{where} says {what}" for where, what in machine.others)
    if machine.source:
        said = f"{machine.source} says {machine.zone.key}, and {others}"
    else:
        said = others or "this machine says no zone either"
    message = (
        f"The config names no time zone: {said}. Every day is meant in {machine.zone.key}. To "
        'settle it, write timezone = "…" into [applicant], such as Europe/Madrid.'
    )
    return (PlanWarning(code="zone", subject="applicant", message=message),)


def check_owner(season: Season, ledger: LedgerReader) -> None:
    """Refuse a ledger of somebody else's season: every event of it would go.

    A changed name or a changed cycle alone is the same season (S6). Raises ConfigError.
    """
    state = state_of(ledger)
    if state.season_owner is None:
        return
    name, cycle = _owner(state)
    if name != season.applicant.name and cycle != season.cycle.name:
        msg = (
            f"The state folder belongs to {name}, {cycle}; the config is of "
            f"{season.applicant.name}, {season.cycle.name}. Give this one its own --state-dir."
        )
        raise ConfigError(msg)


def _owner(state: SyncState) -> tuple[str, str]:
    """Return whose season a ledger is of: applicant and cycle, both empty where it is of none."""
    name, _, cycle = (state.season_owner or "").partition("\n")
    return name, cycle
