"""The change gate: has anything changed in the zones since the detector last looked?

Most looks at a bin show the bin as it was. The gate compares a small grey picture with the one at the
last detection, cell by cell, after taking out what lighting does to the whole view, and asks the
detector only when enough cells changed. Because the reference is the picture of the last *detection*,
slow drift adds up until it is looked at; and every ``refresh_after`` the detector looks anyway.

Also here: whether a ground zone is *covered* by something large and new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain import Zone
from pipeline.quality import Grey

GRID_WIDTH = 160
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """When a zone counts as changed.

    ``level``: a cell has changed when its grey level moved by more than this (0..255) and by more
    than ``noise_factor`` times the view's own noise. Too low: the detector runs on noise, which costs
    electricity. Too high: a dark bag on dark ground is noticed only at the next refresh.
    ``cells``: how many changed cells of the 160-wide grid it takes; one bag at 15 m covers about ten.
    ``refresh_after``: the detector looks at least so often. ``covered_share``: a ground zone is covered
    when more than this share of its cells is new; what stays for ``covered_adapts_after`` is ground.
    """

    level: float = 14.0
    noise_factor: float = 6.0
    cells: int = 4
    refresh_after: timedelta = timedelta(minutes=5)
    covered_share: float = 0.5
    covered_adapts_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The grid picture at the last detection."""

    grid: NDArray[np.float32]
    at: datetime


def grid(grey: Grey) -> NDArray[np.float32]:
    """A small grey picture as the gate's grid: 160 cells wide, slightly smoothed, float32 0..255."""
    height = max(1, round(grey.shape[0] * GRID_WIDTH / grey.shape[1]))
    cells = cv2.resize(grey, (GRID_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.blur(cells.astype(np.float32), (3, 3)).astype(np.float32)


@lru_cache(maxsize=4096)
def zone_mask(zones: tuple[Zone, ...], shape: tuple[int, ...]) -> Mask:
    """The cells (``shape``: height, width) that any of these zones covers. Read-only, remembered."""
    height, width = shape
    canvas = np.zeros(shape, np.uint8)
    for zone in zones:
        corners = np.array([(x * width, y * height) for x, y in zone.polygon])
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], 1)
    mask: Mask = canvas.astype(np.bool_)
    mask.setflags(write=False)
    return mask


def changed_cells(
    now: NDArray[np.float32], before: NDArray[np.float32], rules: ChangeRules
) -> Mask:
    """The cells that changed beyond lighting and noise. Both grids must have the same shape.

    A cloud or a lamp moves all cells by a gain and an offset: both are fitted to the half of the cells
    that agrees best (least trimmed squares), and taken out first. So what is new may fill up to half of
    the view without passing for light.
    """
    difference = _relit(now, before) - before
    noise = float(np.median(np.abs(difference))) * 1.4826  # MAD → standard deviation of a normal
    limit = max(rules.level, rules.noise_factor * noise)
    mask: Mask = np.abs(difference) > limit
    return mask


_FIT_ROUNDS = 3
_GAINS = (0.5, 2.0)


def _relit(now: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """``now`` under the light of ``before``."""
    gain, offset = 1.0, float(np.median(before - now))
    for _ in range(_FIT_ROUNDS):
        residual = np.abs(gain * now + offset - before)
        agreeing = residual <= np.median(residual)
        x, y = now[agreeing], before[agreeing]
        spread = float(x.var())
        if spread > 1.0:
            gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread
            gain = min(max(gain, _GAINS[0]), _GAINS[1])
        offset = float(y.mean() - gain * x.mean())
    lit: NDArray[np.float32] = (gain * now + offset).astype(np.float32)
    return lit


def changed(
    now: NDArray[np.float32],
    at: datetime,
    reference: Reference | None,
    mask: Mask,
    rules: ChangeRules = ChangeRules(),
) -> bool:
    """Whether the detector should look. ``mask``: the watched zones' cells.

    Always at the first look, after a change of picture size, and when the refresh is due.
    """
    if reference is None or reference.grid.shape != now.shape:
        return True
    if at - reference.at >= rules.refresh_after:
        return True
    return int((changed_cells(now, reference.grid, rules) & mask).sum()) >= rules.cells


def covered(
    now: NDArray[np.float32],
    at: datetime,
    background: Reference | None,
    mask: Mask,
    rules: ChangeRules = ChangeRules(),
) -> bool:
    """Whether something large and new covers a ground zone: most of its cells left the background.

    ``background`` is the last uncovered view; what has stood there for ``covered_adapts_after`` is
    taken for the new one.
    """
    if background is None or background.grid.shape != now.shape or not mask.any():
        return False
    if at - background.at >= rules.covered_adapts_after:
        return False
    share = float((changed_cells(now, background.grid, rules) & mask).sum()) / float(mask.sum())
    return share > rules.covered_share
