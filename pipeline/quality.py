"""Can this frame be judged? A picture that can't be judged is no evidence, for or against.

Works on a small grey picture (`small_grey`), so its cost does not depend on the camera's resolution.
Judged from one picture and a little memory: dark, bright, blocked, blurred, frozen. (`corrupt` frames
never become a `Frame`: adapters report them; `moved` needs a reference view of the point.)

The defaults were checked on the 335 real test pictures of bin-overflow-cn, of which none may be lost;
see `docs/decisions.md` for the measurement.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain import Image, Quality

Grey = NDArray[np.uint8]

SMALL_WIDTH = 320


@dataclass(frozen=True, slots=True)
class QualityRules:
    """Where a picture stops being judgeable. Grey levels 0..255.

    ``dark_p99``: nearly every pixel is under it: no light. ``bright_p1``: nearly every pixel is over
    it: headlamp or sun in the lens. ``blocked_std``: less contrast than a hand or tape before the
    lens leaves. ``blurred_sharpness``: mean strength of edges over contrast; too high a limit takes
    fog and rain for blur. Real pictures measure 0.029 and more; blurred by a Gaussian of 8 pixels in
    640 they measure 0.003 (median). ``frozen_after``: the very same picture for so long; real sensors
    have noise, so equal pictures come from a stuck encoder, but an idle scene may be re-sent for long.
    """

    dark_p99: float = 32.0
    bright_p1: float = 235.0
    blocked_std: float = 5.0
    blurred_sharpness: float = 0.01
    frozen_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Sameness:
    """Since when a camera has been giving this very picture. ``digest``: of the small grey picture."""

    digest: str
    since: datetime


def small_grey(image: Image, width: int = SMALL_WIDTH) -> Grey:
    """A BGR picture as grey, area-averaged to ``width`` pixels (never enlarged)."""
    height = image.shape[0]
    if image.shape[1] > width:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)


def sameness(grey: Grey, before: Sameness | None, at: datetime) -> Sameness:
    """The memory for `judge`: how long the picture has been the very same."""
    digest = hashlib.blake2b(grey.tobytes(), digest_size=16).hexdigest()
    if before is not None and before.digest == digest:
        return before
    return Sameness(digest, at)


def judge(
    grey: Grey, same: Sameness, at: datetime, rules: QualityRules = QualityRules()
) -> Quality:
    """The quality of one small grey picture taken at ``at``."""
    low, high = np.percentile(grey, (1, 99))
    if high < rules.dark_p99:
        return Quality.DARK
    if low > rules.bright_p1:
        return Quality.BRIGHT
    contrast = float(grey.std())
    if contrast < rules.blocked_std:
        return Quality.BLOCKED
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    # Rounding to whole grey levels alone makes steps of one or two, which are no edges.
    sharpness = float(np.maximum(edges - 2, 0).mean()) / contrast
    if sharpness < rules.blurred_sharpness:
        return Quality.BLURRED
    if at - same.since >= rules.frozen_after:
        return Quality.FROZEN
    return Quality.OK
