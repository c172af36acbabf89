"""UUIDv7 ids as strings: sortable by the time they were made (RFC 9562, 5.7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

_RANDOM_BYTES = 10


def uuid7(moment: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """An id made at ``moment`` (aware): 48 bits of milliseconds, the rest random.

    >>> from datetime import UTC
    >>> uuid7(datetime(2026, 6, 1, tzinfo=UTC), lambda n: bytes(n))
    '019e807a-ec00-7000-8000-000000000000'
    """
    milliseconds = int(moment.timestamp() * 1000)
    value = (milliseconds << 80) | int.from_bytes(random_bytes(_RANDOM_BYTES))
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))
