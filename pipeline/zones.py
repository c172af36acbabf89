"""Which detection belongs to which zone, and what one look says of it.

The *score* of a look at a zone is the highest confidence of the zone's class (`overflow` for a bin
zone, `garbage` for a ground zone) with its box centre inside the zone, else 0. Calibration uses the
same function, so that a score means the same to both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.domain import (
    WHOLE_VIEW,
    Camera,
    Detections,
    EventKind,
    Observation,
    Quality,
    Zone,
    ZoneKind,
)

CLASS_OF_ZONE = {ZoneKind.BIN: "overflow", ZoneKind.GROUND: "garbage"}
KIND_OF_ZONE = {ZoneKind.BIN: EventKind.OVERFLOW, ZoneKind.GROUND: EventKind.LITTER}

SEEN_CONFIDENCE = 0.25
"""A bin zone counts as seen when a bin or an overflow is found in it with at least this confidence.
Too low: a person in front passes for a bin. Too high: a bin at dusk is never seen."""

_WHOLE = Zone(WHOLE_VIEW, ZoneKind.BIN, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def watched_zones(camera: Camera) -> tuple[Zone, ...]:
    """The zones that make events. A camera without any is watched whole, as one bin zone."""
    zones = tuple(zone for zone in camera.zones if zone.kind in CLASS_OF_ZONE)
    return zones or (_WHOLE,)


def inside(
    points: NDArray[np.float32], polygon: tuple[tuple[float, float], ...]
) -> NDArray[np.bool_]:
    """For each of N points (x, y; same unit as the polygon) whether it is inside.

    Even-odd rule by ray casting, so a polygon may be concave. A point on an edge may go either way.
    """
    result = np.zeros(len(points), dtype=np.bool_)
    x, y = points[:, 0], points[:, 1]
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        result ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return result


def in_zone(detections: Detections, zone: Zone, width: int, height: int) -> Detections:
    """The detections whose box centre is inside the zone. ``width``, ``height``: the frame's, pixels."""
    if zone.zone_id == WHOLE_VIEW or not len(detections):
        return detections
    return detections.where(inside(_relative_centres(detections, width, height), zone.polygon))


def without_ignored(
    detections: Detections, zones: Iterable[Zone], width: int, height: int
) -> Detections:
    """The detections outside every `ignore` zone."""
    for zone in zones:
        if zone.kind is ZoneKind.IGNORE and len(detections):
            centres = _relative_centres(detections, width, height)
            detections = detections.where(~inside(centres, zone.polygon))
    return detections


def score(detections: Detections, kind: ZoneKind) -> float:
    """The score of a look at a zone of this kind, given the detections inside it: 0..1."""
    of_class = detections.of_class(CLASS_OF_ZONE[kind])
    return float(of_class.confidence.max()) if len(of_class) else 0.0


def observe(
    zone: Zone,
    detections: Detections,
    *,
    width: int,
    height: int,
    at: datetime,
    covered: bool = False,
    seen_confidence: float = SEEN_CONFIDENCE,
) -> Observation:
    """What a look with these detections (of the whole frame, ignored ones taken out) says of a zone.

    A bin zone is seen when a bin or an overflow is found in it at all: nothing there means that
    something stands in front. A ground zone is seen unless it is ``covered``.
    """
    here = in_zone(detections, zone, width, height)
    value = score(here, zone.kind)
    if zone.kind is ZoneKind.BIN:
        bins = here.where(
            (here.confidence >= seen_confidence)
            & np.isin(here.class_index, _indices(here, ("garbage_bin", "overflow")))
        )
        seen = len(bins) > 0
    else:
        seen = not covered
    spill = _spill(here, zone, width, seen_confidence) if zone.kind is ZoneKind.BIN else 0.0
    return Observation(zone.zone_id, at, seen, value if seen else 0.0, spill=spill)


def unseen(zone: Zone, at: datetime, quality: Quality) -> Observation:
    """A look that says nothing: the frame could not be judged."""
    return Observation(zone.zone_id, at, seen=False, quality=quality)


def _relative_centres(detections: Detections, width: int, height: int) -> NDArray[np.float32]:
    size = np.array([width, height], np.float32)
    relative: NDArray[np.float32] = np.divide(detections.centres(), size, dtype=np.float32)
    return relative


def _indices(detections: Detections, names: tuple[str, ...]) -> list[int]:
    return [index for index, name in enumerate(detections.classes) if name in names]


def _spill(here: Detections, zone: Zone, width: int, seen_confidence: float) -> float:
    """The share of the zone's width that garbage in it covers, 0..1."""
    garbage = here.of_class("garbage")
    garbage = garbage.where(garbage.confidence >= seen_confidence)
    if not len(garbage):
        return 0.0
    left = min(x for x, _ in zone.polygon) * width
    right = max(x for x, _ in zone.polygon) * width
    covered, reach = 0.0, left
    for start, end in sorted((float(box[0]), float(box[2])) for box in garbage.boxes):
        covered += max(0.0, min(end, right) - max(start, reach))
        reach = max(reach, min(end, right))
    return min(1.0, covered / (right - left)) if right > left else 0.0
