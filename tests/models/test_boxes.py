from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.boxes import STRIDE, letterbox, overlaps, read_boxes, suppress

COUNT = st.integers(0, 30)


@st.composite
def boxes_with_scores(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(COUNT)
    corners = draw(arrays.arrays(np.float32, (count, 2), elements=st.floats(0, 80, width=32)))
    sizes = draw(arrays.arrays(np.float32, (count, 2), elements=st.floats(1, 40, width=32)))
    confidence = draw(arrays.arrays(np.float32, count, elements=st.floats(0, 1, width=32)))
    class_index = draw(arrays.arrays(np.int64, count, elements=st.integers(0, 2)))
    return np.concatenate([corners, corners + sizes], axis=1), confidence, class_index


@settings(deadline=None)  # a busy machine is not a slow algorithm
@given(boxes_with_scores())
def test_what_stays_shares_little_with_what_stays_of_its_class(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    boxes, confidence, class_index = case
    kept = suppress(boxes, confidence, class_index, overlap=0.5)
    for one in np.unique(class_index):
        same = kept[class_index[kept] == one]
        shared = overlaps(boxes[same], boxes[same])
        np.fill_diagonal(shared, 0)
        assert (shared <= 0.5).all()


@settings(deadline=None)  # a busy machine is not a slow algorithm
@given(boxes_with_scores())
def test_what_goes_had_a_better_one_of_its_class_on_it(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    boxes, confidence, class_index = case
    kept = suppress(boxes, confidence, class_index, overlap=0.5)
    for gone in set(range(len(boxes))) - set(kept.tolist()):
        rivals = kept[
            (class_index[kept] == class_index[gone]) & (confidence[kept] >= confidence[gone])
        ]
        assert (overlaps(boxes[gone : gone + 1], boxes[rivals]) > 0.5).any()


@settings(deadline=None)  # a busy machine is not a slow algorithm
@given(boxes_with_scores())
def test_the_best_come_first_and_none_comes_twice(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    kept = suppress(*case)
    assert (np.diff(case[1][kept]) <= 0).all()
    assert len(set(kept.tolist())) == len(kept)


@settings(deadline=None)  # a busy machine is not a slow algorithm
@given(boxes_with_scores())
def test_suppressing_what_stayed_changes_nothing(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    boxes, confidence, class_index = case
    kept = suppress(boxes, confidence, class_index)
    again = suppress(boxes[kept], confidence[kept], class_index[kept])
    assert len(again) == len(kept)


def test_a_bin_and_its_overflow_may_share_one_place() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    kept = suppress(boxes, np.array([0.9, 0.8], np.float32), np.array([1, 2]))
    assert kept.tolist() == [0, 1]


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([[0, 0, 2, 2]], np.float32)
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(overlaps(one, others), [[1, 1 / 3, 0, 0]])


@pytest.mark.parametrize(
    ("width", "height", "input_shape"),
    [
        (1920, 1080, (256, 416)),
        (1080, 1920, (416, 256)),
        (640, 640, (416, 416)),
        (2560, 1440, (256, 416)),
        (4000, 40, (32, 416)),
        (1, 1, (416, 416)),
    ],
)
def test_a_frame_is_fitted_whole_with_little_padding(
    width: int, height: int, input_shape: tuple[int, int]
) -> None:
    padded, fit = letterbox(np.zeros((height, width, 3), np.uint8), 416)
    assert padded.shape[:2] == input_shape
    assert all(side % STRIDE == 0 for side in padded.shape[:2])
    assert (fit.width, fit.height) == (width, height)


@settings(deadline=None)  # a busy machine is not a slow algorithm
@given(st.integers(40, 2000), st.integers(40, 2000))
def test_a_box_comes_back_to_where_it_was_in_the_frame(width: int, height: int) -> None:
    _, fit = letterbox(np.zeros((height, width, 3), np.uint8), 416)
    wanted = np.array([0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height])
    x1, y1, x2, y2 = wanted * fit.scale + [fit.left, fit.top, fit.left, fit.top]
    raw = np.array([[(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0, 0, 0.8]], np.float32).T
    found = read_boxes(raw, fit, ("a", "b", "c"))
    np.testing.assert_allclose(found.boxes[0], wanted, atol=0.05)
    assert found.class_index.tolist() == [2]


def test_boxes_are_clipped_to_the_frame_and_those_outside_are_dropped() -> None:
    _, fit = letterbox(np.zeros((416, 416, 3), np.uint8), 416)
    inside_out = [0, 0, 100, 100, 0.9]  # a quarter of it is in the frame
    outside = [-200, -200, 50, 50, 0.9]
    found = read_boxes(np.array([inside_out, outside], np.float32).T, fit, ("a",))
    assert found.boxes.tolist() == [[0, 0, 50, 50]]


def test_no_more_boxes_than_asked_for_and_none_under_the_floor() -> None:
    _, fit = letterbox(np.zeros((416, 416, 3), np.uint8), 416)
    raw = np.zeros((5, 50), np.float32)
    raw[0] = raw[1] = np.arange(50) * 8
    raw[2:4] = 6
    raw[4] = np.linspace(0, 1, 50)
    found = read_boxes(raw, fit, ("a",), floor=0.5, max_boxes=10)
    assert len(found) == 10
    assert found.confidence.min() > 0.5
    assert found.confidence[0] == 1
