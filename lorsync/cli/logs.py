"""How the daemon's log looks: for a terminal with the time, for the journal with its level."""

import logging

_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""The journal's levels (sd-daemon(3))."""


class _ForJournal(logging.Formatter):
    """Every line starts with its level; the journal knows the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def set_up(verbosity: int, *, journal: bool) -> None:
    """Log to stderr what the daemon does.

    ``verbosity`` 1 shows details, 2 those of libraries; -1 only what is wrong.
    """
    formatter = (
        _ForJournal("%(message)s")
        if journal
        else logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)
    own = logging.DEBUG if verbosity > 0 else logging.INFO
    logging.getLogger("lorsync").setLevel(logging.WARNING if verbosity < 0 else own)
    if verbosity < 2:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
