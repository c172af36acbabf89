"""What happens at a simulated point over fifty minutes: bins fill, overflow and are emptied.

A `DemoPoint` says who comes when; `scene_at` is the scene of one second, `story_truth` what an
honest witness would note down. All of it is values: the same point and seed tell the same story.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from models.twin.heap import heap_in_bin, pile_on_ground
from models.twin.layout import CLOTHES, PAINTS
from models.twin.scene import Backdrop, Bin, Camera, Car, Light, Person, Pile, Scene

SECONDS_PER_FRAME = 10
"""Recorded seconds between two frames of the footage."""
LENGTH_S = 3_000
START = datetime(2026, 6, 1, tzinfo=UTC)
GROWTH_STEPS = 6
"""Stages in which a heap grows: each is a picture to render."""
GROWN_AT = 0.55
"""Share of the episode after which the heap is as large as it gets."""
FIRST_HEAP = 0.45
"""Share of the pieces that lie there when the overflow begins: plain to see at once."""
WORKER_S = 40
"""The bins are emptied behind a worker, who stands there this long before and half as long after."""
POSE_S = 60
"""A waiting person shifts their weight this often."""

_cached_heap = functools.lru_cache(maxsize=512)(heap_in_bin)
_cached_pile = functools.lru_cache(maxsize=512)(pile_on_ground)


@dataclass(frozen=True, slots=True)
class Visit:
    """A passer-by from ``begins`` to ``ends`` (seconds of the story).

    ``kind``: person, sedan or van; (x, y) where they stand, ``look`` picks clothes or paint.
    """

    begins: int
    ends: int
    kind: str
    x: float
    y: float
    look: int


@dataclass(frozen=True, slots=True)
class Overflow:
    """One episode: which bins (by index), from when to when, how many pieces, and the spill.

    ``spill``: centre x, y and half extent x, y of the waste beside, with the number of its pieces.
    ``lid``: how far the lids stand open, in degrees.
    """

    begins: int
    ends: int
    bins: tuple[int, ...]
    pieces: int
    spill: tuple[float, float, float, float, int] | None = None
    lid: float = 104.0


@dataclass(frozen=True, slots=True)
class DemoPoint:
    """A simulated point: where it is, what stands there and what happens."""

    point_id: str
    name: str
    community: str
    grid_code: str
    longitude: float
    latitude: float
    seed: int
    bins: tuple[Bin, ...]
    backdrop: Backdrop
    light: Light
    camera: Camera
    overflow: Overflow | None
    visits: tuple[Visit, ...]

    @property
    def camera_id(self) -> str:
        """Id of its only camera."""
        return f"{self.point_id}-cam"

    @property
    def zone_id(self) -> str:
        """Id of its only zone."""
        return f"{self.point_id}-bin"


@dataclass(frozen=True, slots=True)
class Episode:
    """A true overflow: ``begins`` inclusive, ``ends`` exclusive, UTC."""

    zone_id: str
    begins: datetime
    ends: datetime


def story_truth(point: DemoPoint) -> list[Episode]:
    """The overflows of a point, at most one."""
    if point.overflow is None:
        return []
    begins = START + timedelta(seconds=point.overflow.begins)
    ends = START + timedelta(seconds=point.overflow.ends)
    return [Episode(point.zone_id, begins, ends)]


def _grown(overflow: Overflow, second: int) -> float:
    """How much of the heap is there, in steps from `FIRST_HEAP` to 1."""
    share = (second - overflow.begins) / ((overflow.ends - overflow.begins) * GROWN_AT)
    step = min(int(share * (GROWTH_STEPS - 1)), GROWTH_STEPS - 1)
    return FIRST_HEAP + (1 - FIRST_HEAP) * step / (GROWTH_STEPS - 1)


def _filled(point: DemoPoint, second: int) -> tuple[tuple[Bin, ...], tuple[Pile, ...]]:
    overflow = point.overflow
    if overflow is None or not overflow.begins <= second < overflow.ends:
        return point.bins, ()
    grown = _grown(overflow, second)
    bins = list(point.bins)
    for order, index in enumerate(overflow.bins):
        bin_ = bins[index]
        pieces = max(int(overflow.pieces * grown * (1 - 0.2 * order)), 3)
        seed = point.seed * 31 + index
        heap = _cached_heap(bin_.kind, (bin_.x, bin_.y, bin_.yaw), seed, pieces)
        bins[index] = replace(bin_, lid=overflow.lid + 6 * order, fill=1.0, heap=heap)
    if overflow.spill is None or grown < 0.6:
        return tuple(bins), ()
    x, y, across, deep, count = overflow.spill
    items = _cached_pile(x, y, (across, deep), point.seed * 17, max(int(count * grown), 2))
    return tuple(bins), (Pile(items),)


def _person(visit: Visit, second: int) -> Person:
    pose = (second - visit.begins) // POSE_S
    look = visit.look
    return Person(
        x=visit.x + 0.12 * (pose % 2),
        y=visit.y,
        yaw=(look * 77 + pose * 50) % 360,
        height=1.58 + 0.05 * (look % 5),
        shirt=CLOTHES[look % len(CLOTHES)],
        trousers=CLOTHES[(look * 3 + 1) % len(CLOTHES)],
        stride=8.0 + 6.0 * (pose % 3),
    )


def _worker(point: DemoPoint, second: int) -> tuple[Person, ...]:
    overflow = point.overflow
    if overflow is None:
        return ()
    if not overflow.ends - WORKER_S <= second < overflow.ends + WORKER_S // 2:
        return ()
    bin_ = point.bins[overflow.bins[0]]
    x = bin_.x - bin_.size.top[0] / 2 - 0.25
    navy = (0.03, 0.04, 0.09)
    return (Person(x, bin_.y - 0.75, 200.0, 1.7, navy, navy, 14.0, vest=True),)


def scene_at(point: DemoPoint, second: int) -> Scene:
    """The scene ``second`` seconds into the story. Equal scenes need rendering once."""
    bins, piles = _filled(point, second)
    here = [visit for visit in point.visits if visit.begins <= second < visit.ends]
    people = tuple(_person(visit, second) for visit in here if visit.kind == "person")
    cars = tuple(
        Car(visit.x, visit.y, 0.0, PAINTS[visit.look % len(PAINTS)], visit.kind == "van")
        for visit in here
        if visit.kind != "person"
    )
    return Scene(
        seed=point.seed,
        bins=bins,
        piles=piles,
        people=people + _worker(point, second),
        cars=cars,
        light=point.light,
        camera=point.camera,
        backdrop=point.backdrop,
    )
