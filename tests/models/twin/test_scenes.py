from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.twin.demo_points import demo_point, demo_points
from models.twin.heap import PileKind, heap_in_bin, pile_on_ground
from models.twin.layout import DECOYS, Theme, theme_of, training_scene
from models.twin.scene import BIN_SIZES, BinKind, ItemShape, LightKind, Scene
from models.twin.seeds import (
    DEMO_SEEDS_BELOW,
    TRAINING_SEEDS_FROM,
    require_demo_seed,
    require_training_seed,
)
from models.twin.training import render_training_set
from models.twin.truth import truth_boxes
from pipeline.domain import Image
from pipeline.errors import ConfigError

training_seeds = st.integers(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 5_000)


@settings(max_examples=20, deadline=None)
@given(training_seeds)
def test_a_seed_is_a_scene(seed: int) -> None:
    assert training_scene(seed) == training_scene(seed)


def test_other_seeds_are_other_scenes() -> None:
    scenes = {training_scene(seed) for seed in range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 30)}
    assert len(scenes) == 30


@settings(max_examples=30, deadline=None)
@given(training_seeds)
def test_a_theme_keeps_its_promise(seed: int) -> None:
    scene = training_scene(seed)
    heaped = any(bin_.overflowing for bin_ in scene.bins)
    match theme_of(seed):
        case Theme.BARE:
            assert not scene.bins
            assert not scene.piles
        case Theme.CLEAN:
            assert scene.bins
            assert not heaped
            assert not scene.piles
        case Theme.OVERFLOW:
            assert heaped


def test_a_quarter_of_the_training_scenes_is_clean_and_a_fifth_pure_background() -> None:
    themes = [theme_of(seed) for seed in range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 500)]
    assert 0.20 < themes.count(Theme.CLEAN) / 500 < 0.30
    assert 0.15 < themes.count(Theme.BARE) / 500 < 0.25


def test_backgrounds_have_no_box_but_something_that_may_be_taken_for_a_bin() -> None:
    seeds = range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 100)
    bare = [training_scene(seed) for seed in seeds if theme_of(seed) is Theme.BARE]
    assert all(truth_boxes(scene, 448, 336) == [] for scene in bare)
    assert all(any(prop.kind in DECOYS for prop in scene.backdrop.props) for scene in bare)
    assert sum(bool(scene.people) for scene in bare) > len(bare) / 2


def test_training_scenes_have_all_kinds_of_bins_light_and_weather() -> None:
    seeds = range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 200)
    scenes = [training_scene(seed) for seed in seeds]
    assert {bin_.kind for scene in scenes for bin_ in scene.bins} == set(BinKind)
    assert {scene.light.kind for scene in scenes} == set(LightKind)
    assert 0.1 < sum(scene.weather.rain > 0 for scene in scenes) / 200 < 0.25
    assert 0.05 < sum(scene.weather.fog >= 0.04 for scene in scenes) / 200 < 0.2
    assert 0.08 < sum(scene.lens.dirt > 0 for scene in scenes) / 200 < 0.25
    assert not any(scene.weather.rain and scene.light.kind is LightKind.SUN for scene in scenes)


@pytest.mark.parametrize("kind", list(PileKind))
def test_each_kind_of_pile_is_made_of_its_own(kind: PileKind) -> None:
    pile = pile_on_ground(0.0, 0.0, (0.5, 0.3), seed=3, count=30, kind=kind)
    shapes = {item.shape for item in pile}
    expected = {
        PileKind.BAGS: {ItemShape.BAG, ItemShape.SHEET, ItemShape.BOX, ItemShape.BOTTLE},
        PileKind.CARTONS: {ItemShape.CARTON, ItemShape.BOX},
        PileKind.LITTER: {ItemShape.SHEET, ItemShape.BOTTLE},
    }
    assert shapes == expected[kind]


@pytest.mark.parametrize("seed", [0, 101, DEMO_SEEDS_BELOW, TRAINING_SEEDS_FROM - 1, -1])
def test_seeds_that_are_not_for_training_are_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match=f"seed {seed} must not be trained on"):
        require_training_seed(seed)
    with pytest.raises(ConfigError):
        training_scene(seed)


def test_no_training_picture_is_rendered_once_one_seed_is_the_demos(tmp_path: Path) -> None:
    class NoStudio:
        def render(self, scene: Scene) -> Image:
            pytest.fail("nothing may be rendered")

    seeds = [TRAINING_SEEDS_FROM, demo_points()[0].seed]
    with pytest.raises(ConfigError, match="must not be trained on"):
        render_training_set(NoStudio(), seeds, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_uses_its_own_seeds_only() -> None:
    seeds = [point.seed for point in demo_points()]
    assert len(set(seeds)) == 8
    assert [require_demo_seed(seed) for seed in seeds] == seeds
    with pytest.raises(ConfigError, match="not one of the demo's"):
        require_demo_seed(TRAINING_SEEDS_FROM)


def test_an_unknown_point_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'twin-99'") as caught:
        demo_point("twin-99")
    assert "twin-01" in caught.value.hint


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(BinKind)), st.integers(0, 10_000), st.integers(1, 30))
def test_a_heap_grows_by_adding_and_stays_on_its_bin(kind: BinKind, seed: int, count: int) -> None:
    small = heap_in_bin(kind, (0.0, 0.0, 0.0), seed, count)
    large = heap_in_bin(kind, (0.0, 0.0, 0.0), seed, count + 5)
    size = BIN_SIZES[kind]
    assert len(small) == count
    assert all(0.5 < item.at[2] < size.height + 2.0 for item in small)
    assert all(abs(item.at[0]) <= size.top[0] / 2 for item in small)
    assert large[:count] == small


def test_a_pile_lies_on_the_ground_where_it_was_put() -> None:
    pile = pile_on_ground(2.0, -1.0, (0.5, 0.3), seed=5, count=12)
    assert all(1.5 <= item.at[0] <= 2.5 and -1.3 <= item.at[1] <= -0.7 for item in pile)
    assert all(0 < item.at[2] < 1.5 for item in pile)
