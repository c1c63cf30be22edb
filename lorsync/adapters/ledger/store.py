"""Keep the ledger in SQLite: what was announced, sent, echoed, and what became of it.

A row exists before the write that it announces (I7), so every commit reaches the disk. Dates are
ISO text. The file and its folder can be read by the user alone.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from lorsync.adapters.ledger.file import FILE_NAME, has_ledger, opened, translated
from lorsync.adapters.state_dir import pass_lock, place_of
from lorsync.core.event.content import Digests, Property
from lorsync.core.facts import Fact, Mark
from lorsync.core.merge.entry import Entry, Intent, State
from lorsync.core.model import Identity, Kind, LetterId, MentorId, Uid

__all__ = ["FILE_NAME", "STILL", "SqliteLedger", "has_ledger", "open_ledger"]

STILL = "still"
"""The memo that lasts until something is written: every other transaction forgets it."""

_PROPERTIES = {str(known): known for known in Property}

_UPSERT = """
    INSERT OR REPLACE INTO entry VALUES (
        :uid, :href, :kind, :subject, :slot, :mentor, :letters, :day, :summary, :state, :sent,
        :sent_digests, :sequence, :echo, :etag, :theirs, :extras, :missing_since, :intent,
        :intended, :intended_digests, :ticks, :title, :passed, :learned, :planned
    )
