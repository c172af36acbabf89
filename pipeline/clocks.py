"""Clocks that are handed to whoever needs the time. All give aware times in UTC."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def system_clock() -> datetime:
    """The machine's time, which may jump."""
    return datetime.now(UTC)


class SteadyClock:
    """The machine's time, except that it never goes back.

    When the machine's clock is set back, this one goes on from where it was, at the pace of the
    monotonic clock; a jump forward is followed. Frames stamped by it stay in order, so no camera
    falls silent because a clock was corrected.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._anchor = wall()
        self._anchored_at = monotonic()

    def __call__(self) -> datetime:
        """Now."""
        with self._lock:
            carried = self._anchor + timedelta(seconds=self._monotonic() - self._anchored_at)
            wall = self._wall()
            if wall > carried:
                self._anchor, self._anchored_at = wall, self._monotonic()
                return wall
            return carried


class FootageClock:
    """The clock of recorded footage that plays ``speed`` times as fast as it was recorded.

    Speed 0 holds nothing back: the time is then that of the newest frame that was played.
    """

    def __init__(
        self,
        start: datetime,
        speed: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed < 0:
            raise ValueError(f"speed must be at least 0, got {speed}")
        self._start = start
        self._speed = speed
        self._monotonic = monotonic
        self._begun = monotonic()
        self._newest = start

    def __call__(self) -> datetime:
        """The footage's time now."""
        if self._speed == 0:
            return self._newest
        return self._start + timedelta(seconds=(self._monotonic() - self._begun) * self._speed)

    def skip_to(self, moment: datetime) -> None:
        """Go on from ``moment``: what was played before is not waited for again."""
        self._start = self._newest = moment
        self._begun = self._monotonic()

    def wait_until(self, moment: datetime, stop: threading.Event) -> None:
        """Return when the footage's time is ``moment``, or when ``stop`` is set."""
        self._newest = max(self._newest, moment)
        if self._speed > 0:
            ahead = (moment - self()).total_seconds() / self._speed
            if ahead > 0:
                stop.wait(ahead)
