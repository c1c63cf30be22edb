"""tools/what_ran.py, which holds two runs of the tests against what there is to run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT


def held(folder: Path, *accounts: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
    files = [folder / str(number) for number, _ in enumerate(accounts)]
    for file, lines in zip(files, accounts, strict=True):
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    command = [sys.executable, ROOT / "tools" / "what_ran.py", *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


COLLECTED = [{"collected": "a"}, {"collected": "b"}]


def test_all_that_ran_in_one_run_or_the_other_is_well(tmp_path: Path) -> None:
    as_user = [{"ran": "a"}, {"skipped": "b", "reason": "lacks root"}]
    done = held(tmp_path, as_user, [*COLLECTED, {"ran": "b"}])
    assert (done.returncode, done.stdout) == (0, "2 of 2 tests ran.\n")


@pytest.mark.parametrize(
    ("account", "why"),
    [
        ([], "not chosen"),
        ([{"skipped": "b", "reason": "lacks root"}], "lacks root"),
        ([{"skipped": "b", "reason": "lacks ordinary user"}], "lacks ordinary user"),
        ([{"skipped": "b", "reason": "not today"}], "not today"),
    ],
)
def test_what_ran_nowhere_is_an_error(
    tmp_path: Path, account: list[dict[str, str]], why: str
) -> None:
    done = held(tmp_path, [{"ran": "a"}, *account], COLLECTED)
    assert (done.returncode, done.stderr) == (1, f"ran nowhere: b ({why})\n")


def test_what_the_machine_lacks_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    done = held(tmp_path, [{"ran": "a"}, {"skipped": "b", "reason": "lacks fish"}], COLLECTED)
    assert done.returncode == 0
    assert "1 tests lack fish; to run them: apt-get install fish" in done.stdout


def test_runs_that_do_not_say_what_there_is_prove_nothing(tmp_path: Path) -> None:
    assert held(tmp_path, [{"ran": "a"}]).returncode == 1
