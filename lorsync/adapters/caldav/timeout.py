"""Something that happens after a while, unless what it is for has come to its end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def alarm(seconds: float, ring: Callable[[], None]) -> Iterator[None]:
    """Call ``ring`` from another thread after so many seconds, but not once this has ended."""
    timer = threading.Timer(max(seconds, 0.0), ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # A limit that passes at the last moment must not end what comes next.
        timer.join()
