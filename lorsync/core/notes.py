"""Put warnings as a person reads them: all letters that wait for their request are one."""

from collections.abc import Sequence

from lorsync.core.model import PlanWarning

_NOT_ASKED = "not-asked"


def gathered(warnings: Sequence[PlanWarning]) -> list[PlanWarning]:
    """Return warnings in their order, but those of letters not asked for as the first one."""
    waiting = [warning for warning in warnings if warning.code == _NOT_ASKED]
    if len(waiting) < 2:
        return list(warnings)
    ids = ", ".join(warning.subject for warning in waiting)
    together = PlanWarning(
        code=_NOT_ASKED,
        subject=ids,
        message=f"Not asked for yet: {ids}.",
        advice="Asked already? Say so: lorsync mark MENTOR asked --letter ID",
    )
    return [together, *(warning for warning in warnings if warning.code != _NOT_ASKED)]
