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
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boxes import overlaps
from models.dataset import Truth, read_truths
from models.image_level import ImageScores, image_figures
from models.slices import Light, areas, light_of
from pipeline.domain import CLASSES, Detections, Detector
from pipeline.errors import ConfigError, PictureError
from pipeline.pictures import decode_picture

OVERLAPS = np.linspace(0.5, 0.95, 10)
EVALUATION_FLOOR = 0.001
"""Lowest confidence that counts towards average precision, as COCO and ultralytics have it."""

DIRTY_CLASSES: tuple[str, ...] = ("overflow", "garbage")
"""A picture "shows something" when it has a box of one of these."""

RECALLS = np.linspace(0, 1, 101)
"""Where precision is read, as COCO does."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture: what is there and what the detector said, both with boxes relative (0..1).

    ``light`` is None where nobody looked at the picture itself.
    """

    truth: Truth
    found: Detections
    light: Light | None = None

    def best(self, class_names: Sequence[str]) -> float:
        """The highest confidence of any of those classes in the picture, 0 if there is none."""
        return best_of(self.found, class_names)

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


@dataclass(frozen=True, slots=True, eq=False)
class ClassHits:
    """All N detections of one class over all pictures, best first, and its M true boxes.

    ``hits`` is N×10 (`OVERLAPS`), ``picture`` and ``truth_picture`` say which picture each is from,
    ``area`` and ``truth_area`` how large: shares of the picture, for a hit at overlap 0.5 the area
    of the true box that it claims.
    """

    hits: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    picture: NDArray[np.int64]
    area: NDArray[np.float64]
    truth_picture: NDArray[np.int64]
    truth_area: NDArray[np.float64]

    def only(self, found: NDArray[np.bool_], truths: NDArray[np.bool_]) -> ClassHits:
        """Those detections and true boxes for which the masks (N and M booleans) are true."""
        return ClassHits(
            self.hits[found],
            self.confidence[found],
            self.picture[found],
            self.area[found],
            self.truth_picture[truths],
            self.truth_area[truths],
        )


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
    """Figures of one split. ``image_…``: is "something overflows or is littered here" right?

    ``image_roc_auc`` is None where all pictures are of one kind.
    """

    images: int
    classes: dict[str, ClassFigures]
    map50: float
    map50_95: float
    image_f1: float
    image_precision: float
    image_recall: float
    image_roc_auc: float | None

    def as_json(self) -> dict[str, Any]:
        """The agreed form for `evaluate --json`, figures rounded to four places."""
        return {
            "images": self.images,
            "classes": {
                name: {
                    "ap50": rounded(figures.ap50),
                    "precision": rounded(figures.precision),
                    "recall": rounded(figures.recall),
                    "ap50_95": rounded(figures.ap50_95),
                }
                for name, figures in self.classes.items()
            },
            "map50": rounded(self.map50),
            "map50_95": rounded(self.map50_95),
            "image_f1": rounded(self.image_f1),
            "image_precision": rounded(self.image_precision),
            "image_recall": rounded(self.image_recall),
            "image_roc_auc": rounded(self.image_roc_auc),
        }


def judge(detector: Detector, data: Path, split: str) -> Iterator[Judged]:
    """Run the detector over a split, one picture after the other.

    Raises ConfigError naming the picture or label line that cannot be used.
    """
    check_classes(detector)
    for truth in read_truths(data, split, detector.classes):
        found, light = look(detector, truth.picture)
        yield Judged(truth, found, light)


def check_classes(detector: Detector) -> None:
    """Raises ConfigError for a detector that knows other classes than Brimwatch's."""
    if detector.classes != CLASSES:
        raise ConfigError(
            f"the weights know {', '.join(detector.classes)}, the data {', '.join(CLASSES)}"
        )


def look(detector: Detector, picture: Path) -> tuple[Detections, Light]:
    """What the detector finds on a picture, boxes relative (0..1), and the picture's light.

    Raises ConfigError naming a picture that cannot be used.
    """
    try:
        frame = decode_picture(picture.read_bytes())
    except (OSError, PictureError) as error:
        raise ConfigError(f"{picture}: {error}") from error
    height, width = frame.shape[:2]
    found = detector.detect([frame])[0]
    scale = np.array([width, height, width, height], np.float32)
    return replace(found, boxes=found.boxes / scale), light_of(frame)


def evaluate(judged: Sequence[Judged], thresholds: Thresholds) -> Evaluation:
    """Figures over judged pictures (at least one)."""
    figures = {
        name: evaluate_class(class_hits(judged, index), thresholds.confidence)
        for index, name in enumerate(judged[0].found.classes)
    }
    once = np.ones((1, len(judged)), np.int64)
    whole = image_figures(image_scores(judged), thresholds.image, once)
    roc_auc = float(whole.roc_auc[0])
    return Evaluation(
        images=len(judged),
        classes=figures,
        map50=_mean([one.ap50 for one in figures.values()]),
        map50_95=_mean([one.ap50_95 for one in figures.values()]),
        image_f1=float(whole.f1[0]),
        image_precision=float(whole.precision[0]),
        image_recall=float(whole.recall[0]),
        image_roc_auc=None if np.isnan(roc_auc) else roc_auc,
    )


