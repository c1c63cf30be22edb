"""A folder of ``.ics`` files, one event each, as khal and vdirsyncer read it (the vdir format)."""

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from lorsync.adapters.files import written_beside
from lorsync.core.errors import CollectionGoneError, ConfigError, UnavailableError
from lorsync.core.model import Uid
from lorsync.core.ports import (
    ETag,
    Href,
    Listing,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)
from lorsync.core.settings import CalendarSettings

_SUFFIX = ".ics"
_LARGEST = 2_000_000
"""Bytes of one file that are read: an event of lorsync's has some thousand."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def open_folder(settings: CalendarSettings, *, remembered: str | None) -> "FolderCalendar":
    """Open the folder of the settings, and make it when it is missing.

    Raises CollectionGoneError when the folder that the ledger remembers has vanished, since an
    unmounted disk must not look like an emptied calendar.
    """
    if settings.path is None:
        raise ConfigError("calendar.path is missing: write the folder for the .ics files.")
    path = _absolute(Path(settings.path))
    if path.is_dir():
        return FolderCalendar(path, created=False)
    if remembered is not None:
        # However the folder was spelt then: what is remembered was there.
        raise _gone(path)
    try:
        path.mkdir(mode=0o700, parents=True)
        # What `vdirsyncer metasync` reads.
        (path / "displayname").write_text(settings.name, encoding="utf-8")
        if settings.color is not None:
            (path / "color").write_text(settings.color, encoding="utf-8")
    except OSError as error:
        raise _unusable(path, error) from None
    return FolderCalendar(path, created=True)


def address_of(folder: Path) -> str:
    """Return the address under which a calendar in this folder is remembered."""
    return _absolute(folder).as_uri()


def _absolute(folder: Path) -> Path:
    # resolve() would follow a link that the person may move to another disk later.
    return Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100


class FolderCalendar:
    """One folder; see :class:`lorsync.core.ports.Calendar` for what every method promises.

    An ETag is the hash of the content. Times and inodes would be cheaper and lie: two writes
    within one tick have one time, editors and backups set times back, inodes are used again.
    Another program can still write between the comparison and the rename of an update, for some
    microseconds; POSIX has no rename with a condition.
    """

    def __init__(self, path: Path, *, created: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._requests = 0
        self._told_etag: str | None = None
        self.created = created

    @property
    def address(self) -> str:
        """The folder as a ``file:`` address."""
        return self._path.as_uri()

    @property
    def connections(self) -> int:
        """How many writes may be under way at once: there is no round trip to hide."""
        return 1

    @property
    def requests(self) -> int:
        """How many listings, fetches and writes were made, so that budgets can be compared."""
        with self._lock:
            return self._requests

    @property
    def stated_time(self) -> datetime | None:
        """None: a folder has no clock but ours."""
        return None

    @property
    def guards_creation(self) -> bool:
        """True: a file is made only where no name is."""
        return True

    @property
    def guards_deletion(self) -> bool:
        """True: a file is compared before it goes."""
        return True

    @property
    def told_etag(self) -> str | None:
        """The ETag of what was written last; see :class:`lorsync.core.ports.ProbeCalendar`."""
        return self._told_etag

    @property
    def etags_restart(self) -> bool:
        """False: an ETag is of the content."""
        return False

    @property
    def strays(self) -> int:
        """None: what is listed is in the folder."""
        return 0

    def href_for(self, uid: Uid) -> Href:
        """The file in which an event with this UID belongs."""
        return Href(str(self._path / f"{uid}{_SUFFIX}"))

    def check_login(self) -> None:
        """Do nothing: nobody signs in to a folder."""

    def listing(self, token: SyncToken | None) -> Listing:  # noqa: ARG002 - a folder has none
        """List everything; a file that cannot be read is there, with no known version."""
        self._count()
        try:
            names = sorted(entry.name for entry in os.scandir(self._path) if _is_event(entry))
        except OSError as error:
            raise _unusable(self._path, error) from None
        entries: dict[Href, ETag | None] = {}
        for name in names:
            try:
                entries[self._href(name)] = _read(self._path / name)[0]
            except FileNotFoundError:
                continue
            except OSError:
                entries[self._href(name)] = None
        return Listing(entries=entries, removed=frozenset(), complete=True, token=None)

    def fetch(self, hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        """Read these files; what is missing or cannot be read is left out."""
        self._count()
        if not self._path.is_dir():
            raise _gone(self._path)  # and not: every event is missing
        found: dict[Href, Resource] = {}
        for href in hrefs:
            with contextlib.suppress(OSError):
                etag, body = _read(self._file(href))
                known = None if body is None else etag
                found[href] = Resource(href=href, etag=known, body=body or b"")
        return found

    def create(self, href: Href, body: bytes) -> ETag | None:
        """Write a new file; a link is made only where no name is, so nothing is overwritten."""
        self._count()
        file = self._file(href)
        with self._written(file, body) as written:
            try:
                _place(written, file)
            except FileExistsError:
                raise PreconditionFailedError(f"{href} is there already.") from None
        return self._told(body)

    def update(self, href: Href, body: bytes, etag: ETag | None) -> ETag | None:
        """Replace a file whose content is the one that ``etag`` names."""
        self._count()
        file = self._file(href)
        with self._written(file, body) as written, self._lock:
            self._check(file, etag)
            written.replace(file)
        return self._told(body)

    def delete(self, href: Href, etag: ETag | None) -> None:
        """Delete a file whose content is the one that ``etag`` names."""
        self._count()
        file = self._file(href)
        with self._lock:
            self._check(file, etag)
            try:
                file.unlink()
            except FileNotFoundError:
                raise ResourceGoneError(f"{href} is not there.") from None
            except OSError as error:
                raise _unusable(file, error) from None
        _settle(self._path)

    def discard(self, href: Href) -> None:
        """Delete whatever version is there; nothing there is no error."""
        self._count()
        try:
            self._file(href).unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from None

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _count(self) -> None:
        with self._lock:
            self._requests += 1

    def _told(self, body: bytes) -> ETag:
        etag = _etag(body)
        self._told_etag = etag
        return etag

    def _href(self, name: str) -> Href:
        return Href(str(self._path / name))

    def _file(self, href: Href) -> Path:
        file = Path(href)
        if file.parent != self._path:
            raise ValueError(f"{href!r} is not in {self._path}")
        return file

    def _check(self, file: Path, etag: ETag | None) -> None:
        try:
            held, _ = _read(file)
        except FileNotFoundError:
            raise ResourceGoneError(f"{file} is not there.") from None
        except OSError as error:
            raise WriteRefusedError(f"{file} cannot be read: {error.strerror}.") from None
        if held != etag:
            raise PreconditionFailedError(f"{file} is another version.")

    @contextlib.contextmanager
    def _written(self, file: Path, body: bytes) -> Iterator[Path]:
        """Give a finished file beside the real one, under a name that vdir readers pass over."""
        temporary: Path | None = None
        try:
            temporary = written_beside(file, body)
            yield temporary
        except OSError as error:
            if error.errno in _FULL:
                raise WriteRefusedError(f"{file}: the disk is full.") from None
            raise _unusable(self._path, error) from None
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
        _settle(self._path)


def _place(written: Path, file: Path) -> None:
    """Give a finished file its name; FileExistsError if the name is taken."""
    try:
        file.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # FAT and some network file systems have no links: take the name first, then fill it.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        written.replace(file)


def _settle(folder: Path) -> None:
    """Make a rename or a deletion last: the ledger will say that it was done."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EBADF}:  # file systems that cannot
            raise _unusable(folder, error) from None
    finally:
        os.close(handle)


