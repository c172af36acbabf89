"""What the pipeline wants of a camera, and the few rules that all adapters share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pipeline.domain import Camera, Frame
from pipeline.errors import BrimwatchError

Clock = Callable[[], datetime]
"""Gives the present time, aware and in UTC. Live sources call it from a thread of their own."""

OnFault = Callable[[BrimwatchError], None]
"""Is told of what was skipped while the source goes on: one damaged picture, one badly named file."""


class CameraSource(Protocol):
    """One camera as a row of frames.

    ``live``: true for a camera as it is now (times are wall-clock, the latest frame wins, what nobody
    took in time is gone); false for a recording (times are the recording's, every look counts, frames
    come as fast as they are taken).
    """

    live: bool

    def frames(self) -> Iterator[Frame]:
        """At most one frame a look, in the order of their times. To be iterated once.

        A look without a usable picture gives no frame: never a black, grey or repeated one. A
        recording ends; a live source only ends after `close`. Raises SourceError (SourceMissing,
        SourceUnreadable) when the source fails, after which this source is spent: open it anew.
        """
        ...

    def close(self) -> None:
        """Makes `frames` end soon. May be called from another thread, and more than once."""
        ...


class Opener(Protocol):
    """Makes a source for one kind of URL. Touches neither disk nor network: `frames` does."""

    def __call__(
        self,
        camera: Camera,
        *,
        base: Path,
        after: datetime | None,
        clock: Clock,
        on_fault: OnFault,
    ) -> CameraSource:
        """A source for ``camera``. Raises ConfigError for a URL that can't be one of this kind."""
        ...


LOOK_SLACK = 0.999
"""A frame counts as a look later when this share of ``look_every_s`` has passed, so that times
rounded to milliseconds do not lose every other look."""


def is_due(captured_at: datetime, last: datetime | None, look_every_s: float) -> bool:
    """Whether a recorded frame is a look, given the last one that was (None: it is the first).

    Never true for a frame that is not later than ``last``.
    """
    if last is None:
        return True
    gap = captured_at - last
    return gap > timedelta(0) and gap >= timedelta(seconds=look_every_s * LOOK_SLACK)


_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?Z")


def time_at_start(name: str) -> tuple[datetime, str] | None:
    """The UTC time that a file name starts with, and the rest of the name. None if it has none.

    >>> time_at_start("20260601T080000.5Z-gate.mp4")
    (datetime.datetime(2026, 6, 1, 8, 0, 0, 500000, tzinfo=datetime.timezone.utc), '-gate.mp4')
    >>> time_at_start("20261301T080000Z.jpg") is None
    True
    """
    found = _TIME.match(name)
    if found is None:
        return None
    *parts, fraction = found.groups()
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts)
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return whole.replace(microsecond=int((fraction or "").ljust(6, "0"))), name[found.end() :]
