"""Random places for training: one seed, one scene. The variety a detector should not mind."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum

import numpy as np

from models.twin.heap import PileKind, heap_in_bin, pile_on_ground
from models.twin.scene import (
    BIN_SIZES,
    Backdrop,
    Bin,
    BinKind,
    Camera,
    Car,
    Lens,
    Light,
    LightKind,
    Person,
    Pile,
    Prop,
    Rgb,
    Scene,
    Weather,
)
from models.twin.seeds import require_training_seed

GREEN: Rgb = (0.015, 0.16, 0.055)
BLUE: Rgb = (0.012, 0.09, 0.30)
GREY: Rgb = (0.06, 0.065, 0.07)
ORANGE: Rgb = (0.55, 0.15, 0.02)
RED: Rgb = (0.42, 0.02, 0.02)
STEEL: Rgb = (0.50, 0.50, 0.50)
BIN_COLOURS: tuple[Rgb, ...] = (GREEN, GREEN, GREEN, BLUE, BLUE, GREY, ORANGE, RED)

CLOTHES: tuple[Rgb, ...] = (
    (0.6, 0.6, 0.58), (0.03, 0.03, 0.04), (0.04, 0.07, 0.2), (0.35, 0.03, 0.04),
    (0.2, 0.25, 0.12), (0.5, 0.35, 0.2), (0.2, 0.35, 0.5), (0.55, 0.25, 0.3),
)  # fmt: skip
PAINTS: tuple[Rgb, ...] = (
    (0.75, 0.75, 0.75), (0.02, 0.02, 0.025), (0.3, 0.31, 0.33), (0.35, 0.02, 0.02), (0.03, 0.07, 0.2),
)  # fmt: skip
WALLS: tuple[tuple[str, tuple[Rgb, ...]], ...] = (
    ("plaster", ((0.45, 0.43, 0.38), (0.5, 0.4, 0.25), (0.32, 0.33, 0.34))),
    ("tiles", ((0.55, 0.55, 0.53), (0.45, 0.3, 0.22))),
    ("brick", ((0.28, 0.09, 0.05), (0.32, 0.28, 0.24))),
    ("metal", ((0.06, 0.18, 0.35), (0.4, 0.41, 0.42))),
    ("hedge", ((0.035, 0.10, 0.02), (0.05, 0.12, 0.03))),
)
GROUNDS: tuple[tuple[str, Rgb], ...] = (
    ("asphalt", (0.10, 0.10, 0.105)), ("concrete", (0.30, 0.29, 0.27)),
    ("pavers", (0.32, 0.24, 0.19)), ("slabs", (0.34, 0.33, 0.31)),
)  # fmt: skip
ROW_KINDS: tuple[BinKind, ...] = (
    *(BinKind.WHEELIE,) * 9, *(BinKind.CONTAINER,) * 5, *(BinKind.PEDAL,) * 3, BinKind.DRUM,
    *(BinKind.SKIP,) * 2, *(BinKind.STREET,) * 2, *(BinKind.WOODEN,) * 2,
)  # fmt: skip
"""What stands in a training scene, as often as in the streets."""
BROWN: Rgb = (0.2, 0.1, 0.045)
COATS: dict[BinKind, tuple[Rgb, ...]] = {
    BinKind.PEDAL: (STEEL, STEEL, GREY, BLUE, GREEN, RED),
    BinKind.STREET: (STEEL, STEEL, (0.07, 0.075, 0.08), (0.03, 0.12, 0.06)),
    BinKind.WOODEN: (BROWN,),
}
"""Colours of the kinds that do not come in `BIN_COLOURS`."""


PILE_KINDS: tuple[PileKind, ...] = (*(PileKind.BAGS,) * 3, PileKind.CARTONS, PileKind.LITTER)
WET = 0.6
"""Share of its brightness that ground keeps when it is wet."""
DECOYS: tuple[str, ...] = ("cabinet", "cabinet", "bench", "cone", "mailbox", "scooter")


class Theme(StrEnum):
    """What a training picture is to teach."""

    CLEAN = "clean"  # closed or empty containers
    BARE = "bare"  # no container and no waste: people, cars, street furniture
    OVERFLOW = "overflow"  # containers with a heap
    MIXED = "mixed"  # heaps, closed ones, waste beside


class Dice:
    """Random choices from one seed: the only source of chance for a scene."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def between(self, low: float, high: float) -> float:
        """Evenly from low to high."""
        return float(self._rng.uniform(low, high))

    def below(self, count: int) -> int:
        """An integer from 0 to count - 1."""
        return int(self._rng.integers(count))

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return bool(self._rng.random() < share)

    def colour(self, options: tuple[Rgb, ...]) -> Rgb:
        """One of the colours, a little lighter or darker."""
        r, g, b = options[self.below(len(options))]
        k = self.between(0.8, 1.25)
        return (min(r * k, 1.0), min(g * k, 1.0), min(b * k, 1.0))


