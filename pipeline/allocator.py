"""How glibc hands out memory, set once at the start of a service.

By default every thread that ever held a picture keeps room for one, and pictures of a few megabytes are
kept after they are freed. With eight 1080p cameras that is a hundred megabytes that nobody uses
(`python benchmarks/service.py`).
"""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2
_GIVEN_BACK_FROM_BYTES = 1_000_000


def keep_memory_small() -> None:
    """Give pictures back to the system when they are freed. Does nothing where there is no glibc.

    To be called before threads are started.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    set_option(_M_ARENA_MAX, _ARENAS)
    set_option(_M_MMAP_THRESHOLD, _GIVEN_BACK_FROM_BYTES)
