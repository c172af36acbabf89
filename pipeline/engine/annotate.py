"""Evidence pictures: the zone and the boxes drawn in, private parts blurred. BGR in, BGR out."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain import Detections, Image, Zone, ZoneKind

# BGR. Chosen to differ in lightness too, for readers who do not tell red from green.
_COLOURS = {"overflow": (40, 40, 230), "garbage": (0, 165, 255), "garbage_bin": (120, 200, 60)}
_ZONE_COLOUR = (255, 220, 90)
_DRAWN_CONFIDENCE = 0.25


def blurred(image: Image, zones: tuple[Zone, ...]) -> Image:
    """A copy in which every `privacy` zone is beyond recognition; the same picture if there is none."""
    private = [zone for zone in zones if zone.kind is ZoneKind.PRIVACY]
    if not private:
        return image
    height, width = image.shape[:2]
    coarse = cv2.resize(
        image, (max(1, width // 48), max(1, height // 48)), interpolation=cv2.INTER_AREA
    )
    hidden = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros((height, width), np.uint8)
    for zone in private:
        cv2.fillPoly(mask, [_corners(zone, width, height)], 255)
    result: Image = np.where(mask[:, :, None] > 0, hidden, image).astype(np.uint8)
    return result


def annotated(image: Image, zone: Zone | None, detections: Detections) -> Image:
    """A copy with the zone's outline and every box of at least 0.25 confidence, labelled."""
    drawn = image.copy()
    height, width = drawn.shape[:2]
    stroke = max(2, round(width / 480))
    scale = max(0.45, width / 1600)
    if zone is not None:
        cv2.polylines(drawn, [_corners(zone, width, height)], True, _ZONE_COLOUR, stroke)
    shown = detections.where(detections.confidence >= _DRAWN_CONFIDENCE)
    for box, confidence, index in zip(
        shown.boxes, shown.confidence, shown.class_index, strict=True
    ):
        name = shown.classes[int(index)]
        colour = _COLOURS.get(name, (255, 255, 255))
        x1, y1, x2, y2 = (round(float(value)) for value in box)
        cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, stroke)
        label = f"{name} {float(confidence):.2f}"
        (text_width, text_height), base = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        top = max(y1, text_height + base + 2)
        cv2.rectangle(
            drawn,
            (x1, top - text_height - base - 2),
            (x1 + text_width + 4, top),
            colour,
            cv2.FILLED,
        )
        cv2.putText(
            drawn,
            label,
            (x1 + 2, top - base),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            (255, 255, 255),
            1,
            cv2.LINE_AA,
        )
    return drawn


def _corners(
    zone: Zone, width: int, height: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    corners = np.array([(x * width, y * height) for x, y in zone.polygon])
    return np.round(corners).astype(np.int32)
