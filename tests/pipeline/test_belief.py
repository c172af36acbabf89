"""The belief filter's promises, for any likelihoods, rates and times."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.belief import (
    DEFAULT_RATES,
    TAU,
    Likelihood,
    Rates,
    look,
    look_weight,
    predict,
    prior,
    update,
)
from pipeline.domain import Belief, Observation

START = datetime(2026, 6, 1, tzinfo=UTC)
SHARP = Likelihood((0.0, 0.5, 1.0), (0.1, 0.9), (0.95, 0.05))

probabilities = st.floats(0, 1)
positive = st.floats(1e-300, 1e300)
rates = st.builds(
    lambda fill, empty: Rates(tuple(fill), tuple(empty)),
    st.lists(st.floats(1e-6, 50), min_size=24, max_size=24),
    st.lists(st.floats(1e-6, 50), min_size=24, max_size=24),
)
seconds = st.floats(0, 40 * 86_400)
likelihoods = st.integers(1, 6).flatmap(
    lambda bins: st.builds(
        Likelihood,
        st.just(tuple(i / bins for i in range(bins + 1))),
        st.tuples(*[positive] * bins),
        st.tuples(*[positive] * bins),
    )
)


def at(offset: float) -> datetime:
    return START + timedelta(seconds=offset)


def seen(offset: float, score: float) -> Observation:
    return Observation("z", at(offset), seen=True, score=score)


@given(
    likelihoods, rates, st.lists(st.tuples(seconds, st.floats(0, 1), st.booleans()), max_size=30)
)
def test_belief_stays_a_probability_and_older_frames_never_move_it(
    likelihood: Likelihood, rates: Rates, looks: list[tuple[float, float, bool]]
) -> None:
    belief = prior(START, rates)
    for offset, score, was_seen in looks:
        observation = Observation("z", at(offset), was_seen, score)
        after = look(belief, observation, rates, likelihood)
        assert 0 <= after.overflowing <= 1
        assert math.isfinite(after.overflowing)
        assert after.as_of >= belief.as_of
        if observation.at < belief.as_of:
            assert after == belief
        belief = after


@given(probabilities, rates, seconds, st.floats(0, 1))
def test_predicting_over_a_gap_is_predicting_over_its_two_halves(
    p: float, rates: Rates, gap: float, cut: float
) -> None:
    belief = Belief(p, START)
    whole = predict(belief, at(gap), rates)
    halves = predict(predict(belief, at(gap * cut), rates), at(gap), rates)
    assert halves.overflowing == pytest.approx(whole.overflowing, abs=1e-12)


@given(probabilities, st.floats(0.01, 20), st.floats(0.01, 20))
def test_unseen_it_relaxes_to_the_prior(p: float, fill: float, empty: float) -> None:
    constant = Rates.constant(fill, empty)
    late = predict(Belief(p, START), START + timedelta(days=400), constant)
    assert late.overflowing == pytest.approx(fill / (fill + empty), abs=1e-9)


@given(probabilities, seconds)
def test_an_unseen_look_is_only_the_passing_of_time(p: float, gap: float) -> None:
    belief = Belief(p, START, START)
    unseen = Observation("z", at(gap), seen=False, score=0.99)
    assert look(belief, unseen, DEFAULT_RATES, SHARP) == predict(belief, at(gap), DEFAULT_RATES)


def test_prediction_agrees_with_a_fine_numerical_integration() -> None:
    uneven = Rates(tuple(0.1 + h % 5 for h in range(24)), tuple(0.3 + h % 7 for h in range(24)))
    p, steps, hours = 0.3, 200_000, 7.25
    begin = START + timedelta(minutes=17)
    for step in range(steps):
        moment = begin + timedelta(hours=hours * (step + 0.5) / steps)
        hour = (moment + uneven.utc_offset).hour
        p += (uneven.fill[hour] * (1 - p) - uneven.empty[hour] * p) * hours / steps
    exact = predict(Belief(0.3, begin), begin + timedelta(hours=hours), uneven)
    assert exact.overflowing == pytest.approx(p, abs=1e-4)


@given(st.floats(0, 1))
def test_a_thousand_identical_looks_in_a_minute_weigh_no_more_than_a_few(score: float) -> None:
    slow = Rates.constant(1e-9, 1e-9)  # so that only the looks move the belief
    belief = Belief(0.5, START)
    for index in range(1000):
        belief = look(belief, seen(60 * index / 1000, score), slow, SHARP)
    moved = math.log(belief.overflowing / (1 - belief.overflowing))
    assert abs(moved) <= 2.01 * abs(SHARP.log_ratio(score))


def test_looks_a_minute_apart_count_in_full_and_the_first_one_does() -> None:
    belief = Belief(0.5, START)
    assert look_weight(belief, START) == 1
    assert look_weight(Belief(0.5, START, START), START + TAU) == 1
    assert look_weight(Belief(0.5, START, START), START + TAU / 4) == pytest.approx(0.25)
    assert look_weight(Belief(0.5, START, START), START) == 0


def test_bayes_rule_by_hand() -> None:
    after = update(Belief(0.5, START), seen(0, 0.9), SHARP, weight=1)
    assert after.overflowing == pytest.approx(0.9 / (0.9 + 0.05))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Likelihood((0, 1), (0.0,), (1.0,)), "must be finite and > 0"),
        (lambda: Likelihood((0, 0, 1), (1.0, 1.0), (1.0, 1.0)), "edges must rise"),
        (lambda: Likelihood((0, 1), (1.0, 2.0), (1.0,)), "needs 1 likelihoods, got 2"),
        (lambda: Rates((1.0,), (1.0,) * 24), "fill needs 24 rates"),
        (lambda: Rates.constant(0.0, 1.0), r"fill\[0\] must be a finite rate > 0, got 0"),
    ],
)
def test_impossible_parameters_are_refused_by_name(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=complaint):
        make()
