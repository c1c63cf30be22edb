"""Read the cells of a spreadsheet: its days, its marks for yes and no, and its words for states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from lorsync.config.new_file import Choices, Doubt, rows_in_words
from lorsync.config.problems import did_you_mean, shown
from lorsync.config.spreadsheet.columns import FACTS, Column, Table
from lorsync.config.spreadsheet.dates import (
    Either,
    Order,
    Read,
    in_words,
    proven_order,
    read_day,
    which,
)
from lorsync.core.model import LetterType

NOTHING: Final = frozenset({"", "-", "–", "—", "n/a", "na", "none", "tbd", "tba", "?", "rolling"})
YES: Final = frozenset(
    {"x", "y", "yes", "true", "done", "✓", "✔", "✔️", "☑", "☒", "1", "ok", "sent"}
)
NO: Final = NOTHING | {"n", "no", "false", "not yet", "0", "☐", "pending", "to do", "todo", "open"}

STATES: Final[Mapping[str, tuple[Column, ...]]] = {
    **dict.fromkeys(("asked", "requested", "contacted", "invited", "waiting"), (Column.ASKED,)),
    **dict.fromkeys(
        ("agreed", "accepted", "confirmed", "said yes", "in progress", "writing"),
        (Column.ASKED, Column.AGREED),
    ),
    **dict.fromkeys(("declined", "refused", "said no"), (Column.ASKED, Column.DECLINED)),
    **dict.fromkeys(
        ("submitted", "uploaded", "received", "complete", "completed", "done", "letter in"),
        (Column.SUBMITTED,),
    ),
    **dict.fromkeys(("thanked",), (Column.SUBMITTED, Column.THANKED)),
    **dict.fromkeys(
        (*NOTHING, "not asked", "not yet", "to ask", "to do", "todo", "planned", "not started"), ()
    ),
}
"""What a word in a column of states says; no day comes with it."""

_TYPES: Final = {
    **{form.value: form for form in LetterType},
    **dict.fromkeys(("sloe", "esloe", "osloe", "slor", "standardised"), LetterType.STANDARDIZED),
    **dict.fromkeys(("chair letter", "chair's letter", "department chair"), LetterType.CHAIR),
    **dict.fromkeys(("committee letter",), LetterType.COMMITTEE),
    **dict.fromkeys(("letter packet",), LetterType.PACKET),
    **dict.fromkeys(("", "traditional", "regular", "standard", "personal"), LetterType.NARRATIVE),
}
_DAYS: Final = (Column.DEADLINE, Column.TARGET, *FACTS)


def blank(cell: str) -> bool:
    """Tell whether a cell says nothing, in one of the ways to write that."""
    return cell.casefold() in NOTHING


@dataclass(slots=True)
class Cells:
    """Read cells one after the other, and keep what has to be said of them."""

    table: Table
    choices: Choices
    today: date
    undated: date
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    _orders: dict[Column, Order | None] = field(default_factory=dict)
    _undated: dict[Column, list[int]] = field(default_factory=dict)
    _times: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for column in _DAYS:
            if column in self.table.columns:
                self._orders[column] = self._order(column)

    def refuse(self, number: int, column: Column, cell: str, why: str) -> None:
        """Keep one cell as a problem."""
        heading = self.table.headings.get(column, column.value)
        self.problems.append(f"row {number}, {heading}: {shown(cell)} — {why}")

    def day(self, number: int, column: Column, cell: str) -> date | datetime | None:
        """Read a day; None where the cell is blank, in doubt or a problem."""
        if blank(cell):
            return None
        found = read_day(cell, today=self.today, order=self._orders.get(column))
        if isinstance(found, Read):
            if found.note is not None:
                self._times.append(number)
            return found.day
        if isinstance(found, Either):
            if not self._in_doubt(column):  # else one answer settles the whole column
                self.refuse(number, column, cell, which(found))
        else:
            self.refuse(number, column, cell, found.why)
        return None

    def fact(self, number: int, column: Column, cell: str) -> tuple[date, bool] | None:
        """Read a fact: its day, and whether the cell itself says the day."""
        if cell.casefold() in NO:
            return None
        if cell.casefold() in YES:
            self._undated.setdefault(column, []).append(number)
            return self.undated, False
        if not any(mark.isdigit() for mark in cell):
            self.refuse(number, column, cell, "a day, x, yes or no is needed, or nothing")
            return None
        found = self.day(number, column, cell)
        if found is None:
            return None
        day = found.date() if isinstance(found, datetime) else found
        if day > self.today:
            # Taken as done, a day that is only planned would keep the request off the calendar.
            why = f"{in_words(day)} is still to come: leave it blank until it has happened"
            self.refuse(number, column, cell, why)
            return None
        return day, True

    def states(self, number: int, cell: str) -> tuple[Column, ...]:
        """Read the word of a column of states, as the facts that it implies."""
        found = STATES.get(cell.casefold().rstrip(".!"))
        if found is None:
            words = [word for word in STATES if len(word) > 1]
            why = "asked, agreed, declined, submitted or nothing is needed"
            self.refuse(number, Column.STATUS, cell, why + did_you_mean(cell, words))
            return ()
        if found:
            self._undated.setdefault(Column.STATUS, []).append(number)
        return found

    def form(self, number: int, cell: str) -> LetterType:
        """Read the type of a letter."""
        found = _TYPES.get("" if blank(cell) else cell.casefold().removesuffix(" letter"))
        found = found or _TYPES.get(cell.casefold())
        if found is None:
            words = ", ".join(form.value for form in LetterType)
            self.refuse(number, Column.TYPE, cell, f"one of {words} is needed")
        return found or LetterType.NARRATIVE

    @property
    def needs_a_day(self) -> bool:
        """Tell whether there is a mark or a state without a day."""
        return bool(self._undated)

    def remarks(self) -> list[str]:
        """Say what was left out or filled in, a line each."""
        lines = list(self.notes)
        for column, numbers in self._undated.items():
            lines.append(
                f"{self.table.headings[column]}: {rows_in_words(numbers)} "
                f"{'says' if len(set(numbers)) == 1 else 'say'} that it happened, and not when. "
                f"Taken as {in_words(self.undated)}."
            )
        if self._times:
            lines.append(
                f"The time of day in {rows_in_words(self._times)} is left out, since it does not "
                "say how far it is from UTC. To keep one, write it like 2026-12-01T23:59-05:00."
            )
        return lines

    def _texts(self, column: Column) -> Iterable[tuple[int, str]]:
        return ((line.number, line[column]) for line in self.table.lines if line[column])

    def _in_doubt(self, column: Column) -> bool:
        return any(doubt.key == ("order", column.value) for doubt in self.doubts)

    def _order(self, column: Column) -> Order | None:
        """Find the order of a column's numbers: said, or proven by one of its rows."""
        heading = self.table.headings[column]
        either: list[tuple[int, str, Either]] = []
        proofs: dict[Order, tuple[int, str]] = {}
        for number, text in self._texts(column):
            reading = read_day(text, today=self.today)
            if isinstance(reading, Either):
                either.append((number, text, reading))
            elif isinstance(reading, Read):
                proof = proven_order(text, today=self.today)
                if proof is not None:
                    proofs.setdefault(proof, (number, text))
        said = self.choices.get(("order", column.value))
        if not either or said is not None:
            return Order(said) if said is not None else None
        if len(proofs) == 1:
            ((order, (number, text)),) = proofs.items()
            self.notes.append(
                f"{heading}: days are written {order.value}, as row {number} shows ({text})."
            )
            return order
        if len(proofs) == 2:
            self.notes.append(
                f"{heading}: its days are written in two orders ("
                + ", ".join(f"row {number}: {text}" for number, text in proofs.values())
                + ")."
            )
            return None
        self.doubts.append(_order_doubt(column, heading, either))
        return None


def _order_doubt(column: Column, heading: str, either: list[tuple[int, str, Either]]) -> Doubt:
    number, text, first = either[0]
    others = len(either) - 1
    more = f" (and {others} more like it)" if others else ""
    return Doubt(
        key=("order", column.value),
        question=f"{heading}, row {number}: which day is {text}?{more}",
        options={
            Order.DAY_FIRST: in_words(first.day_first),
            Order.MONTH_FIRST: in_words(first.month_first),
        },
        refusal=f"row {number}, {heading}: {shown(text)} — {which(first)}, or say the order of "
        f"all with --day-first or --month-first{more}",
    )
