"""A year of daily passes against an emulated Google that is not to be trusted."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.providers.year import Year
from tests.emulators.internet import Internet

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python


@pytest.fixture
def internet(emulated_internet: Internet) -> Iterator[Internet]:
    clock = emulated_internet.clock
    yield emulated_internet
    emulated_internet.clock = clock


@pytest.mark.parametrize(
    ("days", "seed"),
    [
        pytest.param(31, 1, id="month"),
        *(pytest.param(365, seed, id=f"year {seed}", marks=pytest.mark.long) for seed in range(4)),
    ],
)
def test_season_at_google_ends_without_a_wrong_event(
    internet: Internet, record_property: Callable[[str, object], None], days: int, seed: int
) -> None:
    with closing(Year(internet, seed=seed)) as year:
        tally = year.lives(days)
        record_property("tally", str(tally))
        assert max(year.follow_ups().values()) <= 2
    assert tally.logins > days // 12  # each lasts for a week, and is noticed three days later
    assert sum(tally.trouble.values()) > days // 12
    # With the requests for tokens left out: what is tried again after trouble is not much.
    # Now and then one asks whether the login still holds.
    assert tally.requests < 4 * tally.passes
