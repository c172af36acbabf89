"""How good a detector is on pictures whose boxes are known. Average precision as COCO defines it.

For each class and each overlap threshold (intersection over union), the detections of all pictures
are taken best first; one is a hit when it overlaps a still unclaimed true box of its class by at
least the threshold (the one that it overlaps most). Precision over recall is made monotone and
read at 101 recalls, 0, 0.01, … 1; the mean of those is the average precision (AP). ``map50`` is
the mean over classes at threshold 0.5, ``map50_95`` the mean over classes and thresholds 0.5,
0.55, … 0.95. Source: COCO's evaluation, https://cocodataset.org/#detection-eval and pycocotools'
cocoeval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boxes import overlaps
from models.dataset import Truth, read_truths
from pipeline.domain import CLASSES, Detections, Detector
from pipeline.errors import ConfigError, PictureError
from pipeline.pictures import decode_picture

OVERLAPS = np.linspace(0.5, 0.95, 10)
EVALUATION_FLOOR = 0.001
"""Lowest confidence that counts towards average precision, as COCO and ultralytics have it."""

DIRTY_CLASSES: tuple[str, ...] = ("overflow", "garbage")
"""A picture "shows something" when it has a box of one of these."""

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture: what is there and what the detector said, both with boxes relative (0..1)."""

    truth: Truth
    found: Detections

    def best(self, class_names: Sequence[str]) -> float:
        """The highest confidence of any of those classes in the picture, 0 if there is none."""
        scores = [self.found.of_class(name).confidence for name in class_names]
        return float(max((score.max() for score in scores if len(score)), default=0.0))

    def has(self, class_names: Sequence[str]) -> bool:
        """Whether a true box of any of those classes is in the picture."""
        return any(self.truth.has(name, self.found.classes) for name in class_names)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidences at which to say yes, chosen on validation pictures, never on those reported on.

    ``confidence`` for a box, ``image`` for "this picture shows overflow or garbage".
    """

    confidence: float
    image: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class; None where nothing of the class is in the split.

    ``precision`` and ``recall`` are at the threshold for boxes and overlap 0.5.
    """

    ap50: float | None
    ap50_95: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one split. ``image_f1``: is "something overflows or is littered here" right?"""

    images: int
    classes: dict[str, ClassFigures]
    map50: float
    map50_95: float
    image_f1: float

    def as_json(self) -> dict[str, Any]:
        """The agreed form for `evaluate --json`, figures rounded to four places."""
        return {
            "images": self.images,
            "classes": {
                name: {
                    "ap50": _rounded(figures.ap50),
                    "precision": _rounded(figures.precision),
                    "recall": _rounded(figures.recall),
                }
                for name, figures in self.classes.items()
            },
            "map50": _rounded(self.map50),
            "map50_95": _rounded(self.map50_95),
            "image_f1": _rounded(self.image_f1),
        }


def judge(detector: Detector, data: Path, split: str) -> Iterator[Judged]:
    """Run the detector over a split, one picture after the other.

    Raises ConfigError naming the picture or label line that cannot be used.
    """
    if detector.classes != CLASSES:
        raise ConfigError(
            f"the weights know {', '.join(detector.classes)}, the data {', '.join(CLASSES)}"
        )
    for truth in read_truths(data, split, detector.classes):
        try:
            frame = decode_picture(truth.picture.read_bytes())
        except (OSError, PictureError) as error:
            raise ConfigError(f"{truth.picture}: {error}") from error
        height, width = frame.shape[:2]
        found = detector.detect([frame])[0]
        scale = np.array([width, height, width, height], np.float32)
        yield Judged(truth, replace(found, boxes=found.boxes / scale))


def evaluate(judged: Sequence[Judged], thresholds: Thresholds) -> Evaluation:
    """Figures over judged pictures (at least one)."""
    classes = judged[0].found.classes
    figures = {
        name: _evaluate_class(judged, index, thresholds.confidence)
        for index, name in enumerate(classes)
    }
    truths = np.array([one.has(DIRTY_CLASSES) for one in judged])
    scores = np.array([one.best(DIRTY_CLASSES) for one in judged])
    return Evaluation(
        images=len(judged),
        classes=figures,
        map50=_mean([one.ap50 for one in figures.values()]),
        map50_95=_mean([one.ap50_95 for one in figures.values()]),
        image_f1=f1(truths, scores >= thresholds.image),
    )


def choose_thresholds(judged: Sequence[Judged]) -> Thresholds:
    """The thresholds with the best F1 on these pictures: mean over classes, and over pictures.

    Of equally good ones the lowest, since a missed overflow costs more than a second look.
    """
    steps = np.round(np.arange(0.05, 0.96, 0.01), 2)
    by_class = [
        [_box_f1(hits[:, 0], confidence, count, step) for step in steps]
        for hits, confidence, count in (
            _hits(judged, index) for index in range(len(judged[0].found.classes))
        )
        if count
    ]
    truths = np.array([one.has(DIRTY_CLASSES) for one in judged])
    scores = np.array([one.best(DIRTY_CLASSES) for one in judged])
    by_picture = [f1(truths, scores >= step) for step in steps]
    best_box = steps[int(np.argmax(np.mean(by_class, axis=0)))] if by_class else steps[0]
    return Thresholds(float(best_box), float(steps[int(np.argmax(by_picture))]))


def match(
    truth: NDArray[np.float64], found: NDArray[np.floating], thresholds: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which of ``found`` (N×4, best first) are hits on ``truth`` (M×4), at each of T thresholds.

    N×T booleans. Every true box is claimed at most once a threshold.
    """
    shared = overlaps(found, truth)
    hits = np.zeros((len(found), len(thresholds)), bool)
    for column, threshold in enumerate(thresholds):
        free = np.ones(len(truth), bool)
        for row in range(len(found)):
            candidates = np.where(free, shared[row], -1.0)
            if len(candidates) and candidates.max() >= threshold:
                free[int(candidates.argmax())] = False
                hits[row, column] = True
    return hits


