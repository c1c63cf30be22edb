"""The ledger file: who may read it, and many processes at it at once."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lorsync.adapters.ledger import FILE_NAME, SqliteLedger
from lorsync.errors import StateError

OPEN_OFTEN = """
import sys
from pathlib import Path
from lorsync.adapters.ledger import SqliteLedger
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
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 4
    assert [process.returncode for process in running] == [0] * 4


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
