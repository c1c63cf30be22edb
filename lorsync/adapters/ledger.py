"""Keep the ledger in SQLite: what was announced, sent, echoed, and what became of it.

A row exists before the write that it announces (I7), so every commit reaches the disk. Dates are
ISO text. The file and its folder can be read by the user alone.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from lorsync.core.content import Digests, Property
from lorsync.core.entry import Entry, Intent, State
from lorsync.core.facts import Fact, Mark
from lorsync.core.model import Identity, Kind, LetterId, MentorId, Uid
from lorsync.errors import StateError

FILE_NAME = "ledger.sqlite3"
STILL = "still"
"""The memo that lasts until something is written: every other transaction forgets it."""

_BUSY_SECONDS = 10.0
_POLL_SECONDS = 0.01
_PROPERTIES = {str(known): known for known in Property}

_MIGRATIONS = (
    (
        """
        CREATE TABLE entry (
            uid TEXT PRIMARY KEY,
            href TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            slot TEXT NOT NULL,
            mentor TEXT NOT NULL,
            letters TEXT NOT NULL,
            day TEXT NOT NULL,
            summary TEXT NOT NULL,
            state TEXT NOT NULL,
            sent BLOB,
            sent_digests TEXT,
            sequence INTEGER NOT NULL,
            echo BLOB,
            etag TEXT,
            theirs TEXT NOT NULL,
            extras TEXT NOT NULL,
            missing_since TEXT,
            intent TEXT,
            intended BLOB,
            intended_digests TEXT
        ) STRICT
        """,
        "CREATE TABLE retired (uid TEXT PRIMARY KEY) STRICT",
        "CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    ),
    (
        "ALTER TABLE entry ADD COLUMN ticks TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE entry ADD COLUMN title TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE mark (
            letter TEXT NOT NULL,
            fact TEXT NOT NULL,
            day TEXT NOT NULL,
            said TEXT NOT NULL,
            withdrawn INTEGER NOT NULL,
            PRIMARY KEY (letter, fact, day)
        ) STRICT
        """,
    ),
    ("ALTER TABLE entry ADD COLUMN passed TEXT",),
)
"""Statement by statement, one tuple per version: ``executescript`` would commit before it runs."""

_UPSERT = """
    INSERT OR REPLACE INTO entry VALUES (
        :uid, :href, :kind, :subject, :slot, :mentor, :letters, :day, :summary, :state, :sent,
        :sent_digests, :sequence, :echo, :etag, :theirs, :extras, :missing_since, :intent,
        :intended, :intended_digests, :ticks, :title, :passed
    )
"""


class SqliteLedger:
    """The ledger of one season in one calendar. Use it from one thread at a time."""

    def __init__(self, state_dir: Path) -> None:
        """Open the ledger of a state folder, making both where they are missing.

        Raises StateError where the folder cannot be used, or the ledger is of a newer lorsync.
        """
        self.path = state_dir / FILE_NAME
        with _translated(self.path):
            self._db = _connect(self.path)
            try:
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def entries(self) -> dict[Uid, Entry]:
        """Return all events that the ledger knows."""
        with _translated(self.path):
            rows = self._db.execute("SELECT * FROM entry ORDER BY uid")
            return {entry.uid: entry for entry in map(_entry, rows)}

    def retired(self) -> frozenset[Uid]:
        """Return the UIDs that lorsync deleted and must not use again (S8)."""
        with _translated(self.path):
            return frozenset(Uid(uid) for (uid,) in self._db.execute("SELECT uid FROM retired"))

    def save(
        self,
        entries: Iterable[Entry],
        *,
        forget: Iterable[Uid] = (),
        retire: Iterable[Uid] = (),
    ) -> None:
        """Write entries, and drop others, in one transaction that is on disk when this returns."""
        retired = [(uid,) for uid in retire]
        dropped = [*((uid,) for uid in forget), *retired]
        with self._writing() as db:
            db.executemany(_UPSERT, map(_row, entries))
            db.executemany("DELETE FROM entry WHERE uid = ?", dropped)
            db.executemany("INSERT OR IGNORE INTO retired (uid) VALUES (?)", retired)

    def marks(self) -> list[Mark]:
        """Return what was said with ``mark``, what was taken back included."""
        with _translated(self.path):
            rows = self._db.execute("SELECT * FROM mark ORDER BY letter, fact, day")
            return [_mark(row) for row in rows]

    def save_marks(self, marks: Iterable[Mark]) -> None:
        """Write marks in one transaction; one of the same letter, fact and day is replaced."""
        with self._writing() as db:
            db.executemany(
                "INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)", map(_mark_row, marks)
            )

    def memo(self, key: str) -> str | None:
        """Return a remembered text, or None."""
        with _translated(self.path):
            row = self._db.execute("SELECT value FROM memo WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def remember(self, memos: Mapping[str, str | None]) -> None:
        """Remember texts by their keys in one transaction; None forgets one."""
        with self._writing() as db:
            _remember(db, memos)

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
            yield db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            # IMMEDIATE always: a deferred BEGIN that comes to write gets SQLITE_BUSY at once.
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(_MIGRATIONS):
            msg = (
                f"{self.path} was written by a newer lorsync (version {version} of the ledger). "
                "Update lorsync; nothing was changed."
            )
            raise StateError(msg)
        if version == len(_MIGRATIONS):
            return
        with self._transaction() as db:
            # Another process may have been quicker between the look and the lock.
            (version,) = db.execute("PRAGMA user_version").fetchone()
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _remember(db: sqlite3.Connection, memos: Mapping[str, str | None]) -> None:
    for key, value in memos.items():
        if value is None:
            db.execute("DELETE FROM memo WHERE key = ?", (key,))
        else:
            db.execute("INSERT OR REPLACE INTO memo VALUES (?, ?)", (key, value))


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite makes it, so that it is never readable by others, whatever the umask.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        db.row_factory = sqlite3.Row
        _switch_to_wal(db)
        db.execute("PRAGMA synchronous = FULL")
    except BaseException:
        db.close()
        raise
    return db


def _switch_to_wal(db: sqlite3.Connection) -> None:
    """Set the journal mode, waiting for others: this one statement does not wait by itself."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        msg = f"The state folder {path.parent} cannot be written: {error.strerror}."
        raise StateError(msg) from None
    except OSError as error:
        msg = f"The state folder {path.parent} cannot be used: {error.strerror}."
        raise StateError(msg) from None
    except sqlite3.Error as error:
        msg = f"The ledger {path} cannot be used: {error}. Nothing was lost in the calendar."
        raise StateError(msg) from None


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
    }


def _mark_row(mark: Mark) -> tuple[str, str, str, str, int]:
    return (mark.letter, mark.fact, mark.day.isoformat(), mark.said.isoformat(), mark.withdrawn)


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(
        letter=LetterId(row["letter"]),
        fact=Fact(row["fact"]),
        day=date.fromisoformat(row["day"]),
        said=datetime.fromisoformat(row["said"]),
        withdrawn=bool(row["withdrawn"]),
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
        passed=None if row["passed"] is None else date.fromisoformat(row["passed"]),
    )
