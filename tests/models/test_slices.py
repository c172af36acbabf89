from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.slices import Light, Size, areas, light_of, of_size


def half_and_half(dark: int, bright: int, bright_share: float) -> np.ndarray:
    """A picture of 100×100, of which the lower ``bright_share`` is bright."""
    picture = np.full((100, 100, 3), dark, np.uint8)
    picture[100 - round(100 * bright_share) :] = bright
    return picture


@pytest.mark.parametrize(
    ("what", "picture", "light"),
    [
        ("a sunny street", half_and_half(110, 220, 0.5), Light.DAY),
        ("a dark bin before a sunny wall", half_and_half(20, 220, 0.2), Light.DAY),
        ("a street just after sunset", half_and_half(60, 150, 0.2), Light.DUSK),
        ("a dark street with a lit wall", half_and_half(20, 150, 0.2), Light.DUSK),
        ("a dark street with one lamp", half_and_half(20, 250, 0.05), Light.NIGHT),
        ("nothing at all", half_and_half(0, 0, 0.0), Light.NIGHT),
    ],
)
def test_light_is_judged_from_the_picture(what: str, picture: np.ndarray, light: Light) -> None:
    assert light_of(picture) == light, what


@given(st.integers(0, 255), st.integers(0, 255), st.floats(0, 1), st.integers(0, 100))
def test_more_light_never_makes_it_darker(dark: int, bright: int, share: float, more: int) -> None:
    order = [Light.NIGHT, Light.DUSK, Light.DAY]
    before = light_of(half_and_half(dark, bright, share))
    after = light_of(half_and_half(min(dark + more, 255), min(bright + more, 255), share))
    assert order.index(after) >= order.index(before)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_every_box_is_of_one_size(shares: list[float]) -> None:
    values = np.array(shares, np.float64)
    members = np.array([of_size(values, size) for size in Size])
    assert members.sum(axis=0).tolist() == [1] * len(shares)


@pytest.mark.parametrize(
    ("side", "size"), [(32, Size.SMALL), (33, Size.MEDIUM), (95, Size.MEDIUM), (97, Size.LARGE)]
)
def test_sizes_are_those_of_coco_on_its_pictures(side: int, size: Size) -> None:
    shares = areas(np.array([[0.0, 0.0, (side - 0.1) / 640, (side - 0.1) / 480]]))
    assert of_size(shares, size).tolist() == [True]