def theme_of(seed: int) -> Theme:
    """A quarter clean, a fifth bare (pure background, its label file is empty), the rest waste."""
    draw = Dice(seed, 1).between(0, 1)
    if draw < 0.25:
        return Theme.CLEAN
    if draw < 0.45:
        return Theme.BARE
    return Theme.OVERFLOW if draw < 0.72 else Theme.MIXED


def _backdrop(dice: Dice) -> Backdrop:
    wall, colours = WALLS[dice.below(len(WALLS))]
    ground, ground_colour = GROUNDS[dice.below(len(GROUNDS))]
    wall_y = dice.between(0.75, 1.6)
    names = ("sign", "window", "shutter", "pole", "bush", "pot", "aircon", "post", "tree")
    props: list[Prop] = []
    for i in range(2 + dice.below(4)):
        kind = names[dice.below(len(names))]
        x = (-1 if i % 2 else 1) * dice.between(0.4, 3.6)
        standing = kind in ("bush", "pot", "pole", "post", "tree")
        y = wall_y - (dice.between(0.2, 0.45) if standing else 0.0)
        z = 0.0 if standing or kind == "shutter" else dice.between(1.1, 1.6)
        width = {"pole": 0.16, "post": 0.12, "tree": 0.3, "pot": 0.5}.get(
            kind, dice.between(0.7, 1.6)
        )
        height = {"pole": 5.0, "tree": 3.2, "pot": 0.7, "shutter": 2.6}.get(
            kind, dice.between(0.6, 1.1)
        )
        green: tuple[Rgb, ...] = ((0.03, 0.11, 0.02), (0.07, 0.14, 0.03), (0.05, 0.09, 0.02))
        plant = kind in ("bush", "pot", "tree")
        colour = dice.colour(green if plant else (BLUE, GREEN, RED, (0.4, 0.4, 0.38)))
        if standing and abs(x) < 1.6:
            x = math.copysign(abs(x) + 1.7, x)
        props.append(Prop(kind, x, y, z, width, height, colour))
    return Backdrop(
        wall=wall,
        wall_colour=dice.colour(colours),
        wall_y=wall_y,
        wall_height=dice.between(1.2, 2.2) if wall == "hedge" else dice.between(2.4, 4.5),
        ground=ground,
        ground_colour=dice.colour((ground_colour,)),
        kerb_y=-dice.between(0.9, 1.8) if dice.chance(0.5) else None,
        props=tuple(props),
        stains=dice.below(100_000),
    )


def _decoys(dice: Dice) -> tuple[Prop, ...]:
    """Street furniture where bins would stand, some of it about as large and as green."""
    props: list[Prop] = []
    for i in range(1 + dice.below(3)):
        kind = DECOYS[dice.below(len(DECOYS))]
        x = (i - 1) * 1.5 + dice.between(-0.35, 0.35)
        width, height = dice.between(0.7, 1.2), dice.between(0.9, 1.4)
        if kind == "bench":
            width = dice.between(1.2, 1.6)
        colour = dice.colour((GREEN, GREY, BLUE, RED, (0.4, 0.41, 0.4), (0.02, 0.14, 0.05)))
        props.append(Prop(kind, x, dice.between(-0.2, 0.15), 0.0, width, height, colour))
    return tuple(props)


