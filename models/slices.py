"""Parts of a test set that are worth figures of their own: by light, and by size of the boxes."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain import Image

NIGHT_MEDIAN, NIGHT_BRIGHT = 45.0, 135.0
DUSK_MEDIAN, DUSK_BRIGHT = 70.0, 170.0
"""Luminance (0..255) under which a picture's median and its brightest tenth begin must both lie.

Found by looking at the darkest 60 of 603 street pictures, ordered by median: both are needed,
since a dark bin that fills a sunny picture pulls the median down and leaves the bright tenth.
"""

SMALL_BELOW, LARGE_FROM = 32**2 / (640 * 480), 96**2 / (640 * 480)
"""Box area as a share of the picture, 0.33 % and 3 %: COCO's 32² and 96² pixels, on 640×480."""


class Light(StrEnum):
    """How bright a picture is. It says nothing of the clock: a lit street at night may be dusk."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Size(StrEnum):
    """How much of the picture a box takes."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


def light_of(image: Image) -> Light:
    """The light in a picture (H×W×3, BGR), from its median luminance and its 90th percentile.

    Night when both are under the limits for night, else dusk when both are under those for dusk,
    else day. Luminance is BT.601's, as OpenCV has it. A night camera's infrared picture is bright
    and grey, and counts as day or dusk: colour would be needed to know it.
    """
    luminance = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[::4, ::4]
    median, bright = np.percentile(luminance, [50, 90])
    if median < NIGHT_MEDIAN and bright < NIGHT_BRIGHT:
        return Light.NIGHT
    if median < DUSK_MEDIAN and bright < DUSK_BRIGHT:
        return Light.DUSK
    return Light.DAY


def areas(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Areas of N×4 relative boxes (x1, y1, x2, y2 in 0..1), as shares of the picture."""
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    result: NDArray[np.float64] = sides[:, 0] * sides[:, 1]
    return result


def of_size(shares: NDArray[np.float64], size: Size) -> NDArray[np.bool_]:
    """Which of those areas (shares of the picture) are of that size; every area is of one."""
    low, high = {
        Size.SMALL: (-np.inf, SMALL_BELOW),
        Size.MEDIUM: (SMALL_BELOW, LARGE_FROM),
        Size.LARGE: (LARGE_FROM, np.inf),
    }[size]
    inside: NDArray[np.bool_] = (shares >= low) & (shares < high)
    return inside
