"""Give memory back to the system: what glibc's malloc keeps for a next time that may be hours off.

Elsewhere, with another C library, nothing of this is needed, and nothing is done.
"""

import ctypes

_M_ARENA_MAX = -8
"""From malloc.h: how many heaps threads may have of their own; each keeps what it once had."""


def keep_one() -> None:
    """Let all threads share one heap. Counts for threads that are not started yet."""
    _call("mallopt", _M_ARENA_MAX, 1)


def trim() -> None:
    """Return the free pages of the heap."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
