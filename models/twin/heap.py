"""Waste: heaps in bins and piles on the ground, by dropping pieces on a height map.

Each piece falls at a random place and rests on what lies there, so a heap grows as real ones do:
the first pieces of a long heap are the short heap, which is what lets a bin fill over time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.twin.scene import BIN_SIZES, BinKind, Item, ItemShape, Rgb

CELL = 0.04
"""Metres a cell of the height map."""

BAG_COLOURS: tuple[Rgb, ...] = (
    (0.012, 0.012, 0.014), (0.018, 0.018, 0.02), (0.03, 0.03, 0.035), (0.75, 0.75, 0.72),
    (0.82, 0.80, 0.76), (0.62, 0.64, 0.62), (0.62, 0.04, 0.04), (0.75, 0.22, 0.26),
    (0.06, 0.22, 0.08), (0.05, 0.16, 0.42), (0.70, 0.50, 0.06), (0.80, 0.36, 0.42),
)  # fmt: skip
SCRAP_COLOURS: tuple[Rgb, ...] = (
    (0.8, 0.8, 0.78), (0.7, 0.68, 0.6), (0.55, 0.38, 0.2), (0.6, 0.05, 0.05), (0.1, 0.3, 0.6),
    (0.75, 0.55, 0.08), (0.1, 0.35, 0.12), (0.85, 0.85, 0.85), (0.3, 0.2, 0.1), (0.8, 0.4, 0.1),
)  # fmt: skip
BROWN: tuple[Rgb, ...] = ((0.42, 0.27, 0.14), (0.50, 0.34, 0.19), (0.36, 0.23, 0.12))
CARDBOARD: tuple[Rgb, ...] = ((0.42, 0.27, 0.14), (0.50, 0.34, 0.19), (0.80, 0.80, 0.78))

_SHARES = {ItemShape.BAG: 0.38, ItemShape.SHEET: 0.40, ItemShape.BOX: 0.10, ItemShape.BOTTLE: 0.12}
_BAG_RADIUS = {BinKind.WHEELIE: 0.155, BinKind.CONTAINER: 0.19, BinKind.SKIP: 0.23}
_SMALL_BAG = 0.14
_TRIES = 6  # places a piece may roll to: fewer builds towers, many makes the heap flat


def _pick(rng: np.random.Generator, options: Sequence[Rgb]) -> Rgb:
    return options[int(rng.integers(len(options)))]


def _piece(rng: np.random.Generator, bag_radius: float, shape: ItemShape) -> Item:
    scale = float(rng.uniform(0.75, 1.2))
    if shape is ItemShape.BAG:
        r = bag_radius * scale
        radii = (r * float(rng.uniform(0.9, 1.25)), r * float(rng.uniform(0.85, 1.1)), r * 0.85)
        colour, tilt = _pick(rng, BAG_COLOURS), float(rng.uniform(-35, 35))
    elif shape is ItemShape.BOX:
        w = bag_radius * scale
        radii = (w, w * float(rng.uniform(0.5, 0.9)), w * float(rng.uniform(0.12, 0.7)))
        colour, tilt = _pick(rng, CARDBOARD), float(rng.uniform(-40, 40))
    elif shape is ItemShape.CARTON:
        w = 0.2 * scale
        radii = (w, w * float(rng.uniform(0.6, 1.0)), w * float(rng.uniform(0.5, 0.95)))
        colour, tilt = _pick(rng, BROWN), float(rng.uniform(-2, 2))
    elif shape is ItemShape.BOTTLE:
        r = float(rng.uniform(0.03, 0.045))
        radii = (r * 3.2, r, r)
        colour, tilt = _pick(rng, SCRAP_COLOURS), float(rng.uniform(-50, 50))
    else:
        w = bag_radius * float(rng.uniform(0.35, 0.9))
        radii = (w, w * float(rng.uniform(0.6, 1.0)), w * 0.35)
        colour, tilt = _pick(rng, SCRAP_COLOURS), float(rng.uniform(-60, 60))
    yaw, variant = float(rng.uniform(0, 360)), int(rng.integers(6))
    return Item(shape, (0.0, 0.0, 0.0), radii, yaw, tilt, colour, variant)


class _Ground:
    """A height map in the heap's own coordinates, on which pieces come to rest."""

    def __init__(self, heights: NDArray[np.float64]) -> None:
        self._heights = heights
        n = heights.shape[0]
        self._axis = (np.arange(n) + 0.5 - n / 2) * CELL

    def _around(self, item: Item, x: float, y: float) -> tuple[NDArray[np.float64], float]:
        reach = max(item.radii[0], item.radii[1], 1.5 * CELL) * 0.8
        squared = (self._axis[:, None] - x) ** 2 + (self._axis[None, :] - y) ** 2
        return squared / reach**2, float(np.median(self._heights[squared <= reach**2]))

    def rest(self, item: Item, places: Sequence[tuple[float, float]]) -> Item:
        """The item at rest at the lowest of the places; the ground rises under it."""
        around = [self._around(item, x, y) for x, y in places]
        best = min(range(len(places)), key=lambda i: around[i][1])
        squared, floor = around[best]
        stands = item.shape is ItemShape.CARTON
        z = floor + item.radii[2] * (0.98 if stands else 0.62)
        dome = z + item.radii[2] * 0.75 * np.sqrt(np.clip(1 - squared, 0, 1))
        self._heights = np.where(squared <= 1, np.maximum(self._heights, dome), self._heights)
        return replace(item, at=(*places[best], z))