def image_scores(judged: Sequence[Judged]) -> ImageScores:
    """Whether each picture shows overflow or garbage, and the highest confidence that it does."""
    return ImageScores(
        np.array([one.has(DIRTY_CLASSES) for one in judged], bool),
        np.array([one.best(DIRTY_CLASSES) for one in judged], np.float64),
    )


def choose_thresholds(judged: Sequence[Judged]) -> Thresholds:
    """The thresholds with the best F1 on these pictures: mean over classes, and over pictures.

    Of equally good ones the lowest, since a missed overflow costs more than a second look.
    """
    steps = np.round(np.arange(0.05, 0.96, 0.01), 2)
    by_class = [
        [_box_f1(hits, step) for step in steps]
        for hits in (class_hits(judged, index) for index in range(len(judged[0].found.classes)))
        if len(hits.truth_picture)
    ]
    pictures = image_scores(judged)
    by_picture = [f1(pictures.dirty, pictures.score >= step) for step in steps]
    best_box = steps[int(np.argmax(np.mean(by_class, axis=0)))] if by_class else steps[0]
    return Thresholds(float(best_box), float(steps[int(np.argmax(by_picture))]))


def best_of(found: Detections, class_names: Sequence[str]) -> float:
    """The highest confidence of any of those classes, 0 if there is none."""
    scores = [found.of_class(name).confidence for name in class_names]
    return float(max((score.max() for score in scores if len(score)), default=0.0))


def match(
    truth: NDArray[np.float64], found: NDArray[np.floating], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Which row of ``truth`` (M×4) each of ``found`` (N×4, best first) claims at T thresholds.

    N×T row numbers, -1 where it is no hit. Every true box is claimed at most once a threshold.
    """
    claimed = np.full((len(found), len(thresholds)), -1, np.int64)
    if not len(truth):
        return claimed
    shared = overlaps(found, truth)
    near = np.flatnonzero(shared.max(axis=1) >= thresholds.min())
    for column, threshold in enumerate(thresholds):
        free = shared[near]
        for place, row in enumerate(near):
            best = int(free[place].argmax())
            if free[place, best] >= threshold:
                free[:, best] = -1.0
                claimed[row, column] = best
    return claimed


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
    at = np.searchsorted(recall, RECALLS - 1e-9, side="left")
    reached = at < len(envelope)
    return float(np.sum(envelope[at[reached]]) / len(RECALLS))


def f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall of yes-or-no answers; 0 if there is nothing to find.

    >>> f1(np.array([True, True, False]), np.array([True, False, False])).__round__(3)
    0.667
    """
    hits = int(np.sum(truth & said))
    wrong = int(np.sum(truth != said))
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def class_hits(judged: Sequence[Judged], index: int) -> ClassHits:
    """What was found of one class in all pictures (at least one), and what of it is right."""
    parts = [_hits_on(one, index, number) for number, one in enumerate(judged)]
    joined = ClassHits(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(ClassHits))
    )
    order = np.argsort(-joined.confidence, kind="stable")
    return replace(
        joined,
        hits=joined.hits[order],
        confidence=joined.confidence[order],
        picture=joined.picture[order],
        area=joined.area[order],
    )


def evaluate_class(hits: ClassHits, threshold: float) -> ClassFigures:
    """Figures of one class, precision and recall at that confidence."""
    count = len(hits.truth_picture)
    if count == 0:
        return ClassFigures(None, None, None, None)
    by_overlap = [average_precision(column, hits.confidence, count) for column in hits.hits.T]
    said = hits.confidence >= threshold
    true_positives = int(hits.hits[said, 0].sum())
    return ClassFigures(
        ap50=by_overlap[0],
        ap50_95=float(np.mean(by_overlap)),
        precision=true_positives / int(said.sum()) if said.any() else 0.0,
        recall=true_positives / count,
    )


def rounded(value: float | None) -> float | None:
    """To four places, as figures are printed."""
    return None if value is None else round(value, 4)


def _hits_on(one: Judged, index: int, number: int) -> ClassHits:
    found = one.found.where(one.found.class_index == index)
    truth = one.truth.boxes[one.truth.class_index == index]
    claimed = match(truth, found.boxes, OVERLAPS)
    area, truth_area = areas(found.boxes), areas(truth)
    right = claimed[:, 0] >= 0
    area[right] = truth_area[claimed[right, 0]]
    return ClassHits(
        hits=claimed >= 0,
        confidence=found.confidence.astype(np.float64),
        picture=np.full(len(found), number, np.int64),
        area=area,
        truth_picture=np.full(len(truth), number, np.int64),
        truth_area=truth_area,
    )


def _box_f1(hits: ClassHits, threshold: float) -> float:
    said = hits.confidence >= threshold
    right = int(hits.hits[said, 0].sum())
    return 2 * right / (int(said.sum()) + len(hits.truth_picture))


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0
