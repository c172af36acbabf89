"""Ground truth by projection: what the boxes of a scene are, as an annotator would draw them.

Follows the conventions of the real pictures: ``overflow`` covers the container with its heap (and
an open lid), ``garbage_bin`` a container with nothing above its rim, ``garbage`` a pile on the
ground. Passers-by hide what is behind them; what is hidden or outside the picture for the most
part is not drawn, and a box covers only what can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.twin.scene import Bin, Camera, Car, Item, ItemShape, Person, Scene
from pipeline.domain import CLASSES

SENSOR_MM = 36.0
MIN_VISIBLE = 0.35
"""Share of a thing that must be seen: lower draws boxes around slivers, higher drops what is plain."""
MIN_PIXELS = 36
ROOF_M = 0.06
"""How thick the roof of a street bin is."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TruthBox:
    """One box. Pixels of the picture, x1 < x2, y1 < y2; ``visible`` in 0..1."""

    class_name: str
    x1: float
    y1: float
    x2: float
    y2: float
    visible: float

    def yolo(self, width: int, height: int) -> str:
        """One line of YOLO text: class, centre and size relative to the picture."""
        cx, cy = (self.x1 + self.x2) / 2 / width, (self.y1 + self.y2) / 2 / height
        w, h = (self.x2 - self.x1) / width, (self.y2 - self.y1) / height
        return f"{CLASSES.index(self.class_name)} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}"