def _places(
    rng: np.random.Generator,
    centre_y: float,
    spread: tuple[float, float],
    limit: tuple[float, float],
) -> list[tuple[float, float]]:
    xs = np.clip(rng.normal(0, spread[0], _TRIES), -limit[0], limit[0])
    ys = np.clip(rng.normal(centre_y, spread[1], _TRIES), -limit[1], limit[1])
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def _any_shape(rng: np.random.Generator) -> ItemShape:
    shapes = list(_SHARES)
    return shapes[int(rng.choice(len(shapes), p=list(_SHARES.values())))]


class PileKind(StrEnum):
    """What a pile on the ground is mostly made of."""

    BAGS = "bags"  # with all sorts between
    CARTONS = "cartons"  # boxes put beside the bins
    LITTER = "litter"  # loose paper, wrappers and bottles


def _pile_shape(rng: np.random.Generator, kind: PileKind, index: int) -> ItemShape:
    if kind is PileKind.CARTONS:
        return ItemShape.CARTON if rng.random() < 0.75 else ItemShape.BOX
    if kind is PileKind.LITTER:
        return ItemShape.SHEET if rng.random() < 0.65 else ItemShape.BOTTLE
    return ItemShape.BAG if index < 2 else _any_shape(rng)


def _to_world(item: Item, x: float, y: float, yaw: float) -> Item:
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    lx, ly, lz = item.at
    return replace(item, at=(x + c * lx - s * ly, y + s * lx + c * ly, lz), yaw=item.yaw + yaw)


def heap_in_bin(
    kind: BinKind, place: tuple[float, float, float], seed: int, count: int
) -> tuple[Item, ...]:
    """``count`` pieces heaped on a bin filled to its rim; a longer heap begins with the shorter.

    ``place``: x, y and yaw of the bin.
    """
    size = BIN_SIZES[kind]
    rng = np.random.default_rng((seed, 7))
    n = math.ceil((max(size.top) + 0.6) / CELL)
    axis = np.abs((np.arange(n) + 0.5 - n / 2) * CELL)
    inside = (axis[:, None] < size.top[0] / 2) & (axis[None, :] < size.top[1] / 2)
    ground = _Ground(np.where(inside, size.height - 0.05, size.height - 0.2))
    items: list[Item] = []
    for i in range(count):
        shape = ItemShape.BAG if i < 4 else _any_shape(rng)
        piece = _piece(rng, _BAG_RADIUS.get(kind, _SMALL_BAG), shape)
        limit = (
            max(size.top[0] / 2 - piece.radii[0] * 0.3, 0.05),
            max(size.top[1] / 2 - piece.radii[1] * 0.3, 0.05),
        )
        spread = (limit[0] * 0.62, limit[1] * 0.62)
        items.append(_to_world(ground.rest(piece, _places(rng, -0.05, spread, limit)), *place))
    return tuple(items)


def pile_on_ground(
    x: float,
    y: float,
    spread: tuple[float, float],
    seed: int,
    count: int,
    *,
    kind: PileKind = PileKind.BAGS,
) -> tuple[Item, ...]:
    """``count`` pieces of waste lying around (x, y); a longer pile begins with the shorter."""
    rng = np.random.default_rng((seed, 11))
    n = math.ceil((2 * max(spread) + 0.8) / CELL)
    ground = _Ground(np.zeros((n, n)))
    items: list[Item] = []
    for i in range(count):
        shape = _pile_shape(rng, kind, i)
        piece = _piece(rng, _BAG_RADIUS[BinKind.WHEELIE], shape)
        places = _places(rng, 0.0, (spread[0] * 0.5, spread[1] * 0.5), spread)
        items.append(_to_world(ground.rest(piece, places), x, y, 0.0))
    return tuple(items)
