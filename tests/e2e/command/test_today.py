"""Which day it is: the applicant's, wherever the machine's clock stands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from freezegun import freeze_time

from lorsync.cli.root import cli

CONFIG = """
[applicant]
name = "Sam Reyes"
timezone = "{zone}"

[calendar]
provider = "local"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2027-03-15
"""


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("America/New_York", "2026-12-31"),
        ("Europe/Madrid", "2027-01-01"),
        ("Pacific/Kiritimati", "2027-01-01"),
        ("Pacific/Pago_Pago", "2026-12-31"),
    ],
)
def test_today_is_the_applicants_day(tmp_path: Path, zone: str, today: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(zone=zone))
    with freeze_time("2027-01-01T03:00:00Z"):
        done = CliRunner().invoke(
            cli, ["-c", str(config), "--state-dir", str(tmp_path / "state"), "plan", "--json"]
        )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["as_of"] == today
