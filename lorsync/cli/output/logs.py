"""How the daemon's log looks: for a terminal, for the journal, or for machines.

What a line is about stands behind it as ``uid=``, ``href=`` and ``mentor=``, whatever it says.
"""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum

from lorsync.core.display import in_json, visible
from lorsync.sync.report import Change, Report

log = logging.getLogger("lorsync.changes")

_KEYS = ("uid", "href", "mentor")

_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""The journal's levels (sd-daemon(3))."""


class Format(StrEnum):
    """What a log is for: a terminal, with the time; the journal, with the level; or programs."""

    TEXT = "text"
    JOURNAL = "journal"
    JSON = "json"


class _Text(logging.Formatter):
    """Every line ends with what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        about = [f"{key}={_quoted(value)}" for key, value in _about(record).items()]
        return visible(" ".join((super().format(record), *about)))


class _ForJournal(_Text):
    """Every line starts with its level; the journal knows the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


class _ForMachines(logging.Formatter):
    """Every line is one JSON object; ``at`` is ISO 8601, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info is not None:
            line["trace"] = self.formatException(record.exc_info)
        return in_json(json.dumps(line, ensure_ascii=False))


def set_up(verbosity: int, how: Format) -> None:
    """Log to stderr what the daemon does.

    ``verbosity`` 1 shows details, 2 those of libraries; -1 only what is wrong.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(how))
    # What cannot be logged, on a disk that is full, is no reason for more lines.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)
    own = logging.DEBUG if verbosity > 0 else logging.INFO
    logging.getLogger("lorsync").setLevel(logging.WARNING if verbosity < 0 else own)
    if verbosity < 2:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)


def tell_changes(report: Report) -> None:
    """Log what a pass did in one line, if it did anything, and each change below that."""
    done = {
        "created": report.created,
        "updated": report.updated,
        "deleted": report.deleted,
        "adopted": report.adopted,
    }
    if any(done.values()):
        log.info("%s.", ", ".join(f"{len(found)} {what}" for what, found in done.items() if found))
    for what, found in done.items():
        for change in found:
            _tell_change(what, change)


def _tell_change(what: str, change: Change) -> None:
    log.debug(
        "%s %s on %s.",
        what.capitalize(),
        change.kind,
        change.day.isoformat(),
        extra={"uid": change.uid, "mentor": change.mentor},
    )


def formatter(how: Format) -> logging.Formatter:
    """Return what makes a line of a record; whatever it is about, it is fit to be shown."""
    match how:
        case Format.JOURNAL:
            return _ForJournal("%(message)s")
        case Format.JSON:
            return _ForMachines()
        case Format.TEXT:
            return _Text("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")


def _about(record: logging.LogRecord) -> dict[str, str]:
    return {key: str(getattr(record, key)) for key in _KEYS if hasattr(record, key)}


def _quoted(value: str) -> str:
    return value if value.isprintable() and not set(value) & set(' "=') else json.dumps(value)
