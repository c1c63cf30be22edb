"""How the record of a pass is kept in the ledger."""

import json
from datetime import datetime

from lorsync.report import Summary

LAST_RUN = "last_pass"

_QUESTIONS = frozenset({"emptied", "same-person", "same-letter", "memory-doubted"})
"""The warnings that wait for an answer of the person's, and stop part of the work until then."""

_TROUBLES = frozenset({"refused", "unstored"})
"""The warnings of what the server does not take, which the person may be able to change."""


def pass_memo(summary: Summary, now: datetime) -> str:
    """Write down how a pass ended; ``now`` is aware."""
    return json.dumps(
        {
            "at": now.isoformat(timespec="milliseconds"),
            "created": len(summary.created),
            "updated": len(summary.updated),
            "deleted": len(summary.deleted),
            "adopted": len(summary.adopted),
            "kept": len(summary.kept),
            "missing": len(summary.missing),
            "held": len(summary.held),
            "requests": summary.requests,
            "asks": [w.message for w in summary.warnings if w.code in _QUESTIONS],
            "troubles": [w.message for w in summary.warnings if w.code in _TROUBLES],
        }
    )
