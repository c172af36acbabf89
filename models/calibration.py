"""What a score is worth: P(score | state), measured on validation pictures, for the belief filter.

**Score of a look**: the highest confidence of class ``overflow`` in the picture, 0 if there is
none (the whole picture stands for the zone). **Overflowing** pictures have an ``overflow`` label;
**clear** ones have a ``garbage_bin`` and no ``overflow``, so that an absent overflow is told from
an absent bin.

Three steps turn counts into likelihoods:

1. *Smoothing*: half a picture is added to each bin of each state (Jeffreys), so that none is 0.
2. *Order*: a higher score must not speak less for overflow. Neighbouring bins that break the
   order are pooled (pool adjacent violators on the ratio), each state's mass in a pool being spread
   in proportion to the bins' common mass, so that sums stay 1.
3. *Doubt*: a share d of each state's pictures is taken to be of the other one: mislabelled, or
   unlike anything in the validation set. P' = (1 − d) P + d Q keeps sums and order and bounds the
   log-likelihood ratio by ln((1 − d) / d). With `BOUND` = 4, d is 1.8 %. Without it a few hundred
   pictures would let one look claim odds of a thousand to one. Higher: one look convinces sooner
   and errs harder. Lower: confirming takes more looks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import Judged, choose_thresholds
from models.reliability import Reliability, measure, reliability_from_json
from pipeline.errors import ConfigError, ModelError

EDGES: tuple[float, ...] = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
BOUND = 4.0
SMOOTHING = 0.5
SEEN_SHARE = 0.95
"""Share of pictures with a bin in which it must be found. Higher: fewer looks are lost, and more
occluded bins pass for seen (and so for clear)."""

FOLDS = 5
"""Parts that the pictures are cut into for `cross_validate`. More: each calibration sees more of
the pictures, and each part says less."""

_SEEN_CLASSES: tuple[str, ...] = ("garbage_bin", "overflow")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Likelihoods and thresholds of one set of weights.

    ``edges``: n + 1 rising bounds of score bins; ``overflowing`` and ``clear``: n probabilities > 0
    that sum to 1, their log-ratio rising with the score and within ±`BOUND`. ``seen_confidence``: a
    ``bin`` zone is seen when a bin or an overflow is found in it at this confidence or more.
    ``confidence`` and ``image_threshold``: see `models.evaluation.Thresholds`. ``counts``: pictures
    that each state was measured on. ``reliability``: what the probabilities that come of it are
    worth, on pictures that it was not measured on; empty in files made before this was known.
    """

    edges: tuple[float, ...]
    overflowing: tuple[float, ...]
    clear: tuple[float, ...]
    seen_confidence: float
    confidence: float
    image_threshold: float
    weights_sha256: str
    source: str
    counts: dict[str, int] = field(default_factory=dict)
    reliability: tuple[Reliability, ...] = ()

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_calibration(path: Path) -> Calibration:
    """Raises ModelError when the file is missing, not JSON or incomplete."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Calibration(
            edges=tuple(map(float, content["edges"])),
            overflowing=tuple(map(float, content["overflowing"])),
            clear=tuple(map(float, content["clear"])),
            seen_confidence=float(content["seen_confidence"]),
            confidence=float(content["confidence"]),
            image_threshold=float(content["image_threshold"]),
            weights_sha256=str(content["weights_sha256"]),
            source=str(content["source"]),
            counts=dict(content.get("counts", {})),
            reliability=tuple(map(reliability_from_json, content.get("reliability", ()))),
        )
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"{path}: no calibration: {type(error).__name__} {error}",
            hint="make it again: brimwatch calibrate",
        ) from error


def calibrate(
    judged: Sequence[Judged],
    *,
    weights_sha256: str,
    source: str,
    more_clear: Sequence[Judged] = (),
) -> Calibration:
    """Measure likelihoods and thresholds on judged validation pictures.

    ``more_clear``: pictures of clear scenes from elsewhere (the twin's), used for ``clear`` only.
    Raises ConfigError when one of the states has no picture.
    """
    overflowing, clear = _scores(judged, more_clear)
    given_overflowing, given_clear = _likelihoods_of(overflowing, clear)
    thresholds = choose_thresholds(judged)
    return Calibration(
        edges=EDGES,
        overflowing=tuple(map(float, given_overflowing)),
        clear=tuple(map(float, given_clear)),
        seen_confidence=_seen_confidence(judged),
        confidence=thresholds.confidence,
        image_threshold=thresholds.image,
        weights_sha256=weights_sha256,
        source=source,
        counts={"overflowing": len(overflowing), "clear": len(clear)},
    )


def cross_validate(
    judged: Sequence[Judged],
    *,
    source: str,
    random: np.random.Generator,
    more_clear: Sequence[Judged] = (),
    folds: int = FOLDS,
) -> Reliability:
    """What a calibration on these pictures is worth, each picture judged by the others.

    The pictures of each state are cut into ``folds`` parts in the order given: neighbours, which
    may show one scene, stay together. Each part's posterior comes of likelihoods from the other
    parts, at the base rate of all. ``random`` draws what chance would score. Raises ConfigError
    when a state has no picture.
    """
    overflowing, clear = _scores(judged, more_clear)
    base_rate = len(overflowing) / (len(overflowing) + len(clear))
    raw, said, true = [], [], []
    parts_overflowing = np.array_split(overflowing, folds)
    parts_clear = np.array_split(clear, folds)
    for fold in range(folds):
        likelihood = _likelihoods_of(
            np.concatenate([part for at, part in enumerate(parts_overflowing) if at != fold]),
            np.concatenate([part for at, part in enumerate(parts_clear) if at != fold]),
        )
        for part, state in ((parts_overflowing[fold], True), (parts_clear[fold], False)):
            raw.append(part)
            said.append(posterior(part, *likelihood, base_rate=base_rate))
            true.append(np.full(len(part), state))
    return _reliability(
        np.concatenate(raw),
        np.concatenate(said),
        np.concatenate(true),
        source=source,
        method=f"{folds}-fold cross-validation",
        random=random,
    )


def check(
    calibration: Calibration, judged: Sequence[Judged], *, source: str, random: np.random.Generator
) -> Reliability:
    """What a calibration is worth on pictures that it has not seen, at their own base rate.

    Raises ConfigError when a state has no picture.
    """
    overflowing, clear = _scores(judged)
    raw = np.concatenate([overflowing, clear])
    true = np.arange(len(raw)) < len(overflowing)
    given = np.array(calibration.overflowing), np.array(calibration.clear)
    said = posterior(raw, *given, base_rate=float(true.mean()), edges=calibration.edges)
    method = f"calibrated on {calibration.source}"
    return _reliability(raw, said, true, source=source, method=method, random=random)


def posterior(
    scores: NDArray[np.float64],
    overflowing: NDArray[np.float64],
    clear: NDArray[np.float64],
    *,
    base_rate: float,
    edges: Sequence[float] = EDGES,
) -> NDArray[np.float64]:
    """P(overflowing | score) by Bayes' rule, from P(score bin | state) and the base rate (0..1).

    >>> posterior(np.array([0.1, 0.7]), np.array([0.2, 0.8]), np.array([0.9, 0.1]),
    ...     base_rate=0.5, edges=(0, 0.5, 1)).round(3).tolist()
    [0.182, 0.889]
    """
    bins = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2)
    joint = base_rate * overflowing[bins]
    result: NDArray[np.float64] = joint / (joint + (1 - base_rate) * clear[bins])
    return result


def likelihoods(
    overflowing: NDArray[np.integer], clear: NDArray[np.integer], *, bound: float = BOUND
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(bin | overflowing) and P(bin | clear) from counts a bin (lowest score first)."""
    given_overflowing = _smoothed(overflowing)
    given_clear = _smoothed(clear)
    common = given_overflowing + given_clear
    for first, last in _ordered_pools(given_overflowing, given_clear):
        pool = slice(first, last)
        share = common[pool] / common[pool].sum()
        given_overflowing[pool] = given_overflowing[pool].sum() * share
        given_clear[pool] = given_clear[pool].sum() * share
    doubt = 1 / (1 + np.exp(bound))
    return (
        (1 - doubt) * given_overflowing + doubt * given_clear,
        (1 - doubt) * given_clear + doubt * given_overflowing,
    )


def _scores(
    judged: Sequence[Judged], more_clear: Sequence[Judged] = ()
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the overflowing and of the clear pictures; ConfigError when there are none."""
    overflowing = [one.best(("overflow",)) for one in judged if one.has(("overflow",))]
    clear = [
        one.best(("overflow",))
        for one in (*judged, *more_clear)
        if one.has(("garbage_bin",)) and not one.has(("overflow",))
    ]
    for state, scores, label in (
        ("overflowing", overflowing, "an overflow box"),
        ("clear", clear, "a garbage_bin box and no overflow box"),
    ):
        if not scores:
            raise ConfigError(
                f"no {state} picture among {len(judged)}, need some with {label}",
                hint="calibrate on a split that shows bins in both states",
            )
    return np.array(overflowing, np.float64), np.array(clear, np.float64)


def _likelihoods_of(
    overflowing: NDArray[np.float64], clear: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bins = np.array(EDGES)
    return likelihoods(np.histogram(overflowing, bins)[0], np.histogram(clear, bins)[0])


def _reliability(
    raw: NDArray[np.float64],
    said: NDArray[np.float64],
    true: NDArray[np.bool_],
    *,
    source: str,
    method: str,
    random: np.random.Generator,
) -> Reliability:
    return Reliability(
        measured_on=source,
        method=method,
        pictures=len(true),
        base_rate=float(true.mean()),
        before=measure(raw, true, random=random),
        after=measure(said, true, random=random),
    )


def _smoothed(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    filled = counts.astype(np.float64) + SMOOTHING
    result: NDArray[np.float64] = filled / filled.sum()
    return result


def _ordered_pools(above: NDArray[np.float64], below: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Ranges of bins to pool so that above / below never falls: pool adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mass above, mass below, end
    for end, (one_above, one_below) in enumerate(zip(above, below, strict=True), start=1):
        pools.append((float(one_above), float(one_below), end))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] > pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            previous = pools.pop()
            pools.append((previous[0] + last[0], previous[1] + last[1], last[2]))
    return list(pairwise([0, *(end for *_, end in pools)]))


def _seen_confidence(judged: Sequence[Judged]) -> float:
    """The confidence that `SEEN_SHARE` of the pictures with a bin (or an overflow) reach."""
    best = sorted(one.best(_SEEN_CLASSES) for one in judged if one.has(_SEEN_CLASSES))
    return round(best[int((1 - SEEN_SHARE) * len(best))], 3)
