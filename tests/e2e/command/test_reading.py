"""The commands that need no server: plan, export, check, help and version."""

import io
import json
import re
from datetime import date
from pathlib import Path

import pytest
import vobject

from lorsync import __version__
from lorsync.cli import main
from tests.e2e.command.running import EXAMPLES, User

SEASON = EXAMPLES / "config.example.toml"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(home=tmp_path_factory.mktemp("home"))


def components(text: str) -> list[vobject.base.Component]:
    (calendar,) = vobject.readComponents(io.StringIO(text))
    return list(calendar.vevent_list)


def test_version_and_help(user: User) -> None:
    assert user.types("--version").stdout == f"lorsync {__version__}\n"
    done = user.types("--help")
    assert done.returncode == 0
    for command in ("check", "export", "plan", "run", "status", "sync"):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
        assert user.types(command, "--help").returncode == 0


def test_the_export_read_by_another_reader_is_the_plan(user: User, tmp_path: Path) -> None:
    arguments = ("--as-of", "2026-12-01")
    file = tmp_path / "letters.ics"
    done = user.types("export", "-o", file, *arguments, config=SEASON)
    assert done.returncode == 0, done.stderr
    planned = user.json("plan", *arguments, config=SEASON)["events"]
    found = components(file.read_text(encoding="utf-8"))
    assert {(e.uid.value, e.dtstart.value.isoformat(), e.summary.value) for e in found} == {
        (event["uid"], event["date"], event["summary"]) for event in planned
    }
    assert f"{len(planned)} events" in done.stdout


def test_i8_the_same_config_and_day_give_the_same_bytes(user: User) -> None:
    once, again = (
        user.types("export", "-o", "-", "--as-of", "2026-12-01", config=SEASON).stdout
        for _ in range(2)
    )
    assert once == again
    assert once.startswith("BEGIN:VCALENDAR")


def test_an_export_is_narrowed_by_mentor_and_kind(user: User) -> None:
    everything = user.json("plan", "--as-of", "2026-12-01", config=SEASON)["events"]
    mentor = everything[0]["mentor"]
    done = user.types(
        "export", "-o", "-", "--mentor", mentor, "--kind", "follow-up", "--as-of", "2026-12-01",
        config=SEASON,
    )  # fmt: skip
    wanted = [e for e in everything if e["mentor"] == mentor and e["kind"] == "follow-up"]
    assert wanted
    assert {e.uid.value for e in components(done.stdout)} == {e["uid"] for e in wanted}


def test_an_existing_export_is_replaced_whole(user: User, tmp_path: Path) -> None:
    file = tmp_path / "letters.ics"
    file.write_text("old")
    assert user.types("export", "-o", file, config=SEASON).returncode == 0
    assert file.read_bytes().endswith(b"END:VCALENDAR\r\n")
    assert [p.name for p in tmp_path.iterdir()] == ["letters.ics"]


def test_the_plan_document_has_what_it_promises(user: User) -> None:
    plan = user.json("plan", "--as-of", "2026-12-01", config=SEASON)
    assert set(plan) == {"as_of", "events", "budgets", "warnings"}
    assert plan["as_of"] == "2026-12-01"
    for event in plan["events"]:
        assert {
            "uid", "kind", "mentor", "letters", "date", "summary", "status", "pinned", "reasons"
        } <= set(event)  # fmt: skip
        assert date.fromisoformat(event["date"]) >= date(2026, 12, 1)
        assert len(event["summary"]) <= 60
    for budget in plan["budgets"].values():
        assert set(budget) == {"cap", "spent", "planned"}
        assert budget["spent"] + budget["planned"] <= budget["cap"] <= 2


def test_the_plan_for_a_person_fits_80_columns_and_has_no_colour_in_a_pipe(user: User) -> None:
    user.environment["COLUMNS"] = "80"
    done = user.types("plan", "--why", config=SEASON)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    for event in user.json("plan", config=SEASON)["events"]:
        assert event["date"] in done.stdout


def test_a_plan_leaves_no_trace(user: User, tmp_path: Path) -> None:
    lonely = User(home=tmp_path)
    assert lonely.types("plan", config=SEASON).returncode == 0
    assert lonely.types("status", config=SEASON).returncode == 2
    assert list(tmp_path.rglob("*")) == []


def test_check_names_a_region_without_holidays(user: User, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(SEASON.read_text().replace('holidays = "US-NY"', 'holidays = "XX-YY"'))
    done = user.types("check", config=config)
    assert done.returncode == 78
    assert 'policy.holidays: "XX-YY" — no holidays are known for it' in done.stderr


def test_check_names_such_a_region_beside_all_else_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    text = SEASON.read_text("utf-8").replace("US-NY", "XX-YY").replace("familiarity", "family")
    config.write_text(text, "utf-8")
    assert main(["-c", str(config), "--state-dir", str(tmp_path), "check"]) == 78
    said = capsys.readouterr().err
    assert 'policy.holidays: "XX-YY" — no holidays are known' in said
    assert 'did you mean "familiarity"?' in said


DATED = """
[applicant]
name = "Sam Reyes"
[calendar]
provider = "local"
[[letters]]
mentor = "Ann Lee"
deadline = 2020-01-15
[[letters]]
mentor = "Jo Ruiz"
deadline = 2099-01-15
asked_on = 2098-01-01
"""


def test_check_cautions_of_what_is_over_and_of_what_is_not_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, start = tmp_path / "config.toml", ["-c", str(tmp_path / "config.toml")]
    config.write_text(DATED)
    start += ["--state-dir", str(tmp_path / "state")]
    assert main([*start, "check"]) == 0
    told = capsys.readouterr()
    not_yet, over = told.err.splitlines()
    assert "asked_on = 2098-01-01 is after" in not_yet
    assert "was due on 2020-01-15" in over
    assert "you have not said that you asked Ann Lee." in over
    assert "is fine, with 2 cautions: 2 letters" in told.out
    assert main([*start, "check", "--json"]) == 0
    assert [line.removeprefix("lorsync: ") for line in (not_yet, over)] == json.loads(
        capsys.readouterr().out
    )["cautions"]
    # What was said elsewhere counts.
    assert main([*start, "mark", "Ann Lee", "submitted", "--on", "2020-01-10"]) == 0
    capsys.readouterr()
    assert main([*start, "check"]) == 0
    assert capsys.readouterr().err.splitlines() == [not_yet]


def test_check_says_it_is_fine_and_prints_the_schema(user: User) -> None:
    assert "is fine" in user.types("check", config=SEASON).stdout
    schema = json.loads(user.types("check", "--schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "letters" in schema["properties"]
