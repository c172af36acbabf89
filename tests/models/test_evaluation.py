from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.dataset import Truth
from models.evaluation import (
    OVERLAPS,
    Judged,
    Thresholds,
    average_precision,
    choose_thresholds,
    evaluate,
    f1,
    judge,
    match,
)
from pipeline.domain import CLASSES, Detections, Detector
from pipeline.errors import ConfigError

HALF = Thresholds(confidence=0.5, image=0.5)
HERE = (0.25, 0.25, 0.75, 0.75)
ELSEWHERE = (0.0, 0.0, 0.1, 0.1)


def judged(
    truth: list[tuple[str, tuple[float, ...]]], found: list[tuple[str, tuple[float, ...], float]]
) -> Judged:
    return Judged(
        Truth(
            Path("picture.jpg"),
            np.array([box for _, box in truth], np.float64).reshape(-1, 4),
            np.array([CLASSES.index(name) for name, _ in truth], np.int64),
        ),
        Detections(
            np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
            np.array([confidence for *_, confidence in found], np.float32),
            np.array([CLASSES.index(name) for name, *_ in found], np.int64),
        ),
    )


@pytest.mark.parametrize(
    ("hits", "truths", "expected"),
    [
        ([True, True], 2, 1.0),
        ([False, False], 2, 0.0),
        ([], 3, 0.0),
        # Found one of two: precision 1 up to recall 0.5, that is at 51 of the 101 recalls.
        ([True], 2, 51 / 101),
        # A false one first: precision 0.5 at every recall.
        ([False, True], 1, 0.5),
        # A false one last takes nothing away.
        ([True, False], 1, 1.0),
        # 51 recalls at precision 1, the other 50 at 2/3.
        ([True, False, True], 2, (51 + 50 * 2 / 3) / 101),
    ],
)
def test_average_precision_of_hand_made_cases(
    hits: list[bool], truths: int, expected: float
) -> None:
    confidence = np.linspace(0.9, 0.1, len(hits))
    found = average_precision(np.array(hits, bool), confidence, truths)
    assert found == pytest.approx(expected)


def test_average_precision_does_not_depend_on_the_order_of_the_list() -> None:
    hits, confidence = np.array([False, True, True]), np.array([0.2, 0.9, 0.5])
    assert average_precision(hits, confidence, 2) == 1.0


def test_a_true_box_is_claimed_once() -> None:
    truth = np.array([HERE])
    found = np.array([HERE, HERE], np.float32)
    assert match(truth, found, np.array([0.5])).tolist() == [[0], [-1]]


def test_a_box_half_right_is_a_hit_at_low_overlaps_only() -> None:
    truth = np.array([[0.0, 0.0, 1.0, 1.0]])
    found = np.array([[0.0, 0.0, 1.0, 0.7]])  # shares 0.7
    hits = match(truth, found, OVERLAPS)[0]
    assert hits.tolist() == [0 if overlap <= 0.7 else -1 for overlap in OVERLAPS]


def test_a_perfect_detector_scores_one() -> None:
    pictures = [
        judged([("overflow", HERE)], [("overflow", HERE, 0.9)]),
        judged([("garbage_bin", HERE)], [("garbage_bin", HERE, 0.8)]),
        judged([("garbage", HERE)], [("garbage", HERE, 0.7)]),
    ]
    figures = evaluate(pictures, HALF)
    assert (figures.map50, figures.map50_95, figures.image_f1) == pytest.approx((1, 1, 1))
    assert all((one.precision, one.recall) == (1, 1) for one in figures.classes.values())


def test_a_silent_detector_scores_nothing() -> None:
    figures = evaluate([judged([("overflow", HERE)], [])], HALF)
    assert (figures.map50, figures.image_f1) == (0, 0)
    assert figures.classes["overflow"].recall == 0
    assert figures.classes["overflow"].precision == 0


def test_a_class_that_is_not_in_the_split_has_no_figures_and_does_not_count() -> None:
    figures = evaluate([judged([("overflow", HERE)], [("overflow", HERE, 0.9)])], HALF)
    assert figures.classes["garbage"].ap50 is None
    assert figures.as_json()["classes"]["garbage"] == {
        "ap50": None,
        "precision": None,
        "recall": None,
        "ap50_95": None,
    }
    assert figures.map50 == pytest.approx(1)


def test_precision_and_recall_are_taken_at_the_threshold() -> None:
    picture = judged(
        [("overflow", HERE), ("overflow", (0.8, 0.8, 0.9, 0.9))],
        [("overflow", HERE, 0.9), ("overflow", ELSEWHERE, 0.6), ("overflow", ELSEWHERE, 0.4)],
    )
    overflow = evaluate([picture], HALF).classes["overflow"]
    assert (overflow.precision, overflow.recall) == (0.5, 0.5)


