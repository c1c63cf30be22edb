"""The ledger file: who may read it, and many processes at it at once."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lorsync.adapters.ledger.file import MIGRATIONS, mend, refuse_strangers
from lorsync.adapters.ledger.store import FILE_NAME, STILL, SqliteLedger
from lorsync.core.errors import DamagedLedgerError, NewerLedgerError, StateError

NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)

OPEN_OFTEN = """
import sys
from pathlib import Path
from lorsync.adapters.ledger.store import SqliteLedger
for number in range(60):
    ledger = SqliteLedger(Path(sys.argv[1]))
    ledger.remember({"number": str(number)})
    assert ledger.entries() == {}
    ledger.close()
"""


@pytest.mark.parametrize("attempt", range(3))
def test_many_processes_open_a_new_ledger_at_once(tmp_path: Path, attempt: int) -> None:
    folder = str(tmp_path / f"{attempt}")
    command = [sys.executable, "-c", OPEN_OFTEN, folder]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=300)[1] for process in running] == [""] * 4
    assert [process.returncode for process in running] == [0] * 4


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "state")
    ledger.remember({"a": "b"})
    for file in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    ledger.close()


@pytest.mark.parametrize("which", ["", FILE_NAME])
def test_one_that_everybody_may_write_is_refused(tmp_path: Path, which: str) -> None:
    folder = tmp_path / "state"
    SqliteLedger(folder).close()
    (folder / which).chmod(0o707)
    with pytest.raises(StateError, match=r"every user.*chmod o-w"):
        SqliteLedger(folder)


def test_one_of_another_user_is_refused_but_to_root(tmp_path: Path) -> None:
    found = tmp_path.stat()
    with pytest.raises(StateError, match="another user"):
        refuse_strangers(tmp_path, _of(found, 4711), 4712)
    for owner, me in ((4711, 4711), (4711, 0), (0, 4711)):
        refuse_strangers(tmp_path, _of(found, owner), me)


def _of(found: os.stat_result, owner: int) -> os.stat_result:
    return os.stat_result((*found[:4], owner, *found[5:]))


def test_a_memo_is_kept_and_forgotten(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path)
    ledger.remember({"a": "1", "b": "2"})
    ledger.remember({"a": None})
    assert (ledger.memos().get("a"), ledger.memos().get("b")) == (None, "2")
    ledger.close()


def old_ledger(folder: Path) -> Path:
    """Make a ledger of the first version, as the first lorsync left it, with one memo."""
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("INSERT INTO memo VALUES ('a', 'kept')")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    return path


def damaged(folder: Path, how: str) -> Path:
    """Make a ledger with something in it, and damage it."""
    path = folder / FILE_NAME
    ledger = SqliteLedger(folder)
    ledger.remember({f"key {n}": "x" * 200 for n in range(400)})
    ledger.close()
    whole = path.read_bytes()
    match how:
        case "garbage":
            path.write_bytes(b"no database" * 100)
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        case "garbage inside":
            middle = len(whole) // 2
            path.write_bytes(whole[:middle] + b"\xa5" * 9000 + whole[middle + 9000 :])
        case "another program's":
            path.unlink()
            with closing(sqlite3.connect(path)) as db:
                db.execute("CREATE TABLE memo (x)")
        case "a table gone":
            with closing(sqlite3.connect(path)) as db:
                db.execute("DROP TABLE retired")
    return path


@pytest.mark.parametrize(
    "how",
    ["garbage", "empty", "truncated", "garbage inside", "another program's", "a table gone"],
)
def test_a_damaged_ledger_is_set_aside_under_a_dated_name_and_a_new_one_begins(
    tmp_path: Path, how: str
) -> None:
    path = damaged(tmp_path, how)
    before = path.read_bytes()
    message = mend(path, NOW, look=True)
    assert message is not None
    aside = path.with_name(f"{FILE_NAME}.damaged-2027-05-03T120000")
    assert aside.name in message
    # The header may have become that of write-ahead logging.
    assert aside.read_bytes()[100:] == before[100:]
    assert mend(path, NOW, look=True) is None
    ledger = SqliteLedger(tmp_path)
    assert ledger.entries() == {}
    ledger.close()


def test_a_folder_in_the_ledgers_place_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    (tmp_path / FILE_NAME / "file").touch()
    assert "was damaged" in str(mend(tmp_path / FILE_NAME, NOW))
    SqliteLedger(tmp_path).close()


def test_a_ledger_for_which_there_was_no_room_is_no_damaged_one_later(tmp_path: Path) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, unlimited[1]))
    try:
        with pytest.raises(StateError):
            SqliteLedger(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert mend(tmp_path / FILE_NAME, NOW) is None
    SqliteLedger(tmp_path).close()


def test_a_damaged_ledger_that_is_only_read_is_left_and_named(tmp_path: Path) -> None:
    path = damaged(tmp_path, "garbage")
    with pytest.raises(DamagedLedgerError, match="lorsync sync"):
        SqliteLedger(tmp_path)
    assert path.read_bytes() == b"no database" * 100


def test_a_sound_ledger_is_not_set_aside(tmp_path: Path) -> None:
    SqliteLedger(tmp_path).close()
    assert mend(tmp_path / FILE_NAME, NOW, look=True) is None
    assert mend(tmp_path / "none" / FILE_NAME, NOW, look=True) is None


def test_a_ledger_of_a_newer_lorsync_is_refused_and_stays(tmp_path: Path) -> None:
    SqliteLedger(tmp_path).close()
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(NewerLedgerError, match="newer lorsync"):
        mend(path, NOW, look=True)
    with pytest.raises(NewerLedgerError):
        SqliteLedger(tmp_path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*damaged*"))


def test_a_migration_keeps_a_copy_of_the_ledger_before_it(tmp_path: Path) -> None:
    path = old_ledger(tmp_path)
    ledger = SqliteLedger(tmp_path)
    assert (ledger.memos().get("a"), ledger.marks()) == ("kept", [])
    ledger.close()
    copy = path.with_name(f"{FILE_NAME}.version-1")
    assert stat.S_IMODE(copy.stat().st_mode) & 0o077 == 0
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT value FROM memo").fetchone() == ("kept",)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, copy.name}


def test_where_no_copy_can_be_kept_nothing_is_migrated(tmp_path: Path) -> None:
    path = old_ledger(tmp_path)
    before = path.read_bytes()
    in_the_way = path.with_name(f"{FILE_NAME}.version-1.{os.getpid()}")
    in_the_way.mkdir()
    with pytest.raises(StateError):
        SqliteLedger(tmp_path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert len(path.read_bytes()) == len(before)


def test_what_changes_nothing_is_no_transaction(tmp_path: Path) -> None:
    with closing(SqliteLedger(tmp_path)) as ledger:
        ledger.remember({"a": "1", STILL: "as it is"})
        ledger.remember({"a": "1", "b": None})
        ledger.save([])
        ledger.save_marks([])
        assert ledger.memos()[STILL] == "as it is"
        ledger.remember_later({"a": "2"})
        assert (ledger.memos()["a"], ledger.memos()[STILL]) == ("2", "as it is")
        ledger.remember({"b": "3"})
    with closing(SqliteLedger(tmp_path)) as ledger:
        assert ledger.memos() == {"a": "2", "b": "3"}
        ledger.remember_later({"a": "4"})
    with closing(SqliteLedger(tmp_path)) as ledger:
        assert ledger.memos()["a"] == "2"
