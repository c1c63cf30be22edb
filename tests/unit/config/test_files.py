"""A file that cannot be read as TOML is refused in one or two plain lines."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lorsync.config import default_path, load
from lorsync.core.errors import ConfigError
from tests.unit.config.conftest import Loaded, Refused
from tests.unit.config.samples import ONE_LETTER


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    report = str(caught.value)
    assert str(path).replace("\0", "\\x00") in report
    assert report.count("\n") <= 1
    return report


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    report = refusal(tmp_path / "none.toml")
    assert "no such file" in report
    assert "lorsync init" in report
    assert "-c FILE" in report


def test_folder_is_refused(tmp_path: Path) -> None:
    assert "this is a folder" in refusal(tmp_path)


def test_file_below_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "no such file" in refusal(tmp_path / "file" / "config.toml")


def test_path_that_cannot_be_one_is_refused() -> None:
    assert "no file name" in refusal(Path("config\0.toml"))
    assert "cannot be read" in refusal(Path("x" * 5000))


@pytest.mark.not_root
def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(ONE_LETTER)
    path.chmod(0)
    assert "no permission" in refusal(path)


def test_byte_order_mark_is_no_matter(loaded: Loaded) -> None:
    assert loaded(b"\xef\xbb\xbf" + ONE_LETTER.encode()).season.applicant.name == "Sam Reyes"


def test_windows_line_ends_are_no_matter(loaded: Loaded) -> None:
    assert loaded(ONE_LETTER.replace("\n", "\r\n")).season.applicant.name == "Sam Reyes"


def test_other_encodings_are_named_with_their_place(refused: Refused) -> None:
    report = refused(b'[applicant]\nname = "Nov\xe1k"\n')
    assert "line 2 (byte 23) is not UTF-8" in report
    assert "UTF-16" in refused(ONE_LETTER.encode("utf-16"))


@pytest.mark.parametrize("content", ["", "\n \n", "# nothing yet\n", "\ufeff"])
def test_empty_file_says_what_is_least_needed(refused: Refused, content: str) -> None:
    report = refused(content)
    assert "empty" in report
    for key in ("[applicant]", "name", "[calendar]", "[[letters]]", "mentor", "deadline"):
        assert key in report


def test_huge_file_is_refused_unread(refused: Refused) -> None:
    assert "larger than 5 MB" in refused(b"#" * 5_000_001)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[applicant]\nname = Sam\n", "line 2, column 8: a value is expected here"),
        ("[applicant]\nname\n", "line 2, column 5: “=” is expected"),
        ("[applicant\n", "line 1, column 11: “]” is missing"),
        ("[[letters]\n", "line 1, column 10: “]]” is missing"),
        ("[a]\n[a]\n", "line 2, column 3: this table stands twice"),
        ("a = 1\na = 2\n", "line 2, column 6: this key stands twice"),
        ("a = 1 b = 2\n", "line 1, column 7: one key a line"),
        ('a = "b\n', "a text ends with a quote on its own line"),
        ('a = """b\n', "line 2, column 1 (its end): the closing quote is missing"),
        ("a = [1, 2\n", "“]” is missing at the end of the list"),
        ("a = { b = 1", "“}” is missing"),
        ("a = { b = 1, b = 2 }", "this key stands twice"),
        ("a = 2026-02-30\n", "there is no such day"),
        ('a = "C:\\dir"\n', "“\\” in a text is written"),
        ('a = "\\ud800"\n', "names no character"),
        ('a = "\\u12"\n', "hexadecimal"),
        ("a = 1 # \0\n", "line 1, column 9: a control character"),
        ("= 1\n", "line 1, column 1: a key, a [table] or a comment is expected"),
        ("a = 0\n[[a]]\n", "this key stands twice"),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "9" * 5000, "a number that is too long"),
    ],
)
def test_broken_toml_is_said_in_our_words(refused: Refused, content: str, said: str) -> None:
    report = refused(content)
    assert said in report
    assert len(report.splitlines()) == 1


def test_broken_toml_does_not_show_the_line(refused: Refused) -> None:
    assert "hunter2" not in refused("[calendar]\npassword = hunter2\n")


def test_default_path_is_in_the_users_config_folder() -> None:
    assert default_path().parts[-2:] == ("lorsync", "config.toml")


def test_pydantic_is_not_loaded_before_a_config_is() -> None:
    code = "import sys, lorsync.config; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_config_says_when_its_file_was_saved_and_is_the_same_but_for_that(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(ONE_LETTER)
    saved = datetime(2027, 5, 3, 12, tzinfo=UTC)
    os.utime(path, (saved.timestamp(), saved.timestamp()))
    before = load(path)
    assert before.changed == saved
    path.touch()
    assert load(path).changed != saved
    assert load(path) == before