def camera_axes(camera: Camera) -> tuple[Points, Points]:
    """Position (3) and rotation (3×3, columns: right, up, backward) of the camera in the world."""
    at = np.asarray(camera.at, float)
    back = at - np.asarray(camera.look_at, float)
    back /= np.linalg.norm(back)
    right = np.cross((0.0, 0.0, 1.0), back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    roll = math.radians(camera.roll)
    turned_right = math.cos(roll) * right + math.sin(roll) * up
    turned_up = -math.sin(roll) * right + math.cos(roll) * up
    return at, np.stack([turned_right, turned_up, back], axis=1)


def project(points: Points, camera: Camera, width: int, height: int) -> tuple[Points, Points]:
    """World points (N×3) to pixels (N×2) and depth (N, metres in front of the camera)."""
    at, axes = camera_axes(camera)
    local = (points - at) @ axes
    depth = np.maximum(-local[:, 2], 0.05)
    focal = camera.lens / SENSOR_MM * width
    u = width / 2 + focal * local[:, 0] / depth
    v = height / 2 - focal * local[:, 1] / depth
    return np.stack([u, v], axis=1), -local[:, 2]


def _turn(points: Points, yaw: float, x: float, y: float) -> Points:
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    turned: Points = points @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    turned += (x, y, 0.0)
    return turned


def _box_corners(low: tuple[float, float, float], high: tuple[float, float, float]) -> Points:
    return np.array(
        [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )


_SPHERE = np.array(
    [
        (math.cos(a) * math.cos(b), math.sin(a) * math.cos(b), math.sin(b))
        for a in np.linspace(0, 2 * math.pi, 10, endpoint=False)
        for b in np.linspace(-math.pi / 2, math.pi / 2, 7)
    ]
)

_CUBE = _box_corners((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


def _item_hull(item: Item) -> Points:
    tilt = math.radians(item.tilt)
    c, s = math.cos(tilt), math.sin(tilt)
    shape = _CUBE if item.shape is ItemShape.CARTON else _SPHERE
    local = shape * np.asarray(item.radii)
    tilted = local @ np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    placed: Points = _turn(tilted, item.yaw, 0.0, 0.0) + np.asarray(item.at)
    return placed


def _bin_hulls(bin_: Bin) -> Iterator[Points]:
    size = bin_.size
    (bw, bd), (tw, td), h = size.bottom, size.top, size.height
    low = [(sx * bw / 2, sy * bd / 2, 0.0) for sx in (-1, 1) for sy in (-1, 1)]
    high = [(sx * tw / 2, sy * td / 2, h) for sx in (-1, 1) for sy in (-1, 1)]
    yield _turn(np.array(low + high), bin_.yaw, bin_.x, bin_.y)
    if size.has_lid:
        angle = math.radians(bin_.lid)
        tip = (-math.cos(angle) * td, math.sin(angle) * td)
        edge = [(sx * tw / 2, td / 2, h + 0.05) for sx in (-1, 1)]
        edge += [(sx * tw / 2, td / 2 + tip[0], h + 0.05 + tip[1]) for sx in (-1, 1)]
        yield _turn(np.array(edge), bin_.yaw, bin_.x, bin_.y)
    if size.roof:
        top = h + size.roof
        plate = _box_corners((-tw / 2, -td / 2, top), (tw / 2, td / 2, top + ROOF_M))
        yield _turn(plate, bin_.yaw, bin_.x, bin_.y)
        for sx in (-1, 1):
            post = _box_corners((sx * tw / 2 - 0.02, -0.03, h), (sx * tw / 2 + 0.02, 0.03, top))
            yield _turn(post, bin_.yaw, bin_.x, bin_.y)
    for item in bin_.heap:
        yield _item_hull(item)


def _person_hulls(person: Person) -> Iterator[Points]:
    h = person.height
    for z, rx, rz in ((0.94, 0.06, 0.065), (0.68, 0.14, 0.20), (0.25, 0.10, 0.26)):
        ball = _SPHERE * (rx * h, 0.07 * h, rz * h) + (0.0, 0.0, z * h)
        yield _turn(ball, person.yaw, person.x, person.y)


def _car_hulls(car: Car) -> Iterator[Points]:
    roof = 1.9 if car.tall else 1.42
    for low, high in (
        ((-2.2, -0.88, 0.2), (2.2, 0.88, 0.95)),
        ((-2.1 if car.tall else -1.5, -0.8, 0.9), (1.2, 0.8, roof)),
    ):
        yield _turn(_box_corners(low, high), car.yaw, car.x, car.y)


def things(scene: Scene) -> Iterator[tuple[str, list[Points]]]:
    """Bins, piles, people, cars, in this order: class (empty for the last two) and convex hulls."""
    for bin_ in scene.bins:
        yield "overflow" if bin_.overflowing else "garbage_bin", list(_bin_hulls(bin_))
    for pile in scene.piles:
        yield "garbage", [_item_hull(item) for item in pile.items]
    for person in scene.people:
        yield "", list(_person_hulls(person))
    for car in scene.cars:
        yield "", list(_car_hulls(car))


@dataclass(frozen=True, slots=True, eq=False)
class TruthThing:
    """One thing as the picture shows it. ``mask``: H×W bool, where it is seen; ``whole``: pixels it
    would cover with nothing in front and no picture's edge; ``inside``: those within the picture.
    """

    class_name: str
    mask: NDArray[np.bool_]
    whole: int
    inside: int

    @property
    def seen(self) -> int:
        """Pixels of it that are seen."""
        return int(np.count_nonzero(self.mask))

    @property
    def visible(self) -> float:
        """Share of the whole thing that is seen, 0..1."""
        return min(self.seen / max(self.whole, 1), 1.0)

    @property
    def occlusion(self) -> float:
        """Share of what lies within the picture that something else hides, 0..1."""
        return max(1.0 - self.seen / self.inside, 0.0) if self.inside else 1.0


def truth_things(scene: Scene, width: int, height: int) -> list[TruthThing]:
    """Masks of the things of a scene, in the order of `things`, hidden ones too.

    A mask is a union of convex hulls: it is right to a few pixels, and fills the gap between, say,
    two legs.
    """
    margin_x, margin_y = width // 2, height // 2
    margin = np.array([margin_x, margin_y])
    canvas = (height + 2 * margin_y, width + 2 * margin_x)
    frame = (slice(margin_y, margin_y + height), slice(margin_x, margin_x + width))
    owners = np.zeros(canvas, np.int32)
    drawn: list[tuple[float, int, NDArray[Any]]] = []
    sizes: list[tuple[str, int, int]] = []
    for number, (name, hulls) in enumerate(things(scene), start=1):
        mask = np.zeros(canvas, np.uint8)
        for hull in hulls:
            pixels, depth = project(hull, scene.camera, width, height)
            if depth.min() <= 0.05:
                continue
            outline: NDArray[Any] = cv2.convexHull(np.rint(pixels + margin).astype(np.int32))
            drawn.append((float(depth.mean()), number, outline))
            cv2.fillConvexPoly(mask, outline, 1)
        sizes.append((name, int(np.count_nonzero(mask)), int(np.count_nonzero(mask[frame]))))
    for _, number, outline in sorted(drawn, key=lambda entry: -entry[0]):
        cv2.fillConvexPoly(owners, outline, number)
    seen = owners[frame]
    return [
        TruthThing(name, seen == number, whole, inside)
        for number, (name, whole, inside) in enumerate(sizes, start=1)
    ]


def boxes_of(found: Sequence[TruthThing]) -> list[TruthBox]:
    """The boxes around what is seen well enough to be drawn."""
    boxes: list[TruthBox] = []
    for thing in found:
        if not thing.class_name or thing.seen < MIN_PIXELS or thing.visible < MIN_VISIBLE:
            continue
        ys, xs = np.nonzero(thing.mask)
        box = (float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1))
        boxes.append(TruthBox(thing.class_name, *box, thing.visible))
    return boxes


def truth_boxes(scene: Scene, width: int, height: int) -> list[TruthBox]:
    """The boxes that a careful annotator would draw on the picture (``width``×``height``)."""
    return boxes_of(truth_things(scene, width, height))
