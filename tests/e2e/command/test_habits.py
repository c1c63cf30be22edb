"""What people expect of a command line: completion, a manual, examples, --quiet, a question."""

import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from lorsync.cli import main
from lorsync.cli.examples import EXAMPLES
from lorsync.cli.manpage import EXIT_CODES, manual
from lorsync.cli.root import cli
from lorsync.config import load
from lorsync.config.completion import ids_in
from lorsync.core.errors import LorsyncError
from lorsync.monitoring.health import Health
from tests.e2e.command.running import COMMAND, User
from tests.e2e.command.running import EXAMPLES as ROOT

SEASON = ROOT / "config.example.toml"
ROOT_CONTEXT = click.Context(cli, info_name="lorsync")
NAMES = cli.list_commands(ROOT_CONTEXT)

MINIMAL = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "folder"
path = "{folder}"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-09-10

[[letters]]
mentor = "Dr. Jo Lindqvist"
deadline = 2099-09-10
"""


@pytest.fixture
def home(user: User) -> User:
    """Somebody whose config is where it is looked for."""
    folder = user.home / ".config" / "lorsync"
    folder.mkdir(parents=True)
    shutil.copy(SEASON, folder / "config.toml")
    user.environment["PATH"] = f"{COMMAND.parent}:{os.environ['PATH']}"
    return user


def leaves(command: click.Command, context: click.Context) -> list[tuple[str, click.Command]]:
    """Return a command and those below it, each with the words by which it is called."""
    found = [(context.command_path, command)]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += leaves(below, click.Context(below, info_name=name, parent=context))
    return found


COMPLETED = {
    "ex": "export",
    "mark ": "alvarez chen novak",
    "mark chen sub": "submitted",
    "mark chen submitted --letter n": "novak-research",
    "unpin c": "chen",
    "restore m": "memory",
    "export --mentor a": "alvarez",
    "export --program la": "lakeside",
    "export --kind dea": "deadline",
    "export --without": "--without-drafts",
    "suggest f": "fellowship",
    "-c nowhere.toml mark ": "",
}
"""What is typed after ``lorsync``, and what is offered for its last word."""


def test_bash_completes(home: User) -> None:
    lines = ["source <(lorsync completion bash)"]
    for typed in COMPLETED:
        words = ["lorsync", *typed.split(" ")]
        lines += [
            f"COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}",
            'COMPREPLY=(); _lorsync_completion lorsync; echo "${COMPREPLY[*]}"',
        ]
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)],
        env=home.environ(), cwd=home.home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert dict(zip(COMPLETED, done.stdout.splitlines(), strict=True)) == COMPLETED


HARMFUL = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"
[[mentors]]
id = "$(touch harm)"
name = "Dr. A"
[[mentors]]
id = "`touch harm`"
name = "Dr. B"
[[mentors]]
id = "a;touch${IFS}harm"
name = "Dr. C"
[[mentors]]
id = "-c"
name = "Dr. D"
[[mentors]]
id = "müller+1"
name = "Dr. $(touch harm)"
"""


