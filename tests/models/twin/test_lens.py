from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.twin.demo_points import demo_point
from models.twin.depth import FAR_M, depth_map
from models.twin.lens import add_dirt, add_drops, compress, photograph
from models.twin.scene import CLEAN_LENS, CLEAR, Lens, LightKind, Scene, Weather
from models.twin.sensor import monochrome
from models.twin.story import scene_at
from models.twin.weather import add_fog, add_rain
from pipeline.domain import Image

WIDTH, HEIGHT = 160, 90
SCENE = scene_at(demo_point("twin-01"), 0)


def picture() -> Image:
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH]
    board = np.where((xs // 10 + ys // 10) % 2, 190, 50).astype(np.uint8)
    return np.stack([board, 255 - board, board // 2], axis=2)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def shot(scene: Scene, glass: int = 1, moment: int = 2) -> Image:
    return photograph(picture(), scene, glass=rng(glass), moment=rng(moment))


def with_(weather: Weather = CLEAR, lens: Lens = CLEAN_LENS) -> Scene:
    return replace(SCENE, weather=weather, lens=lens)


@pytest.mark.parametrize(
    "leave",
    [
        lambda p: add_rain(p, 0.0, LightKind.SUN, rng()),
        lambda p: add_fog(p, np.ones((HEIGHT, WIDTH), np.float32), 0.0, LightKind.SUN),
        lambda p: add_dirt(p, 0.0, rng()),
        lambda p: add_drops(p, 0, rng()),
        lambda p: compress(p, 0),
    ],
    ids=["rain", "fog", "dirt", "drops", "compression"],
)
def test_nothing_of_it_changes_nothing(leave: Callable[[Image], Image]) -> None:
    assert (leave(picture()) == picture()).all()


def test_what_is_far_vanishes_first_in_fog() -> None:
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[:, WIDTH // 2 :] = 12.0
    seen = add_fog(picture(), depth, 0.1, LightKind.OVERCAST)
    near, far = seen[:, : WIDTH // 2].std(), seen[:, WIDTH // 2 :].std()
    assert far < 0.5 * near < 0.5 * picture().std()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([f"twin-0{n}" for n in range(1, 9)]), st.integers(0, 2_900))
def test_depth_is_between_the_lens_and_the_sky(point_id: str, second: int) -> None:
    depth = depth_map(scene_at(demo_point(point_id), second), WIDTH, HEIGHT)
    assert depth.shape == (HEIGHT, WIDTH)
    assert depth.dtype == np.float32
    assert 0.3 < depth.min() <= depth.max() <= FAR_M


def test_bins_stand_before_the_wall_and_the_ground_comes_nearer_downwards() -> None:
    empty = replace(SCENE, bins=())
    before, behind = depth_map(SCENE, WIDTH, HEIGHT), depth_map(empty, WIDTH, HEIGHT)
    assert (before <= behind + 0.35).all()
    assert (before < behind - 0.1).any()
    assert (np.diff(behind[2 * HEIGHT // 3 :, WIDTH // 2]) <= 1e-5).all()


@pytest.mark.parametrize("light", list(LightKind))
def test_more_rain_is_more_streaks(light: LightKind) -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    drizzle, downpour = (
        np.abs(add_rain(grey, rain, light, rng()).astype(int) - 60).mean() for rain in (0.2, 1.0)
    )
    assert 0 < drizzle < downpour


def test_dirt_and_drops_stay_where_they_are_while_rain_moves_on() -> None:
    quiet = Lens(dirt=0.8, drops=6, noise=0.0)
    dirty = with_(lens=quiet)
    assert (shot(dirty, glass=1, moment=2) == shot(dirty, glass=1, moment=3)).all()
    assert (shot(dirty, glass=1) != shot(dirty, glass=4)).any()
    rainy = with_(Weather(rain=0.8), quiet)
    assert (shot(rainy, moment=2) != shot(rainy, moment=3)).any()


@settings(max_examples=25, deadline=None)
@given(
    rain=st.floats(0, 1),
    fog=st.floats(0, 0.5),
    dirt=st.floats(0, 1),
    drops=st.integers(0, 12),
    crf=st.sampled_from([0, 18, 30, 42]),
    light=st.sampled_from(list(LightKind)),
    seed=st.integers(0, 99),
)
def test_any_weather_and_lens_give_the_same_picture_again(
    *, rain: float, fog: float, dirt: float, drops: int, crf: int, light: LightKind, seed: int
) -> None:
    lens = Lens(dirt=dirt, drops=drops, crf=crf)
    scene = replace(
        with_(Weather(rain, fog), lens), light=replace(SCENE.light, kind=light), seed=seed
    )
    first, again = shot(scene, seed), shot(scene, seed)
    assert (first.shape, first.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert (first == again).all()


def test_a_starved_link_loses_more_than_a_good_one() -> None:
    noisy = picture() + rng().integers(0, 40, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    losses = [float(cv2.absdiff(compress(noisy, crf), noisy).mean()) for crf in (18, 30, 44)]
    assert losses == sorted(losses)
    assert losses[0] < losses[2]


def test_odd_sizes_survive_compression() -> None:
    odd = picture()[:89, :159]
    assert compress(odd, 28).shape == odd.shape


def test_infra_red_has_no_colour_whatever_the_noise() -> None:
    infrared = replace(
        SCENE, light=replace(SCENE.light, kind=LightKind.INFRARED), lens=Lens(noise=8.0, crf=34)
    )
    seen = shot(infrared)
    assert (seen[..., 0] == seen[..., 1]).all()
    assert (seen[..., 1] == seen[..., 2]).all()
    assert (monochrome(seen) == seen).all()
