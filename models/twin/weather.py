"""Fog and rain over a rendered picture. Pure: pictures, depths and a generator in, pictures out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.twin.scene import LightKind
from pipeline.domain import Image

Bgr = tuple[float, float, float]

AIR_LIGHT: dict[LightKind, Bgr] = {
    LightKind.SUN: (206.0, 204.0, 200.0),
    LightKind.OVERCAST: (190.0, 188.0, 184.0),
    LightKind.DUSK: (112.0, 100.0, 96.0),
    LightKind.LAMP: (52.0, 68.0, 88.0),
    LightKind.INFRARED: (84.0, 84.0, 84.0),
}
"""What fog itself looks like in each light, BGR in 0..255, judged by eye beside street pictures."""
STREAK_LIGHT: dict[LightKind, float] = {
    LightKind.SUN: 215.0,
    LightKind.OVERCAST: 205.0,
    LightKind.DUSK: 140.0,
    LightKind.LAMP: 125.0,
    LightKind.INFRARED: 235.0,
}
"""Grey level of a rain drop that flies by: an infra-red lamp beside the lens lights it up."""
PIXELS_A_STREAK = 240.0
"""Picture area (at 360 rows) for one streak in a cloudburst."""
RAIN_MIST = 0.02
"""Extinction a metre that a cloudburst adds."""


def add_fog(
    picture: Image, depth: NDArray[np.float32], extinction: float, light: LightKind
) -> Image:
    """The picture (BGR uint8) seen through fog: exp(-extinction × depth) of it is left.

    ``depth`` in metres, H×W as the picture; ``extinction`` a metre, 0 leaves the picture as it is.
    """
    if extinction <= 0:
        return picture
    left = np.exp(-extinction * depth)[..., None]
    air = np.array(AIR_LIGHT[light], np.float32)
    return np.asarray(np.rint(picture * left + air * (1 - left)), np.uint8)


def add_rain(picture: Image, rain: float, light: LightKind, rng: np.random.Generator) -> Image:
    """The picture (BGR uint8) with streaks of falling rain; ``rain`` 0..1, 0 changes nothing."""
    if rain <= 0:
        return picture
    height, width = picture.shape[:2]
    scale = height / 360
    count = int(rain * width * height / scale**2 / PIXELS_A_STREAK)
    slant = float(rng.normal(0, 0.12))
    layer = np.zeros((height, width), np.float32)
    for _ in range(count):
        x, y = float(rng.uniform(-20, width + 20)), float(rng.uniform(-30, height))
        length = float(rng.uniform(7, 16 + 22 * rain)) * scale
        lean = slant + float(rng.normal(0, 0.03))
        end = (int(x + length * lean), int(y + length))
        near = rng.random() < 0.06
        strength = float(rng.uniform(0.12, 0.34)) * (0.8 if near else 1.0)
        cv2.line(layer, (int(x), int(y)), end, strength, max(int((2 if near else 1) * scale), 1),
                 cv2.LINE_AA)  # fmt: skip
    soft = cv2.GaussianBlur(layer, (0, 0), 0.7 * scale)[..., None]
    return np.asarray(np.rint(picture * (1 - soft) + STREAK_LIGHT[light] * soft), np.uint8)
