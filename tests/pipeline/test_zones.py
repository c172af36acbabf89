"""What one look says of a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain import (
    CLASSES,
    Camera,
    Detections,
    Observation,
    Quality,
    Zone,
    ZoneKind,
)
from pipeline.zones import inside, observe, unseen, watched_zones, without_ignored

AT = datetime(2026, 6, 1, tzinfo=UTC)
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
BIN = Zone("bin", ZoneKind.BIN, LEFT)
GROUND = Zone("ground", ZoneKind.GROUND, LEFT)


def found(*boxes: tuple[str, float, float, float]) -> Detections:
    """(class, confidence, centre x, width) on a 200×100 frame."""
    return Detections(
        np.array([[x - w / 2, 40, x + w / 2, 60] for _, _, x, w in boxes], np.float32).reshape(
            -1, 4
        ),
        np.array([confidence for _, confidence, _, _ in boxes], np.float32),
        np.array([CLASSES.index(name) for name, _, _, _ in boxes], np.int64),
    )


def look(zone: Zone, *boxes: tuple[str, float, float, float], covered: bool = False) -> Observation:
    return observe(zone, found(*boxes), width=200, height=100, at=AT, covered=covered)


@pytest.mark.parametrize(
    ("boxes", "seen", "score"),
    [
        pytest.param([], False, 0.0, id="nothing at all: something stands in front"),
        pytest.param([("garbage_bin", 0.8, 50, 20)], True, 0.0, id="a closed bin"),
        pytest.param([("overflow", 0.7, 50, 20)], True, 0.7, id="an overflowing bin"),
        pytest.param(
            [("overflow", 0.3, 50, 20), ("overflow", 0.6, 60, 20)],
            True,
            0.6,
            id="the highest of two",
        ),
        pytest.param([("garbage_bin", 0.1, 50, 20)], False, 0.0, id="too unsure to count as seen"),
        pytest.param(
            [("garbage_bin", 0.8, 50, 20), ("overflow", 0.1, 50, 20)],
            True,
            0.1,
            id="a low score counts once the bin is seen",
        ),
        pytest.param([("overflow", 0.9, 150, 20)], False, 0.0, id="in the other half"),
        pytest.param(
            [("garbage", 0.9, 50, 20)], False, 0.0, id="only garbage: the bin is not seen"
        ),
    ],
)
def test_a_bin_zone(boxes: list[tuple[str, float, float, float]], seen: bool, score: float) -> None:
    observation = look(BIN, *boxes)
    assert observation.seen is seen
    assert observation.score == pytest.approx(score)


def test_a_ground_zone_is_seen_unless_covered() -> None:
    assert look(GROUND).seen
    assert look(GROUND, ("garbage", 0.6, 50, 20)).score == pytest.approx(0.6)
    assert not look(GROUND, ("garbage", 0.6, 50, 20), covered=True).seen


def test_spill_is_the_share_of_the_zone_that_garbage_covers_once() -> None:
    observation = look(
        BIN, ("overflow", 0.9, 50, 20), ("garbage", 0.9, 30, 20), ("garbage", 0.9, 35, 20)
    )
    assert observation.spill == pytest.approx(0.25)


def test_a_camera_without_zones_is_watched_whole() -> None:
    (whole,) = watched_zones(Camera("c", "x"))
    assert whole.kind is ZoneKind.BIN
    assert look(whole, ("overflow", 0.9, 199, 2)).score == pytest.approx(0.9)
    hidden = Zone("face", ZoneKind.PRIVACY, LEFT)
    assert watched_zones(Camera("c", "x", (hidden,))) == (whole,)
    assert watched_zones(Camera("c", "x", (hidden, BIN))) == (BIN,)


def test_ignored_parts_make_no_detection() -> None:
    ignored = Zone("poster", ZoneKind.IGNORE, LEFT)
    kept = without_ignored(
        found(("overflow", 0.9, 50, 20), ("overflow", 0.8, 150, 20)), [ignored], 200, 100
    )
    assert kept.confidence.tolist() == [pytest.approx(0.8)]


def test_an_unjudgeable_frame_says_nothing() -> None:
    observation = unseen(BIN, AT, Quality.DARK)
    assert (observation.seen, observation.score, observation.quality) == (False, 0.0, Quality.DARK)


@given(st.floats(-1, 2, width=32), st.floats(-1, 2, width=32))
def test_inside_a_rectangle_is_inside_its_bounds(x: float, y: float) -> None:
    if min(abs(x), abs(x - 0.5), abs(y), abs(y - 1)) < 1e-3:
        return  # on the edge either answer is fine
    answer = bool(inside(np.array([[x, y]], np.float32), LEFT)[0])
    assert answer == (0 < x < 0.5 and 0 < y < 1)


def test_a_concave_polygon_has_its_notch_outside() -> None:
    notched = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))
    points = np.array([[0.5, 0.1], [0.5, 0.8], [0.1, 0.5]], np.float32)
    assert inside(points, notched).tolist() == [True, False, True]
