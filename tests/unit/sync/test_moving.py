"""S19: another [calendar] is a move, of everything or of nothing; here from folder to folder."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.adapters.folder import FolderCalendar
from lorsync.core.errors import ConfigError, LorsyncError, UnavailableError
from lorsync.core.ports import WriteRefusedError
from lorsync.core.settings import CalendarSettings, Provider, Settings
from lorsync.sync.engine import Options
from lorsync.sync.report import Report
from lorsync.sync.runner import pass_once
from tests.unit.sync.desk import event_of, letter, settings

pytestmark = pytest.mark.slow

NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)

Sync = Callable[..., Report]


def in_folder(folder: Path) -> Settings:
    season = settings(letter("Alvarez"), letter("Chen"))
    return replace(season, calendar=CalendarSettings(provider=Provider.FOLDER, path=str(folder)))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return tmp_path / "old"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


@pytest.fixture
def sync(tmp_path: Path, old: Path) -> Sync:
    """Run a pass; the first one, into the old folder, is done."""

    def run(folder: Path, *, hours: int = 0, **options: object) -> Report:
        return pass_once(
            in_folder(folder),
            tmp_path / "state",
            now=NOW + timedelta(hours=hours),
            options=replace(Options(), **options),
        )

    run(old)
    return run


def held(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.ics")}


def edit(folder: Path, words: str, old_text: bytes, new_text: bytes) -> str:
    """Change an event as a person does, and return its file's name."""
    name = next(n for n, body in held(folder).items() if words.encode() in body)
    path = folder / name
    path.write_bytes(path.read_bytes().replace(old_text, new_text))
    stamp = path.stat().st_mtime + 5
    os.utime(path, (stamp, stamp))
    return name


def test_s19_another_account_is_asked_about_first(sync: Sync, old: Path, new: Path) -> None:
    before = held(old)
    with pytest.raises(ConfigError, match=r"these 12 events are in .*old.*sync --move"):
        sync(new)
    assert held(old) == before
    assert not held(new)
    # Changed back, nothing has happened.
    assert not sync(old).wrote