def test_image_f1_asks_whether_anything_overflows_or_is_littered() -> None:
    pictures = [
        judged([("overflow", HERE)], [("overflow", ELSEWHERE, 0.9)]),  # yes, box or not
        judged([("garbage", HERE)], [("overflow", HERE, 0.9)]),  # yes
        judged([("garbage_bin", HERE)], [("garbage_bin", HERE, 0.9)]),  # rightly no
        judged([("garbage_bin", HERE)], [("garbage", HERE, 0.9)]),  # wrongly yes
    ]
    assert evaluate(pictures, HALF).image_f1 == pytest.approx(0.8)


def test_f1_of_nothing_to_find_is_zero() -> None:
    assert f1(np.array([False]), np.array([False])) == 0


def test_thresholds_separate_what_can_be_separated() -> None:
    pictures = [
        judged([("overflow", HERE)], [("overflow", HERE, 0.6)]),
        judged([("garbage_bin", HERE)], [("overflow", HERE, 0.3)]),
    ]
    thresholds = choose_thresholds(pictures)
    assert 0.3 < thresholds.confidence <= 0.6
    assert 0.3 < thresholds.image <= 0.6


def test_a_whole_split_is_judged(squares: Path, square_finder: Detector) -> None:
    pictures = list(judge(square_finder, squares, "test"))
    figures = evaluate(pictures, HALF)
    assert figures.images == 6
    assert figures.classes["overflow"].ap50 == pytest.approx(1)
    assert figures.classes["garbage_bin"].ap50 == 0
    assert figures.image_f1 == 1


def test_the_agreed_form_begins_with_the_agreed_keys(
    squares: Path, square_finder: Detector
) -> None:
    figures = evaluate(list(judge(square_finder, squares, "test")), HALF)
    content = figures.as_json()
    assert list(content)[:5] == ["images", "classes", "map50", "map50_95", "image_f1"]
    assert list(content["classes"]) == list(CLASSES)
    assert list(content["classes"]["overflow"])[:3] == ["ap50", "precision", "recall"]
    assert content["classes"]["overflow"]["ap50_95"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("label", "complaint"),
    [
        ("2 0.5 0.5 0.5", "01.txt:1: 4 values, expected 5"),
        ("1 0.5 0.5 0.5 0.5\n\n7 0.5 0.5 0.5 0.5", "01.txt:3: class 7, expected 0 to 2"),
        ("2 0.5 half 0.5 0.5", "01.txt:1: not a number"),
        ("2 0.5 0.5 1.5 0.5", "01.txt:1: box 0.5 0.5 1.5 0.5 is empty or leaves the picture"),
        ("2 nan 0.5 0.5 0.5", "01.txt:1: box nan"),
        ("2 0.5 0.5 0 0.5", "01.txt:1: box 0.5 0.5 0 0.5 is empty"),
    ],
)
def test_a_bad_label_is_named_with_its_line(
    squares: Path, square_finder: Detector, label: str, complaint: str
) -> None:
    (squares / "test" / "labels" / "01.txt").write_text(label)
    with pytest.raises(ConfigError, match=complaint):
        list(judge(square_finder, squares, "test"))


def test_a_picture_without_labels_is_an_empty_scene(squares: Path, square_finder: Detector) -> None:
    (squares / "test" / "labels" / "05.txt").unlink()
    assert len(list(judge(square_finder, squares, "test"))) == 6


def test_a_damaged_picture_is_named(squares: Path, square_finder: Detector) -> None:
    damaged = squares / "test" / "images" / "02.png"
    damaged.write_bytes(damaged.read_bytes()[:20])
    with pytest.raises(ConfigError, match=r"02\.png"):
        list(judge(square_finder, squares, "test"))


def test_a_missing_split_is_named_with_those_that_are_there(
    squares: Path, square_finder: Detector
) -> None:
    with pytest.raises(ConfigError, match=r"'train' has no pictures(.|\n)*val, test"):
        list(judge(square_finder, squares, "train"))


def test_the_other_layout_is_read_too(squares: Path, square_finder: Detector) -> None:
    for kind in ("images", "labels"):
        (squares / kind).mkdir()
        (squares / "test" / kind).rename(squares / kind / "test")
    assert len(list(judge(square_finder, squares, "test"))) == 6


def test_weights_with_other_classes_are_refused(squares: Path, square_finder: Detector) -> None:
    square_finder.classes = ("cat",)
    with pytest.raises(ConfigError, match="cat"):
        list(judge(square_finder, squares, "test"))


def test_boxes_do_not_depend_on_the_pictures_size(squares: Path, square_finder: Detector) -> None:
    (one, *_) = judge(square_finder, squares, "test")
    np.testing.assert_allclose(one.found.boxes, [HERE], atol=0.02)
    wrong = replace(one.found, boxes=one.found.boxes + np.float32(0.5))
    assert evaluate([Judged(one.truth, wrong)], HALF).map50 == 0
