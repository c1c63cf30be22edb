"""Seasons lived through at random: the invariants I1 to I7 after each pass."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.emulators.internet import Internet
from tests.emulators.worlds import EMULATED, EmulatedCalendar, emulate
from tests.stateful.machine import Season

QUICK = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,  # else runs side by side would all end with what the first one found
)
LONG = settings(QUICK, max_examples=500, stateful_step_count=50)


def test_a_season_keeps_what_lorsync_promises() -> None:
    run_state_machine_as_test(Season, settings=QUICK)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("provider", EMULATED)
def test_seasons_with_a_provider_keep_what_lorsync_promises(
    emulated_internet: Internet, provider: str
) -> None:
    class There(Season):
        def made_calendar(self) -> EmulatedCalendar:
            calendar = EmulatedCalendar(emulate(provider, emulated_internet))
            calendar._connections = 1
            return calendar

    run_state_machine_as_test(There, settings=settings(LONG, max_examples=40))


@pytest.mark.long
@pytest.mark.parametrize("run", range(4))
def test_two_thousand_seasons_keep_what_lorsync_promises(run: int) -> None:
    run_state_machine_as_test(Season, settings=LONG)
