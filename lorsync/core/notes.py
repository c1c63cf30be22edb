"""Put warnings as a person reads them: alike together, and each advice once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lorsync.core.model import PlanWarning

_NOT_ASKED = "not-asked"


def gathered(warnings: Sequence[PlanWarning]) -> list[PlanWarning]:
    """Return warnings in their order, but those of letters not asked for as the first one.

    An advice that several share is left to the last of them.
    """
    return list(reversed([*_advised_once(reversed(_together(warnings)))]))


def _advised_once(backwards: Iterable[PlanWarning]) -> Iterator[PlanWarning]:
    given: set[str] = set()
    for warning in backwards:
        yield replace(warning, advice="") if warning.advice in given else warning
        given.add(warning.advice)


def _together(warnings: Sequence[PlanWarning]) -> list[PlanWarning]:
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
