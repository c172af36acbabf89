"""When the detector is asked to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from pipeline.change import Reference, changed, covered, grid, zone_mask
from pipeline.domain import Image, Zone, ZoneKind
from pipeline.quality import small_grey

START = datetime(2026, 6, 1, tzinfo=UTC)
SOON = START + timedelta(seconds=5)
ZONE = Zone("z", ZoneKind.BIN, ((0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)))


def scene(seed: int = 0, light: float = 1.0, offset: float = 0.0, noise: float = 3.0) -> Image:
    image = np.full((360, 640, 3), 110, np.uint8)
    cv2.rectangle(image, (260, 150), (340, 300), (60, 140, 60), -1)
    cv2.rectangle(image, (0, 0), (640, 90), (160, 165, 170), -1)
    cv2.rectangle(image, (40, 120), (130, 330), (70, 70, 75), -1)
    grain = np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(image * light + offset + grain, 0, 255).astype(np.uint8)


def cells(image: Image) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return grid(small_grey(image))


def is_changed(before: Image, now: Image, at: datetime = SOON) -> bool:
    first = cells(before)
    return changed(cells(now), at, Reference(first, START), zone_mask((ZONE,), first.shape))


def with_bag(image: Image, x: int = 360, y: int = 260, size: int = 24) -> Image:
    image = image.copy()
    cv2.circle(image, (x, y), size // 2, (230, 230, 235), -1)
    return image


@pytest.mark.parametrize("noise", [1.0, 3.0, 8.0, 15.0])
def test_noise_is_no_change(noise: float) -> None:
    assert not is_changed(scene(1, noise=noise), scene(2, noise=noise))


@pytest.mark.parametrize(("light", "offset"), [(0.75, 0), (1.25, 0), (1.0, 18), (0.9, -10)])
def test_a_cloud_or_a_lamp_is_no_change(light: float, offset: float) -> None:
    assert not is_changed(scene(1), scene(2, light=light, offset=offset))


@pytest.mark.parametrize("noise", [1.0, 3.0, 8.0])
def test_a_bag_beside_the_bin_is_a_change(noise: float) -> None:
    assert is_changed(scene(1, noise=noise), with_bag(scene(2, noise=noise)))


def test_what_happens_outside_the_zones_is_none_of_our_business() -> None:
    assert not is_changed(scene(1), with_bag(scene(2), x=560, y=200, size=60))


def test_the_first_look_another_size_and_a_due_refresh_always_count() -> None:
    first = cells(scene(1))
    mask = zone_mask((ZONE,), first.shape)
    assert changed(first, START, None, mask)
    assert changed(first, START + timedelta(minutes=5), Reference(first, START), mask)
    other = Reference(first[:60], START)
    assert changed(first, SOON, other, mask)


def test_slow_drift_adds_up_because_the_reference_stays() -> None:
    reference = cells(scene(0))
    mask = zone_mask((ZONE,), reference.shape)
    answers = []
    for step in range(20):
        image = scene(step)
        cv2.rectangle(image, (260, 150), (340, 150 + 6 * step), (60 + 5 * step,) * 3, -1)
        answers.append(changed(cells(image), SOON, Reference(reference, START), mask))
    assert not answers[0]
    assert answers[-1]


def test_a_car_on_the_ground_zone_covers_it_and_litter_does_not() -> None:
    background = Reference(cells(scene(1)), START)
    mask = zone_mask((ZONE,), background.grid.shape)
    car = scene(2)
    cv2.rectangle(car, (150, 80), (520, 340), (30, 30, 200), -1)
    assert covered(cells(car), SOON, background, mask)
    assert not covered(cells(with_bag(scene(3))), SOON, background, mask)
    assert not covered(cells(car), START + timedelta(minutes=30), background, mask), (
        "what stands there for half an hour is the new ground"
    )
    assert not covered(cells(car), SOON, None, mask)
