"""What a cheap camera does to a picture: soft edges, dark corners, noise, light that drifts."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain import Image


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


def add_noise(picture: Image, sigma: float, rng: np.random.Generator) -> Image:
    """The picture with Gaussian noise of ``sigma`` grey levels, mostly in brightness."""
    height, width = picture.shape[:2]
    grey = rng.normal(0, sigma, (height, width, 1))
    colour = rng.normal(0, sigma * 0.4, (height, width, 3))
    return np.asarray(np.clip(np.rint(picture + grey + colour), 0, 255), np.uint8)
