"""What is exported is what every reader reads: four of them, three without the writer's code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from lorsync.cli.root import cli
from tests.e2e.readers import libical
from tests.e2e.readers.reading import Read, with_ical_js, with_icalendar, with_vobject
from tests.needs import NEEDS

pytestmark = pytest.mark.once  # other programs read, whatever the Python

SEASON = """
[applicant]
name = "Sam Reyes"
timezone = "America/New_York"
goals = {goals}

[cycle]
name = "2027"

[calendar]
provider = "local"
alarms = ["09:00", "-1d 18:00"]
{style}

[[mentors]]
id = "ruiz"
name = {mentor}
email = "ruiz@example.edu"
notes = "PRIVATE: tired of letters."
familiarity = 1

[[mentors]]
id = "lindqvist"
name = "Dr. Jo Lindqvist"

[[programs]]
id = "one"
name = {program}
portal = "ERAS"
deadline = 2027-09-22
why = "PRIVATE: near my sister."
results_on = 2028-03-17

[[programs]]
id = "two"
name = "Second Choice"
deadline = 2027-11-12

[[letters]]
id = "ruiz-narrative"
mentor = "ruiz"
programs = ["one", "two"]
letter_id = "PRIVATE-1"

[[letters]]
id = "lindqvist-narrative"
mentor = "lindqvist"
programs = ["two"]
"""

USUAL = {"mentor": "Prof. Ana Ruiz", "program": "Home", "goals": "Teaching.", "style": ""}

UNUSUAL = {
    "usual": {},
    "timed": {"style": 'event_time = "09:30"'},
    "marks": {"mentor": 'Ruiz, Ana; "Prof." \\ M:D', "program": "A, B; C: D\\n\\\\n \\, end;"},
    "lines": {"goals": "First, this;\nthen that.\r\n\n  Indented\tlast \\n not a line"},
    "scripts": {"mentor": "ד״ר רות לוי", "program": "北京大学 · د. ليلى حداد · Ünïcødé"},
    "emoji": {"mentor": "Dr. 🦉 Ruiz 👩🏽‍⚕️", "program": "👩🏽‍⚕️" * 30, "goals": "🏳️‍🌈" * 60},
    "long": {"mentor": "Ana " + "R" * 195, "program": "P" * 200, "goals": "ü" * 5000},
    "long in words": {"mentor": ("Ana Ruiz " * 22).strip(), "program": ("é, ; " * 40).strip()},
    "iCalendar": {"program": "END:VEVENT", "goals": "BEGIN:VEVENT\nUID:evil\nEND:VCALENDAR"},
    "separators": {"goals": "one\u2028two\u2029three\u0085four\u00a0five\ufefffive"},
}

READERS: dict[str, Callable[[bytes], list[Read]]] = {
    "vobject": with_vobject,
    "libical": libical.read,
    "ical.js": with_ical_js,
}


def config(folder: Path, **words: str) -> Path:
    """Write a season with these words in it; each but ``style`` is a TOML string."""
    chosen = USUAL | words
    style = chosen.pop("style")
    # A JSON string without its escapes of two halves is a TOML one.
    texts = {name: json.dumps(text, ensure_ascii=False) for name, text in chosen.items()}
    path = folder / "config.toml"
    path.write_text(SEASON.format(**texts, style=style), "utf-8")
    return path


def exported(folder: Path, path: Path, *options: str) -> bytes:
    arguments = ["-c", str(path), "--state-dir", str(folder / "state"), "export", "-o", "-"]
    done = CliRunner().invoke(cli, [*arguments, "--as-of", "2027-03-01", *options])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.needs(name)] * (name in NEEDS)) for name in READERS],
)
@pytest.mark.parametrize("words", UNUSUAL)
def test_each_reader_reads_what_was_written(tmp_path: Path, words: str, name: str) -> None:
    path = config(tmp_path, **UNUSUAL[words])
    for options in ((), ("--without-drafts",)):
        body = exported(tmp_path, path, *options)
        found = READERS[name](body)
        assert found == with_icalendar(body)
        assert len(found) > 8
        assert all(event.alarms for event in found) != bool(options)


@pytest.mark.parametrize("words", UNUSUAL)
def test_the_file_keeps_to_the_letter_of_rfc_5545(tmp_path: Path, words: str) -> None:
    body = exported(tmp_path, config(tmp_path, **UNUSUAL[words]))
    assert body.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert body.endswith(b"END:VCALENDAR\r\n")
    lines = body.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()  # folded between characters, never within one
    unfolded = body.replace(b"\r\n ", b"").split(b"\r\n")
    assert not any(line.startswith(b"METHOD") for line in unfolded)
    # Whoever writes a zone's name has to bring the zone along; UTC and days need neither.
    assert not any(b"TZID" in line for line in unfolded)
    events = unfolded.count(b"BEGIN:VEVENT")
    for name in (b"UID", b"DTSTAMP", b"DTSTART", b"DTEND", b"SEQUENCE", b"SUMMARY", b"DESCRIPTION"):
        of_alarms = unfolded.count(b"BEGIN:VALARM") if name == b"DESCRIPTION" else 0
        told = [line for line in unfolded if line.startswith((name + b":", name + b";"))]
        assert len(told) == events + of_alarms, name
    if words != "timed":
        assert sum(line.startswith(b"DTSTART;VALUE=DATE:") for line in unfolded) == events


def test_an_all_day_event_ends_on_the_next_day(tmp_path: Path) -> None:
    for event in with_vobject(exported(tmp_path, config(tmp_path))):
        assert (int(event.end[-2:]) - int(event.start[-2:])) in {1, -27, -28, -29, -30}


def test_nothing_private_is_in_a_file_for_somebody_else(tmp_path: Path) -> None:
    path = config(tmp_path, goals="PRIVATE: to leave this town.")
    own = exported(tmp_path, path).replace(b"\r\n ", b"").decode()
    for told in ("PRIVATE: to leave", "PRIVATE: near", "PRIVATE-1", "A draft to", "mailto:"):
        assert told in own
    body = exported(tmp_path, path, "--without-drafts")
    text = body.replace(b"\r\n ", b"").decode()
    for secret in ("PRIVATE", "draft", "mailto", "@", "rating", "Dear ", "--- planned", "VALARM"):
        assert secret not in text
    assert "narrative letter\\, due 22 Sep 2027\\; through ERAS\\; for Home" in text


def test_a_program_learns_of_no_other_and_a_mentor_of_none(tmp_path: Path) -> None:
    path = config(tmp_path)
    two = exported(tmp_path, path, "--without-drafts", "--program", "one").decode()
    assert "Second Choice" not in two
    assert "Lindqvist" not in two
    both = with_vobject(exported(tmp_path, path, "--program", "second choice"))
    assert {"Ruiz", "Lindqvist"} == {
        name for event in both for name in ("Ruiz", "Lindqvist") if name in event.summary
    }
    one = exported(tmp_path, path, "--without-drafts", "--mentor", "lindqvist").decode()
    assert "Ruiz" not in one


def test_a_file_for_somebody_else_has_uids_of_its_own_always_the_same(tmp_path: Path) -> None:
    path = config(tmp_path)
    own = {event.uid for event in with_vobject(exported(tmp_path, path))}
    handed = [e.uid for e in with_vobject(exported(tmp_path, path, "--without-drafts"))]
    assert len(set(handed)) == len(own) == len(handed)
    assert own.isdisjoint(handed)
    again = with_vobject(exported(tmp_path, path, "--without-drafts", "--as-of", "2027-03-02"))
    assert [event.uid for event in again] == handed
