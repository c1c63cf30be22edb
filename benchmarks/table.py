"""The one table that a run prints: what was measured, what was promised, and whether it holds."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure; ``kept`` is None where nothing was promised."""

    what: str
    measured: str
    promised: str = "–"
    kept: bool | None = None

    @property
    def verdict(self) -> str:
        """One word for the last column."""
        return {None: "", True: "ok", False: "MISSED"}[self.kept]


def at_most(what: str, value: float, limit: float, unit: str = "", *, note: str = "") -> Row:
    """Return a row that holds when ``value``, rounded as it is shown, is not above ``limit``."""
    digits = 0 if isinstance(value, int) else 2
    return Row(
        what=what,
        measured=f"{value:.{digits}f}{unit}{note}",
        promised=f"≤ {limit:.3g}{unit}",
        kept=round(value, digits) <= limit,
    )


def exactly(what: str, value: int, promised: int, *, why: str = "", note: str = "") -> Row:
    """Return a row that holds when ``value`` is what was promised."""
    reason = f" ({why})" if why else ""
    return Row(
        what=what,
        measured=f"{value}{note}",
        promised=f"{promised}{reason}",
        kept=value == promised,
    )


def plain(what: str, measured: str) -> Row:
    """Return a row that is only for information."""
    return Row(what=what, measured=measured)


def rendered(rows: Iterable[Row]) -> str:
    """Return the rows as text in columns."""
    head = ("what", "measured", "promised", "")
    lines = [head, *((r.what, r.measured, r.promised, r.verdict) for r in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    texts = [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]
        ).rstrip()
        for line in lines
    ]
    return "\n".join([texts[0], "─" * max(map(len, texts)), *texts[1:]])
