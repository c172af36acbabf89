"""A camera whose frames are handed in: by a gateway, or by a camera that uploads its snapshots."""

from __future__ import annotations

import math
import threading
from bisect import insort
from collections.abc import Iterator
from datetime import datetime

from pipeline.domain import Camera, Frame

DEFAULT_CAPACITY = 8
"""Frames that wait for one camera. Too low loses looks when a gateway sends a burst after an outage;
too high costs memory (a 1080p frame is 6 MB) and shows what is long past."""


class PushCamera:
    """Frames from `offer`, in the order of their times, at most one a look.

    Looks are slots of ``look_every_s``, centred on the first frame's time and its multiples: a
    gateway that sends every 5 s give or take a second loses none, and one that sends 25 a second is
    thinned. When ``capacity`` frames wait, the oldest makes room: the latest wins.
    """

    live = True

    def __init__(
        self, camera: Camera, *, after: datetime | None = None, capacity: int = DEFAULT_CAPACITY
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._camera = camera
        self._capacity = capacity
        self._changed = threading.Condition()
        self._waiting: list[Frame] = []
        self._newest_taken = after
        self._slots_from: datetime | None = None
        self._slot: int | None = None
        self._closed = False

    def offer(self, frame: Frame) -> bool:
        """Hands in one frame, from any thread, without waiting.

        False when it is not taken: the source is closed, the frame is not later than one already
        taken or waiting at that very time, or everything that waits is newer and there is no room.
        Raises ValueError for a frame of another camera.
        """
        if frame.camera_id != self._camera.camera_id:
            raise ValueError(
                f"camera {self._camera.camera_id} was offered a frame of camera {frame.camera_id}"
            )
        with self._changed:
            if self._closed or self._is_late(frame):
                return False
            insort(self._waiting, frame, key=lambda waiting: waiting.captured_at)
            if len(self._waiting) > self._capacity and self._waiting.pop(0) is frame:
                return False
            self._changed.notify_all()
            return True

    def frames(self) -> Iterator[Frame]:
        """What was offered, until `close`. Waits without spinning; never raises SourceError."""
        while (frame := self._take()) is not None:
            yield frame

    def close(self) -> None:
        """Makes `frames` end at once; what waits is dropped, and offers are refused from now on."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _is_late(self, frame: Frame) -> bool:
        at = frame.captured_at
        if self._newest_taken is not None and at <= self._newest_taken:
            return True
        return any(waiting.captured_at == at for waiting in self._waiting)

    def _take(self) -> Frame | None:
        with self._changed:
            while not self._closed:
                if not self._waiting:
                    self._changed.wait()
                    continue
                frame = self._waiting.pop(0)
                self._newest_taken = frame.captured_at
                if self._opens_a_slot(frame.captured_at):
                    return frame
            return None

    def _opens_a_slot(self, at: datetime) -> bool:
        if self._slots_from is None:
            self._slots_from = at
        every = self._camera.look_every_s
        if every <= 0:
            return True
        slot = math.floor((at - self._slots_from).total_seconds() / every + 0.5)
        if slot == self._slot:
            return False
        self._slot = slot
        return True
