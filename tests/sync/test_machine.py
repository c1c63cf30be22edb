"""Seasons lived through at random: the invariants I1 to I7 after each pass."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync.machine import Season

QUICK = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(QUICK, max_examples=500, stateful_step_count=50)


def test_a_season_keeps_what_lorsync_promises() -> None:
    run_state_machine_as_test(Season, settings=QUICK)


@pytest.mark.long
@pytest.mark.parametrize("run", range(4))
def test_two_thousand_seasons_keep_what_lorsync_promises(run: int) -> None:
    run_state_machine_as_test(Season, settings=LONG)