def test_s19_a_move_takes_everything_and_what_the_person_made_of_it(
    sync: Sync, old: Path, new: Path
) -> None:
    moved = edit(old, "SUMMARY:Ask Dr. Alvarez", b"DATE:20270730", b"DATE:20270802")
    assert b"20270802" in (old / moved).read_bytes()
    sync(old, hours=1)
    titled = edit(old, "SUMMARY:Letter due: Dr. Chen", b"Letter due", b"At last")
    (old / "dentist.ics").write_bytes(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    before = held(old)
    report = sync(new, hours=2, move=True)
    assert next(w.message for w in report.warnings if w.code == "moved").startswith("13 events")
    assert list(held(old)) == ["dentist.ics"]
    assert held(new) == {name: body for name, body in before.items() if name != "dentist.ics"}
    assert not report.wrote
    assert {(c.kind, c.changed) for c in report.kept} == {
        ("request", ("date",)),
        ("deadline", ("title",)),
    }
    assert str(event_of((new / titled).read_bytes())["SUMMARY"]) == "At last: Dr. Chen"
    assert not sync(new, hours=3).wrote
    with pytest.raises(ConfigError, match="another account"):
        sync(old, hours=4)


def test_s10_an_event_with_guests_stays_where_it_is_in_a_move_and_is_named(
    sync: Sync, old: Path, new: Path
) -> None:
    guest = b"ATTENDEE:mailto:alvarez@example.org\r\nSUMMARY:Check in"
    name = edit(old, "SUMMARY:Check in with Dr. Alvarez", b"SUMMARY:Check in", guest)
    sync(old, hours=1)
    invited = (old / name).read_bytes()
    report = sync(new, hours=2, move=True)
    assert held(old) == {name: invited}
    assert name not in held(new)
    (warning,) = [w.message for w in report.warnings if w.code == "guests-left"]
    assert "“Check in with Dr. Alvarez" in warning
    # Nothing comes in its place, and brought along by the person it is the same event.
    assert [c.kind for c in report.missing] == ["follow-up"]
    assert not sync(new, hours=4).wrote
    assert not sync(new, hours=30).wrote
    shutil.move(old / name, new / name)
    assert not sync(new, hours=32).wrote
    assert not sync(new, hours=33).missing
    assert (new / name).read_bytes() == invited


def test_s19_where_not_all_are_taken_none_is_moved(
    sync: Sync, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = held(old)
    create, room = FolderCalendar.create, 7

    def full(calendar: FolderCalendar, href: object, body: bytes) -> object:
        if len(held(new)) >= room:
            raise WriteRefusedError("its storage is full")
        return create(calendar, href, body)

    monkeypatch.setattr(FolderCalendar, "create", full)
    with pytest.raises(UnavailableError, match=r"none was moved.*storage is full"):
        sync(new, move=True)
    monkeypatch.undo()
    assert held(old) == before
    assert not held(new)
    assert not sync(old, hours=1).wrote


def test_s19_a_move_that_was_killed_is_finished_by_the_next(
    sync: Sync, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, create = held(old), FolderCalendar.create

    class Killed(BaseException):
        pass

    def dies(calendar: FolderCalendar, href: object, body: bytes) -> object:
        if len(held(new)) >= 5:
            raise Killed
        return create(calendar, href, body)

    monkeypatch.setattr(FolderCalendar, "create", dies)
    with pytest.raises(Killed):
        sync(new, move=True)
    monkeypatch.undo()
    assert len(held(new)) == 5
    sync(new, hours=1, move=True)
    assert held(new) == before
    assert not held(old)


def test_s19_an_old_calendar_that_is_gone_is_moved_from_the_ledger(
    sync: Sync, old: Path, new: Path
) -> None:
    before = held(old)
    for file in old.iterdir():
        file.unlink()
    old.rmdir()
    report = sync(new, move=True)
    assert "could not be opened" in next(w.message for w in report.warnings if w.code == "moved")
    assert held(new) == before
    assert not sync(new, hours=1).wrote


def test_s19_without_a_change_there_is_nothing_to_move(sync: Sync, old: Path) -> None:
    try:
        report = sync(old, move=True)
    except LorsyncError as error:  # pragma: no cover -- what the assertion is for
        pytest.fail(str(error))
    assert "moved" not in {warning.code for warning in report.warnings}
    assert [remark.partition(":")[0] for remark in report.idle] == ["There was nothing to move"]
    assert sync(old).idle == ()


def test_s20_where_no_other_config_rules_there_is_nothing_to_take_over(
    sync: Sync, old: Path
) -> None:
    (remark,) = sync(old, take_over=True).idle
    assert remark.startswith("There was nothing to take over")


def test_s19_an_event_that_stands_under_another_name_moves_too(
    sync: Sync, old: Path, new: Path
) -> None:
    request = next(f for f in old.glob("*.ics") if b"Ask Dr. Alvarez" in f.read_bytes())
    request.rename(old / "0A1B2C3D.ics")
    sync(old, hours=1)
    sync(new, hours=2, move=True)
    assert [body for body in held(new).values() if b"Ask Dr. Alvarez" in body]
    assert not held(old)
    assert not sync(new, hours=4, full=True).missing


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("spelling", ["a symlink", "dots", "where the symlink leads"])
def test_s19_a_folder_spelt_otherwise_is_the_same(
    tmp_path: Path, old: Path, spelling: str, move: bool
) -> None:
    link = tmp_path / "link"
    if spelling == "where the symlink leads":
        old.mkdir()
    link.symlink_to(old)
    first, second = {
        "a symlink": (old, link),
        "dots": (old, old / ".." / "old"),
        "where the symlink leads": (link, old),
    }[spelling]

    def run(folder: Path, **options: object) -> Report:
        return pass_once(
            in_folder(folder), tmp_path / "state", now=NOW, options=replace(Options(), **options)
        )

    run(first)
    before = held(old)
    assert len(before) == 13
    report = run(second, move=move)
    assert held(old) == before
    assert (report.wrote, report.missing, report.requests) == (False, (), 1)
    assert "moved" not in {warning.code for warning in report.warnings}
    assert not run(second).wrote
    edit(old, "SUMMARY:Ask Dr. Alvarez", b"DATE:20270730", b"DATE:20270802")
    assert run(second).kept


def test_s19_a_folder_that_was_renamed_is_known_by_its_memory(
    sync: Sync, old: Path, new: Path
) -> None:
    old.rename(new)
    before = held(new)
    report = sync(new, hours=1, move=True)
    assert "goes on there" in next(w.message for w in report.warnings if w.code == "same-calendar")
    assert held(new) == before
    assert not report.missing
    assert not sync(new, hours=3).missing


def test_i12_a_folder_that_another_program_keeps_alike_loses_nothing(
    sync: Sync, old: Path, new: Path
) -> None:
    """What vdirsyncer has copied there it would take away after what is removed here."""
    shutil.copytree(old, new)
    before = held(old)
    sync(new, hours=1, move=True)
    assert held(old) == held(new) == before


def test_s19_a_folder_spelt_otherwise_that_vanished_is_not_made_anew(
    sync: Sync, tmp_path: Path, old: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(old)
    shutil.rmtree(old)
    with pytest.raises(UnavailableError, match="has vanished"):
        sync(link, hours=1)
    assert not old.exists()


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_i7_a_move_between_folders_that_is_killed_is_finished(
    sync: Sync, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    before, left = held(old), iter(range(at))

    class Killed(BaseException):
        pass

    def dying(name: str) -> None:
        real = getattr(FolderCalendar, name)

        def step(calendar: FolderCalendar, *arguments: object) -> object:
            if next(left, None) is None:
                raise Killed
            return real(calendar, *arguments)

        monkeypatch.setattr(FolderCalendar, name, step)

    for name in ("create", "delete", "discard", "fetch"):
        dying(name)
    with pytest.raises(Killed):
        sync(new, move=True)
    monkeypatch.undo()
    assert (held(old) | held(new)).keys() >= before.keys()
    sync(new, hours=1, move=True)
    assert (held(old), held(new)) == ({}, before)
    assert not sync(new, hours=3).missing
