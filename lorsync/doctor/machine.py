"""Look over this machine: the state folder, the ledger, the daemon, the time zones."""

import errno
import os
import shlex
import shutil
import stat
import tempfile
import zoneinfo
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from lorsync.adapters.ledger.store import FILE_NAME
from lorsync.adapters.state_dir import daemon_pid
from lorsync.core.errors import StateError
from lorsync.core.settings import Settings
from lorsync.doctor.findings import Finding, finding
from lorsync.sync.plan import zone_warning
from lorsync.sync.report import Record, late_by
from lorsync.sync.runner import record_of

_TRIAL_BYTES: Final = 65_536
_TIGHT_BYTES: Final = 20_000_000
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def look_at_zone(settings: Settings | None, now: datetime) -> list[Finding]:
    """Tell whether days can be known where the applicant is; ``now`` is aware."""
    if not zoneinfo.available_timezones():
        return [finding("zone-data-missing", "No time zone is known here.")]
    if settings is None:
        return []
    zone = settings.season.applicant.timezone
    local = f"{now.astimezone(zone):%Y-%m-%d %H:%M}"
    source = "" if settings.machine is None else f" ({settings.machine.source or 'by default'})"
    doubts = [finding("zone-doubtful", warning.message) for warning in zone_warning(settings)]
    return [finding("zone-known", f"{zone.key}{source}, where it is {local} now."), *doubts]


def look_at_state(state: Path) -> list[Finding]:
    """Tell whether the state folder can be used, by no one else, and whether there is room."""
    if not state.exists():
        above = next(parent for parent in state.absolute().parents if parent.exists())
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            return [finding("state-unwritable", f"{state} cannot be made in {above}.")]
        return [finding("state-new", f"{state} is not there yet.")]
    return [_written(state), *_open_to_others(state)]


def look_at_ledger(state: Path) -> tuple[Record | None, list[Finding]]:
    """Return what is remembered of the passes, None where it cannot be known."""
    try:
        record = record_of(state)
    except StateError as error:
        return None, [finding("ledger-unusable", str(error))]
    if record == Record():
        return record, []
    found = [finding("ledger-fine", f"{state / FILE_NAME}")]
    if record.memory_gone:
        found.append(finding("memory-deleted", "The event of lorsync's memory was deleted."))
    return record, found


def look_at_daemon(state: Path, record: Record, now: datetime) -> list[Finding]:
    """Tell whether a daemon runs and keeps its appointments; ``now`` is aware."""
    try:
        pid = daemon_pid(state)
    except StateError as error:
        return [finding("ledger-unusable", str(error))]
    found = [_daemon(pid, record, now)]
    if pid is not None and record.config_error is not None:
        found.append(finding("daemon-old-config", record.config_error))
    if record.last_error is not None:
        found.append(finding("last-error", str(record.last_error["message"])))
    return found


def _daemon(pid: int | None, record: Record, now: datetime) -> Finding:
    if pid is None:
        return finding("daemon-off", "No daemon runs on this state folder.")
    if record.next_pass is None:
        return finding("daemon-running", f"It runs as process {pid}.")
    late, minute = late_by(record, now), timedelta(minutes=1)
    if late is not None:
        return finding("daemon-late", f"Process {pid} is {round(late / minute)} minutes late.")
    left = max(datetime.fromisoformat(record.next_pass) - now, timedelta(0))
    return finding(
        "daemon-running", f"Process {pid} looks again in {round(left / minute)} minutes."
    )


def _written(state: Path) -> Finding:
    """Write a file into the folder and take it away again: rights alone do not tell of room."""
    try:
        with tempfile.TemporaryFile(dir=state) as trial:
            trial.write(os.urandom(_TRIAL_BYTES))
            trial.flush()
            os.fsync(trial.fileno())
        free = shutil.disk_usage(state).free
    except OSError as error:
        full = error.errno in _FULL
        why = error.strerror or str(error)
        return finding("state-full" if full else "state-unwritable", f"{state}: {why}.")
    room = f"{state}, with {free / 1e9:.1f} GB free."
    return finding("state-fine" if free >= _TIGHT_BYTES else "state-tight", room)


def _open_to_others(state: Path) -> list[Finding]:
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & 0o077 == 0:
        return []
    return [
        finding(
            "state-open",
            f"{state} has the mode {mode:04o}.",
            do=f"Run: chmod -R go= {shlex.quote(str(state))}",
        )
    ]
