"""What a cheap camera does to a picture: soft edges, dark corners, noise, light that drifts."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain import Image

INFRARED_WEIGHTS = (0.18, 0.30, 0.52)
"""Shares of blue, green and red: the red channel is nearest to what infra-red shows."""


def expose(picture: Image, *, gain: float, blur: float, vignette: float) -> Image:
    """The picture through the lens: ``gain`` times as bright, blurred by ``blur`` pixels (sigma),
    corners darker by the share ``vignette``. BGR uint8 in and out.
    """
    height, width = picture.shape[:2]
    soft = cv2.GaussianBlur(picture, (0, 0), blur) if blur > 0 else picture
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    shade = gain * (1 - vignette * (xs**2 + ys**2) / 2)
    return np.asarray(np.clip(soft * shade[..., None], 0, 255), np.uint8)


def add_noise(
    picture: Image, sigma: float, rng: np.random.Generator, *, colour: float = 0.4
) -> Image:
    """The picture with Gaussian noise of ``sigma`` grey levels, mostly in brightness; ``colour`` is
    the share of it that the three channels do not have in common.
    """
    height, width = picture.shape[:2]
    grey = rng.normal(0, sigma, (height, width, 1))
    speckle = rng.normal(0, sigma * colour, (height, width, 3))
    return np.asarray(np.clip(np.rint(picture + grey + speckle), 0, 255), np.uint8)


def monochrome(picture: Image) -> Image:
    """The picture (BGR uint8) without colour, three equal channels, as an infra-red camera has it."""
    grey = picture.astype(np.float32) @ np.array(INFRARED_WEIGHTS, np.float32)
    return np.asarray(np.repeat(np.rint(grey)[..., None], 3, axis=2), np.uint8)
