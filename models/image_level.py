"""Is "this picture shows overflow or garbage" right? Figures over whole pictures, no boxes needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ImageScores:
    """P pictures: whether each shows something (bool), and how sure the detector is (0..1)."""

    dirty: NDArray[np.bool_]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ImageFigures:
    """R values each, one for every weighting of the pictures.

    ``precision`` is 0 where nothing was said, ``recall`` and ``f1`` where there is nothing to find;
    ``roc_auc`` is NaN where all pictures are of one kind.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    roc_auc: NDArray[np.float64]

    def named(self) -> dict[str, NDArray[np.float64]]:
        """The figures by the names that `evaluate --json` gives them."""
        return {
            "image_f1": self.f1,
            "image_precision": self.precision,
            "image_recall": self.recall,
            "image_roc_auc": self.roc_auc,
        }


def image_figures(
    scores: ImageScores, threshold: float, weights: NDArray[np.int64]
) -> ImageFigures:
    """Figures when "yes" is said from ``threshold`` on. ``weights``: R×P, how often each counts."""
    said = scores.score >= threshold
    counts = weights.astype(np.float64)
    hits = counts @ (scores.dirty & said).astype(np.float64)
    yes = counts @ said.astype(np.float64)
    true = counts @ scores.dirty.astype(np.float64)
    return ImageFigures(
        precision=ratio(hits, yes),
        recall=ratio(hits, true),
        f1=ratio(2 * hits, yes + true),
        roc_auc=_roc_auc(scores, weights),
    )


def ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """``part / whole``, 0 where the whole is 0."""
    result: NDArray[np.float64] = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return result


def _roc_auc(scores: ImageScores, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often a picture that shows something scores above one that does not; ties count half."""
    order = np.argsort(scores.score, kind="stable")
    starts = np.unique(scores.score[order], return_index=True)[1]
    weighted = weights[:, order].astype(np.float64)
    dirty = np.add.reduceat(weighted * scores.dirty[order], starts, axis=1)
    clean = np.add.reduceat(weighted * ~scores.dirty[order], starts, axis=1)
    below = np.cumsum(clean, axis=1) - clean / 2
    pairs = dirty.sum(axis=1) * clean.sum(axis=1)
    won = (dirty * below).sum(axis=1)
    result: NDArray[np.float64] = np.divide(
        won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0
    )
    return result
