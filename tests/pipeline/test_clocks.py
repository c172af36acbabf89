"""Clocks that can be trusted with the order of frames."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.clocks import FootageClock, SteadyClock

START = datetime(2026, 6, 1, tzinfo=UTC)


class Hands:
    """A wall clock and a monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.wall, self.seconds = START, 100.0

    def pass_time(self, seconds: float, *, jump: float = 0) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds + jump)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_a_clock_that_is_set_back_goes_on_at_its_pace(hands: Hands) -> None:
    clock = SteadyClock(lambda: hands.wall, lambda: hands.seconds)
    hands.pass_time(10, jump=-3600)
    assert clock() == START + timedelta(seconds=10)
    hands.pass_time(5)
    assert clock() == START + timedelta(seconds=15)


def test_a_clock_that_is_set_forward_is_followed(hands: Hands) -> None:
    clock = SteadyClock(lambda: hands.wall, lambda: hands.seconds)
    hands.pass_time(1, jump=3600)
    assert clock() == START + timedelta(seconds=3601)


def test_footage_plays_faster_than_it_was_recorded(hands: Hands) -> None:
    clock = FootageClock(START, 60, lambda: hands.seconds)
    hands.pass_time(2)
    assert clock() == START + timedelta(minutes=2)


def test_footage_that_was_interrupted_goes_on_from_there(hands: Hands) -> None:
    clock = FootageClock(START, 60, lambda: hands.seconds)
    hands.pass_time(1)
    clock.skip_to(START + timedelta(minutes=30))
    hands.pass_time(2)
    assert clock() == START + timedelta(minutes=32)


def test_a_frame_waits_for_its_time_and_a_stop_ends_the_wait() -> None:
    clock = FootageClock(START, 100)
    began = time.monotonic()
    clock.wait_until(START + timedelta(seconds=20), threading.Event())
    assert time.monotonic() - began >= 0.15
    stop = threading.Event()
    stop.set()
    clock.wait_until(START + timedelta(days=1), stop)
    assert time.monotonic() - began < 30


def test_speed_zero_holds_nothing_back_and_shows_the_newest_frame() -> None:
    clock = FootageClock(START, 0)
    clock.wait_until(START + timedelta(minutes=9), threading.Event())
    clock.wait_until(START + timedelta(minutes=8), threading.Event())
    assert clock() == START + timedelta(minutes=9)
    with pytest.raises(ValueError, match="at least 0"):
        FootageClock(START, -1)
