from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bootstrap import average_precisions, class_figures, draws, interval, intervals
from models.dataset import Truth
from models.evaluation import Judged, Thresholds, class_hits, evaluate, evaluate_class
from pipeline.domain import CLASSES, Detections

HALF = Thresholds(confidence=0.5, image=0.5)
OVERFLOW = CLASSES.index("overflow")


def scene(random: np.random.Generator) -> Judged:
    """A picture with up to three boxes of two classes, and detections that are more or less right."""
    corner = random.uniform(0, 0.6, (random.integers(0, 4), 2))
    boxes = np.concatenate([corner, corner + random.uniform(0.1, 0.4, corner.shape)], axis=1)
    kind = random.integers(0, 2, len(boxes))
    off = random.normal(0, 0.03, boxes.shape)
    found = np.concatenate(
        [
            boxes + off,
            random.uniform(0, 0.4, (2, 2)) @ [[1, 0, 1, 0], [0, 1, 0, 1]] + [0, 0, 0.3, 0.3],
        ]
    )
    confidence = np.sort(random.uniform(0, 1, len(found)))[::-1]
    return Judged(
        Truth(Path("picture.jpg"), boxes, np.where(kind == 0, OVERFLOW, 0)),
        Detections(
            found.astype(np.float32),
            confidence.astype(np.float32),
            np.where(np.append(kind, [0, 1]) == 0, OVERFLOW, 0).astype(np.int64),
        ),
    )


@given(st.integers(0, 2**32 - 1))
def test_a_draw_is_as_good_as_writing_its_pictures_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    pictures = [scene(random) for _ in range(6)]
    weights = draws(len(pictures), 3, random)
    found = class_figures(class_hits(pictures, OVERFLOW), 0.5, weights)
    for row, counts in enumerate(weights):
        written = [one for one, count in zip(pictures, counts, strict=True) for _ in range(count)]
        figures = evaluate_class(class_hits(written, OVERFLOW), 0.5)
        for name, values in found.items():
            expected = getattr(figures, name)
            assert values[row] == pytest.approx(
                np.nan if expected is None else expected, nan_ok=True
            )


def test_a_draw_without_the_class_has_no_figure() -> None:
    random = np.random.default_rng(1)
    pictures = [scene(random) for _ in range(3)]
    nothing = np.zeros((1, 3), np.int64)
    assert np.isnan(average_precisions(class_hits(pictures, OVERFLOW), nothing)).all()


def test_intervals_hold_the_figure_and_shrink_with_more_pictures() -> None:
    random = np.random.default_rng(2)
    widths = []
    for count in (40, 640):
        pictures = [scene(random) for _ in range(count)]
        figures = evaluate(pictures, HALF)
        limits = intervals(pictures, HALF, draws(count, 200, random))["map50"]
        assert limits is not None
        assert limits[0] < figures.map50 < limits[1]
        widths.append(limits[1] - limits[0])
    assert widths[1] < widths[0] / 2


def test_the_same_seed_gives_the_same_intervals() -> None:
    pictures = [scene(np.random.default_rng(3)) for _ in range(5)]
    one, other = (
        intervals(pictures, HALF, draws(5, 20, np.random.default_rng(0))) for _ in range(2)
    )
    assert one == other


def test_an_interval_is_the_middle_of_what_is_known() -> None:
    assert interval(np.append(np.linspace(0, 1, 1001), np.nan)) == pytest.approx((0.025, 0.975))
    assert interval(np.array([np.nan])) is None


def test_every_draw_has_as_many_pictures_as_the_set() -> None:
    assert (draws(7, 50, np.random.default_rng(4)).sum(axis=1) == 7).all()
