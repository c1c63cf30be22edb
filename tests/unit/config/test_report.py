"""All problems come in one report, each with its key path, the value and what is allowed."""

import pytest

from tests.unit.config.conftest import Loaded, Refused
from tests.unit.config.samples import LEAST, ONE_LETTER, changed, letter

TWENTY_MISTAKES = """
[applicant]
timezone = "America/New_Yrok"
nmae = "Maya"

[cycle]
start = 2026-06-01

[calendar]
provider = "nextcluod"
color = "red"
event_time = "9am"
alarms = ["09:00", "09:00"]

[sync]
every = "5s"

[policy]
follow_ups = 3
lead_days = -1
final_days = 30
quiet_days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
events = ["tlak"]

[[mentors]]
id = "alvarez"
away = [{ from = 2026-08-23, to = 2026-08-08 }]
standing = 6

[[mentors]]
id = "alvarez"

[[programs]]
id = "home"
deadline = 2026-05-31
letters_min = 3
letters_max = 2

[[letters]]
mentor = "alvares"
programs = ["hoem"]

[[letters]]
mentor = "alvarez"
deadline = "soon"

[[letters]]
mentor = "alvarez"
deadline = 2026-09-23T23:59:00

[[letter]]
"""

PATHS = [
    "applicant.timezone",
    "applicant.nmae",
    "applicant.name",
    "calendar.provider",
    "calendar.color",
    "calendar.event_time",
    "calendar.alarms[1]",
    "sync.every",
    "policy.follow_ups",
    "policy.lead_days",
    "policy.final_days",
    "policy.quiet_days",
    "policy.events[0]",
    "mentors[0].away[0].to",
    "mentors[0].standing",
    "mentors[1].id",
    "programs[0].deadline",
    "programs[0].letters_max",
    "letters[0].mentor",
    "letters[0].programs[0]",
    "letters[1].deadline",
    "letters[2].deadline",
    "letters[2].id",
    "letter",
]


def test_every_mistake_of_many_is_reported_in_the_files_order(refused: Refused) -> None:
    heading, *lines = refused(TWENTY_MISTAKES).splitlines()
    assert heading.endswith(f"config.toml: {len(PATHS)} problems")
    assert [line.partition(":")[0].strip() for line in lines] == PATHS


def test_near_misses_are_asked_about(refused: Refused) -> None:
    report = refused(TWENTY_MISTAKES)
    for meant in ("America/New_York", "name", "nextcloud", "talk", "alvarez", "home", "letters"):
        assert f'did you mean "{meant}"?' in report


def test_one_problem_is_one(refused: Refused) -> None:
    heading, line = refused(changed("policy", "follow_ups = 7")).splitlines()
    assert heading.endswith(": 1 problem")
    assert line.startswith("  policy.follow_ups: 7 — 0, 1 or 2 is allowed")
    assert "goodwill" in line


def test_entry_is_named_as_its_writer_would(refused: Refused) -> None:
    report = refused(LEAST + letter('id = "chair"\ndeadline = "soon"'))
    assert (
        'letters[0].deadline: "soon" — a date is needed, such as 2026-09-23 (in "chair")' in report
    )


def test_long_and_strange_values_are_shown_short_and_escaped(refused: Refused) -> None:
    report = refused(changed("calendar", f'color = "\\u001b[31m\\u202e{"x" * 500}"'))
    line = report.splitlines()[1]
    assert "\\x1b[31m\\u202exxx" in line
    assert len(line) < 200
    report = refused(changed("policy", "lead_days = 0x" + "f" * 9000))
    assert "a very long number" in report


def test_strange_keys_are_shown_short_and_escaped(refused: Refused) -> None:
    report = refused(ONE_LETTER + f'["\\u0007{"k" * 500}"]\n')
    assert '"\\x07kkk' in report
    assert len(report.splitlines()[1]) < 300


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ("applicant = 3", "applicant"),
        ("[[applicant]]", "applicant"),
        ("calendar = 'local'", "calendar"),
        ("[letters]", "letters"),
        ("letters = 1", "letters"),
        ("letters = [1]", "letters[0]"),
        ("[mentors]\nid = 'x'", "mentors"),
        ("mentors = ['Dr. A']", "mentors[0]"),
    ],
)
def test_table_of_the_wrong_kind_is_said(refused: Refused, content: str, path: str) -> None:
    assert f"\n  {path}: " in refused(content)


def test_missing_tables_are_said_with_what_is_least_needed(refused: Refused) -> None:
    report = refused("[cycle]\n")
    for table in ("applicant", "calendar", "letters"):
        assert f"\n  {table}: it is missing" in report


def test_season_that_has_no_letters_yet_says_so_on_purpose(loaded: Loaded) -> None:
    settings = loaded("letters = []\n" + LEAST)
    assert settings.season.letters == ()
    assert settings.season.cycle.name


# A secret in the config is refused and never repeated (I10)


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://maya:hunter2@cal.example.org/"',
        'url = "https://maya:hunt/er2@cal.example.org/"',
        'url = "https://maya:@hunter2@cal.example.org/"',
        'url = "htps://maya:hunter2@cal.example.org/"',
        'url = "maya:hunter2@cal.example.org"',
        'url = ["https://maya:hunter2@cal.example.org/"]',
        'color = "https://maya:hunter2@cal.example.org/"',
        'username = "maya:hunter2"',
        'password = "hunter2"',
        'passwrod = "hunter2"',
        "password = { is = 'hunter2' }",
        'app-password = "hunter2"',
        'password_command = "echo hunter2"',
        'password_command = ["echo", 1, "hunter2"]',
        'password_command = { hunter2 = "hunter2" }',
    ],
)
def test_secret_in_the_config_is_refused_and_not_repeated(refused: Refused, line: str) -> None:
    report = refused(changed("calendar", line))
    assert "hunter2" not in report
    assert "hunt" not in report
    assert "er2" not in report


def test_password_in_the_config_is_told_where_to_go(refused: Refused) -> None:
    for line in (
        'password = "x"',
        'url = "https://maya:x@cal.example.org/"',
        'username = "maya:x"',
    ):
        report = refused(changed("calendar", line))
        assert "keyring" in report
        assert "password_command" in report


def test_plain_password_command_is_shown_how_a_list_looks(refused: Refused) -> None:
    report = refused(changed("calendar", 'password_command = "pass show calendar"'))
    assert '["pass", "calendar"]' in report
    assert "no shell" in report
