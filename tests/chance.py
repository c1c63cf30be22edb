"""Seeds for what the tests draw: the same in the usual run, another in each with the long tests."""

import os
import random

derandomized = False
"""Whether the run leaves the long tests out; ``tests/conftest.py`` says so."""


def seed(variable: str) -> int:
    """Return a seed, and print it; an environment variable of this name gives one to draw again."""
    drawn = 0 if derandomized else random.SystemRandom().randrange(10**6)
    chosen = int(os.environ.get(variable) or drawn)
    print(f"{variable}={chosen}")
    return chosen
