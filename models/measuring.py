"""Everything that `brimwatch evaluate` reports of one set of pictures, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bootstrap import LEVEL, Interval, draws, interval, intervals
from models.evaluation import (
    ClassFigures,
    Evaluation,
    Judged,
    Thresholds,
    class_hits,
    evaluate,
    evaluate_class,
    rounded,
)
from models.image_level import ImageScores, image_figures
from models.slices import Light, Size, of_size

Intervals = Mapping[str, Interval | None]


@dataclass(frozen=True, slots=True)
class BoxReport:
    """Figures of pictures with boxes. ``intervals``: see `models.bootstrap.intervals`; may be empty.

    ``by_light``: figures and intervals of each light that has pictures. ``by_size``: for each size
    the figures of each class at overlap 0.5 and how many true boxes it has.
    """

    figures: Evaluation
    intervals: Intervals
    by_light: Mapping[Light, tuple[Evaluation, Intervals]]
    by_size: Mapping[Size, Mapping[str, tuple[int, ClassFigures]]]

    def as_json(self) -> dict[str, Any]:
        """The agreed form of `evaluate --json`, and more keys after it."""
        return {
            **self.figures.as_json(),
            **_intervals_json(self.intervals),
            "by_light": {
                light: {**figures.as_json(), **_intervals_json(around)}
                for light, (figures, around) in self.by_light.items()
            },
            "by_size": {
                size: {
                    name: {
                        "boxes": boxes,
                        "ap50": rounded(figures.ap50),
                        "precision": rounded(figures.precision),
                        "recall": rounded(figures.recall),
                    }
                    for name, (boxes, figures) in classes.items()
                }
                for size, classes in self.by_size.items()
            },
        }


@dataclass(frozen=True, slots=True)
class ImageReport:
    """Figures of pictures of which only clean or dirty is known, with their intervals."""

    clean: int
    dirty: int
    threshold: float
    figures: Mapping[str, float]
    intervals: Intervals

    def as_json(self) -> dict[str, Any]:
        """The agreed keys of `evaluate --json`, those that need boxes empty or null, and more."""
        return {
            "images": self.clean + self.dirty,
            "classes": {},
            "map50": None,
            "map50_95": None,
            **{name: rounded(value) for name, value in self.figures.items()},
            "clean": self.clean,
            "dirty": self.dirty,
            "image_threshold": self.threshold,
            **_intervals_json(self.intervals),
        }


def measure(
    judged: Sequence[Judged],
    thresholds: Thresholds,
    *,
    random: np.random.Generator,
    resamples: int,
) -> BoxReport:
    """All figures of judged pictures (at least one). ``resamples``: draws, 0 for no intervals."""
    by_light = {
        light: members
        for light in Light
        if (members := [one for one in judged if one.light == light])
    }
    return BoxReport(
        figures=evaluate(judged, thresholds),
        intervals=_around(judged, thresholds, random, resamples),
        by_light={
            light: (
                evaluate(members, thresholds),
                _around(members, thresholds, random, resamples),
            )
            for light, members in by_light.items()
        },
        by_size=figures_by_size(judged, thresholds.confidence),
    )


def figures_by_size(
    judged: Sequence[Judged], threshold: float
) -> dict[Size, dict[str, tuple[int, ClassFigures]]]:
    """Figures of each class among boxes of each size, with the number of true boxes.

    A hit has the size of the true box that it claims, a false box its own.
    """
    found: dict[Size, dict[str, tuple[int, ClassFigures]]] = {size: {} for size in Size}
    for index, name in enumerate(judged[0].found.classes):
        hits = class_hits(judged, index)
        for size in Size:
            members = hits.only(of_size(hits.area, size), of_size(hits.truth_area, size))
            found[size][name] = len(members.truth_picture), evaluate_class(members, threshold)
    return found


def measure_images(
    scores: ImageScores, threshold: float, *, random: np.random.Generator, resamples: int
) -> ImageReport:
    """Figures of pictures known to be clean or dirty, at least one of each."""
    count = len(scores.dirty)
    once = image_figures(scores, threshold, np.ones((1, count), np.int64))
    drawn: dict[str, NDArray[np.float64]] = {}
    if resamples:
        drawn = image_figures(scores, threshold, draws(count, resamples, random)).named()
    dirty = int(scores.dirty.sum())
    return ImageReport(
        clean=count - dirty,
        dirty=dirty,
        threshold=threshold,
        figures={name: float(value[0]) for name, value in once.named().items()},
        intervals={name: interval(values) for name, values in drawn.items()},
    )


def _around(
    judged: Sequence[Judged],
    thresholds: Thresholds,
    random: np.random.Generator,
    resamples: int,
) -> Intervals:
    if not resamples:
        return {}
    return intervals(judged, thresholds, draws(len(judged), resamples, random))


def _intervals_json(around: Intervals) -> dict[str, Any]:
    if not around:
        return {}
    return {
        "interval_level": LEVEL,
        "intervals": {
            name: None if limits is None else [rounded(limits[0]), rounded(limits[1])]
            for name, limits in around.items()
        },
    }
