"""The letters that a mentor is still to write, as following up sees them (R4, R8)."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from lorsync.core.candidates import OpenDue
from lorsync.core.model import LetterId
from lorsync.core.occasion import Case
from lorsync.core.progress import Progress
from lorsync.core.spending import Spending


class Outstanding(NamedTuple):
    """A letter that was or will be asked for and is still to come."""

    progress: Progress
    due: OpenDue

    @property
    def id(self) -> LetterId:
        return self.progress.id


def outstanding(case: Case, spent: Spending, asked: Mapping[LetterId, date]) -> list[Outstanding]:
    """Return them; ``asked`` says when each was or will be asked for."""
    return [
        Outstanding(
            progress=p,
            due=OpenDue(day=p.due.day, asked=asked[p.id], reminded=p.id in spent.reminded),
        )
        for p in case.letters
        if p.open and p.due is not None and p.due.day >= case.today and p.id in asked
    ]
