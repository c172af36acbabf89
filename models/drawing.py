"""Boxes on a picture, for people to look at."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain import Detections, Image

COLOURS: dict[str, tuple[int, int, int]] = {
    "overflow": (40, 40, 230),
    "garbage": (0, 150, 255),
    "garbage_bin": (90, 180, 60),
}
"""BGR: red for what is reported, amber for what lies beside it, green for a bin."""

_OTHER = (200, 160, 60)


def draw(frame: Image, detections: Detections) -> Image:
    """A copy of the frame (BGR) with boxes, class names and confidences, weakest first."""
    canvas = frame.copy()
    scale = max(0.4, min(frame.shape[:2]) / 900)
    thickness = max(1, round(2 * scale))
    for row in np.argsort(detections.confidence, kind="stable"):
        name = detections.classes[int(detections.class_index[row])]
        colour = COLOURS.get(name, _OTHER)
        x1, y1, x2, y2 = (round(float(value)) for value in detections.boxes[row])
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, thickness)
        label = f"{name} {detections.confidence[row]:.2f}"
        (width, height), base = cv2.getTextSize(
            label, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, thickness // 2)
        )
        top = max(y1 - height - base, 0)
        cv2.rectangle(canvas, (x1, top), (x1 + width, top + height + base), colour, cv2.FILLED)
        cv2.putText(
            canvas,
            label,
            (x1, top + height),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            (255, 255, 255),
            max(1, thickness // 2),
            cv2.LINE_AA,
        )
    return canvas
