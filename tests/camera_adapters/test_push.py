from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_adapters import PushCamera
from pipeline.domain import Camera, Frame, utc

At = Callable[[float], datetime]
START = utc("2026-06-01T08:00:00Z").timestamp()
CAMERA = Camera("gate", "push:", look_every_s=5.0)


def frame(seconds: float, camera_id: str = "gate") -> Frame:
    moment = datetime.fromtimestamp(START + seconds, tz=utc("2026-06-01T08:00:00Z").tzinfo)
    return Frame(camera_id, moment, int(seconds * 10), np.zeros((2, 2, 3), np.uint8))


def taken(source: PushCamera, count: int) -> list[float]:
    frames = source.frames()
    return [next(frames).captured_at.timestamp() - START for _ in range(count)]


def test_frames_come_in_the_order_of_their_times() -> None:
    source = PushCamera(CAMERA)
    for seconds in (10, 0, 5):
        assert source.offer(frame(seconds))
    assert taken(source, 3) == [0, 5, 10]


def test_when_full_the_oldest_makes_room() -> None:
    source = PushCamera(CAMERA, capacity=3)
    for seconds in (0, 5, 10, 15):
        assert source.offer(frame(seconds))
    assert not source.offer(frame(1)), "older than all that wait, and there is no room"
    assert taken(source, 3) == [5, 10, 15]


def test_what_is_not_later_than_the_last_taken_is_refused() -> None:
    source = PushCamera(CAMERA)
    source.offer(frame(10))
    assert taken(source, 1) == [10]
    assert not source.offer(frame(10))
    assert not source.offer(frame(5))
    assert source.offer(frame(15))


def test_a_frame_offered_twice_is_taken_once() -> None:
    source = PushCamera(CAMERA)
    assert source.offer(frame(0))
    assert not source.offer(frame(0))


def test_resumed_it_refuses_what_was_handled() -> None:
    source = PushCamera(CAMERA, after=frame(10).captured_at)
    assert not source.offer(frame(10))
    assert source.offer(frame(15))


def test_a_jittering_gateway_loses_no_look_and_a_fast_one_is_thinned() -> None:
    jittering = PushCamera(CAMERA)
    times = [0.0, 4.6, 10.3, 14.8, 20.1]
    for seconds in times:
        jittering.offer(frame(seconds))
    assert taken(jittering, 5) == pytest.approx(times)
    fast = PushCamera(CAMERA, capacity=100)
    for second in range(30):
        fast.offer(frame(second))
    assert len(taken(fast, 6)) == 6


@given(st.lists(st.integers(0, 500), max_size=40))
def test_any_offers_give_rising_times_and_at_most_one_frame_a_look(offers: list[int]) -> None:
    source = PushCamera(CAMERA, capacity=50)
    for seconds in offers:
        source.offer(frame(seconds))
    looks = {(seconds - min(offers) + 2.5) // 5 for seconds in offers}
    times = taken(source, len(looks))
    assert times == sorted(set(times))


def test_a_frame_of_another_camera_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="gate was offered a frame of camera yard"):
        PushCamera(CAMERA).offer(frame(0, "yard"))


def test_it_waits_for_a_frame_and_close_from_another_thread_ends_it() -> None:
    source = PushCamera(CAMERA)
    seen: list[Frame] = []
    got_one = threading.Event()

    def consume() -> None:
        for given_frame in source.frames():
            seen.append(given_frame)
            got_one.set()

    consumer = threading.Thread(target=consume)
    consumer.start()
    source.offer(frame(0))
    assert got_one.wait(5)
    source.close()
    consumer.join(5)
    assert not consumer.is_alive()
    assert len(seen) == 1
    assert not source.offer(frame(5))