"""


class SqliteLedger:
    """The ledger of one season in one calendar. Use it from one thread at a time."""

    def __init__(self, state_dir: Path) -> None:
        """Open the ledger of a state folder, making both where they are missing.

        Raises StateError where the folder cannot be used, NewerLedgerError where the ledger is of a
        newer lorsync, and DamagedLedgerError where it is none.
        """
        self.path = state_dir / FILE_NAME
        self._db = opened(self.path)
        self._later: dict[str, str | None] = {}

    @property
    def place(self) -> str:
        """Name the folder in which it is, on this machine, so that a lost one is told (S20)."""
        return place_of(self.path.parent)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def entries(self) -> dict[Uid, Entry]:
        """Return all events that the ledger knows."""
        with translated(self.path):
            rows = self._db.execute("SELECT * FROM entry ORDER BY uid")
            return {entry.uid: entry for entry in map(_entry, rows)}

    def retired(self) -> frozenset[Uid]:
        """Return the UIDs that lorsync deleted and must not use again (S8)."""
        with translated(self.path):
            return frozenset(Uid(uid) for (uid,) in self._db.execute("SELECT uid FROM retired"))

    def save(
        self,
        entries: Iterable[Entry],
        *,
        forget: Iterable[Uid] = (),
        retire: Iterable[Uid] = (),
        memos: Mapping[str, str | None] | None = None,
    ) -> None:
        """Write entries and memos, drop others, in one transaction that is on disk then.

        Where there is nothing of all that, there is no transaction.
        """
        rows, retired = list(map(_row, entries)), [(uid,) for uid in retire]
        dropped = [*((uid,) for uid in forget), *retired]
        if not (rows or dropped or memos):
            return
        with self._writing() as db:
            db.executemany(_UPSERT, rows)
            db.executemany("DELETE FROM entry WHERE uid = ?", dropped)
            db.executemany("INSERT OR IGNORE INTO retired (uid) VALUES (?)", retired)
            _remember(db, memos or {})

    def marks(self) -> list[Mark]:
        """Return what was said with ``mark``, what was taken back included."""
        with translated(self.path):
            rows = self._db.execute("SELECT * FROM mark ORDER BY letter, fact, day")
            return [_mark(row) for row in rows]

    def save_marks(self, marks: Iterable[Mark], *, forget: Iterable[Mark] = ()) -> None:
        """Drop marks and write others in one transaction.

        One of the same letter, fact and day is replaced.
        """
        rows = list(map(_mark_row, marks))
        dropped = [(mark.letter, mark.fact, mark.day.isoformat()) for mark in forget]
        if not (rows or dropped):
            return
        with self._writing() as db:
            db.executemany("DELETE FROM mark WHERE letter = ? AND fact = ? AND day = ?", dropped)
            db.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def memos(self) -> dict[str, str]:
        """Return all remembered texts by their keys."""
        with translated(self.path):
            kept = dict[str, str | None](self._db.execute("SELECT key, value FROM memo").fetchall())
        return {key: value for key, value in (kept | self._later).items() if value is not None}

    def remember(self, memos: Mapping[str, str | None]) -> None:
        """Remember texts by their keys in one transaction; None forgets one.

        Where all of that is known already, there is no transaction.
        """
        known = self.memos()
        if self._later or any(known.get(key) != value for key, value in memos.items()):
            with self._writing() as db:
                _remember(db, memos)

    def remember_later(self, memos: Mapping[str, str | None]) -> None:
        """Remember texts with whatever is written next, and not at all where nothing is."""
        self._later |= memos

    def clear(self, memos: Mapping[str, str | None]) -> None:
        """Forget all entries, retired UIDs and marks, and remember ``memos``, as one step."""
        with self._writing() as db:
            db.execute("DELETE FROM entry")
            db.execute("DELETE FROM retired")
            db.execute("DELETE FROM mark")
            _remember(db, memos)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._transaction() as db:
            db.execute("DELETE FROM memo WHERE key = ?", (STILL,))
            _remember(db, self._later)
            yield db
        self._later = {}

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            # IMMEDIATE always: a deferred BEGIN that comes to write gets SQLITE_BUSY at once.
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


@contextmanager
def open_ledger(state_dir: Path, *, lock: float | None = None) -> Iterator[SqliteLedger]:
    """Open the ledger of a state folder for as long as this lasts.

    ``lock``: hold the pass lock with it, after waiting for that so many seconds at most. Raises as
    the ledger and the lock do.
    """
    with nullcontext() if lock is None else pass_lock(state_dir, wait_seconds=lock):
        ledger = SqliteLedger(state_dir)
        try:
            yield ledger
        finally:
            ledger.close()


def _remember(db: sqlite3.Connection, memos: Mapping[str, str | None]) -> None:
    for key, value in memos.items():
        if value is None:
            db.execute("DELETE FROM memo WHERE key = ?", (key,))
        else:
            db.execute("INSERT OR REPLACE INTO memo VALUES (?, ?)", (key, value))


def _row(entry: Entry) -> dict[str, str | bytes | int | None]:
    return {
        "uid": entry.uid,
        "href": entry.href,
        "kind": entry.identity.kind,
        "subject": entry.identity.subject,
        "slot": entry.identity.slot,
        "mentor": entry.mentor,
        "letters": json.dumps(entry.letters),
        "day": entry.day.isoformat(),
        "summary": entry.summary,
        "state": entry.state,
        "sent": entry.sent,
        "sent_digests": _dumped(entry.sent_digests),
        "sequence": entry.sequence,
        "echo": entry.echo,
        "etag": entry.etag,
        "theirs": json.dumps(sorted(entry.theirs)),
        "extras": json.dumps(entry.extras),
        "missing_since": None if entry.missing_since is None else entry.missing_since.isoformat(),
        "intent": entry.intent,
        "intended": entry.intended,
        "intended_digests": _dumped(entry.intended_digests),
        "ticks": json.dumps([(fact, day.isoformat()) for fact, day in entry.ticks]),
        "title": entry.title,
        "passed": None if entry.passed is None else entry.passed.isoformat(),
        "learned": entry.learned,
        "planned": None if entry.planned is None else entry.planned.isoformat(),
    }


def _mark_row(mark: Mark) -> tuple[str, str, str, str, int, str | None, int]:
    day, said = mark.day.isoformat(), mark.said.isoformat()
    return (mark.letter, mark.fact, day, said, mark.withdrawn, mark.mentor, mark.learned)


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(
        letter=LetterId(row["letter"]),
        fact=Fact(row["fact"]),
        day=date.fromisoformat(row["day"]),
        said=datetime.fromisoformat(row["said"]),
        withdrawn=bool(row["withdrawn"]),
        mentor=None if row["mentor"] is None else MentorId(row["mentor"]),
        learned=bool(row["learned"]),
    )


def _dumped(digests: Digests | None) -> str | None:
    return None if digests is None else json.dumps(digests, sort_keys=True)


def _digests(text: str | None) -> Digests | None:
    if text is None:
        return None
    return {_PROPERTIES[name]: digest for name, digest in json.loads(text).items()}


@lru_cache(maxsize=1024)  # most rows say the same: the same letters, or nothing
def _words(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=64)
def _theirs(text: str) -> frozenset[Property]:
    return frozenset(_PROPERTIES[name] for name in _words(text))


@lru_cache(maxsize=64)
def _ticks(text: str) -> tuple[tuple[Fact, date], ...]:
    return tuple((Fact(fact), date.fromisoformat(day)) for fact, day in json.loads(text))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        uid=Uid(row["uid"]),
        href=row["href"],
        identity=Identity(
            kind=Kind(row["kind"]), subject=LetterId(row["subject"]), slot=row["slot"]
        ),
        mentor=MentorId(row["mentor"]),
        letters=tuple(map(LetterId, _words(row["letters"]))),
        day=date.fromisoformat(row["day"]),
        summary=row["summary"],
        state=State(row["state"]),
        sent=row["sent"],
        sent_digests=_digests(row["sent_digests"]),
        sequence=row["sequence"],
        echo=row["echo"],
        etag=row["etag"],
        theirs=_theirs(row["theirs"]),
        extras=_words(row["extras"]),
        missing_since=None
        if row["missing_since"] is None
        else datetime.fromisoformat(row["missing_since"]),
        intent=None if row["intent"] is None else Intent(row["intent"]),
        intended=row["intended"],
        intended_digests=_digests(row["intended_digests"]),
        ticks=_ticks(row["ticks"]),
        title=row["title"],
        learned=bool(row["learned"]),
        passed=None if row["passed"] is None else date.fromisoformat(row["passed"]),
        planned=None if row["planned"] is None else date.fromisoformat(row["planned"]),
    )
