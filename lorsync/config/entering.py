"""Check a single value before it stands in any file, as people type it."""

from typing import Any

from lorsync.config.checking import check
from lorsync.config.tables import REPEATED


def refusal(table: str, key: str, value: Any) -> str | None:
    """Say what is allowed for a key of a table, if this value is not; None if it is."""
    entry = {key: value}
    _, problems = check({table: [entry] if table in REPEATED else entry})
    mine = (problem for problem in problems if problem.path[0] == table and len(problem.path) > 1)
    return next((problem.allowed for problem in mine), None)
