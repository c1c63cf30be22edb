"""Judge how things stand: healthy, in need of the person, or not running at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from shlex import quote

from lorsync.core.errors import (
    ConfigError,
    CredentialsError,
    DataError,
    LorsyncError,
    StateError,
    UsageError,
)
from lorsync.core.model import Kind, Plan, Stage
from lorsync.monitoring.state import Keeper
from lorsync.sync.report import Record, at_of, last_try, late_by

SILENCE = timedelta(days=1)
"""From when on trouble that ends by itself, such as no network, is the person's to know."""

MISSED = 3
"""So many passes may be missed before nobody seems to run them any more."""

URGENT = timedelta(days=3)
"""With so much left before a letter is due, a mentor not asked yet should be asked today (R1)."""

_LEAST_PATIENCE = timedelta(minutes=30)

_LASTING = frozenset(
    error.exit_code
    for error in (UsageError, DataError, LorsyncError, StateError, CredentialsError, ConfigError)
)
"""The exit codes of errors that no further pass overcomes."""


class Health(IntEnum):
    """How things stand; the number is the exit code of ``lorsync status``."""

    HEALTHY = 0
    NEEDS_YOU = 1
    NOT_RUNNING = 2

    @property
    def word(self) -> str:
        """The word for it in documents."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that only the person can do; ``code`` is for programs."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How things stand, and what it needs of the person, the most pressing first."""

    health: Health
    needs: tuple[Need, ...] = ()


def standing(
    record: Record,
    *,
    pid: int | None,
    keeper: Keeper | None,
    every: timedelta,
    now: datetime,
    plan: Plan | None = None,
    broken: str | None = None,
    unusable: str | None = None,
) -> Assessment:
    """Judge by what is remembered of the passes.

    ``pid`` is the daemon's, None where none runs; ``every`` is the time between two passes, ``now``
    aware. ``plan`` is that of the day, where there is one. ``broken`` is what is wrong with the
    config as it is now, ``unusable`` with the ledger or its folder.
    """
    needs = (*_needs(record, pid=pid, now=now, broken=broken), *_unasked(plan))
    if unusable is not None:
        needs = (Need(code="state", message=unusable), *needs)
    if pid is None and not _is_kept(record, keeper, every, now):
        return Assessment(health=Health.NOT_RUNNING, needs=needs)
    return Assessment(health=Health.NEEDS_YOU if needs else Health.HEALTHY, needs=needs)


def _is_kept(record: Record, keeper: Keeper | None, every: timedelta, now: datetime) -> bool:
    """Tell whether passes come without a daemon: from a timer, from cron, or by hand.

    Where the daemon ran the last one, it is missed as soon as it is down.
    """
    tried = last_try(record)
    if tried is None or keeper is Keeper.DAEMON:
        return False
    return now - tried <= max(MISSED * every, _LEAST_PATIENCE)


def _needs(record: Record, *, pid: int | None, now: datetime, broken: str | None) -> Iterator[Need]:
    if broken is not None:
        yield Need(code="config", message=broken)
    elif record.config_error is not None:
        yield Need(code="config", message=record.config_error)
    if record.login_refused is not None and record.is_login_wrong:
        yield Need(code="login", message=str(record.login_refused["message"]))
    elif record.last_error is not None:
        # A login that is to be tried again may be right.
        passing = record.login_refused is not None
        yield from _trouble(record.last_error, record.last_pass, now, passing=passing)
    held = int(str((record.last_pass or {}).get("held", 0)))
    if held:
        message = (
            f"{held} events would be deleted, which waits for your yes: "
            "lorsync sync --accept-deletions"
        )
        yield Need(code="held", message=message)
    for code, kind in (("question", "asks"), ("refused", "troubles")):
        said = (record.last_pass or {}).get(kind, [])
        for message in said if isinstance(said, list) else []:
            yield Need(code=code, message=str(message))
    if record.memory_gone:
        message = (
            "The event in which lorsync keeps its memory on the calendar was deleted, so a lost "
            "ledger could not be rebuilt. To have it again: lorsync restore memory"
        )
        yield Need(code="memory", message=message)
    if pid is not None and late_by(record, now) is not None:
        message = (
            f"The daemon (process {pid}) has missed its pass. Start it again; if that comes "
            "again, please report it."
        )
        yield Need(code="stuck", message=message)


def _unasked(plan: Plan | None) -> Iterator[Need]:
    """Name the letters that are to be asked for by now: the day has come, or few are left (R1)."""
    if plan is None:
        return
    days = {
        letter: event.day
        for event in plan.events
        if event.kind in {Kind.REQUEST, Kind.ADD_LETTER}
        for letter in event.letters
    }
    for letter in plan.letters:
        left = None if letter.due is None else letter.due - plan.as_of
        if letter.stage is not Stage.TO_ASK or left is None or left < timedelta():
            continue
        if left <= URGENT or days.get(letter.id, date.max) <= plan.as_of:
            message = (
                f"{letter.id} is due on {letter.due} and has not been asked for. Ask now, and say "
                f"so: lorsync mark {quote(letter.mentor)} asked --letter {quote(letter.id)}"
            )
            yield Need(code="ask", message=message)


def _trouble(
    error: dict[str, object],
    last_pass: dict[str, object] | None,
    now: datetime,
    *,
    passing: bool,
) -> Iterator[Need]:
    message = str(error["message"])
    if error.get("code") in _LASTING and not passing:
        yield Need(code="error", message=message)
    elif last_pass is None:
        yield Need(code="error", message=f"No pass has succeeded yet. {message}")
    elif now - at_of(last_pass) > SILENCE:
        yield Need(code="silence", message=f"No pass has succeeded for over a day. {message}")
