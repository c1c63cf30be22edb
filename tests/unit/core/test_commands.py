"""What ``plan``, ``coverage`` and ``suggest`` tell a person and a program."""

import json
from pathlib import Path
from typing import Any

import pytest

from lorsync.cli import main

SEASON = """
[applicant]
name = "Maya Okafor"
timezone = "America/New_York"
[calendar]
provider = "local"
[policy]
holidays = "US-NY"
[[mentors]]
id = "chen"
name = "Dr. Wei Chen"
familiarity = 5
[[mentors]]
id = "novak"
name = "Dr. Petra Novák"
familiarity = 2
[[programs]]
id = "home"
name = "Home Hospital"
deadline = 2026-09-23
letters_max = 3
needs = ["chair"]
[[letters]]
id = "chen-chair"
mentor = "chen"
type = "chair"
programs = ["home"]
assigned = ["home"]
asked_on = 2026-07-01
submitted_on = 2026-08-01
[[letters]]
id = "novak-research"
mentor = "novak"
programs = ["home"]
"""


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on the season above and return its code, output and error."""
    (tmp_path / "config.toml").write_text(SEASON)

    def tell(*arguments: str) -> tuple[int, str, str]:
        place = ["-c", str(tmp_path / "config.toml"), "--state-dir", str(tmp_path / "state")]
        code = main([*place, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return tell


def test_plan_says_why_of_events_and_warnings(told):
    code, out, _ = told("plan", "--why", "--as-of", "2026-08-05")
    assert code == 0
    assert "R1: 42 days before novak-research is due on 2026-09-23" in out
    assert "R14: familiarity is 2 or less" in out
    _, plain, _ = told("plan", "--as-of", "2026-08-05")
    assert "R1:" not in plain


def test_plan_json_has_reasons_for_all(told, tmp_path):
    _, out, _ = told("plan", "--json", "--as-of", "2026-08-05")
    document = json.loads(out)
    assert all(event["reasons"] for event in document["events"])
    assert all(warning["reasons"] for warning in document["warnings"])
    assert all({"code", "subject", "message"} <= set(w) for w in document["warnings"])
    assert not (tmp_path / "state").exists()


def test_holidays_are_kept_in_a_state_folder_that_is_there(told, tmp_path):
    (tmp_path / "state").mkdir()
    first = told("plan", "--json", "--as-of", "2026-08-05")
    assert "Labor Day" in (tmp_path / "state" / "holidays.json").read_text()
    assert told("plan", "--json", "--as-of", "2026-08-05") == first


def test_coverage_shows_the_matrix(told):
    code, out, _ = told("coverage", "--as-of", "2026-08-05")
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("Home Hospital"))
    assert row.split() == ["Home", "Hospital", "2", "2", "to", "3", "chair", "●✓", "○"]
    assert "chen-chair" in out


def test_coverage_is_told_in_paragraphs_where_a_matrix_has_no_room(told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = told("coverage", "--as-of", "2026-08-05")
    assert "Home Hospital\n  has 2, wants 2 to 3, needs chair\n  1:●✓  2:○\n" in out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 40


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        (("plan", "--why", "--as-of", "2026-08-05"), "  R1: 42 days before novak-research"),
        (("suggest", "home"), "  knows your work well (familiarity 5"),
    ],
)
def test_what_is_a_table_elsewhere_is_paragraphs_at_forty_columns(told, monkeypatch, typed, whole):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")  # by which rich takes a pipe for a terminal
    _, out, _ = told(*typed)
    lines = [line.rstrip() for line in out.splitlines()]
    assert max(map(len, lines)) <= 40, lines
    assert whole in lines


def test_each_sign_of_coverage_is_another_one_in_ascii(told):
    _, out, _ = told("coverage", "--as-of", "2026-08-05")
    legend = out[out.index("○ to ask") :].partition("does not")[0]
    signs = [mark for mark in legend if not mark.isalnum() and mark not in " \n,;"]
    assert len(signs) == 7
    assert len({sign.encode("ascii", "lorsync.plain") for sign in signs}) == 7


def test_coverage_json(told):
    _, out, _ = told("coverage", "--json", "--as-of", "2026-08-05")
    (home,) = json.loads(out)["programs"]
    assert (home["letters_min"], home["letters_max"], home["count"]) == (2, 3, 2)
    assert (home["open"], home["submitted"]) == (["novak-research"], ["chen-chair"])
    assert home["assigned"] == ["chen-chair"]
    assert home["letters"][0]["stage"] == "submitted"


@pytest.mark.parametrize("name", ["home", "Home Hospital", "home hospital"])
def test_suggest_ranks_with_reasons(told, name):
    code, out, _ = told("suggest", name)
    assert code == 0
    assert out.index("Wei Chen") < out.index("Petra Novák")
    assert "knows your work well (familiarity 5 of 5)" in " ".join(out.split())
    _, out, _ = told("suggest", name, "--json")
    document = json.loads(out)
    assert [m["mentor"] for m in document["mentors"]] == ["chen", "novak"]
    assert all(m["reasons"] for m in document["mentors"])


@pytest.mark.parametrize(
    ("name", "hint"), [("hom", 'did you mean "home"?'), ("zzz", "there are home.")]
)
def test_suggest_for_an_unknown_program_says_what_may_be_meant(told, name, hint):
    code, out, err = told("suggest", name)
    assert (code, out) == (64, "")
    assert hint in err
