"""Run one pass: gather what is there, decide what to do, apply it, and report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from lorsync.applying import applied, foreseen
from lorsync.clocks import disagreement
from lorsync.core.digest import config_digest
from lorsync.core.entry import Entry
from lorsync.core.identity import season_key
from lorsync.core.model import PlanWarning, Uid
from lorsync.cycles import close_season
from lorsync.deciding import Answers, work_of
from lorsync.errors import ClockError, UsageError
from lorsync.gathering import gather
from lorsync.observing import Looking, Seen
from lorsync.planning import check_owner, name_warning, today_of
from lorsync.ports import Calendar, Ledger, Progress
from lorsync.recalling import (
    believe_gone,
    check_open,
    goes_on,
    is_ruled_by_another,
    stand_by,
)
from lorsync.report import Change, Report, changes_of_entries
from lorsync.reporting import is_repeatable, report_of
from lorsync.settings import Settings
from lorsync.writing import Desk

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
    desk = Desk(calendar=calendar, ledger=ledger, zone=zone, now=now, stopping=options.stopping)
    closed = _closed(settings, desk, options) if options.new_cycle else ()
    check_owner(season, ledger)
    renamed = name_warning(season, ledger)
    looking = Looking(
        now=now,
        full=options.full,
        believe_emptied=options.accept_deletions,
        new_cycle=options.new_cycle,
        believe_memory=options.accept_memory,
        taken_over_by=config_digest(season, settings.style) if options.take_over else None,
    )
    seen = gather(season, calendar, ledger, looking)
    apart = disagreement(calendar.stated_time, now, zone)
    if apart is not None and not options.dry_run:
        raise ClockError(apart)
    seen, idle, went_on = _ruled(seen, settings, ledger, options, today_of(settings, now))
    if options.accept_memory and (seen.memory is None or not seen.memory.mending):
        idle = (*idle, _NOTHING_TO_ACCEPT)
    settings = replace(settings, season=replace(season, renamed=seen.renamed))
    answers = Answers(deletions=options.accept_deletions, newcomers=options.accept_newcomers)
    work = work_of(settings, ledger, seen, now=now, answers=answers)
    if options.dry_run:
        outcomes = foreseen(work)
    else:
        outcomes = applied(work, settings, desk, options.progress)
    report = report_of(work, outcomes, season, calendar, ledger)
    # What is said of a new name is said once.
    plain = options.is_plain and not renamed
    repeatable = plain and is_repeatable(work, outcomes, report.requests)
    report = replace(report, repeatable=repeatable)
    if apart is not None:
        report = _with_warning(report, "clock", apart)
    if went_on is not None:
        report = _with_warning(report, "went-on", went_on)
    report = replace(report, warnings=(*report.warnings, *renamed), idle=idle)
    return replace(report, deleted=(*closed, *report.deleted)) if closed else report


def _closed(settings: Settings, desk: Desk, options: Options) -> tuple[Change, ...]:
    """Close the season before (S6), and return what of it was taken off the calendar."""
    if options.dry_run:
        msg = "--new-cycle closes the season before, so it cannot be tried with --dry-run."
        raise UsageError(msg)
    closing = close_season(settings, desk.calendar, desk.ledger, desk)
    return changes_of_entries(action.entry for action in closing)


def _ruled(
    seen: Seen, settings: Settings, ledger: Ledger, options: Options, today: date
) -> tuple[Seen, tuple[str, ...], str | None]:
    """Stand by where another lorsync rules (S20), or went on to the next season (S6).

    Returns what was seen as it counts then, what was asked for without need, and why this lorsync
    goes on though another config ruled, None where it did not. Raises ConfigError.
    """
    # Who goes back to a season on purpose, by its own name, opens it again.
    if not (options.new_cycle and seen.key == season_key(settings.season)):
        check_open(seen.memory)
    there = seen.memory
    if there is None or not is_ruled_by_another(settings, ledger, there):
        needless = options.take_over and seen.doubted is None
        return seen, (_NOTHING_TO_TAKE_OVER,) if needless else (), None
    why = None if options.take_over else goes_on(ledger, there, today)
    if why is None and not options.take_over:
        stand_by(settings, there)
    if why is not None and not options.dry_run:
        believe_gone(ledger, there)
    return replace(seen, entries=_as_unwritten(seen.entries)), (), why


def _as_unwritten(entries: Mapping[Uid, Entry]) -> dict[Uid, Entry]:
    """Forget what was written: another config's lorsync wrote since, so what is there counts."""
    return {uid: replace(entry, sent_digests=None) for uid, entry in entries.items()}


def _with_warning(report: Report, code: str, message: str) -> Report:
    warning = PlanWarning(code=code, subject="calendar", message=message)
    return replace(report, warnings=(*report.warnings, warning))
