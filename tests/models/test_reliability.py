from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.reliability import Curve, Reliability, diagram, measure

SVG = "{http://www.w3.org/2000/svg}"

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def curve_of(rows: list[tuple[float, bool]], bins: int = 10) -> Curve:
    said, true = zip(*rows, strict=True)
    return measure(np.array(said), np.array(true), random=np.random.default_rng(0), bins=bins)


@settings(deadline=None)
@given(answers)
def test_every_picture_is_in_one_bin_and_the_error_is_their_weighted_mean(
    rows: list[tuple[float, bool]],
) -> None:
    curve = curve_of(rows)
    assert sum(one.count for one in curve.bins) == len(rows)
    said = [one.said for one in curve.bins]
    assert said == sorted(said)
    by_hand = sum(one.count * abs(one.true - one.said) for one in curve.bins) / len(rows)
    assert curve.ece == pytest.approx(by_hand)
    assert 0 <= curve.ece <= 1


@given(answers)
def test_the_order_of_the_pictures_does_not_matter(rows: list[tuple[float, bool]]) -> None:
    assert curve_of(rows).ece == pytest.approx(curve_of(rows[::-1]).ece)


@pytest.mark.parametrize(
    ("rows", "ece"),
    [
        ([(0.0, False), (1.0, True)], 0.0),
        ([(1.0, False), (0.0, True)], 1.0),
        ([(0.8, True)] * 4 + [(0.8, False)], 0.0),
        ([(0.6, True)] * 10, 0.4),
    ],
)
def test_the_error_of_answers_that_can_be_reckoned_by_hand(
    rows: list[tuple[float, bool]], ece: float
) -> None:
    assert curve_of(rows).ece == pytest.approx(ece)


def test_bins_hold_equally_many_and_equal_answers_stay_together() -> None:
    rows = [(number / 100, True) for number in range(100)]
    assert [one.count for one in curve_of(rows).bins] == [10] * 10
    tied = [(0.0, False)] * 55 + [(0.5, True)] * 5 + [(0.9, True)] * 40
    assert [one.count for one in curve_of(tied).bins] == [55, 5, 40]


def test_honest_answers_score_what_chance_does_and_boasts_score_worse() -> None:
    random = np.random.default_rng(7)
    said = random.random(400)
    true = random.random(400) < said
    honest = measure(said, true, random=random)
    assert honest.ece == pytest.approx(honest.chance, abs=0.02)
    boasting = measure(said**0.3, true, random=random)
    assert boasting.ece > boasting.chance + 0.1


def test_the_diagram_shows_every_bin_with_its_count() -> None:
    curve = curve_of([(0.1, False)] * 7 + [(0.9, True)] * 5)
    one = Reliability("streets & yards/val", "5-fold", 12, 5 / 12, curve, curve)
    root = ET.fromstring(diagram([one, one]))
    assert len(root.findall(f"{SVG}circle")) == 2 * 2 * 2
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert words.count("pictures a dot, from the left: 7 5") == 4
    assert any("streets & yards/val: 12 pictures" in str(word) for word in words)
    assert any(f"ECE {curve.ece:.3f}" in str(word) for word in words)