def average_precision(
    hits: NDArray[np.bool_], confidence: NDArray[np.floating], truth_count: int
) -> float:
    """Area under the precision-recall curve at 101 recalls, in 0..1.

    ``hits``: N booleans, in any order; ``truth_count`` > 0 true boxes in all.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), 2).__round__(3)
    0.835
    """
    order = np.argsort(-confidence, kind="stable")
    true_positives = np.cumsum(hits[order])
    recall = true_positives / truth_count
    precision = true_positives / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _RECALLS - 1e-9, side="left")
    reached = at < len(envelope)
    return float(np.sum(envelope[at[reached]]) / len(_RECALLS))


def f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall of yes-or-no answers; 0 if there is nothing to find.

    >>> f1(np.array([True, True, False]), np.array([True, False, False])).__round__(3)
    0.667
    """
    hits = int(np.sum(truth & said))
    wrong = int(np.sum(truth != said))
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def _hits(
    judged: Sequence[Judged], index: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64], int]:
    """Hits (N×10), confidences (N) and the number of true boxes of one class over all pictures."""
    hits, confidences, count = [np.zeros((0, len(OVERLAPS)), bool)], [np.zeros(0)], 0
    for one in judged:
        found = one.found.where(one.found.class_index == index)
        truth = one.truth.boxes[one.truth.class_index == index]
        hits.append(match(truth, found.boxes, OVERLAPS))
        confidences.append(found.confidence.astype(np.float64))
        count += len(truth)
    return np.concatenate(hits), np.concatenate(confidences), count


def _evaluate_class(judged: Sequence[Judged], index: int, threshold: float) -> ClassFigures:
    hits, confidence, count = _hits(judged, index)
    if count == 0:
        return ClassFigures(None, None, None, None)
    by_overlap = [average_precision(column, confidence, count) for column in hits.T]
    said = confidence >= threshold
    true_positives = int(hits[said, 0].sum())
    return ClassFigures(
        ap50=by_overlap[0],
        ap50_95=float(np.mean(by_overlap)),
        precision=true_positives / int(said.sum()) if said.any() else 0.0,
        recall=true_positives / count,
    )


def _box_f1(
    hits: NDArray[np.bool_], confidence: NDArray[np.float64], count: int, threshold: float
) -> float:
    said = confidence >= threshold
    return 2 * int(hits[said].sum()) / (int(said.sum()) + count)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