def test_an_id_that_a_shell_would_run_is_not_completed(home: User) -> None:
    (home.home / "harmful.toml").write_text(HARMFUL, "utf-8")
    script = """
        source <(lorsync completion bash)
        COMP_WORDS=(lorsync -c harmful.toml mark "") COMP_CWORD=4
        COMPREPLY=(); _lorsync_completion lorsync; printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=home.environ(), cwd=home.home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("müller+1\n", "")
    assert not (home.home / "harm").exists()


@pytest.mark.needs("zsh")
def test_zsh_takes_the_script_and_its_answers(home: User) -> None:
    script = """
    autoload -U compinit; compinit -u -D
    source <(lorsync completion zsh)
    [[ $_comps[lorsync] == _lorsync_completion ]] || exit 1
    _describe() { print -l -- "${(@P)3}" } ; compadd() { print -l -- "${(@P)@[-1]}" }
    words=(lorsync mark c) CURRENT=3
    _lorsync_completion
    """
    done = subprocess.run(
        ["zsh", "-f", "-c", script],
        env=home.environ(), cwd=home.home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "chen:Dr. Wei Chen" in done.stdout


@pytest.mark.needs("fish")
def test_fish_completes(home: User) -> None:
    script = "lorsync completion fish | source; complete -C 'lorsync mark c'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=home.environ(), cwd=home.home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["chen"], done.stderr


def test_the_completed_ids_are_those_of_the_config(tmp_path: Path) -> None:
    for text in (SEASON.read_text("utf-8"), MINIMAL.format(folder=tmp_path)):
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        season, found = load(path).season, ids_in(path)
        assert set(found.mentors) == set(season.mentors)
        assert set(found.programs) == set(season.programs)
        assert dict(found.letters) == {letter.id: letter.mentor for letter in season.letters}


@pytest.mark.parametrize(
    "text",
    ["", "not TOML", "letters = 3", "[[letters]]\nmentor = 4", "mentors = [1, [2]]", "\ud800"],
)
def test_of_a_broken_config_nothing_is_completed_and_nothing_said(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert not ids_in(path).letters
    assert not ids_in(tmp_path).mentors


def test_the_manual_page_is_what_the_commands_say() -> None:
    text = (ROOT / "docs" / "lorsync.1").read_text("utf-8")
    assert text == manual(), "docs/lorsync.1 is what `make docs` writes"
    codes = {kind.exit_code for kind in [LorsyncError, *_below(LorsyncError)]}
    # Those that are an answer and no error.
    codes |= {int(health) for health in Health}
    assert codes <= set(EXIT_CODES)
    for name in NAMES:
        assert f'.SS "lorsync {name}' in text


def _below(kind: type[LorsyncError]) -> list[type[LorsyncError]]:
    return [each for child in kind.__subclasses__() for each in (child, *_below(child))]


@pytest.mark.needs("mandoc")
def test_the_manual_page_has_no_fault() -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", ROOT / "docs" / "lorsync.1"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 0)


def test_every_command_has_examples_and_no_other() -> None:
    assert set(EXAMPLES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_command_are_in_its_help_and_parse(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    # No command below it is described by half a sentence.
    assert not re.search(r"\.\.\.$", told.partition("Commands:")[2], re.MULTILINE)
    command = cli.get_command(ROOT_CONTEXT, name)
    assert command is not None
    for path, each in leaves(command, click.Context(command, info_name=name, parent=ROOT_CONTEXT)):
        # What is parsed is not run.
        monkeypatch.setattr(each, "callback", lambda **_: None)
        assert each.help, path
    for typed, _ in EXAMPLES[name]:
        assert f"  lorsync {typed}\n" in told
        words = shlex.split(re.split(r" [|>] ", typed)[0])
        for file in filter(re.compile(r"[\w-]+\.(csv|json)").fullmatch, words):
            Path(file).touch()
        assert main(words) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["pln"], "No such command 'pln'. Did you mean 'plan'?"),
        (["Sync"], "Did you mean 'sync'?"),
        (["zzzzz"], "No such command 'zzzzz'.\n"),
        (["plan", "--wy"], "Did you mean '--why'?"),
        (["mark", "chen", "submited"], "did you mean “submitted”?"),
        (["mark", "chne", "submitted"], "did you mean 'chen'?"),
        (["mark", "chen", "submitted", "--letter", "chen-char"], "did you mean 'chen-chair'?"),
        (["suggest", "hom"], 'did you mean "home"?'),
        (
            ["completion", "bsh"],
            "Invalid value for 'SHELL': 'bsh' is not one of 'bash', 'zsh', 'fish'.",
        ),
        (["completion"], "Missing argument 'SHELL'. Choose from: bash, zsh, fish.\n"),
        (["add", "mentro"], "Did you mean 'mentor'?"),
        (["service", "zzzzz"], "It is one of install, status, uninstall."),
        (["plan", "zzzzz"], "Got unexpected extra argument (zzzzz).\n"),
    ],
)
def test_a_slip_is_answered_with_what_may_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: list[str], hint: str
) -> None:
    assert main(["-c", str(SEASON), "--state-dir", str(tmp_path), *typed]) == 64
    assert hint in capsys.readouterr().err


@pytest.fixture
def says(
    user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run commands in this process, on two letters in a folder, for whoever needs many of them."""
    folder, config = user.home / "calendar", user.home / "config.toml"
    config.write_text(MINIMAL.format(folder=folder))
    folder.mkdir()
    monkeypatch.chdir(user.home)

    def typing(*words: str) -> tuple[int, str, str]:
        code = main(["-c", str(config), "--state-dir", str(user.state), *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return typing


def test_quiet_says_nothing_where_all_is_well(says: Callable[..., tuple[int, str, str]]) -> None:
    for words in (
        ("-q", "check"),
        ("check", "-q"),
        ("sync", "-q"),
        ("-q", "export", "-o", "letters.ics"),
        ("-q", "mark", "prof-ana-ruiz", "talked"),
        ("--quiet", "sync"),
        ("-q", "sync"),
    ):
        assert says(*words) == (0, "", ""), words
    # What was asked for is said all the same, and so is what is wrong.
    assert "Prof. Ana Ruiz" in says("-q", "plan")[1]
    code, _, error = says("-q", "mark", "nobody", "asked")
    assert (code, error.startswith("lorsync: No letter is by")) == (64, True)


def test_what_there_was_nothing_of_to_do_is_said(
    says: Callable[..., tuple[int, str, str]],
) -> None:
    said = says("sync", "--move", "--take-over")[1]
    assert "There was nothing to move" in said
    assert "There was nothing to take over" in said


def test_a_slip_is_no_pass_that_failed(says: Callable[..., tuple[int, str, str]]) -> None:
    assert says("-q", "sync")[0] == 0
    assert says("sync", "--new-cycle")[0] == 64
    assert json.loads(says("status", "--json")[1])["last_error"] is None


def test_json_says_what_mark_unpin_restore_and_check_did(
    user: User, says: Callable[..., tuple[int, str, str]]
) -> None:
    checked = json.loads(says("check", "--json")[1])
    assert checked["ok"]
    assert (checked["letters"], checked["problems"]) == (2, [])
    marked = json.loads(says("mark", "prof-ana-ruiz", "talked", "--json")[1])["marked"]
    assert [each["fact"] for each in marked] == ["talked"]
    undone = says("mark", "prof-ana-ruiz", "talked", "--undo", "--json")
    assert json.loads(undone[1])["undone"] == marked
    for command in ("unpin", "restore"):
        assert json.loads(says(command, "--json")[1]) == {"done": False, "events": []}
    config = user.home / "config.toml"
    config.write_text(config.read_text().replace("2099-09-10", '"soon"'))
    code, out, error = says("check", "--json")
    assert (code, "letters[0].deadline" in error) == (78, True)
    said = json.loads(out)
    assert not said["ok"]
    assert [line.partition(":")[0] for line in said["problems"]] == [
        "letters[0].deadline", "letters[1].deadline"
    ]  # fmt: skip


def answering(user: User, config: Path, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal, answer its question, and return its exit code and output."""
    return on_a_terminal(user, user.arguments(*arguments, config=config), answer)


def on_a_terminal(
    user: User, arguments: list[str], answer: bytes = b"", kind: str = "dumb"
) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        arguments,
        env=user.environ() | {"TERM": kind}, cwd=user.home,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said, asked = b"", False
    try:
        while select.select([ours], [], [], 120)[0]:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not read:
                break
            said += read
            if b"[y/N]" in said and not asked:
                os.write(ours, answer)
                asked = True
        return process.wait(120), said.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_messages_are_folded_on_a_terminal_and_whole_in_a_pipe(user: User) -> None:
    user.environment["COLUMNS"] = "40"
    missing = user.home / "a-place-that-is-nowhere-and-has-a-long-name" / "config.toml"
    code, said = on_a_terminal(user, user.arguments("check", config=missing))
    lines = said.splitlines()
    assert (code, len(lines) > 3) == (78, True)
    # But for the path, which stays in one piece.
    assert [line for line in lines if len(line) > 40 and str(missing) not in line] == []
    assert lines[1].strip() == f"{missing}:"
    piped = user.types("check", config=missing).stderr
    assert " ".join(said.split()) == piped.strip()


@pytest.fixture
def leaving(user: User, says: Callable[..., tuple[int, str, str]]) -> tuple[Path, list[str]]:
    """A synced calendar of two mentors of whom one has left the config; what is hers there."""
    config = user.home / "config.toml"
    created = json.loads(says("sync", "--json")[1])["created"]
    whole = config.read_text()
    config.write_text(whole[: whole.rindex("[[letters]]")])
    gone = [change["summary"] for change in created if change["mentor"] == "dr-jo-lindqvist"]
    assert len(gone) > 4
    return config, gone


def test_on_a_terminal_deletions_are_shown_and_asked_about(
    user: User, leaving: tuple[Path, list[str]]
) -> None:
    config, gone = leaving
    before = sorted((user.home / "calendar").iterdir())
    code, said = answering(user, config, b"n\n", "sync", "--accept-deletions")
    assert code == 130
    assert "Would be deleted:" in said
    assert gone[0] in said
    assert sorted((user.home / "calendar").iterdir()) == before
    code, said = answering(user, config, b"y\n", "sync", "--accept-deletions")
    assert (code, f"{len(gone)} deleted" in said) == (0, True), said


def test_a_move_and_deletions_are_two_questions(
    user: User, leaving: tuple[Path, list[str]]
) -> None:
    config, _ = leaving
    before = sorted(path.name for path in (user.home / "calendar").iterdir())
    refused = user.types("sync", "--move", "--accept-deletions", "--yes", config=config)
    assert (refused.returncode, "sync --move first" in " ".join(refused.stderr.split())) == (
        64,
        True,
    )
    assert sorted(path.name for path in (user.home / "calendar").iterdir()) == before


def test_with_yes_nothing_is_asked(user: User, leaving: tuple[Path, list[str]]) -> None:
    config, gone = leaving
    code, said = answering(user, config, b"", "sync", "--accept-deletions", "--yes")
    assert (code, "[y/N]" in said) == (0, False)
    assert f"{len(gone)} deleted" in said


def test_a_sync_by_hand_says_that_deletions_wait_for_the_config_to_rest(
    user: User, leaving: tuple[Path, list[str]]
) -> None:
    config, gone = leaving
    before = sorted(path.name for path in (user.home / "calendar").iterdir())
    said = user.types("sync", config=config)
    assert (said.returncode, f"{len(gone)} events" in said.stdout) == (0, True)
    assert "within the last minute" in " ".join(said.stdout.split())
    assert sorted(path.name for path in (user.home / "calendar").iterdir()) == before
    then = config.stat().st_mtime - 60
    os.utime(config, (then, then))
    assert len(user.json("sync", config=config)["held"]) == len(gone)


SLOW = """
import sys, threading
from lorsync.cli.output import progress
progress._PATIENCE = float(sys.argv[1])
shown = threading.Event()
with progress.Waiting("Looking at the calendar") as waits:
    if sys.argv[1] == "0":
        while waits._live is None:
            shown.wait(0.01)
    waits.advance(3, 5)
"""


def test_what_takes_long_shows_that_it_goes_on(user: User) -> None:
    slow, quick = [sys.executable, "-c", SLOW, "0"], [sys.executable, "-c", SLOW, "60"]
    assert "Writing events" in on_a_terminal(user, slow, kind="xterm")[1]
    assert on_a_terminal(user, quick, kind="xterm") == (0, "")
    # Into a pipe, nothing: not even where it takes long.
    piped = subprocess.run(quick, capture_output=True, timeout=300, check=True)
    assert piped.stdout + piped.stderr == b""
