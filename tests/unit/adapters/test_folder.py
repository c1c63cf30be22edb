"""A folder as khal and vdirsyncer share it: private, atomic, and never cleared by accident."""

import errno
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorsync.adapters.folder import FolderCalendar, open_folder
from lorsync.core.errors import CollectionGoneError, ConfigError, UnavailableError
from lorsync.core.model import Kind
from lorsync.core.ports import ETag, Href, PreconditionFailedError, WriteRefusedError
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.sync.report import Report
from tests.unit.sync.desk import Desk, letter
from tests.unit.sync.desk import settings as desk_settings


def settings(path: Path | None, color: str | None = None) -> CalendarSettings:
    return CalendarSettings(
        provider=Provider.FOLDER,
        path=None if path is None else str(path),
        name="Letters 🎓",
        color=color,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "calendars" / "letters"


@pytest.fixture
def calendar(folder: Path) -> FolderCalendar:
    return open_folder(settings(folder), remembered=None)


def test_a_missing_folder_is_made_private_with_what_metasync_reads(folder: Path) -> None:
    calendar = open_folder(settings(folder, "#336699"), remembered=None)
    assert calendar.created
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "displayname").read_text() == "Letters 🎓"
    assert (folder / "color").read_text() == "#336699"
    assert not open_folder(settings(folder), remembered=calendar.address).created


def test_an_existing_folder_keeps_its_name(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "displayname").write_text("Mine")
    assert not open_folder(settings(folder), remembered=None).created
    assert (folder / "displayname").read_text() == "Mine"


def test_a_remembered_folder_that_has_vanished_is_not_made_again(folder: Path) -> None:
    calendar = open_folder(settings(folder), remembered=None)
    (folder / "displayname").unlink()
    folder.rmdir()
    with pytest.raises(CollectionGoneError, match=str(folder)):
        open_folder(settings(folder), remembered=calendar.address)
    with pytest.raises(CollectionGoneError):
        calendar.listing(None)
    with pytest.raises(CollectionGoneError):
        calendar.fetch([calendar.href_for("lorsync-1")])
    with pytest.raises(CollectionGoneError):
        calendar.create(calendar.href_for("lorsync-1"), b"x")
    assert not folder.exists()


def test_only_events_are_listed(calendar: FolderCalendar, folder: Path) -> None:
    (folder / "a.ics").write_bytes(b"a")
    (folder / ".hidden.ics").write_bytes(b"h")
    (folder / ".a.ics.1234.tmp").write_bytes(b"t")
    (folder / "notes.txt").write_bytes(b"n")
    (folder / "sub.ics").mkdir()
    assert set(calendar.listing(None).entries) == {str(folder / "a.ics")}


def test_writes_leave_no_temporary_file(calendar: FolderCalendar, folder: Path) -> None:
    href = calendar.href_for("lorsync-1")
    etag = calendar.create(href, b"one")
    assert etag is not None
    calendar.update(href, b"two", etag)
    for attempt in (
        lambda: calendar.create(href, b"three"),
        lambda: calendar.update(href, b"three", etag),
    ):
        with pytest.raises(PreconditionFailedError):
            attempt()
    assert sorted(file.name for file in folder.iterdir()) == ["displayname", "lorsync-1.ics"]


