"""What a simulated scene is: frozen values, no Blender.

World axes: x to the right along the wall, y from the camera towards the wall, z up; metres.
Angles are in degrees, yaw counter-clockwise seen from above. Colours are linear RGB in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Vec3 = tuple[float, float, float]
Rgb = tuple[float, float, float]


class BinKind(StrEnum):
    """Containers found at Chinese collection points."""

    WHEELIE = "wheelie"  # 240 l, two wheels, hinged lid
    CONTAINER = "container"  # 660 to 1,100 l, four castors, hinged lid
    PEDAL = "pedal"  # box with a pedal and a hinged lid, of steel or plastic
    DRUM = "drum"  # round, open at the top
    SKIP = "skip"  # large open steel trough
    STREET = "street"  # steel, two chambers under a roof on posts
    WOODEN = "wooden"  # slats in a steel frame, open at the top


@dataclass(frozen=True, slots=True)
class BinSize:
    """Outer measures in metres. ``is_round``: a cylinder; ``has_lid``: it can be closed; ``roof``:
    its height above the rim, 0 for none.
    """

    bottom: tuple[float, float]
    top: tuple[float, float]
    height: float
    has_lid: bool = True
    is_round: bool = False
    clearance: float = 0.0
    roof: float = 0.0


BIN_SIZES: dict[BinKind, BinSize] = {
    BinKind.WHEELIE: BinSize((0.46, 0.50), (0.58, 0.72), 1.00, clearance=0.04),
    BinKind.CONTAINER: BinSize((1.10, 0.72), (1.30, 0.90), 1.12, clearance=0.16),
    BinKind.PEDAL: BinSize((0.50, 0.42), (0.52, 0.44), 0.80, clearance=0.03),
    BinKind.DRUM: BinSize((0.50, 0.50), (0.60, 0.60), 0.85, has_lid=False, is_round=True),
    BinKind.SKIP: BinSize((1.70, 1.05), (2.20, 1.35), 0.95, has_lid=False, clearance=0.05),
    BinKind.STREET: BinSize(
        (0.92, 0.36), (0.94, 0.38), 0.84, has_lid=False, clearance=0.06, roof=0.26
    ),
    BinKind.WOODEN: BinSize((0.46, 0.46), (0.52, 0.52), 0.82, has_lid=False, clearance=0.05),
}
"""Measured off product sheets of common bins, rounded to a centimetre or two."""


class ItemShape(StrEnum):
    """Kinds of waste."""

    BAG = "bag"
    BOX = "box"
    BOTTLE = "bottle"
    SHEET = "sheet"
    CARTON = "carton"  # a cardboard box that still stands


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of waste. ``at`` is its centre in the world, ``radii`` half its extent."""

    shape: ItemShape
    at: Vec3
    radii: Vec3
    yaw: float
    tilt: float
    colour: Rgb
    variant: int


@dataclass(frozen=True, slots=True)
class Bin:
    """One container with what heaps above its rim.

    ``fill``: 0 empty, 1 level with the rim, above 1 a heap (``heap`` holds its pieces).
    ``lid``: opening angle, 0 closed, 110 and more thrown back. ``y`` is the centre's.
    """

    kind: BinKind
    x: float
    y: float
    yaw: float
    colour: Rgb
    lid_colour: Rgb
    lid: float
    fill: float
    heap: tuple[Item, ...] = ()

    @property
    def size(self) -> BinSize:
        """Outer measures."""
        return BIN_SIZES[self.kind]

    @property
    def overflowing(self) -> bool:
        """Waste shows above the rim: what the data set calls ``overflow``."""
        return bool(self.heap)


@dataclass(frozen=True, slots=True)
class Pile:
    """Waste on the ground that one would draw one box around."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A passer-by. ``stride`` in degrees of leg swing; ``vest``: a sanitation worker's."""

    x: float
    y: float
    yaw: float
    height: float
    shirt: Rgb
    trousers: Rgb
    stride: float
    vest: bool = False


@dataclass(frozen=True, slots=True)
class Car:
    """A passing or waiting car; ``tall`` makes a van of it."""

    x: float
    y: float
    yaw: float
    colour: Rgb
    tall: bool


class LightKind(StrEnum):
    """What lights the scene."""

    SUN = "sun"
    OVERCAST = "overcast"
    DUSK = "dusk"  # little daylight, a lamp does the rest
    LAMP = "lamp"  # night or indoors: a lamp only
    INFRARED = "infrared"  # night, lit by the camera's own infra-red lamp: no colours


@dataclass(frozen=True, slots=True)
class Light:
    """``strength`` multiplies the kind's usual level; the lamp hangs at ``lamp``."""

    kind: LightKind
    elevation: float
    azimuth: float
    strength: float
    lamp: Vec3 = (0.0, -1.0, 3.6)


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera on a pole. ``lens`` in mm for a sensor 36 mm wide."""

    at: Vec3
    look_at: Vec3
    lens: float
    roll: float


@dataclass(frozen=True, slots=True)
class Prop:
    """Something that belongs to the place: ``kind`` is one of `studio.place.PROPS`."""

    kind: str
    x: float
    y: float
    z: float
    width: float
    height: float
    colour: Rgb


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Wall and ground. ``wall``: plaster, tiles, brick, metal, hedge; ``ground``: asphalt, …"""

    wall: str
    wall_colour: Rgb
    wall_y: float
    wall_height: float
    ground: str
    ground_colour: Rgb
    kerb_y: float | None
    props: tuple[Prop, ...]
    stains: int


@dataclass(frozen=True, slots=True)
class Weather:
    """What is in the air. ``rain``: 0 none, 1 a cloudburst. ``fog``: extinction a metre; one sees
    about 3.9 / fog metres far (Koschmieder), so 0.04 is thin and 0.3 leaves the wall a shadow.
    """

    rain: float = 0.0
    fog: float = 0.0


@dataclass(frozen=True, slots=True)
class Lens:
    """The camera's own flaws. ``dirt``: 0 clean to 1 neglected for a year; ``drops``: rain on the
    glass; ``blur``: sigma in pixels; ``vignette``: share of light missing in the corners; ``gain``
    multiplies brightness; ``noise``: sigma in grey levels; ``crf``: H.264's constant rate factor,
    0 for no compression, 23 good, 40 a starved link.
    """

    dirt: float = 0.0
    drops: int = 0
    blur: float = 0.5
    vignette: float = 0.15
    gain: float = 1.0
    noise: float = 1.6
    crf: int = 0


CLEAR = Weather()
CLEAN_LENS = Lens()


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture's worth of world. Equal scenes render to equal pictures (noise apart).

    Blender knows nothing of ``weather`` and ``lens``: `lens.photograph` lays them over its picture.
    """

    seed: int
    bins: tuple[Bin, ...]
    piles: tuple[Pile, ...]
    people: tuple[Person, ...]
    cars: tuple[Car, ...]
    light: Light
    camera: Camera
    backdrop: Backdrop
    weather: Weather = CLEAR
    lens: Lens = CLEAN_LENS
