r"""The belief that a zone is overflowing: a two-state hidden Markov filter in continuous time.

**The model.** A zone is *clear* or *overflowing*. It goes from clear to overflowing at rate α and back
at rate β, both per hour, both constant within an hour of the day (bins fill by day, trucks come in
the morning). Nobody sees the state itself; a look gives a *score* s in 0..1, whose distribution
depends on the state alone: P(s | overflowing) and P(s | clear).

**Prediction.** Let p be the probability of overflowing. Within an hour of constant rates

    dp/dt = α (1 − p) − β p = (α + β) (π − p),      π = α / (α + β)

so over a time h:  p(t + h) = π + (p(t) − π) e^(−(α+β) h).  This is affine in p, p ↦ a p + b with
a = e^(−(α+β) h) and b = π (1 − a), and affine maps compose exactly:
(a₂, b₂) ∘ (a₁, b₁) = (a₂ a₁, a₂ b₁ + b₂). A gap that spans hours is the composition of its pieces; n
whole days are the day's map n times: aⁿ and b (1 − aⁿ) / (1 − a). Because nothing is approximated,
predicting over a gap equals predicting over its two halves, up to rounding (tested to 1e-12). Left
alone, p relaxes to the prior π (of the hours it passes): an unseen zone is one we know less and less
of, neither confirmed nor clear.

**Update.** By Bayes' rule, in log-odds ℓ = ln(p / (1 − p)):

    ℓ′ = ℓ + w · λ(s),      λ(s) = ln P(s | overflowing) − ln P(s | clear)

For independent looks w = 1. Looks a few seconds apart are *not* independent: what fooled the detector
once (a poster, a shadow) is still there. Their errors are taken as correlated over a time τ: evidence
accrues by time watched, not by pictures taken, w = min(1, Δt / τ), with Δt since the last look that
saw the zone. Ten or ten thousand identical false boxes within a minute add up to one look.

Times are aware, in UTC; hours of the day are the site's.
Sources: Rabiner, "A tutorial on hidden Markov models" (1989) for the filter; Norris, "Markov Chains"
(1997), 2.1 for the two-state solution. The defaults of `Rates` are assumptions and say so.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.domain import Belief, Observation

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_HOURS = 24

TAU = timedelta(seconds=60)
"""How long a detector's error is taken to last at an unchanged scene. Too low: one stubborn false box
convinces by repetition. Too high: a true overflow takes long to confirm. Pick it at the time after
which passers-by, shadows and head-lamps at your points have usually changed."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Transition rates per hour, one pair for each hour of the site's day.

    ``fill[h]``: clear → overflowing, ``empty[h]``: overflowing → clear, both > 0.
    ``utc_offset``: the site's offset (China has no summer time). Higher ``fill`` confirms sooner and
    believes false boxes sooner; higher ``empty`` clears sooner.
    """

    fill: tuple[float, ...]
    empty: tuple[float, ...]
    utc_offset: timedelta = timedelta(hours=8)

    def __post_init__(self) -> None:
        for name, rates in (("fill", self.fill), ("empty", self.empty)):
            if len(rates) != _HOURS:
                raise ValueError(f"{name} needs 24 rates, one an hour of the day, got {len(rates)}")
            for hour, rate in enumerate(rates):
                if not (math.isfinite(rate) and rate > 0):
                    raise ValueError(f"{name}[{hour}] must be a finite rate > 0, got {rate}")

    @classmethod
    def constant(
        cls, fill: float, empty: float, *, utc_offset: timedelta = timedelta(hours=8)
    ) -> Rates:
        """The same rates all day, per hour."""
        return cls((fill,) * _HOURS, (empty,) * _HOURS, utc_offset)


DEFAULT_RATES = Rates(
    fill=tuple(0.25 if 6 <= hour < 22 else 0.05 for hour in range(_HOURS)),
    empty=(0.7,) * _HOURS,
)
"""An assumption until a site's own record replaces it: a trouble spot overflows about every four hours
by day and rarely at night, and is emptied after about an hour and a half."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """P(score | state) as two histograms over the same bins, as `brimwatch calibrate` measures them.

    ``edges``: n + 1 rising numbers from 0 to 1; ``overflowing`` and ``clear``: n probabilities > 0.
    """

    edges: tuple[float, ...]
    overflowing: tuple[float, ...]
    clear: tuple[float, ...]

    def __post_init__(self) -> None:
        bins = len(self.edges) - 1
        if bins < 1 or any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges must rise and be at least two, got {self.edges}")
        for name, values in (("overflowing", self.overflowing), ("clear", self.clear)):
            if len(values) != bins:
                raise ValueError(f"{name} needs {bins} likelihoods, got {len(values)}")
            if any(not (math.isfinite(value) and value > 0) for value in values):
                raise ValueError(f"every likelihood in {name} must be finite and > 0, got {values}")

    def log_ratio(self, score: float) -> float:
        """λ(score): above 0 speaks for overflowing, below 0 for clear. ``score`` in 0..1."""
        index = bisect.bisect_right(self.edges, score) - 1
        index = min(max(index, 0), len(self.overflowing) - 1)
        return math.log(self.overflowing[index]) - math.log(self.clear[index])


def _segment(fill: float, empty: float, hours: float) -> tuple[float, float]:
    """The affine map (a, b) of ``hours`` at constant rates."""
    total = fill + empty
    return math.exp(-total * hours), -math.expm1(-total * hours) * fill / total


def _then(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """The map that applies ``first``, then ``second``."""
    return second[0] * first[0], second[0] * first[1] + second[1]


def _across(start: datetime, end: datetime, rates: Rates) -> tuple[float, float]:
    """The affine map from ``start`` to ``end``, at most a day later, hour by hour of the site's day."""
    whole = (1.0, 0.0)
    at = start
    while at < end:
        local = at + rates.utc_offset
        hour_end = (
            at
            + _HOUR
            - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        )
        until = min(hour_end, end)
        piece = _segment(rates.fill[local.hour], rates.empty[local.hour], (until - at) / _HOUR)
        whole = _then(whole, piece)
        at = until
    return whole


