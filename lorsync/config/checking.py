"""Check a TOML document table by table, and keep what is right in the wrong ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lorsync.config.account import SECRET_KEYS, WHERE_PASSWORDS_GO
from lorsync.config.problems import KeyPath, Problem, did_you_mean
from lorsync.config.reading import LEAST_KEYS
from lorsync.config.schema import (  # fmt: skip
    NESTED,
    ONCE,
    REPEATED,
    ApplicantTable,
    CalendarTable,
    Config,
    CycleTable,
    LetterTable,
    MentorTable,
    MetricsTable,
    NotificationsTable,
    PingTable,
    PolicyTable,
    ProgramTable,
    SyncTable,
    Table,
    keys,
)

_FEW: Final = 10
"""More keys than these are not listed in a message."""

AnyTable = TypeVar("AnyTable", bound=Table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[AnyTable]):
    """One table of the file, as far as it is right.

    ``unclear`` names the keys whose values are wrong; they are None in ``table``, and no rule may
    take them for left out.
    """

    path: KeyPath
    table: AnyTable
    unclear: frozenset[str] = frozenset()

    def clear(self, *names: str) -> bool:
        """Tell whether these keys are all as the file means them, left out or not."""
        return self.unclear.isdisjoint(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A whole document, table by table; ``unclear`` names top-level keys that are no tables."""

    applicant: Entry[ApplicantTable]
    cycle: Entry[CycleTable]
    calendar: Entry[CalendarTable]
    sync: Entry[SyncTable]
    policy: Entry[PolicyTable]
    metrics: Entry[MetricsTable]
    ping: Entry[PingTable]
    notifications: Entry[NotificationsTable]
    mentors: tuple[Entry[MentorTable], ...]
    programs: tuple[Entry[ProgramTable], ...]
    letters: tuple[Entry[LetterTable], ...]
    unclear: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Reader:
    """Gather entries and problems of one document."""

    raw: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)

    def once(self, name: str, kind: type[AnyTable]) -> Entry[AnyTable]:
        """Read a table that stands once; an absent one is empty."""
        value = self.raw.get(name, {})
        if isinstance(value, dict):
            return self._entry((name,), kind, value)
        self._refuse((name,), f"a table is needed: [{name}]")
        return Entry(path=(name,), table=kind())

    def repeated(self, name: str, kind: type[AnyTable]) -> tuple[Entry[AnyTable], ...]:
        """Read the tables of an array."""
        value = self.raw.get(name, [])
        if not isinstance(value, list):
            self._refuse((name,), f"these are tables in double brackets: [[{name}]]")
            return ()
        entries = []
        for index, entry in enumerate(value):
            if isinstance(entry, dict):
                entries.append(self._entry((name, index), kind, entry))
            else:
                self._refuse((name, index), f"a table is needed: [[{name}]]")
        return tuple(entries)

    def _refuse(self, path: KeyPath, allowed: str) -> None:
        self.problems.append(Problem(path=path, allowed=allowed))
        self.unclear.add(str(path[0]))

    def _entry(self, path: KeyPath, kind: type[AnyTable], raw: dict[str, Any]) -> Entry[AnyTable]:
        try:
            return Entry(path=path, table=kind.model_validate(raw))
        except ValidationError as failure:
            errors = failure.errors(include_url=False)
        self.problems += [_problem(path, kind, error) for error in errors]
        unclear = frozenset(str(error["loc"][0]) for error in errors)
        # Every key of a table may be left out, so what remains is right.
        rest = {name: value for name, value in raw.items() if name not in unclear}
        return Entry(path=path, table=kind.model_validate(rest), unclear=unclear)


def check(raw: Mapping[str, Any]) -> tuple[Draft, list[Problem]]:
    """Check every table by itself; what concerns several keys is left to ``rules``."""
    reader = _Reader(raw)
    for name in raw.keys() - {*ONCE, *REPEATED}:
        reader.problems.append(_unknown((name,), Config))
    for name in ("applicant", "calendar", "letters"):
        if name not in raw:
            reader.problems.append(Problem(path=(name,), allowed=f"it is missing. {LEAST_KEYS}"))
            reader.unclear.add(name)
    entries: dict[str, Any] = {
        **{name: reader.once(name, kind) for name, kind in ONCE.items()},
        **{name: reader.repeated(name, kind) for name, kind in REPEATED.items()},
    }
    return Draft(**entries, unclear=frozenset(reader.unclear)), reader.problems


def _problem(path: KeyPath, kind: type[Table], error: ErrorDetails) -> Problem:
    """Say in our words what pydantic found; its own words are for programmers."""
    loc = error["loc"]
    inner = NESTED.get(str(loc[0]), kind) if len(loc) > 1 else kind
    full = (*path, *loc)
    match error["type"]:
        case "extra_forbidden":
            return _unknown(full, inner)
        case "missing":
            return Problem(path=full, allowed="it is missing")
        case "hidden":
            return Problem(path=full, allowed=error["msg"], secret=True)
        case "wrong":
            allowed = error["msg"]
        case "tuple_type":
            allowed = "a list in [ … ] is needed"
        case _:
            allowed = f"a table in {{ … }} with {', '.join(keys(NESTED[str(loc[0])]))} is needed"
    return Problem(path=full, allowed=allowed)


def _unknown(path: KeyPath, kind: type[Table]) -> Problem:
    """Refuse a key; its value may be anything, a password too, and is not shown."""
    name = str(path[-1])
    if name.casefold().replace("-", "_") in SECRET_KEYS:
        return Problem(path=path, allowed=WHERE_PASSWORDS_GO, secret=True)
    hint = did_you_mean(name, keys(kind))
    if not hint and len(keys(kind)) <= _FEW:
        hint = "; here go " + ", ".join(keys(kind))
    return Problem(path=path, allowed="there is no such key" + hint, secret=True)


def refusal(table: str, key: str, value: Any) -> str | None:
    """Say what is allowed for a key of a table, if this value is not; None if it is."""
    entry = {key: value}
    _, problems = check({table: [entry] if table in REPEATED else entry})
    mine = (problem for problem in problems if problem.path[0] == table and len(problem.path) > 1)
    return next((problem.allowed for problem in mine), None)