def _light(dice: Dice) -> Light:
    kinds = (*(LightKind.SUN,) * 3, *(LightKind.OVERCAST,) * 3, LightKind.DUSK, LightKind.LAMP,
             LightKind.INFRARED, LightKind.INFRARED)  # fmt: skip
    kind = kinds[dice.below(len(kinds))]
    lamp = (dice.between(-2, 2), dice.between(-1.8, 0.0), dice.between(2.8, 4.2))
    return Light(kind, dice.between(22, 65), dice.between(-75, 75), dice.between(0.75, 1.25), lamp)


def _camera(dice: Dice) -> Camera:
    height = dice.between(1.5, 2.4) if dice.chance(0.3) else dice.between(2.6, 4.0)
    away = dice.between(2.4, 5.6)
    side = dice.between(-2.2, 2.2)
    target = (dice.between(-0.4, 0.4), dice.between(-0.2, 0.3), dice.between(0.3, 0.75))
    return Camera((side, -away, height), target, dice.between(28, 44), dice.between(-3, 3))


def _row(dice: Dice, theme: Theme, seed: int) -> tuple[Bin, ...]:
    kind = ROW_KINDS[dice.below(len(ROW_KINDS))]
    limit = {BinKind.SKIP: 1, BinKind.CONTAINER: 3, BinKind.WHEELIE: 5}.get(kind, 2)
    count = 1 + dice.below(limit)
    width = BIN_SIZES[kind].top[0] + dice.between(0.08, 0.25)
    coats = COATS.get(kind, BIN_COLOURS)
    same = dice.colour(coats)
    bins: list[Bin] = []
    for i in range(count):
        colour = same if dice.chance(0.6) else dice.colour(coats)
        lid_colour = dice.colour(BIN_COLOURS) if kind is BinKind.STREET else colour
        heaped = theme is Theme.OVERFLOW or (theme is Theme.MIXED and dice.chance(0.5))
        if theme is Theme.OVERFLOW and i and dice.chance(0.3):
            heaped = False
        lid, fill, pieces = 0.0, 0.2, 0
        x = (i - (count - 1) / 2) * width + dice.between(-0.04, 0.04)
        y, yaw = dice.between(-0.08, 0.08), dice.between(-10, 10)
        if heaped:
            lid = dice.between(60, 115) if dice.chance(0.6) else dice.between(190, 245)
            fill = 1.0
            large = kind in (BinKind.CONTAINER, BinKind.SKIP)
            pieces = int(dice.between(30, 75) if large else dice.between(10, 32))
            if BIN_SIZES[kind].roof:
                pieces = int(dice.between(8, 16))
            elif not large and dice.chance(0.2):  # the lid lies on what does not fit in
                lid, pieces = dice.between(28, 55), int(dice.between(8, 16))
        elif dice.chance(0.18):
            lid, fill = dice.between(100, 240), dice.between(0.0, 0.3)
        heap = heap_in_bin(kind, (x, y, yaw), seed * 31 + i, pieces) if pieces else ()
        bins.append(Bin(kind, x, y, yaw, colour, lid_colour, lid, fill, heap))
    return tuple(bins)


def _piles(dice: Dice, theme: Theme, bins: tuple[Bin, ...], seed: int) -> tuple[Pile, ...]:
    wanted = {Theme.MIXED: 0.9, Theme.OVERFLOW: 0.35}.get(theme, 0.0)
    if not dice.chance(wanted):
        return ()
    piles: list[Pile] = []
    for i in range(1 + dice.below(2)):
        edge = max(b.x + b.size.top[0] / 2 for b in bins) if i else 0.0
        spread = (dice.between(0.2, 0.7), dice.between(0.15, 0.4))
        x = edge + spread[0] + 0.15 if i else dice.between(-1.0, 1.0)
        y = dice.between(-0.2, 0.2) if i else -0.75 - spread[1]
        kind = PILE_KINDS[dice.below(len(PILE_KINDS))]
        count = 3 + dice.below({PileKind.CARTONS: 7, PileKind.LITTER: 16}.get(kind, 26))
        piles.append(Pile(pile_on_ground(x, y, spread, seed * 17 + i, count, kind=kind)))
    return tuple(piles)


