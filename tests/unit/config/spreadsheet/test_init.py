"""A first config from a few questions: from a pipe, and on a real terminal."""

import json
import stat
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest

from lorsync.cli.wizard.next_steps import listed, steps
from lorsync.core.providers import IN_A_LINE, PROVIDERS
from lorsync.core.settings import Provider
from tests import ROOT
from tests.unit.config.spreadsheet.conftest import Applicant
from tests.unit.config.spreadsheet.five_minutes import QUESTIONS, SHEET
from tests.unit.config.spreadsheet.terminal import COMMAND, CTRL_C, CTRL_D, terminal

CONVERSATION = [
    "Sam Reyes",  # name
    "New York",  # no zone, but a city
    "America/New_York",
    "sam@example.org",
    "",  # season
    "7",  # folder
    "letters",
    "us-ny",
    "Dr. Sofia Alvarez, s.alvarez@x.edu",
    "Prof. Ana Ruiz",
    "",
    "Home Internal Medicine",
    "09/10/2027",  # either of two
    "Sep 10, 2027",
    "Lakeside",
    "22 September 2027",
    "",
    "1",
    "1 Nov 2026",
    "none",
    "2027-08-01",
    "",
    "yes",
]


def typed(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_a_conversation_becomes_a_config(applicant: Applicant) -> None:
    said = applicant.types("init", answers=typed(CONVERSATION))
    assert (said.code, said.err) == (0, "")
    season = applicant.season
    assert (season.applicant.name, season.applicant.timezone.key) == (
        "Sam Reyes",
        "America/New_York",
    )
    assert (season.cycle.name, season.policy.holidays) == ("2027 season", "US-NY")
    assert [(one.id, one.email) for one in season.mentors.values()] == [
        ("alvarez", "s.alvarez@x.edu"),
        ("ruiz", None),
    ]
    first, second = season.letters
    assert (first.programs, first.facts.asked_on) == (
        ("home-internal-medicine",),
        date(2026, 11, 1),
    )
    assert (second.programs, second.deadline) == ((), date(2027, 8, 1))
    assert "did you mean" in said.out
    assert "is it 9 October 2027 or 10 September 2027?" in " ".join(said.out.split())
    assert "request     Prof. Ana Ruiz" in said.out
    assert "What to do next:" in said.out
    assert applicant.types("check").code == 0
    assert "# A password never" in applicant.config.read_text().replace("calendar is. ", "# ")


def test_nothing_is_written_however_early_the_answers_end(applicant: Applicant) -> None:
    for count in range(len(CONVERSATION)):
        said = applicant.types("init", answers=typed(CONVERSATION[:count]))
        assert said.code == 65, count
        assert "The answers end at the question" in said.err
        assert list(applicant.home.iterdir()) == []


def test_what_cannot_be_read_or_written_is_said_before_anything_is_asked(
    applicant: Applicant,
) -> None:
    sheet = applicant.home / "list.csv"
    for given, code in ((sheet, 66), (applicant.home, 66)):
        said = applicant.types("init", "--from", given)
        assert (said.code, said.out) == (code, "")
        assert f"{given} cannot be read" in said.err
    sheet.write_text("nothing of it\n")
    assert applicant.types("init", "--from", sheet).code == 65
    for target, why in ((applicant.home, "is a folder"), (sheet / "c.toml", "is no folder")):
        said = applicant.types("-c", target, "init")
        assert (said.code, said.out) == (73, "")
        assert why in said.err


def test_going_back_forgets_one_answer(applicant: Applicant) -> None:
    answers = [*CONVERSATION]
    # After the wrong deadline of a wrong program, back to the question before, twice.
    answers[15:16] = ["back", "back", "2027-09-11", "Seaside", "22 September 2027"]
    assert applicant.types("init", answers=typed(answers)).code == 0
    programs = applicant.season.programs.values()
    assert [(one.name, one.deadline) for one in programs] == [
        ("Home Internal Medicine", date(2027, 9, 11)),
        ("Seaside", date(2027, 9, 22)),
    ]


def test_stop_and_help(applicant: Applicant) -> None:
    said = applicant.types("init", answers="back\n?\nSam\n?\nstop\n")
    assert said.code == 0
    assert "This is the first question." in said.out
    assert "IANA name" in said.out
    assert "Stopped. Nothing was written" in said.out
    assert not applicant.config.exists()


def test_a_config_that_is_there_needs_a_yes_and_leaves_a_copy(applicant: Applicant) -> None:
    applicant.config.write_text("# mine\n")
    applicant.config.chmod(0o640)
    for answer in ("\n", "no\n", "x\nno\n"):
        assert applicant.types("init", answers=answer).code == 0
        assert applicant.config.read_text() == "# mine\n"
    assert applicant.types("init", answers=typed(["yes", *CONVERSATION])).code == 0
    assert (applicant.home / "config.toml.1").read_text() == "# mine\n"
    assert "Sam Reyes" in applicant.config.read_text()
    assert stat.S_IMODE(applicant.config.stat().st_mode) == 0o640


def test_a_no_at_the_end_writes_nothing(applicant: Applicant) -> None:
    said = applicant.types("init", answers=typed([*CONVERSATION[:-1], "no"]))
    assert said.code == 0
    assert not applicant.config.exists()


@pytest.mark.parametrize(
    ("provider", "account"),
    [("caldav", ["https://me:secret@dav.example.org/", "https://dav.example.org/", "sam"]),
     ("icloud", ["sam@icloud.com"]), ("Google", []), ("nextcloud", ["https://c.example.org", "s"])],
)  # fmt: skip
def test_each_account_is_asked_for_and_no_password_is_written(
    applicant: Applicant, provider: str, account: list[str]
) -> None:
    answers = ["Sam", "", "", "", provider, *account, "", "Prof. Ana Ruiz", "", "", "2027-08-01",
               "", ""]  # fmt: skip
    said = applicant.types("init", answers=typed(answers))
    assert (said.code, said.err) == (0, "")
    written = tomllib.loads(applicant.config.read_text())
    assert written["calendar"]["provider"] == provider.casefold()
    assert "secret" not in applicant.config.read_text()
    assert "lorsync login" in said.out


def test_every_provider_has_its_line() -> None:
    assert set(IN_A_LINE) == set(PROVIDERS) == set(Provider)
    assert all(len(line) <= 64 for line in IN_A_LINE.values())


def test_a_sheet_in_doubt_is_refused_from_a_pipe(applicant: Applicant) -> None:
    sheet = applicant.home / "a.csv"
    sheet.write_text("Mentor,Deadline\nAna,03/04/2027\n,05/06/2027\n")
    said = applicant.types("init", "--from", sheet)
    assert said.code == 65
    assert "row 2, Deadline" in said.err
    assert "--month-first" in said.err
    assert "--blanks above" in said.err
    assert not applicant.config.exists()
    options = ["--month-first", "--blanks", "above"]
    said = applicant.types("init", "--from", sheet, *options, answers="Sam\n\n\n\n\n\n\n")
    assert said.code == 0
    assert [one.deadline for one in applicant.season.letters] == [
        date(2027, 3, 4), date(2027, 5, 6)
    ]  # fmt: skip


def test_on_a_terminal_doubts_are_asked_about(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Mentor,Deadline,Asked\nAna,03/04/2037,x\nAna B,5 Jun 2037,\n")
    with terminal(tmp_path, "-c", "c.toml", "init", "--from", "a.csv") as screen:
        screen.sees("which day is 03/04/2037?")
        screen.answers("Which one:", "month")
        screen.sees("Are “Ana” and “Ana B” (rows 2 and 3) the same person?")
        screen.answers("Which one:", "2")
        screen.answers("at the latest?", "1 Nov 2026")
        screen.answers("as your mentors know you:", "Sam")
        for question in ("time zone", "e-mail", "season called", "Calendar [local]", "holidays"):
            screen.answers(question, "")
        screen.answers("Write this to", "")
        screen.sees("What to do next:")
        assert screen.leaves() == 0
    text = (tmp_path / "c.toml").read_text()
    assert "deadline = 2037-03-04\nasked_on = 2026-11-01   # the sheet does not say" in text


def test_stopping_keeps_the_answers_and_writes_nothing(tmp_path: Path) -> None:
    place = ("-c", "c.toml", "--state-dir", "state", "init")
    with terminal(tmp_path, *place) as screen:
        screen.answers("as your mentors know you:", "Sam")
        screen.answers("Your time zone", "")
        screen.sees("e-mail address")
        screen.stops(CTRL_C)
        screen.sees("your answers are kept")
        assert screen.leaves() == 130
    kept = tmp_path / "state" / "init-answers.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["answers"] == ["Sam", ""]
    with terminal(tmp_path, *place) as screen:
        screen.answers("Go on from there?", "yes")
        screen.sees("e-mail address")
        assert "as your mentors know you" not in screen.shown
        screen.stops(CTRL_D)
        assert screen.leaves() == 130
    assert not (tmp_path / "c.toml").exists()


def test_a_login_that_fails_loses_nothing(tmp_path: Path) -> None:
    answers = ["Sam", "", "", "", "caldav", "http://127.0.0.1:9/", "sam", "", "Ana", "", "",
               "2037-01-01", "", ""]  # fmt: skip
    with terminal(tmp_path, "-c", "c.toml", "init") as screen:
        for answer in answers:
            screen.answers(": " if answer != "2037-01-01" else "due? ", answer)
        screen.answers("Sign in to your calendar now? [yes]: ", "yes")
        screen.sees("keyring")
        screen.sees("The config is written all the same.")
        screen.sees("What to do next:")
        assert screen.leaves() == 0
    assert tomllib.loads((tmp_path / "c.toml").read_text())["calendar"]["username"] == "sam"


def test_a_closed_stdin_is_an_end_of_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{COMMAND}' -c c.toml init <&-"],
        capture_output=True, text=True, cwd=tmp_path, env={"HOME": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 65
    assert "The answers end at the question" in done.stderr


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_stopping_at_any_question(tmp_path: Path, key: str) -> None:
    for count in range(len(CONVERSATION)):
        home = tmp_path / str(count)
        home.mkdir()
        with terminal(home, "-c", "c.toml", "--state-dir", "state", "init") as screen:
            for answer in CONVERSATION[:count]:
                screen.answers(": ", answer)
                screen.sees(answer)
            screen.sees(": ")
            screen.stops(key)
            assert screen.leaves() == 130
        assert not (home / "c.toml").exists()


def test_the_documented_transcript_is_what_is_printed(applicant: Applicant) -> None:
    """But for the plan, which is its own command's."""
    page = (ROOT / "docs" / "getting-started.md").read_text("utf-8")
    said = applicant.types("init", answers=typed([answer for _, answer in QUESTIONS]))
    conversation = said.out.partition("Written: ")[0]
    config = applicant.config.read_text()
    (applicant.home / "letters.csv").write_text(SHEET, "utf-8")
    answers = typed(["yes", *(answer for _, answer in QUESTIONS[:6]), "no"])
    columns = applicant.types("init", "--from", "letters.csv", answers=answers).out
    found = columns[columns.index("letters.csv: ") : columns.index("Due: ")]
    added = applicant.types("add", "program", "Bayview PhD", "--deadline", "Feb 15, 2027").out
    todo = "\n".join(listed(steps(signed_in=True), "lorsync", 80))
    for shown in (conversation, config, SHEET, found, added, todo):
        lines = shown.replace(str(applicant.config), "/home/sam/.config/lorsync/config.toml")
        assert "\n".join(line.rstrip() for line in lines.strip().splitlines()) in page


@pytest.mark.parametrize("wide", [80, 44])
def test_what_to_type_next_fits_and_each_command_stays_whole(wide: int) -> None:
    lines = list(listed(steps(signed_in=False), "lorsync -c my.toml", wide))
    assert max(map(len, lines)) <= wide
    assert any(
        line.strip().startswith("lorsync -c my.toml export -o letters.ics") for line in lines
    )
