"""How far a figure could be off by the luck of which pictures are in the set.

The bootstrap: draw as many pictures as there are, with replacement, take the figure again, and do
so some hundred times; the middle 95 % of the results is the interval (percentile method, B. Efron,
"Bootstrap methods", 1979). Whole pictures are drawn, since the boxes of one are not independent.
What was a hit is worked out once; a draw is only a count for each picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation import (
    RECALLS,
    ClassHits,
    Judged,
    Thresholds,
    class_hits,
    image_scores,
)
from models.image_level import image_figures, ratio

RESAMPLES = 500
"""Draws. Fewer than 200 leave the ends of the interval to luck; more cost time and change little."""

LEVEL = 0.95

Interval = tuple[float, float]


def draws(pictures: int, resamples: int, random: np.random.Generator) -> NDArray[np.int64]:
    """How often each picture was drawn: ``resamples``×``pictures``, every row sums to ``pictures``."""
    return random.multinomial(pictures, np.full(pictures, 1 / pictures), size=resamples)


def interval(values: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of R values, leaving out NaN; None when nothing is left."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def intervals(
    judged: Sequence[Judged], thresholds: Thresholds, weights: NDArray[np.int64]
) -> dict[str, Interval | None]:
    """Intervals by name, for draws of `draws` over these pictures.

    ``map50``, ``map50_95``, ``image_f1``, ``image_precision``, ``image_recall``, ``image_roc_auc``;
    of a class ``overflow.ap50`` and so on, also ``ap50_95``, ``precision`` and ``recall``.
    """
    names = judged[0].found.classes
    figures = {
        name: class_figures(class_hits(judged, index), thresholds.confidence, weights)
        for index, name in enumerate(names)
    }
    found = {
        "map50": interval(_mean(figures, "ap50")),
        "map50_95": interval(_mean(figures, "ap50_95")),
    }
    whole = image_figures(image_scores(judged), thresholds.image, weights)
    found |= {name: interval(values) for name, values in whole.named().items()}
    for name, of_class in figures.items():
        found |= {f"{name}.{figure}": interval(values) for figure, values in of_class.items()}
    return found


def class_figures(
    hits: ClassHits, threshold: float, weights: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """``ap50``, ``ap50_95``, ``precision``, ``recall`` of one class for each of R draws.

    NaN where a draw has no true box of the class. ``weights``: R×pictures.
    """
    truths = weights[:, hits.truth_picture].sum(axis=1).astype(np.float64)
    precise = average_precisions(hits, weights)
    said = hits.confidence >= threshold
    yes = weights[:, hits.picture[said]].sum(axis=1).astype(np.float64)
    right = weights[:, hits.picture[said & hits.hits[:, 0]]].sum(axis=1).astype(np.float64)
    absent = truths == 0
    return {
        "ap50": precise[:, 0],
        "ap50_95": precise.mean(axis=1),
        "precision": np.where(absent, np.nan, ratio(right, yes)),
        "recall": np.where(absent, np.nan, ratio(right, truths)),
    }


def average_precisions(hits: ClassHits, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average precision for each of R draws at each of T overlaps, R×T.

    The same as `models.evaluation.average_precision` of the drawn pictures written out one after
    the other, up to equal confidences. Precision is highest just after a hit, so only hits are
    looked at. NaN where a draw has no true box.
    """
    found = np.full((len(weights), hits.hits.shape[1]), np.nan)
    rows = [np.flatnonzero(column) for column in hits.hits.T]
    for draw, counts in enumerate(weights):
        truths = int(counts[hits.truth_picture].sum())
        if not truths:
            continue
        drawn = counts[hits.picture]
        so_far = np.cumsum(drawn)
        for overlap, at in enumerate(rows):
            found[draw, overlap] = _area(np.cumsum(drawn[at]), so_far[at], truths)
    return found


def _area(right: NDArray[np.int64], so_far: NDArray[np.int64], truths: int) -> float:
    """Mean precision at 101 recalls, from counts just after each hit."""
    precision = right / np.maximum(so_far, 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / truths, RECALLS - 1e-9, side="left")
    return float(envelope[at[at < len(envelope)]].sum() / len(RECALLS))


def _mean(
    figures: Mapping[str, Mapping[str, NDArray[np.float64]]], name: str
) -> NDArray[np.float64]:
    """Mean over the classes that a draw has boxes of; NaN where it has none at all."""
    values = np.array([of_class[name] for of_class in figures.values()])
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    result: NDArray[np.float64] = np.divide(
        total, count, out=np.full(len(count), np.nan), where=count > 0
    )
    return result
