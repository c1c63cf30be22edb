"""The ledger's file: made, migrated, and set aside where it is damaged.

What SQLite says is told apart here: a file that is no ledger any more is worthless, since the
calendar has everything (S4); a full disk, a lock and a newer lorsync's ledger leave it as it is.
"""

import os
import shlex
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from lorsync.core.errors import DamagedLedgerError, NewerLedgerError, StateError

FILE_NAME = "ledger.sqlite3"
_BESIDE = ("", "-wal", "-shm")
"""What SQLite keeps next to a database, by the ends of the names."""
_BUSY_SECONDS = 10.0
_POLL_SECONDS = 0.01
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_TABLES = frozenset({"entry", "retired", "memo", "mark"})

MIGRATIONS = (
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
    ("ALTER TABLE mark ADD COLUMN mentor TEXT",),
    (
        "ALTER TABLE mark ADD COLUMN learned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entry ADD COLUMN learned INTEGER NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE entry ADD COLUMN planned TEXT",),
)
"""Statement by statement, one tuple per version: ``executescript`` would commit before it runs."""


def has_ledger(state: Path) -> bool:
    """Tell whether a state folder has a ledger; one that is not there has none.

    Raises StateError where that cannot be known: nothing may be taken for never begun.
    """
    try:
        (state / FILE_NAME).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        msg = (
            f"The state folder {state} cannot be read: {error.strerror}. Give yourself the right "
            "to, or name another one with --state-dir."
        )
        raise StateError(msg) from None
    return True


def opened(path: Path) -> sqlite3.Connection:
    """Open the ledger at ``path``, made where it is missing and migrated where it is older.

    Raises StateError where it cannot be used, NewerLedgerError and DamagedLedgerError.
    """
    is_new = not path.exists()
    with translated(path):
        try:
            db = _connect(path)
            try:
                _migrate(db, path)
            except BaseException:
                db.close()
                raise
        except sqlite3.Error as error:
            if is_new and getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM:
                _unmake(path)
            raise
        return db


def mend(path: Path, now: datetime, *, look: bool = False) -> str | None:
    """Set a damaged ledger aside, and say so; return None where it is sound or missing.

    For the holder of the pass lock, since others would go on writing to the file that is set aside.
    With ``look`` all of it is read; else it is enough that it is a file and not empty. Raises
    StateError where it cannot be used, and NewerLedgerError, which is no damage.
    """
    try:
        found = path.stat()
    except OSError:
        return None  # missing, or what opening it will say better
    is_sound = stat.S_ISREG(found.st_mode) and found.st_size > 0
    if is_sound and not (look and _is_damaged(path)):
        return None
    return set_aside(path, now)


def set_aside(path: Path, now: datetime) -> str:
    """Rename a damaged ledger by ``now`` (aware), and say so. Raises StateError where it cannot."""
    aside = path.with_name(f"{path.name}.damaged-{now:%Y-%m-%dT%H%M%S}")
    with translated(path):
        for end in _BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    return (
        f"The ledger {path} was damaged: it is {aside.name} now, and a new one was rebuilt from "
        "the calendar, which keeps everything."
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the file system and SQLite raise into a StateError that says which file it is."""
    try:
        yield
    except PermissionError as error:
        msg = f"The state folder {path.parent} cannot be written: {error.strerror}."
        raise StateError(msg) from None
    except OSError as error:
        msg = f"The state folder {path.parent} cannot be used: {error.strerror}."
        raise StateError(msg) from None
    except sqlite3.Error as error:
        # Some errors, of a closed connection for one, have no code.
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _DAMAGE:
            raise _damaged(path, str(error)) from None
        msg = f"The ledger {path} cannot be used: {error}. Nothing was lost in the calendar."
        raise StateError(msg) from None


def _is_damaged(path: Path) -> bool:
    try:
        with closing(opened(path)) as db, translated(path):
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except DamagedLedgerError:
        return True


def _damaged(path: Path, why: str) -> DamagedLedgerError:
    return DamagedLedgerError(
        f"The ledger {path} is damaged: {why}. Nothing was lost in the calendar; the next pass "
        "sets it aside and makes a new one. Run: lorsync sync"
    )


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite makes it, so that it is never readable by others, whatever the umask.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        refuse_strangers(path.parent, path.parent.stat(), os.geteuid())
        refuse_strangers(path, os.fstat(descriptor), os.geteuid())
    finally:
        os.close(descriptor)
    db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        db.row_factory = sqlite3.Row
        _switch_to_wal(db)
        db.execute("PRAGMA synchronous = FULL")
    except BaseException:
        db.close()
        raise
    return db


def refuse_strangers(path: Path, found: os.stat_result, me: int) -> None:
    """Raise StateError where others could write the ledger: it says where the password goes.

    ``found`` is the stat of the ledger or its folder, ``me`` the user's number. Root may use any
    and own all, and a group is what a container gives its volumes to.
    """
    if me not in (0, found.st_uid) and found.st_uid != 0:
        msg = (
            f"{path} belongs to another user of this machine, who could have the password sent "
            "anywhere. Name another state folder with --state-dir."
        )
        raise StateError(msg)
    if found.st_mode & stat.S_IWOTH:
        msg = (
            f"{path} can be written by every user of this machine, who could have the password "
            f"sent anywhere. Run: chmod o-w {shlex.quote(str(path))}"
        )
        raise StateError(msg)


def _unmake(path: Path) -> None:
    """Leave no empty file of a ledger that could not be made: it would pass for a damaged one."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


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


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    newest = len(MIGRATIONS)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > newest:
        msg = (
            f"{path} was written by a newer lorsync (version {version} of the ledger). "
            "Update lorsync; nothing was changed."
        )
        raise NewerLedgerError(msg)
    if 0 < version < newest:
        _copy(db, path, version)
    if version < newest:
        _raise_version(db, path)
    if _TABLES - _tables(db):
        raise _damaged(path, "tables are missing")


def _raise_version(db: sqlite3.Connection, path: Path) -> None:
    # IMMEDIATE always: a deferred BEGIN that comes to write gets SQLITE_BUSY at once.
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker between the look and the lock.
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0 and _tables(db):
            raise _damaged(path, "it is another program's")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _tables(db: sqlite3.Connection) -> frozenset[str]:
    rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return frozenset(name for (name,) in rows)


def _copy(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Keep the ledger as it was before a migration, for who goes back to the older lorsync."""
    copy = path.with_name(f"{path.name}.version-{version}")
    if copy.exists():
        return
    part = copy.with_name(f"{copy.name}.{os.getpid()}")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        db.execute("VACUUM INTO ?", (str(part),))
        part.replace(copy)
    finally:
        part.unlink(missing_ok=True)
