from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import (
    BOUND,
    EDGES,
    calibrate,
    check,
    cross_validate,
    likelihoods,
    posterior,
    read_calibration,
)
from models.evaluation import judge
from models.loading import find_calibration, load_calibration
from models.manifest import Manifest, digest
from pipeline.domain import Detector
from pipeline.errors import ConfigError, ModelError

counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=15).map(
    lambda rows: np.array(rows).T
)


@settings(deadline=None)
@given(counts)
def test_likelihoods_are_probabilities_and_none_is_zero(histogram: np.ndarray) -> None:
    for likelihood in likelihoods(*histogram):
        assert (likelihood > 0).all()
        assert likelihood.sum() == pytest.approx(1, abs=1e-12)


@settings(deadline=None)
@given(counts)
def test_a_higher_score_never_speaks_less_for_overflow(histogram: np.ndarray) -> None:
    overflowing, clear = likelihoods(*histogram)
    assert (np.diff(np.log(overflowing / clear)) >= -1e-9).all()


@settings(deadline=None)
@given(counts)
def test_no_look_convinces_beyond_the_bound(histogram: np.ndarray) -> None:
    overflowing, clear = likelihoods(*histogram)
    assert (np.abs(np.log(overflowing / clear)) <= BOUND + 1e-9).all()


def test_scores_that_tell_nothing_weigh_nothing() -> None:
    overflowing, clear = likelihoods(np.array([5, 5, 5]), np.array([50, 50, 50]))
    np.testing.assert_allclose(overflowing, clear, atol=1e-12)


def test_bins_out_of_order_are_pooled() -> None:
    overflowing, clear = likelihoods(np.array([10, 40, 20, 90]), np.array([90, 10, 30, 5]))
    ratios = overflowing / clear
    assert ratios[1] == pytest.approx(ratios[2])
    assert ratios[0] < ratios[1] < ratios[3]


def test_a_detector_that_tells_them_apart_gets_high_weights(
    squares: Path, square_finder: Detector
) -> None:
    found = calibrate(
        list(judge(square_finder, squares, "val")), weights_sha256="a", source="squares"
    )
    assert found.edges == EDGES
    assert found.counts == {"overflowing": 3, "clear": 3}
    assert found.overflowing[0] < found.clear[0]
    assert found.overflowing[-1] > found.clear[-1]
    assert found.seen_confidence <= 0.9


def test_clear_scenes_from_elsewhere_count_as_clear_only(
    squares: Path, square_finder: Detector
) -> None:
    pictures = list(judge(square_finder, squares, "val"))
    found = calibrate(pictures, weights_sha256="a", source="s", more_clear=pictures)
    assert found.counts == {"overflowing": 3, "clear": 6}


def test_a_state_without_pictures_is_an_error(squares: Path, square_finder: Detector) -> None:
    pictures = [one for one in judge(square_finder, squares, "val") if one.has(("overflow",))]
    with pytest.raises(ConfigError, match="no clear picture"):
        calibrate(pictures, weights_sha256="a", source="s")


def test_what_is_written_is_read_back(
    squares: Path, square_finder: Detector, tmp_path: Path
) -> None:
    found = calibrate(
        list(judge(square_finder, squares, "val")), weights_sha256="a", source="squares"
    )
    found.write(tmp_path / "c.json")
    assert read_calibration(tmp_path / "c.json") == found
    assert load_calibration(tmp_path / "c.json") == found


def test_the_reliability_is_kept_and_a_file_from_before_it_is_read(
    squares: Path, square_finder: Detector, tmp_path: Path
) -> None:
    pictures = list(judge(square_finder, squares, "val"))
    random = np.random.default_rng(0)
    bare = calibrate(pictures, weights_sha256="a", source="squares")
    measured = (
        cross_validate(pictures, source="squares/val", random=random, folds=3),
        check(bare, pictures, source="squares/test", random=random),
    )
    replace(bare, reliability=measured).write(tmp_path / "c.json")
    assert read_calibration(tmp_path / "c.json").reliability == measured

    content = json.loads((tmp_path / "c.json").read_text())
    del content["reliability"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    assert read_calibration(tmp_path / "old.json") == bare


def test_in_cross_validation_no_picture_is_judged_by_itself(
    squares: Path, square_finder: Detector
) -> None:
    pictures = list(judge(square_finder, squares, "val"))
    found = cross_validate(pictures, source="s", random=np.random.default_rng(0), folds=3)
    assert (found.pictures, found.base_rate) == (6, 0.5)
    highest = found.after.bins[-1]
    # What the third overflowing picture is told by the other two, and by two clear ones (score 0).
    said, silent = (np.histogram([score] * 2, EDGES)[0] for score in (0.89, 0.0))
    others = likelihoods(said, silent)
    assert highest.said == pytest.approx(posterior(np.array([0.89]), *others, base_rate=0.5)[0])
    assert highest.true == 1


@given(st.floats(0.01, 0.99), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_higher_score_is_never_a_lower_probability(base_rate: float, scores: list[float]) -> None:
    rising = np.arange(len(EDGES) - 1)
    given_each = likelihoods(rising, rising[::-1])
    found = posterior(np.array(sorted(scores)), *given_each, base_rate=base_rate)
    assert (np.diff(found) >= -1e-12).all()
    assert ((found > 0) & (found < 1)).all()


def test_the_posterior_reads_scores_as_the_belief_filter_does() -> None:
    from pipeline.belief import Likelihood

    rising = np.arange(len(EDGES) - 1)
    overflowing, clear = likelihoods(rising, rising[::-1])
    filters = Likelihood(EDGES, tuple(map(float, overflowing)), tuple(map(float, clear)))
    for score in (*EDGES, 0.04999, 0.55):
        odds = np.exp(filters.log_ratio(score))
        found = posterior(np.array([score]), overflowing, clear, base_rate=0.5)[0]
        assert found == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"edges": 3}', '{"edges": ["x"]}'])
def test_a_broken_calibration_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"c\.json"):
        read_calibration(path)


def test_a_calibration_of_other_weights_is_refused(
    squares: Path, square_finder: Detector, tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.xml").write_text("<net/>")
    (folder / "model.bin").write_bytes(b"123")
    manifest = Manifest("w", digest(folder), ("overflow",), 416, calibration="calibration.json")
    manifest.write(folder)
    assert find_calibration(folder) is None
    found = calibrate(
        list(judge(square_finder, squares, "val")),
        weights_sha256=manifest.sha256,
        source="squares",
    )
    found.write(folder / "calibration.json")
    assert load_calibration(folder) == found
    replace(found, weights_sha256="0" * 64).write(folder / "calibration.json")
    with pytest.raises(ModelError, match="measured on weights"):
        load_calibration(folder)


def test_the_bundled_calibration_fits_the_belief_filter(bundled: Path) -> None:
    from pipeline.belief import Likelihood

    found = load_calibration(bundled)
    likelihood = Likelihood(found.edges, found.overflowing, found.clear)
    ratios = [likelihood.log_ratio(score) for score in (0.0, 0.3, 0.6, 0.95)]
    assert ratios == sorted(ratios)
    assert ratios[0] < 0 < ratios[-1]
    assert json.loads((bundled / "calibration.json").read_text())["seen_confidence"] > 0
