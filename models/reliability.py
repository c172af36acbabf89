"""Whether probabilities keep their word: of the pictures said to be 80 % sure, are 80 % so?

**Reliability diagram**: pictures are put in bins by the probability said of them; each bin is a
point (mean probability said, share that was true). Honest probabilities lie on the diagonal.

**Expected calibration error**: ECE = Σ_b (n_b / N) · |true_b − said_b| over bins b of n_b pictures.
Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
Binning", AAAI 2015. Bins hold equally many pictures (equal mass) rather than being equally wide,
since nearly empty bins make the figure jump: Nguyen and O'Connor, "Posterior calibration and
exploratory analysis for natural language processing models", EMNLP 2015; Roelofs and others,
"Mitigating Bias in Calibration Error Estimation", AISTATS 2022. Equal probabilities are never
parted, so bins are equal only as far as ties allow.

ECE cannot be 0 on few pictures: even perfect probabilities miss the shares of a small bin. `chance`
is what they would score on average, here, with the same probabilities and bins. An ECE near it is
as good as these pictures can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.svg import INK, Panel, document, text

BINS = 10
"""Bins asked for. Fewer hide errors that cancel within a bin; more leave too few pictures each."""

CHANCE_DRAWS = 400
"""Draws that `chance` is the mean of; its own error is then well under 0.002."""

_BEFORE, _AFTER = "#c0392b", "#2471a3"


@dataclass(frozen=True, slots=True)
class Bin:
    """``count`` pictures, the mean probability ``said`` of them, and the share that was ``true``."""

    count: int
    said: float
    true: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The bins (lowest probability first), their expected calibration error, and chance's."""

    bins: tuple[Bin, ...]
    ece: float
    chance: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Raw confidence (``before``) against the calibrated posterior (``after``), on pictures.

    ``measured_on``: the pictures' data; ``method``: how it was kept apart from what was calibrated
    on; ``base_rate``: the share of overflowing pictures, which the posterior starts from.
    """

    measured_on: str
    method: str
    pictures: int
    base_rate: float
    before: Curve
    after: Curve


def measure(
    said: NDArray[np.float64],
    true: NDArray[np.bool_],
    *,
    random: np.random.Generator,
    bins: int = BINS,
) -> Curve:
    """The reliability of N probabilities (0..1), N > 0, given what was true.

    >>> curve = measure(
    ...     np.array([0.2] * 5 + [0.9] * 5),
    ...     np.array([True] + [False] * 4 + [True] * 4 + [False]),
    ...     random=np.random.default_rng(0),
    ...     bins=2,
    ... )
    >>> round(curve.ece, 3)  # the first half is right, the second says 0.9 where 0.8 is true
    0.05
    """
    order = np.argsort(said, kind="stable")
    said, true = said[order], true[order]
    bounds = _bounds(said, bins)
    drawn = random.random((CHANCE_DRAWS, len(said))) < said
    return Curve(
        bins=tuple(
            Bin(last - first, float(said[first:last].mean()), float(true[first:last].mean()))
            for first, last in pairwise(bounds)
        ),
        ece=float(_errors(said, true[np.newaxis], bounds)[0]),
        chance=float(_errors(said, drawn, bounds).mean()),
    )


def reliability_from_json(content: Mapping[str, Any]) -> Reliability:
    """What `dataclasses.asdict` made of one. Raises KeyError, TypeError or ValueError."""
    return Reliability(
        measured_on=str(content["measured_on"]),
        method=str(content["method"]),
        pictures=int(content["pictures"]),
        base_rate=float(content["base_rate"]),
        before=_curve_from_json(content["before"]),
        after=_curve_from_json(content["after"]),
    )


def diagram(found: Sequence[Reliability]) -> str:
    """The reliability diagrams as SVG: a row a measurement, before on the left, after right.

    A dot's area says how many pictures it stands for, and so do the numbers under the panel.
    """
    side, gap, row = 320, 90, 460
    parts: list[str] = []
    for number, one in enumerate(found):
        top = row * number
        heading = f"{one.measured_on}: {one.pictures} pictures, {one.method}"
        parts.append(text(20, top + 24, heading, size=13))
        for column, (name, curve, colour) in enumerate(
            (
                ("before: raw confidence", one.before, _BEFORE),
                ("after: calibrated, by Bayes", one.after, _AFTER),
            )
        ):
            panel = Panel(70 + column * (side + gap), top + 64, side, side, (0, 1), (0, 1))
            title = f"{name}: ECE {curve.ece:.3f} (chance {curve.chance:.3f})"
            parts += panel.axes(title, "probability said", "share overflowing")
            parts.append(panel.line([(0, 0), (1, 1)], INK, dashed=True))
            parts += _marks(panel, curve, colour)
    return document(70 + 2 * side + gap + 60, row * len(found) + 20, parts)


def _bounds(said: NDArray[np.float64], bins: int) -> list[int]:
    """Where each bin of sorted probabilities ends: at equal counts, moved up past ties."""
    wanted = [round(len(said) * number / bins) for number in range(1, bins + 1)]
    ends = {int(np.searchsorted(said, said[end - 1], side="right")) for end in wanted if end}
    return [0, *sorted(ends)]


def _errors(
    said: NDArray[np.float64], true: NDArray[np.bool_], bounds: Sequence[int]
) -> NDArray[np.float64]:
    """ECE of each row of outcomes (draws × N): Σ |Σ_bin true − said| / N."""
    excess = np.add.reduceat(true - said, bounds[:-1], axis=1)
    result: NDArray[np.float64] = np.abs(excess).sum(axis=1) / len(said)
    return result


def _marks(panel: Panel, curve: Curve, colour: str) -> list[str]:
    most = max(one.count for one in curve.bins)
    counts = " ".join(str(one.count) for one in curve.bins)
    parts = [
        panel.line([(one.said, one.true) for one in curve.bins], colour),
        text(
            panel.left + panel.width / 2,
            panel.top + panel.height + 56,
            f"pictures a dot, from the left: {counts}",
            size=11,
            anchor="middle",
        ),
    ]
    for one in curve.bins:
        radius = 2 + 6 * (one.count / most) ** 0.5
        note = f"{one.count} pictures: said {one.said:.3f}, true {one.true:.3f}"
        parts.append(panel.dot(one.said, one.true, radius, colour, note))
    return parts


def _curve_from_json(content: Mapping[str, Any]) -> Curve:
    return Curve(
        tuple(
            Bin(int(one["count"]), float(one["said"]), float(one["true"]))
            for one in content["bins"]
        ),
        float(content["ece"]),
        float(content["chance"]),
    )