def _is_event(entry: "os.DirEntry[str]") -> bool:
    """Tell whether an entry of the folder is an event; none of ours has a name that is no text."""
    if entry.name.startswith(".") or not entry.name.endswith(_SUFFIX):
        return False
    return _is_text(entry.name) and entry.is_file()


def _is_text(name: str) -> bool:
    """Tell whether a name is UTF-8; Python reads other bytes as surrogates, which are no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(file: Path) -> tuple[ETag, bytes | None]:
    """Return the version of a file and its content, None where it is too large to be read.

    The version of such a file is by its times and size: nothing of it is ever written.
    """
    with file.open("rb") as stream:
        body = stream.read(_LARGEST + 1)
        if len(body) <= _LARGEST:
            return _etag(body), body
        found = os.fstat(stream.fileno())
        return ETag(f'"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"'), None


def _etag(body: bytes) -> ETag:
    return ETag(f'"{hashlib.sha256(body).hexdigest()}"')


def _gone(path: Path) -> CollectionGoneError:
    return CollectionGoneError(
        f"The folder {path} has vanished: bring it back, or mount its disk. "
        "If it is to start empty, make it yourself."
    )


def _unusable(path: Path, error: OSError) -> UnavailableError:
    if isinstance(error, FileNotFoundError):
        return _gone(path)
    why = error.strerror or str(error)
    return UnavailableError(f"The folder {path} cannot be used ({why}): check calendar.path.")
