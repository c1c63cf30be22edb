"""The tests of lorsync; ``ROOT`` is the checkout that they stand in."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
