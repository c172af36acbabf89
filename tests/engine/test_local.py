"""Cameras side by side: one camera's fault never touches another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from painted_street import START, Post, footage, make_post, painted

from camera_adapters.push import PushCamera
from camera_adapters.source import CameraSource, OnFault
from pipeline.domain import Camera, Frame
from pipeline.engine.local import Inbox, LocalEngine
from pipeline.errors import SourceMissing, SourceUnreadable
from pipeline.store import EventQuery

FULL_DAY = (("clear", 5), ("full", 10), ("clear", 6))


class Recording:
    """A recording in memory; ``after`` resumes it."""

    live = False

    def __init__(self, frames: Iterator[Frame], after: datetime | None) -> None:
        self._frames = frames
        self._after = after

    def frames(self) -> Iterator[Frame]:
        for frame in self._frames:
            if self._after is None or frame.captured_at > self._after:
                yield frame

    def close(self) -> None:
        """Nothing is open."""


def wait_for(what: Callable[[], bool], timeout_s: float = 60) -> None:
    until = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def run(
    post: Post,
    open_source: Callable[[Camera, datetime | None, OnFault], CameraSource],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[LocalEngine, Callable[[str], str]]:
    decider = post.decider()
    cameras = [Camera(camera, "push://") for camera in post.cameras]
    engine = LocalEngine(cameras, decider, open_source, clock=clock)
    engine.start()
    return engine, lambda camera_id: decider.statuses()[camera_id].fault


def test_one_camera_is_missing_one_breaks_one_has_a_bug_and_the_good_one_goes_on() -> None:
    post = make_post(cameras=("good", "missing", "breaks", "bug"))

    def breaking() -> Iterator[Frame]:
        yield from footage(("clear", 1), camera="breaks")
        raise SourceUnreadable("cannot decode any further")

    def bug() -> Iterator[Frame]:
        raise KeyError("not ours")
        yield

    def open_source(camera: Camera, after: datetime | None, _fault: OnFault) -> CameraSource:
        if camera.camera_id == "missing":
            raise SourceMissing("no such folder: /recordings/missing", hint="mount it")
        frames = {"good": footage(*FULL_DAY, camera="good"), "breaks": breaking(), "bug": bug()}
        return Recording(frames[camera.camera_id], after)

    engine, fault = run(post, open_source)
    try:
        wait_for(lambda: engine.finished)
        assert "no such folder" in fault("missing")
        assert "mount it" in fault("missing")
        assert "cannot decode" in fault("breaks")
        assert fault("bug") == "KeyError"
        assert fault("good") == ""
    finally:
        engine.stop()
    (record,) = post.ledger.events(EventQuery())
    assert record.event.camera_id == "good"
    assert record.event.cleared_at is not None


def test_a_camera_that_comes_back_is_watched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engine.local.REOPEN_AFTER_S", (0.05,))
    post = make_post()
    tries: list[int] = []

    def open_source(_camera: Camera, after: datetime | None, _fault: OnFault) -> CameraSource:
        tries.append(1)
        if len(tries) < 4:
            raise SourceMissing("connection refused")
        return Recording(footage(*FULL_DAY), after)

    engine, fault = run(post, open_source)
    try:
        wait_for(lambda: len(post.told) == 3 and engine.finished)
        assert fault("cam") == ""
    finally:
        engine.stop()


def test_pushed_frames_are_decided_and_other_cameras_take_none() -> None:
    post = make_post(cameras=("pushed", "recorded"))
    ready = threading.Event()

    def open_source(camera: Camera, after: datetime | None, _fault: OnFault) -> CameraSource:
        if camera.camera_id == "pushed":
            ready.set()
            return PushCamera(camera, after=after)
        return Recording(footage(("clear", 1), camera="recorded"), after)

    engine, _fault = run(post, open_source)
    try:
        ready.wait(10)
        wait_for(lambda: engine.offer(Frame("pushed", START, 1, painted("clear"))))
        assert not engine.offer(Frame("recorded", START, 1, painted("clear")))
        assert not engine.offer(Frame("nobody", START, 1, painted("clear")))
    finally:
        engine.stop()


def test_a_recording_waits_for_each_frame_and_a_live_camera_keeps_the_latest() -> None:
    inbox = Inbox()
    first, second, third = (
        Frame("cam", START + timedelta(seconds=n), n, painted("clear")) for n in range(3)
    )
    inbox.put_latest(first)
    inbox.put_latest(second)
    assert inbox.take(8, 0) == [second]
    inbox.put_next(first)
    writer = threading.Thread(target=inbox.put_next, args=(third,))
    writer.start()
    assert inbox.take(8, 1) == [first]
    assert inbox.take(8, 5) == [third]
    writer.join(5)
    assert not inbox.idle(), "what was taken is still being decided"
    inbox.settle()
    assert inbox.idle()


def test_stopping_lets_go_of_everyone_who_waits() -> None:
    post = make_post()

    def open_source(_camera: Camera, after: datetime | None, _fault: OnFault) -> CameraSource:
        return Recording(footage(("clear", 6000)), after)

    engine, _fault = run(post, open_source)
    wait_for(lambda: post.ledger.load_checkpoint("cam") is not None)
    began = time.monotonic()
    engine.stop()
    assert time.monotonic() - began < 5


class Silent:
    """A live camera that gives nothing."""

    live = True

    def __init__(self) -> None:
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        self._closed.wait(60)
        yield from ()

    def close(self) -> None:
        self._closed.set()


@pytest.mark.parametrize(("live", "state"), [(True, "expired"), (False, "confirmed")])
def test_a_live_camera_that_is_away_for_a_day_expires_and_a_recording_does_not(
    monkeypatch: pytest.MonkeyPatch, live: bool, state: str
) -> None:
    monkeypatch.setattr("pipeline.engine.local._TICK_S", 0.0)
    post = make_post()
    decider = post.decider()
    for frame in footage(("clear", 5), ("full", 8)):
        decider.decide([frame])

    def open_source(_camera: Camera, after: datetime | None, _fault: OnFault) -> CameraSource:
        return Silent() if live else Recording(iter(()), after)

    engine, _fault = run(post, open_source, lambda: START + timedelta(days=2))
    try:
        if live:
            wait_for(lambda: len(post.told) == 3)
        else:
            wait_for(lambda: engine.finished)
            time.sleep(2.5)  # two idle rounds of the deciding thread
    finally:
        engine.stop()
    (record,) = post.ledger.events(EventQuery())
    assert record.event.state.value == state
