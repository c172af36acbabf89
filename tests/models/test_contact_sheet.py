from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.contact_sheet import Mistake, draw_sheet, mistakes, worst_mistakes
from models.dataset import Truth
from models.evaluation import Judged, judge
from pipeline.domain import CLASSES, Detections, Detector

Box = tuple[float, float, float, float]
LEFT: Box = (0.0, 0.0, 0.4, 0.4)
RIGHT: Box = (0.6, 0.6, 1.0, 1.0)
SPECK: Box = (0.5, 0.1, 0.52, 0.12)


def judged(
    true: list[tuple[str, Box]], said: list[tuple[str, float, Box]], picture: str = "a.png"
) -> Judged:
    truth = Truth(
        Path(picture),
        np.array([box for _, box in true], np.float64).reshape(-1, 4),
        np.array([CLASSES.index(name) for name, _ in true], np.int64),
    )
    found = Detections(
        np.array([box for *_, box in said], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in said], np.float32),
        np.array([CLASSES.index(name) for name, *_ in said], np.int64),
    )
    return Judged(truth, found)


def titles(found: list[Mistake]) -> list[str]:
    return [one.title for one in found]


@pytest.mark.parametrize(
    ("true", "said", "wrong"),
    [
        ([("overflow", LEFT)], [("overflow", 0.9, LEFT)], []),
        ([], [], []),
        ([("overflow", LEFT)], [], ["missed overflow"]),
        ([("overflow", LEFT)], [("overflow", 0.4, LEFT)], ["missed overflow"]),
        ([], [("garbage", 0.8, LEFT)], ["invented garbage (0.80)"]),
        (
            [("garbage_bin", LEFT)],
            [("overflow", 0.7, LEFT)],
            ["missed garbage_bin", "overflow for garbage_bin (0.70)"],
        ),
        (  # a bin that overflows too is right, a second bin beside it is not confused with it
            [("garbage_bin", LEFT), ("overflow", LEFT)],
            [("overflow", 0.7, LEFT), ("garbage_bin", 0.9, LEFT), ("garbage_bin", 0.6, RIGHT)],
            ["invented garbage_bin (0.60)"],
        ),
        (  # one true box is claimed once: by the surer answer
            [("overflow", LEFT)],
            [("overflow", 0.6, LEFT), ("overflow", 0.9, LEFT)],
            ["invented overflow (0.60)"],
        ),
    ],
)
def test_what_counts_as_which_mistake(
    true: list[tuple[str, Box]], said: list[tuple[str, float, Box]], wrong: list[str]
) -> None:
    assert titles(list(mistakes(judged(true, said), 0.5))) == wrong


def test_the_worst_come_first_and_kinds_take_turns() -> None:
    pictures = [
        judged([], [("garbage", 0.6, LEFT)], "faint.png"),
        judged([], [("garbage", 0.9, LEFT)], "sure.png"),
        judged([("overflow", SPECK)], [], "speck.png"),
        judged([("overflow", LEFT)], [], "big.png"),
        judged([("overflow", LEFT)], [("overflow", 0.45, LEFT)], "nearly.png"),
    ]
    found = worst_mistakes(pictures, 0.5, 4)
    assert [one.judged.truth.picture.stem for one in found] == ["big", "sure", "speck", "faint"]


def test_no_picture_is_shown_twice() -> None:
    one = judged([("overflow", LEFT)], [("garbage", 0.9, RIGHT), ("garbage", 0.8, SPECK)])
    assert titles(worst_mistakes([one], 0.5, 9)) == ["missed overflow"]


def test_the_sheet_has_a_tile_a_mistake_and_shows_the_box_in_question(
    squares: Path, square_finder: Detector
) -> None:
    found = worst_mistakes(list(judge(square_finder, squares, "val")), 0.5, 9)
    assert titles(found) == ["missed garbage_bin"] * 3  # the finder knows no bins
    sheet = draw_sheet(found, 0.5, columns=2)
    one = draw_sheet(found[:1], 0.5)
    assert sheet.shape == (one.shape[0] * 2, one.shape[1] * 2, 3)
    assert (sheet[one.shape[0] :, one.shape[1] :] == 255).all()  # the fourth place is empty
    left, right = np.hsplit(one, 2)
    green = [int(cv2.inRange(half, (85, 175, 55), (95, 185, 65)).sum()) for half in (left, right)]
    assert green[0] > 0 == green[1]


def test_a_detector_without_mistakes_has_a_sheet_too() -> None:
    assert draw_sheet([], 0.5).ndim == 3


def test_a_twin_s_layout_works_as_well(
    squares: Path, square_finder: Detector, tmp_path: Path
) -> None:
    twin = tmp_path / "twin"
    for kind in ("images", "labels"):
        (twin / kind).mkdir(parents=True)
        (squares / "val" / kind).rename(twin / kind / "val")
    found = worst_mistakes(list(judge(square_finder, twin, "val")), 0.5, 9)
    assert draw_sheet(found, 0.5).size > 0
