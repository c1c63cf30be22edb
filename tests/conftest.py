"""What holds for every test."""

import pytest
from hypothesis import settings

from tests import chance


def pytest_configure(config: pytest.Config) -> None:
    """Let the usual run draw what it drew before, and the one with the long tests draw anew.

    What the usual run finds is then of the change at hand, and not a rare mistake of long ago that
    happens to be met now: the run without a limit to its minutes is there to find those. Test
    modules build settings of their own from the loaded profile when they are imported, after this.
    """
    chance.derandomized = config.option.markexpr == "not long"
    # How long an example takes says nothing on a machine that does more at once.
    settings.register_profile("lorsync", deadline=None, derandomize=chance.derandomized)
    settings.load_profile("lorsync")
