"""``lorsync export`` as it is used: files for others, files for oneself, imported with khal."""

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import vobject

from lorsync.cli import main
from tests.e2e.command.running import EXAMPLES, User

SEASON = EXAMPLES / "config.example.toml"
DAY = ("--as-of", "2027-06-01")
KHAL = Path(sys.executable).with_name("khal")

KHAL_CONFIG = """
[calendars]
[[letters]]
path = {folder}
type = calendar

[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC

[sqlite]
path = {folder}.db

[default]
default_calendar = letters
"""

FOLDER_SEASON = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "folder"
path = "{folder}"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-09-10
"""


def khal(user: User, folder: Path, *arguments: str | Path) -> str:
    config = user.home / "khal.conf"
    config.write_text(KHAL_CONFIG.format(folder=folder))
    done = subprocess.run(
        [KHAL, "-c", config, *arguments],
        env=user.environ(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def vevent(path: Path) -> vobject.base.Component:
    return vobject.readOne(path.read_text("utf-8")).vevent


def test_imported_twice_into_khal_there_is_one_of_each(user: User) -> None:
    file, folder = user.home / "letters.ics", user.home / "calendar"
    folder.mkdir()
    done = user.types("export", "-o", file, *DAY, config=SEASON)
    assert done.returncode == 0, done.stderr
    planned = user.json("plan", *DAY, config=SEASON)["events"]
    listed = []
    for _ in range(2):
        khal(user, folder, "import", "--batch", "-a", "letters", file)
        found = khal(user, folder, "list", "--format", "{title}", "2027-06-01", "2028-06-01")
        listed.append([line for line in found.splitlines() if line and line[0] not in "MTWFS"])
        assert len(list(folder.glob("*.ics"))) == len(planned)
    assert listed[0] == listed[1]
    titles = khal(
        user, folder, "list", "-df", "", "--format", "{title}", "2027-06-01", "2028-06-01"
    )
    assert sorted(titles.split("\n")[:-1]) == sorted(event["summary"] for event in planned)


def test_imported_into_the_calendar_that_lorsync_keeps_it_disturbs_nothing(user: User) -> None:
    """The UIDs are those of the calendar, and a stamp tells lorsync's own writing (S3)."""
    folder, config = user.home / "calendar", user.home / "config.toml"
    folder.mkdir()
    config.write_text(FOLDER_SEASON.format(folder=folder))
    assert user.json("sync", config=config)["created"]
    moved = next(path for path in folder.glob("*.ics") if b"SUMMARY:Ask " in path.read_bytes())
    day, ended = vevent(moved).dtstart.value, vevent(moved).dtend.value
    later = day + timedelta(days=1)
    body = moved.read_bytes()
    for name, then in (("DTEND", ended), ("DTSTART", day)):
        line = f"{name};VALUE=DATE:{then:%Y%m%d}".encode()
        assert line in body
        body = body.replace(line, f"{name};VALUE=DATE:{then + timedelta(days=1):%Y%m%d}".encode())
    moved.write_bytes(body)
    assert [c["changed"] for c in user.json("sync", config=config)["kept"]] == [["date"]]

    before = {path.name: vevent(path).summary.value for path in folder.glob("lorsync-*.ics")}
    file = user.home / "letters.ics"
    assert user.types("export", "-o", file, config=config).returncode == 0
    written = moved.read_bytes()
    khal(user, folder, "import", "--batch", "-a", "letters", file)
    assert moved.read_bytes() != written
    assert vevent(moved).dtstart.value == later
    report = user.json("sync", config=config)
    assert not any(report[what] for what in ("created", "deleted", "missing", "held"))
    assert [c["changed"] for c in report["kept"]] == [["date"]]
    after = {path.name: vevent(path).summary.value for path in folder.glob("lorsync-*.ics")}
    assert after == before
    assert vevent(moved).dtstart.value == later
    again = user.json("sync", config=config)
    assert not any(again[what] for what in ("created", "updated", "deleted", "missing", "held"))


