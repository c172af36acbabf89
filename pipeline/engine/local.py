"""The engine in one process: a thread a camera that reads, one thread that decides.

A reading thread only opens its source, waits and hands frames over; whatever goes wrong in it stays in
it. Of a live camera only the latest frame waits to be decided (an old one is of no use to anyone); of a
recording every frame counts, so its reader waits until the one before is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from camera_adapters.push import PushCamera
from camera_adapters.source import CameraSource, OnFault
from pipeline.domain import Camera, Frame
from pipeline.engine.decider import Decider
from pipeline.errors import BrimwatchError, SourceError
from pipeline.metrics import Metrics

log = structlog.get_logger(__name__)

REOPEN_AFTER_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Pauses before a source that failed is opened again; the last one repeats for ever."""
_IDLE_S = 1.0
_TICK_S = 60.0
_BATCH = 4

OpenSource = Callable[[Camera, datetime | None, OnFault], CameraSource]
"""Opens a camera; the time is the last frame that is already decided on."""


class Pace(Protocol):
    """Holds a recording back to a clock, so that it plays instead of rushing by."""

    def wait_until(self, moment: datetime, stop: threading.Event) -> None:
        """Return when the clock shows ``moment``, or when ``stop`` is set."""
        ...


class Inbox:
    """Frames on their way to be decided: at most one a camera."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Frame] = {}
        self._taken = False
        self._closed = False

    def put_latest(self, frame: Frame) -> None:
        """Put a frame; an older one of the same camera that still waits is dropped."""
        with self._changed:
            self._waiting[frame.camera_id] = frame
            self._changed.notify_all()

    def put_next(self, frame: Frame) -> None:
        """Put a frame once the one before is taken. Returns at once when the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or frame.camera_id not in self._waiting)
            if not self._closed:
                self._waiting[frame.camera_id] = frame
                self._changed.notify_all()

    def take(self, most: int, timeout_s: float) -> list[Frame]:
        """Up to ``most`` frames, longest waiting first; none when the time is up or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting, timeout_s)
            taken = [self._waiting.pop(camera) for camera in list(self._waiting)[:most]]
            self._taken = bool(taken)
            self._changed.notify_all()
            return taken

    def settle(self) -> None:
        """What was taken is decided."""
        with self._changed:
            self._taken = False

    def idle(self) -> bool:
        """Whether nothing waits and nothing is being decided."""
        with self._changed:
            return not self._waiting and not self._taken

    def close(self) -> None:
        """Let go of everyone who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class LocalEngine:
    """Reads cameras and decides, until stopped.

    ``clock``: UTC now, for expiry. ``pace``: None lets recordings run as fast as they are decided.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        decider: Decider,
        open_source: OpenSource,
        *,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._cameras = tuple(cameras)
        self._decider = decider
        self._open_source = open_source
        self._clock = clock
        self._pace = pace
        self._metrics = metrics
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._sources: dict[str, CameraSource] = {}
        self._done: set[str] = set()
        self._recorded: set[str] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads. Returns at once."""
        self._threads = [
            threading.Thread(
                target=self._read_for_ever,
                args=(camera,),
                name=f"read-{camera.camera_id}",
                daemon=True,
            )
            for camera in self._cameras
        ]
        self._threads.append(threading.Thread(target=self._decide, name="decide", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop reading, finish what is being decided, and wait for the threads."""
        self._stop.set()
        self._inbox.close()
        for source in list(self._sources.values()):
            source.close()
        for thread in self._threads:
            thread.join(timeout_s)

    def offer(self, frame: Frame) -> bool:
        """Hand in a pushed frame. False when its camera is no `push:` camera or does not take it."""
        source = self._sources.get(frame.camera_id)
        return isinstance(source, PushCamera) and source.offer(frame)

    @property
    def finished(self) -> bool:
        """Whether every source has come to its end, or gives nothing, and all is decided."""
        return len(self._done) == len(self._cameras) and self._inbox.idle()

    def _read_for_ever(self, camera: Camera) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                ended = self._read(camera)
                failures = 0
                if ended:
                    return
            except BrimwatchError as error:
                self._fault(camera, error, failures)
            except Exception as error:
                log.exception("camera_failed", camera_id=camera.camera_id)
                self._fault(camera, error, failures)
            pause = REOPEN_AFTER_S[min(failures, len(REOPEN_AFTER_S) - 1)]
            failures += 1
            self._stop.wait(pause)

    def _read(self, camera: Camera) -> bool:
        """Read a source to its end. True: it was a recording, and it is over."""
        camera_id = camera.camera_id

        def skipped(error: BrimwatchError) -> None:
            log.warning("frame_skipped", camera_id=camera_id, error=str(error))

        source = self._open_source(camera, self._decider.resume_after(camera_id), skipped)
        self._sources[camera_id] = source
        if not source.live:
            self._recorded.add(camera_id)
        began = False
        try:
            for frame in source.frames():
                began = True
                self._frame(camera_id, frame, live=source.live)
                if self._stop.is_set():
                    return True
        except SourceError as error:
            if source.live or not began:
                raise
            # A damaged recording does not get better by being read again.
            self._fault(camera, error, 0)
            return True
        finally:
            source.close()
            self._sources.pop(camera_id, None)
        if source.live:
            return self._stop.is_set()
        self._done.add(camera_id)
        log.info("recording_ended", camera_id=camera_id)
        return True

    def _frame(self, camera_id: str, frame: Frame, *, live: bool) -> None:
        if self._decider.statuses()[camera_id].fault:
            self._decider.set_fault(camera_id, "")
            self._done.discard(camera_id)
            log.info("camera_back", camera_id=camera_id)
        if self._metrics is not None:
            self._metrics.frame(camera_id)
        if live:
            self._inbox.put_latest(frame)
            return
        if self._pace is not None:
            self._pace.wait_until(frame.captured_at, self._stop)
        self._inbox.put_next(frame)

    def _fault(self, camera: Camera, error: Exception, failures: int) -> None:
        """Say once what is wrong; go on trying."""
        message = str(error) if isinstance(error, BrimwatchError) else type(error).__name__
        if not failures:
            log.error("camera_away", camera_id=camera.camera_id, error=message)
        self._decider.set_fault(camera.camera_id, message)
        self._done.add(camera.camera_id)

    def _decide(self) -> None:
        ticked = self._clock()
        while not self._stop.is_set():
            frames = self._inbox.take(_BATCH, _IDLE_S)
            if frames:
                self._decide_each(frames)
            self._inbox.settle()
            self._decider.catch_up()
            now = self._clock()
            if (now - ticked).total_seconds() >= _TICK_S:
                ticked = now
                # A recording has a time of its own, which ends with it.
                self._decider.pass_time(
                    now,
                    [one.camera_id for one in self._cameras if one.camera_id not in self._recorded],
                )

    def _decide_each(self, frames: list[Frame]) -> None:
        try:
            self._decider.decide(frames)
        except Exception:  # noqa: BLE001 - told below, camera by camera
            # Frames that were decided before the failure are not newer than their state any more,
            # so deciding them again changes nothing.
            for frame in frames:
                try:
                    self._decider.decide([frame])
                except Exception as error:
                    log.exception("look_failed", camera_id=frame.camera_id)
                    self._decider.set_fault(frame.camera_id, f"内部错误 {type(error).__name__}")
