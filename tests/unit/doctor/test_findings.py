"""What the doctor can find is whole, plainly said, and the documentation shows the same."""

import re
from pathlib import Path

from lorsync.doctor import findings
from lorsync.doctor.findings import KINDS, Check, Verdict
from tests import ROOT

SOURCES = Path(findings.__file__).parent


def test_documentation_shows_every_finding() -> None:
    shown = ROOT.joinpath("docs", "doctor.md").read_text("utf-8")
    assert shown.endswith(findings.table()), (
        "docs/doctor.md ends with what `python -m lorsync.doctor.findings` prints"
    )


def test_every_finding_is_found_somewhere_and_no_other() -> None:
    code = "\n".join(
        file.read_text("utf-8") for file in SOURCES.glob("*.py") if file.name != "findings.py"
    )
    named = set(re.findall(r'"((?:[a-z]+-)+[a-z]+)"', code))
    assert named == set(KINDS)


def test_every_finding_says_what_it_means_and_problems_what_to_do() -> None:
    for code, kind in KINDS.items():
        assert kind.means.endswith((".", ")")), code
        assert kind.do.endswith((".", ")")) or not kind.do, code
        assert kind.do or kind.verdict is not Verdict.PROBLEM, code
        assert "|" not in kind.means + kind.do, code
    assert {kind.check for kind in KINDS.values()} == set(Check)
