"""Between a frame and the network: fitting the picture in, reading the boxes out. NumPy and OpenCV.

Both runtimes share this module, so that a `.pt` and its export give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain import Detections, Image

FLOOR = 0.05
"""Lowest confidence that is reported. Low scores carry evidence for the belief filter, so it is far
under what one would draw; lower still costs time in suppression and says nothing."""

OVERLAP = 0.6
"""Two boxes of one class that share more than this (intersection over union) are one thing. Too low
joins bins that stand side by side, too high reports one bin twice."""

MAX_BOXES = 100

STRIDE = 32
"""Pixels of input a cell of the network's coarsest map stands for (YOLOv5's P5)."""

_MAX_CANDIDATES = 3000
"""Most boxes per class that go into suppression: beyond, its cost grows and nothing is found."""

_GREY = 114
"""Padding value that the network was trained with (ultralytics' letterbox)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a frame was fitted into the network's input: scaled, then padded left and on top."""

    scale: float
    left: int
    top: int
    width: int
    height: int


def letterbox(frame: Image, size: int) -> tuple[Image, Fit]:
    """The frame scaled so that its longer side is ``size`` pixels, on as little grey as may be (BGR).

    Its shape is kept; both sides are padded to multiples of 32, the network's coarsest step. A 16:9
    frame so costs 256 rows where a square would cost 416.
    """
    height, width = frame.shape[:2]
    scale = min(size / width, size / height)
    new_width = max(1, round(width * scale))
    new_height = max(1, round(height * scale))
    full_width = -(-new_width // STRIDE) * STRIDE
    full_height = -(-new_height // STRIDE) * STRIDE
    left, top = (full_width - new_width) // 2, (full_height - new_height) // 2
    scaled = _shrink(frame, new_width, new_height)
    padded = np.full((full_height, full_width, 3), _GREY, np.uint8)
    padded[top : top + new_height, left : left + new_width] = scaled
    return padded, Fit(scale, left, top, width, height)


def _shrink(frame: Image, width: int, height: int) -> Image:
    """The frame at ``width`` × ``height`` pixels, without the shimmer of mere sampling.

    Halved by averaging as often as it can be, then interpolated: on a 1080p frame a sixth of the
    cost of one resize by area (1.0 against 6.2 ms), and as steady from look to look.
    """
    while frame.shape[1] >= 2 * width and frame.shape[0] >= 2 * height:
        half = (frame.shape[1] // 2, frame.shape[0] // 2)
        frame = cv2.resize(frame, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    if frame.shape[:2] == (height, width):
        return frame
    resized = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


def read_boxes(
    raw: NDArray[np.float32],
    fit: Fit,
    classes: tuple[str, ...],
    *,
    floor: float = FLOOR,
    overlap: float = OVERLAP,
    max_boxes: int = MAX_BOXES,
) -> Detections:
    """The network's raw answer for one picture as `Detections` in the frame's pixels.

    ``raw`` is (4 + classes)×anchors: centre x, centre y, width, height in pixels of the padded
    input, then a confidence for each class. One place may answer for two classes (a bin that is
    also overflowing): both are kept, suppression is within a class. Boxes are clipped to the frame,
    and those that have no area there are dropped.
    """
    scores = raw[4:]
    class_index, anchor = np.nonzero(scores > floor)
    confidence = scores[class_index, anchor]
    centre_x, centre_y, width, height = raw[:4, anchor]
    boxes = np.stack(
        [
            (centre_x - width / 2 - fit.left) / fit.scale,
            (centre_y - height / 2 - fit.top) / fit.scale,
            (centre_x + width / 2 - fit.left) / fit.scale,
            (centre_y + height / 2 - fit.top) / fit.scale,
        ],
        axis=1,
    ).astype(np.float32)
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, fit.width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, fit.height)
    whole = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    boxes, confidence, class_index = boxes[whole], confidence[whole], class_index[whole]
    kept = suppress(boxes, confidence, class_index, overlap=overlap)[:max_boxes]
    return Detections(
        boxes[kept],
        confidence[kept].astype(np.float32),
        class_index[kept].astype(np.int64),
        classes,
    )


def suppress(
    boxes: NDArray[np.float32],
    confidence: NDArray[np.float32],
    class_index: NDArray[np.int64],
    *,
    overlap: float = OVERLAP,
) -> NDArray[np.int64]:
    """Indices of the boxes that stay, best first: non-maximum suppression within each class.

    Greedy: the best box stays, every other of its class that shares more than ``overlap`` with it
    goes, and so on. Ties keep the order in which the boxes came.
    """
    kept = [
        _suppress_one_class(boxes, confidence, np.flatnonzero(class_index == one), overlap)
        for one in np.unique(class_index)
    ]
    if not kept:
        return np.zeros(0, np.int64)
    indices = np.sort(np.concatenate(kept))
    return indices[np.argsort(-confidence[indices], kind="stable")]


def _suppress_one_class(
    boxes: NDArray[np.float32],
    confidence: NDArray[np.float32],
    members: NDArray[np.int64],
    overlap: float,
) -> NDArray[np.int64]:
    left = members[np.argsort(-confidence[members], kind="stable")][:_MAX_CANDIDATES]
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[overlaps(boxes[best : best + 1], boxes[left])[0] <= overlap]
    return np.array(kept, np.int64)


def overlaps(some: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of every box of ``some`` (N×4) with every one of ``others`` (M×4).

    N×M values in 0..1; two boxes without area share nothing.
    """
    some, others = some.astype(np.float64), others.astype(np.float64)
    top_left = np.maximum(some[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.prod((bottom_right - top_left).clip(0), axis=2)
    area = np.prod(some[:, 2:] - some[:, :2], axis=1)
    other_area = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = area[:, None] + other_area[None, :] - shared
    result: NDArray[np.float64] = np.divide(
        shared, union, out=np.zeros_like(shared), where=union > 0
    )
    return result
