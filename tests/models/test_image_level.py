from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.image_level import ImageScores, image_figures

ONCE = np.ones((1, 4), np.int64)


def scores(dirty: list[bool], score: list[float]) -> ImageScores:
    return ImageScores(np.array(dirty), np.array(score))


def test_figures_of_a_hand_made_case() -> None:
    figures = image_figures(scores([True, True, True, False], [0.9, 0.6, 0.1, 0.7]), 0.5, ONCE)
    assert figures.precision[0] == pytest.approx(2 / 3)
    assert figures.recall[0] == pytest.approx(2 / 3)
    assert figures.f1[0] == pytest.approx(2 / 3)
    assert figures.roc_auc[0] == pytest.approx(1 / 3)  # of three pairs only 0.9 over 0.7


@pytest.mark.parametrize(
    ("score", "auc"), [([0.9, 0.8, 0.1, 0.2], 1), ([0.1, 0.2, 0.8, 0.9], 0), ([0.5] * 4, 0.5)]
)
def test_roc_auc_says_how_well_the_two_kinds_come_apart(score: list[float], auc: float) -> None:
    figures = image_figures(scores([True, True, False, False], score), 0.5, ONCE)
    assert figures.roc_auc[0] == pytest.approx(auc)


def test_without_both_kinds_there_is_no_roc_auc() -> None:
    figures = image_figures(scores([True] * 4, [0.9, 0.8, 0.1, 0.2]), 0.5, ONCE)
    assert np.isnan(figures.roc_auc[0])
    assert figures.recall[0] == 0.5


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_a_weight_is_as_good_as_repeating_the_picture(
    pictures: list[tuple[bool, float, int]],
) -> None:
    weights = np.array([[count for *_, count in pictures]])
    repeated = [(dirty, score) for dirty, score, count in pictures for _ in range(count)]
    if not repeated:
        return
    weighted = image_figures(
        scores([one[0] for one in pictures], [one[1] for one in pictures]), 0.5, weights
    )
    plain = image_figures(
        scores([one[0] for one in repeated], [one[1] for one in repeated]),
        0.5,
        np.ones((1, len(repeated)), np.int64),
    )
    for name, values in plain.named().items():
        np.testing.assert_allclose(weighted.named()[name], values)
