"""A command that is started warm is the installed one: it says, does and ends the same."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.e2e.command.running import EXAMPLES, User

SEASON = EXAMPLES / "config.example.toml"


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("plan", "--as-of", "2026-12-01"),
        ("export", "-o", "-", "--as-of", "2026-12-01"),
        ("pln",),
    ],
)
def test_it_says_and_ends_as_the_installed_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = User(home=tmp_path)
    cold = subprocess.run(
        told.arguments(*words, config=SEASON), env=told.environ(), cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    copied = told.types(*words, config=SEASON)
    assert (copied.returncode, copied.stdout, copied.stderr) == (
        cold.returncode,
        cold.stdout,
        cold.stderr,
    )


SHOWN = """
import os, sys
print(sys.argv[1:], os.getcwd(), sorted(os.environ), sys.stdin.read())
sys.exit("over")
"""


def test_it_has_arguments_folder_environment_and_an_end_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(SHOWN)
    done = warm.commands().runs(
        [script, "one"], environment={"HOME": "x"}, folder=tmp_path, typed="two"
    )
    assert done.stdout == f"['one'] {tmp_path} ['HOME'] two\n"
    assert (done.returncode, done.stderr) == (1, "over\n")


def test_it_can_be_killed_and_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("import time; time.sleep(600)")
    with (tmp_path / "said").open("w") as said:
        process = warm.commands().starts(
            [script], environment={}, folder=tmp_path, out=said, err=said
        )
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert process.poll() == -signal.SIGKILL
    assert process.memory > 1


def test_what_python_reads_when_it_starts_needs_a_start(tmp_path: Path) -> None:
    assert warm.can_be_warm({"TZ": "Asia/Tokyo", "PYTHONPATH": "x"})
    for name in ("LC_ALL", "LD_PRELOAD", "PYTHONIOENCODING"):
        assert not warm.can_be_warm({name: "x"})
    told = User(home=tmp_path, environment={"PYTHONVERBOSE": "1"})
    assert "import 'lorsync'" in told.types("--version").stderr
