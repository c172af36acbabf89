from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.loading import BUNDLED, load_detector
from models.openvino_runtime import OpenVinoDetector
from pipeline.domain import CLASSES, Detections, Detector, Image


class SquareFinder:
    """A detector that finds the plain red squares of `picture_of`: exact, and known to be exact."""

    classes = CLASSES
    model_hash = "f" * 64

    def __init__(self, confidence: float = 0.9) -> None:
        self._confidence = confidence

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Image) -> Detections:
        red = (frame[:, :, 2] > 150) & (frame[:, :, 1] < 100)
        rows, columns = np.nonzero(red)
        if not len(rows):
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(
            np.array([box], np.float32),
            np.array([self._confidence], np.float32),
            np.array([CLASSES.index("overflow")], np.int64),
        )


def picture_of(square: bool, size: tuple[int, int] = (96, 64)) -> Image:
    """A grey picture of width × height, with or without a red square from 25 % to 75 %."""
    width, height = size
    picture = np.full((height, width, 3), 120, np.uint8)
    if square:
        picture[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = (0, 0, 230)
    return picture


def write_picture(path: Path, picture: Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)
    return path


@pytest.fixture
def square_finder() -> Detector:
    return SquareFinder()


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A data set of six pictures a split: three overflowing (a red square), three clear bins."""
    for split in ("val", "test"):
        for number in range(6):
            name = f"{number:02}"
            write_picture(tmp_path / split / "images" / f"{name}.png", picture_of(number < 3))
            label = tmp_path / split / "labels" / f"{name}.txt"
            label.parent.mkdir(exist_ok=True)
            label.write_text(f"{2 if number < 3 else 1} 0.5 0.5 0.5 0.5\n")
    return tmp_path


@pytest.fixture(scope="session")
def bundled() -> Path:
    return BUNDLED


@pytest.fixture
def picture() -> Callable[..., Image]:
    """`picture_of`, for tests."""
    return picture_of


@pytest.fixture(scope="session")
def detector(bundled: Path) -> Detector:
    found = load_detector(bundled, threads=1)
    assert isinstance(found, OpenVinoDetector)
    return found
