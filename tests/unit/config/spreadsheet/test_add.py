"""``add``: one entry more, checked as a whole before the file is replaced."""

import os
import stat
from datetime import date
from pathlib import Path

import pytest

from lorsync.adapters.files import write_whole
from lorsync.core.errors import TryAgainError, UnwritableError
from tests import ROOT
from tests.unit.config.spreadsheet.conftest import Applicant

SEASON = (ROOT / "config.example.toml").read_text("utf-8")


@pytest.fixture
def applied(applicant: Applicant) -> Applicant:
    applicant.config.write_text(SEASON)
    return applicant


def test_a_mentor_a_program_and_a_letter(applied: Applicant) -> None:
    added = [
        ["mentor", "Dr. Omar Haddad", "--email", "o@x.edu",
         "--away", "1 Aug 2027..2027-08-09:leave", "--contact", "Ms. Ortiz", "--standing", "3"],
        ["program", "Bayview Medicine", "--deadline", "Sep 30, 2027", "--needs", "chair",
         "--results-on", "2028-03-17", "--own-letter"],
        ["letter", "haddad", "--program", "Bayview Medicine", "--type", "standardized",
         "--asked-on", "1 Nov 2026", "--attribute", "calm", "--waived"],
    ]  # fmt: skip
    for arguments in added:
        said = applied.types("add", *arguments)
        assert (said.code, said.err) == (0, "")
    season = applied.season
    haddad = season.mentors["haddad"]
    assert (haddad.email, haddad.away[0].why, haddad.standing) == ("o@x.edu", "leave", 3)
    assert haddad.contact is not None
    assert season.programs["bayview-medicine"].own_letter
    letter = season.letters[-1]
    assert (letter.id, letter.programs) == ("haddad-standardized", ("bayview-medicine",))
    assert (letter.facts.asked_on, letter.waived) == (date(2026, 11, 1), True)
    # All that was there is there, in its order.
    lines = iter(applied.config.read_text().splitlines())
    assert all(line in lines for line in SEASON.splitlines())


def test_dry_run_shows_the_change_and_makes_none(applied: Applicant) -> None:
    said = applied.types("add", "program", "Bayview", "--deadline", "2027-09-30", "--dry-run")
    assert said.code == 0
    signs = [line for line in said.out.splitlines() if line.startswith(("+", "-"))][2:]
    assert signs == ["+[[programs]]", '+id = "bayview"', '+name = "Bayview"',
                     "+deadline = 2027-09-30", "+"]  # fmt: skip
    assert applied.config.read_text() == SEASON


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["mentor", "Dr. New", "--id", "chen"], '"chen" already (Dr. Wei Chen). Choose another'),
        (["mentor", "Wei Chen"], '"Wei Chen" may be "Dr. Wei Chen", who is there already'),
        (["mentor", "Dr. New", "--standing", "9"], "a whole number from 1 to 5 is needed"),
        (["mentor", "Dr. New", "--holidays", "QQ"], "no holidays are known for it"),
        (["mentor", "Dr. New", "--timezone", "Chicago"], 'did you mean "America/Chicago"?'),
        (["mentor", "Dr. New", "--away", "2027-08-09..2027-08-01"], "ends on its first day"),
        (["program", "Home internal medicine"], 'already, with the id "home"'),
        (["program", "X", "--deadline", "03/04/2027"], "Write 2027-04-03 or 2027-03-04"),
        (["program", "X", "--deadline", "2027-04-03 17:00"], "how far it is from UTC"),
        (["program", "X", "--deadline", "2026-01-01"], "the cycle starts on 2026-11-01"),
        (["letter", "chem", "--program", "home"], 'Did you mean "chen"?'),
        (["letter", "Dr. Chen", "--program", "home"], 'Did you mean "Dr. Wei Chen"?'),
        (["letter", "chen", "--program", "hom"], 'Did you mean "home"?'),
        (["letter", "chen"], "a date is needed"),
        (["letter", "chen", "--program", "home", "--id", "chen-chair"], "such as chen-chair-2"),
    ],
)  # fmt: skip
def test_what_would_not_pass_check_is_refused(
    applied: Applicant, arguments: list[str], why: str
) -> None:
    said = applied.types("add", *arguments)
    assert said.code == 64
    assert why in said.err
    assert applied.config.read_text() == SEASON


def test_the_questions(applied: Applicant) -> None:
    assert applied.types("add", "mentor", answers="Dr. Omar Haddad\no@x.edu\n").code == 0
    assert applied.types("add", "program", answers="Bayview\n03/04/2027\n4 Mar 2027\n").code == 0
    answers = "haddad\nbayview, home\n"
    assert applied.types("add", "letter", answers=answers).code == 0
    assert applied.season.letters[-1].programs == ("bayview", "home")
    said = applied.types("add", "letter", answers="chen\n")
    assert said.code == 65
    assert "The answers end at the question" in said.err


def test_a_mentor_known_by_letters_alone_keeps_the_id(applicant: Applicant) -> None:
    """The events hang on it (S7)."""
    applicant.config.write_text(
        '[applicant]\nname = "Sam"\n[calendar]\n[[letters]]\nmentor = "Prof. Ana Ruiz"\n'
        "deadline = 2027-01-15\n"
    )
    before = applicant.season.letters
    assert applicant.types("add", "mentor", "Prof. Ana Ruiz", "--email", "a@x.edu").code == 0
    assert applicant.season.letters == before
    assert applicant.season.mentors["prof-ana-ruiz"].email == "a@x.edu"


def test_no_config_and_a_broken_one(applicant: Applicant) -> None:
    assert "lorsync init" in applicant.types("add", "mentor", "Dr. New").err
    applicant.config.write_text("[applicant]\nname = 3\n")
    said = applicant.types("add", "mentor", "Dr. New")
    assert (said.code, applicant.config.read_text()) == (78, "[applicant]\nname = 3\n")


def test_a_link_and_a_mode_stay(applicant: Applicant) -> None:
    real = applicant.home / "dotfiles" / "lorsync.toml"
    real.parent.mkdir()
    real.write_text(SEASON)
    real.chmod(0o604)
    applicant.config.symlink_to(Path("dotfiles") / "lorsync.toml")
    assert applicant.types("add", "mentor", "Dr. Omar Haddad").code == 0
    assert applicant.config.is_symlink()
    assert "Haddad" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o604
    assert os.listdir(real.parent) == ["lorsync.toml"]  # noqa: PTH208 -- hidden files too


@pytest.mark.root
def test_a_file_that_root_changes_stays_its_owners(applicant: Applicant) -> None:
    applicant.config.write_text(SEASON)
    applicant.config.chmod(0o600)
    os.chown(applicant.config, 65534, 65533)
    assert applicant.types("add", "mentor", "Dr. Omar Haddad").code == 0
    found = applicant.config.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65533, 0o600)


def test_a_file_that_another_program_wrote_meanwhile_is_left(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"theirs")
    with pytest.raises(TryAgainError):
        write_whole(path, b"ours", before=b"read")
    assert path.read_bytes() == b"theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["config.toml"]


def test_a_file_that_is_marked_read_only_is_left(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"kept")
    path.chmod(0o444)
    with pytest.raises(UnwritableError, match=r"marked read-only.*chmod u\+w"):
        write_whole(path, b"ours", before=b"kept")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"kept"]