def test_a_file_for_somebody_else_is_foreign_to_lorsync(user: User) -> None:
    folder, config = user.home / "calendar", user.home / "config.toml"
    folder.mkdir()
    config.write_text(FOLDER_SEASON.format(folder=folder))
    user.json("sync", config=config)
    file = user.home / "handout.ics"
    assert user.types("export", "-o", file, "--without-drafts", config=config).returncode == 0
    khal(user, folder, "import", "--batch", "-a", "letters", file)
    report = user.json("sync", config=config)
    written = ("created", "updated", "deleted", "missing", "kept", "held", "adopted")
    assert not any(report[what] for what in written)
    assert not [w for w in report["warnings"] if w["code"] == "copy"]


def test_split_makes_one_file_for_each_mentor(user: User) -> None:
    folder = user.home / "out"
    done = user.types("export", "--split", folder, *DAY, config=SEASON)
    assert done.returncode == 0, done.stderr
    assert "add --without-drafts" in done.stdout
    planned = user.json("plan", *DAY, config=SEASON)["events"]
    assert {path.stem for path in folder.iterdir()} == {event["mentor"] for event in planned}
    for path in folder.iterdir():
        found = vobject.readOne(path.read_text("utf-8")).vevent_list
        own = [event["uid"] for event in planned if event["mentor"] == path.stem]
        assert [event.uid.value for event in found] == own
    again = user.json("export", "--split", folder, "--without-drafts", *DAY, config=SEASON)
    assert {Path(file["path"]) for file in again["files"]} == set(folder.iterdir())
    assert sum(file["events"] for file in again["files"]) == len(planned)
    assert b"A draft to" not in b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "64 -o FILE for one file, or --split DIR"),
        (("-o", "-", "--json"), "64 leave one out"),
        (("-o", "x.ics", "--split", "out"), "64 -o FILE for one file, or --split DIR"),
        (("-o", "-", "--mentor", "alvares"), "64 did you mean 'alvarez'?"),
        (("-o", "-", "--program", "hom"), "64 did you mean 'home'?"),
        (("-o", "no/such/folder.ics"), "73 no/such/folder.ics cannot be written"),
        (("--split", "no/such/folder"), "73 no/such/folder cannot be made"),
        (("--split", str(SEASON)), "73 is a file, and --split needs a folder"),
    ],
)
def test_what_cannot_be_exported_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    state = str(tmp_path / "state")
    assert main(["-c", str(SEASON), "--state-dir", state, "export", *arguments]) == int(told[:2])
    assert told[3:] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("export", "-o"), ("timeline", "--format", "svg", "-o")])
def test_what_is_written_over_keeps_its_mode_and_the_link_to_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    file, link = tmp_path / "shared" / "file", tmp_path / "link"
    file.parent.mkdir()
    file.write_text("of last week")
    file.chmod(0o664)
    link.symlink_to("shared/file")
    options = ("-c", str(SEASON), "--state-dir", str(tmp_path / "state"))
    assert main([*options, *command, str(link)]) == 0
    assert link.is_symlink()
    assert "of last week" not in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o664
    assert [path.name for path in file.parent.iterdir()] == ["file"]
    file.chmod(0o444)
    before = file.read_bytes()
    assert main([*options, *command, str(link)]) == 73
    assert file.read_bytes() == before


def test_a_pipe_is_written_to_and_not_replaced(user: User) -> None:
    pipe = user.home / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    done = user.types("export", "-o", pipe, *DAY, config=SEASON)
    written, _ = reader.communicate(timeout=300)
    assert done.returncode == 0, done.stderr
    assert written.endswith(b"END:VCALENDAR\r\n")
    assert pipe.is_fifo()


def test_mentors_whose_ids_differ_in_case_alone_have_a_file_each(user: User) -> None:
    path = user.home / "config.toml"
    mentors = "".join(
        f'[[mentors]]\nid = "{id_}"\nname = "{name}"\n[[letters]]\nmentor = "{id_}"\n'
        "deadline = 2027-09-01\n"
        for id_, name in (("ann", "Ann Lee"), ("ANN", "Annabel Ruiz"))
    )
    path.write_text(f'[applicant]\nname = "Sam Reyes"\n[calendar]\nprovider = "local"\n{mentors}')
    done = user.types("export", "--split", "out", *DAY, "--json", config=path)
    names = [Path(file["path"]).name for file in json.loads(done.stdout)["files"]]
    assert len({name.casefold() for name in names}) == 2
