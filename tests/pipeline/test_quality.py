"""Which pictures can be judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.domain import Image, Quality
from pipeline.pictures import decode_picture
from pipeline.quality import QualityRules, Sameness, judge, sameness, small_grey

START = datetime(2026, 6, 1, tzinfo=UTC)


def street(seed: int = 0) -> Image:
    """A scene with edges at all scales and some noise."""
    random = np.random.default_rng(seed)
    image = np.full((360, 640, 3), 120, np.uint8)
    for _ in range(60):
        x, y = random.integers(0, 600), random.integers(0, 330)
        colour = tuple(int(value) for value in random.integers(30, 220, 3))
        cv2.rectangle(image, (int(x), int(y)), (int(x) + 40, int(y) + 30), colour, -1)
    noise = random.normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def quality(image: Image, same_for: timedelta = timedelta(0)) -> Quality:
    grey = small_grey(image)
    return judge(grey, sameness(grey, None, START), START + same_for)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(street(), Quality.OK, id="a street"),
        pytest.param((street() // 12), Quality.DARK, id="no light"),
        pytest.param(np.maximum(street(), 245), Quality.BRIGHT, id="a headlamp in the lens"),
        pytest.param(np.full((360, 640, 3), 90, np.uint8), Quality.BLOCKED, id="tape on the lens"),
        pytest.param(
            cv2.GaussianBlur(street(), (0, 0), 8).astype(np.uint8), Quality.BLURRED, id="a wet lens"
        ),
    ],
)
def test_judge(image: Image, expected: Quality) -> None:
    assert quality(image) is expected


def test_the_same_picture_for_half_an_hour_is_frozen_and_not_before() -> None:
    image = street()
    assert quality(image, timedelta(minutes=29)) is Quality.OK
    assert quality(image, timedelta(minutes=30)) is Quality.FROZEN


def test_a_new_picture_starts_the_count_anew() -> None:
    first = sameness(small_grey(street(1)), None, START)
    again = sameness(small_grey(street(1)), first, START + timedelta(minutes=10))
    other = sameness(small_grey(street(2)), again, START + timedelta(minutes=20))
    assert again == first
    assert other.since == START + timedelta(minutes=20)
    assert isinstance(other, Sameness)


def test_the_limits_are_parameters() -> None:
    grey = small_grey(street())
    assert (
        judge(grey, sameness(grey, None, START), START, QualityRules(dark_p99=256)) is Quality.DARK
    )


def test_a_small_picture_is_not_enlarged() -> None:
    assert small_grey(street()[:90, :160]).shape == (90, 160)
    assert small_grey(street()).shape == (180, 320)


def test_no_real_picture_is_lost(shared_data: Path) -> None:
    folder = shared_data / "datasets" / "bin-overflow-cn" / "test" / "images"
    lost = {
        path.name: judged.value
        for path in sorted(folder.iterdir())
        if (judged := quality(decode_picture(path.read_bytes()))) is not Quality.OK
    }
    assert not lost
