"""The holidays adapter: what it keeps, and that nothing depends on its file."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from lorsync.adapters.holidays import FILE_NAME, holidays_of

LABOR_DAY = date(2026, 9, 7)


def test_regions_have_their_own_holidays_by_year():
    found = holidays_of(["US", "US-NY"], [2026], None)
    assert found["US"][LABOR_DAY] == "Labor Day"
    assert "Election Day" in found["US-NY"].values()
    assert "Election Day" not in found["US"].values()
    assert {day.year for day in found["US"]} == {2026}


@pytest.mark.parametrize("region", ["XX", "US-XX"])
def test_a_region_that_the_library_does_not_know_is_left_out(region, tmp_path):
    for _ in range(2):
        assert holidays_of([region, "DE"], [2026], tmp_path).keys() == {"DE"}


def test_what_is_kept_is_not_asked_again(tmp_path):
    first = holidays_of(["US-NY", "XX"], [2026, 2027], tmp_path)
    code = (
        "import sys; from pathlib import Path; from lorsync.adapters.holidays import holidays_of;"
        f"holidays_of(['US-NY', 'XX'], [2027, 2026], Path({str(tmp_path)!r}));"
        "sys.exit('holidays' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert holidays_of(["US-NY", "XX"], [2026, 2027], tmp_path) == first
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_year_or_a_region_more_is_learned_and_the_others_stay(tmp_path):
    holidays_of(["US"], [2026], tmp_path)
    holidays_of(["DE"], [2027], tmp_path)
    kept = json.loads((tmp_path / FILE_NAME).read_text())["regions"]
    assert {region: list(years) for region, years in kept.items()} == {
        "US": ["2026"],
        "DE": ["2027"],
    }


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "\x00",
        '{"version": "0.1", "regions": {"US": {"2026": {}}}}',
        '{"version": "VERSION", "regions": {"US": {"2026": {"Monday": "x"}}}}',
        '{"version": "VERSION", "regions": {"US": 7}}',
    ],
)
def test_a_damaged_or_an_older_file_is_made_anew(damage, tmp_path):
    holidays_of(["DE"], [2026], tmp_path)
    version = json.loads((tmp_path / FILE_NAME).read_text())["version"]
    (tmp_path / FILE_NAME).write_text(damage.replace("VERSION", version))
    assert holidays_of(["US"], [2026], tmp_path)["US"][LABOR_DAY] == "Labor Day"
    assert holidays_of(["US"], [2026], tmp_path)["US"][LABOR_DAY] == "Labor Day"


def test_a_folder_that_is_missing_is_not_made(tmp_path):
    assert holidays_of(["US"], [2026], tmp_path / "none")["US"]
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    assert holidays_of(["US"], [2026], blocked)["US"]
    (tmp_path / FILE_NAME).mkdir()
    assert holidays_of(["US"], [2026], tmp_path)["US"]
    assert [path.name for path in Path(tmp_path).iterdir() if path.name.startswith(".")] == []


def test_no_region_asks_nobody(tmp_path):
    assert holidays_of([], [2026], tmp_path) == {}
    assert not list(tmp_path.iterdir())