def _people(dice: Dice, theme: Theme, camera: Camera) -> tuple[Person, ...]:
    share = {Theme.BARE: 0.8, Theme.CLEAN: 0.35}.get(theme, 0.25)
    count = (1 + dice.below(2)) if dice.chance(share) else 0
    return tuple(
        Person(
            dice.between(-1.8, 1.8), max(-dice.between(0.7, 1.8), camera.at[1] + 1.7),
            dice.between(0, 360),
            dice.between(1.5, 1.85), dice.colour(CLOTHES), dice.colour(CLOTHES), dice.between(-28, 28),
            vest=dice.chance(0.25),
        )
        for _ in range(count)
    )  # fmt: skip


def _cars(dice: Dice, theme: Theme, camera: Camera) -> tuple[Car, ...]:
    if camera.at[1] > -4.0 or not dice.chance({Theme.BARE: 0.8, Theme.CLEAN: 0.3}.get(theme, 0.12)):
        return ()
    x = (-1 if dice.chance(0.5) else 1) * dice.between(0.5, 3.2)
    return (
        Car(x, -dice.between(1.7, 2.4), dice.between(-8, 8) + 180 * dice.below(2),
            dice.colour(PAINTS), tall=dice.chance(0.4)),
    )  # fmt: skip


def _weather(dice: Dice) -> Weather:
    draw = dice.between(0, 1)
    if draw < 0.16:
        return Weather(rain=dice.between(0.2, 1.0), fog=dice.between(0.0, 0.02))
    if draw < 0.28:
        return Weather(fog=dice.between(0.04, 0.16))
    return Weather()


def _lens(dice: Dice, rain: float, *, dark: bool) -> Lens:
    return Lens(
        dirt=dice.between(0.2, 0.9) if dice.chance(0.15) else 0.0,
        drops=dice.below(15) if rain and dice.chance(0.5) else 0,
        blur=dice.between(1.0, 1.8) if dice.chance(0.12) else dice.between(0.0, 0.9),
        vignette=dice.between(0.0, 0.3),
        gain=dice.between(0.85, 1.2),
        noise=dice.between(2.5, 8.0) if dark else dice.between(0.5, 5.0),
        crf=20 + dice.below(19) if dice.chance(0.6) else 0,
    )


def training_scene(seed: int) -> Scene:
    """The training scene of a seed. Raises ConfigError for a seed that must not be trained on."""
    dice = Dice(require_training_seed(seed))
    theme = theme_of(seed)
    camera = _camera(dice)
    bins = () if theme is Theme.BARE else _row(dice, theme, seed)
    piles = _piles(dice, theme, bins, seed) if bins else ()
    people, cars = _people(dice, theme, camera), _cars(dice, theme, camera)
    light, backdrop = _light(dice), _backdrop(dice)
    air = Dice(seed, 5)
    weather = _weather(air)
    if weather.rain:
        r, g, b = backdrop.ground_colour
        backdrop = replace(backdrop, ground_colour=(r * WET, g * WET, b * WET))
        if light.kind is LightKind.SUN:
            light = replace(light, kind=LightKind.OVERCAST)
    if theme is Theme.BARE:
        backdrop = replace(backdrop, props=backdrop.props + _decoys(air))
    dark = light.kind in (LightKind.LAMP, LightKind.INFRARED)
    return Scene(
        seed=seed,
        bins=bins,
        piles=piles,
        people=people,
        cars=cars,
        light=light,
        camera=camera,
        backdrop=backdrop,
        weather=weather,
        lens=_lens(air, weather.rain, dark=dark),
    )