@pytest.fixture(params=[0o002, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_a_new_event_has_the_mode_of_the_umask(calendar: FolderCalendar, umask: int) -> None:
    href = calendar.href_for("lorsync-1")
    calendar.create(href, b"one")
    assert mode(href) == 0o666 & ~umask


@pytest.mark.parametrize("given", [0o664, 0o640, 0o600])
def test_an_event_keeps_the_mode_that_the_person_gave_it(
    calendar: FolderCalendar, umask: int, given: int
) -> None:
    href = calendar.href_for("lorsync-1")
    etag = calendar.create(href, b"one")
    Path(href).chmod(given)
    etag = calendar.update(href, b"two", etag)
    calendar.update(href, b"three", etag)
    assert mode(href) == given


@pytest.mark.root
def test_an_event_that_root_rewrites_stays_its_owners(calendar: FolderCalendar) -> None:
    href = calendar.href_for("lorsync-1")
    etag = calendar.create(href, b"one")
    os.chown(href, 65534, 65533)
    calendar.update(href, b"two", etag)
    found = Path(href).stat()
    assert (found.st_uid, found.st_gid) == (65534, 65533)


def test_a_file_of_600_mb_is_not_read_whole(calendar: FolderCalendar, folder: Path) -> None:
    href = Href(str(folder / "foreign.ics"))
    with Path(href).open("wb") as file:
        file.truncate(600_000_000)
    tracemalloc.start()
    try:
        before = calendar.listing(None).entries
        found = calendar.fetch([href])
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert (found[href].body, found[href].etag) == (b"", None)
    assert calendar.listing(None).entries == before
    with Path(href).open("ab") as file:
        file.write(b"x")
    assert calendar.listing(None).entries[href] not in {before[href], None}


def test_an_event_of_ours_that_grew_too_large_is_left_alone(folder: Path, tmp_path: Path) -> None:
    desk = Desk(folder=tmp_path / "state", settings=desk_settings(letter("Alvarez")))

    def sync() -> Report:
        return desk.sync_with(open_folder(settings(folder), remembered=None))

    sync()
    href = desk.find(Kind.REQUEST)
    with Path(href).open("ab") as file:
        file.write(b"X-LONG:" + b"x" * 3_000_000)
    for _ in range(2):
        report = sync()
        assert [change.changed for change in report.kept] == [("unreadable",)]
        assert not report.wrote
    assert not report.missing
    assert Path(href).stat().st_size > 3_000_000


def test_an_edit_that_keeps_size_and_time_is_another_version(calendar: FolderCalendar) -> None:
    href = calendar.href_for("lorsync-1")
    etag = calendar.create(href, b"one")
    assert etag is not None
    before = Path(href).stat()
    Path(href).write_bytes(b"eno")
    os.utime(href, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(PreconditionFailedError):
        calendar.update(href, b"two", etag)
    with pytest.raises(PreconditionFailedError):
        calendar.delete(href, etag)
    assert Path(href).read_bytes() == b"eno"


def test_a_file_that_cannot_be_read_is_there_all_the_same(
    calendar: FolderCalendar, folder: Path
) -> None:
    # A file that not even root can read from its start.
    broken = folder / "broken.ics"
    broken.symlink_to("/proc/self/mem")
    listing = calendar.listing(None)
    assert dict(listing.entries) == {Href(str(broken)): None}
    assert calendar.fetch([Href(str(broken))]) == {}
    with pytest.raises(WriteRefusedError):
        calendar.update(Href(str(broken)), b"x", ETag('"1"'))


def test_without_hard_links_a_name_is_still_taken_only_once(
    calendar: FolderCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    href = calendar.href_for("lorsync-1")
    calendar.create(href, b"one")
    with pytest.raises(PreconditionFailedError):
        calendar.create(href, b"two")
    assert Path(href).read_bytes() == b"one"


def test_a_full_disk_refuses_the_event_and_leaves_nothing(
    calendar: FolderCalendar, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteRefusedError, match="disk is full"):
        calendar.create(calendar.href_for("lorsync-1"), b"one")
    assert [file.name for file in folder.iterdir()] == ["displayname"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file"):
        open_folder(settings(tmp_path / "file"), remembered=None)


def test_without_a_path_the_config_is_at_fault() -> None:
    with pytest.raises(ConfigError, match=r"calendar\.path"):
        open_folder(settings(None), remembered=None)


def test_a_href_elsewhere_is_never_touched(calendar: FolderCalendar, folder: Path) -> None:
    (folder.parent / "other.ics").write_text("x")
    for href in (folder.parent / "other.ics", folder / ".." / "other.ics"):
        with pytest.raises(ValueError, match="not in"):
            calendar.delete(Href(str(href)), ETag('"1"'))
