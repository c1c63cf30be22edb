"""The ledger file: who may read it, and many processes at it at once."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from lorsync.adapters.ledger import FILE_NAME, SqliteLedger
from lorsync.errors import StateError


def open_often(folder: Path) -> int:
    for number in range(60):
        ledger = SqliteLedger(folder)
        ledger.remember({"number": str(number)})
        assert ledger.entries() == {}
        ledger.close()
    return 60


@pytest.mark.parametrize("attempt", range(3))
def test_many_processes_open_a_new_ledger_at_once(tmp_path: Path, attempt: int) -> None:
    folder = tmp_path / f"{attempt}"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(open_often, [folder] * 4) == [60] * 4


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "state")
    ledger.remember({"a": "b"})
    for file in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    ledger.close()


def test_a_memo_is_kept_and_forgotten(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path)
    ledger.remember({"a": "1", "b": "2"})
    ledger.remember({"a": None})
    assert (ledger.memo("a"), ledger.memo("b")) == (None, "2")
    ledger.close()


def test_a_file_that_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database" * 100)
    with pytest.raises(StateError, match="cannot be used"):
        SqliteLedger(tmp_path)