def predict(belief: Belief, now: datetime, rates: Rates) -> Belief:
    """What is believed at ``now`` if nothing was seen since. Never goes back in time."""
    if now <= belief.as_of:
        return belief
    days = (now - belief.as_of) // _DAY
    a, b = _across(belief.as_of + days * _DAY, now, rates)
    p = belief.overflowing
    if days:
        day_a, day_b = _across(belief.as_of, belief.as_of + _DAY, rates)
        power = day_a**days
        p = power * p + day_b * (1 - power) / (1 - day_a)
    return Belief(min(max(a * p + b, 0.0), 1.0), now, belief.seen_at)


def look_weight(belief: Belief, at: datetime, tau: timedelta = TAU) -> float:
    """How much a look at ``at`` counts, 0..1: the share of τ since the last look that saw the zone."""
    if belief.seen_at is None:
        return 1.0
    return min(1.0, max(0.0, (at - belief.seen_at) / tau))


def update(
    belief: Belief, observation: Observation, likelihood: Likelihood, *, weight: float
) -> Belief:
    """Bayes' rule for one look. ``belief`` must already be predicted to the look's time.

    An unseen look, and one older than the belief, leave it as it is.
    """
    if not observation.seen or observation.at < belief.as_of:
        return belief
    shift = weight * likelihood.log_ratio(observation.score)
    return Belief(_shifted(belief.overflowing, shift), observation.at, observation.at)


def _shifted(p: float, shift: float) -> float:
    """``p`` moved by ``shift`` in log-odds, without overflow at either end."""
    if p <= 0.0 or p >= 1.0:
        return p
    log_odds = math.log(p) - math.log1p(-p) + shift
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def look(
    belief: Belief,
    observation: Observation,
    rates: Rates,
    likelihood: Likelihood,
    tau: timedelta = TAU,
) -> Belief:
    """Predict to the look's time, then update by it: what one look makes of a belief."""
    if observation.at <= belief.as_of and belief.seen_at is not None:
        return belief
    predicted = predict(belief, observation.at, rates)
    weight = look_weight(predicted, observation.at, tau)
    return update(predicted, observation, likelihood, weight=weight)


def prior(at: datetime, rates: Rates) -> Belief:
    """The belief before the first look: the stationary probability at that hour's rates."""
    hour = (at + rates.utc_offset).hour
    return Belief(rates.fill[hour] / (rates.fill[hour] + rates.empty[hour]), at)
