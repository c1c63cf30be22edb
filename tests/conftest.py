"""What holds for every test."""

from hypothesis import settings

# How long an example takes says nothing on a machine that does more at once.
settings.register_profile("lorsync", deadline=None)
settings.load_profile("lorsync")
