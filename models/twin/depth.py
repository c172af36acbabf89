"""How far away everything in a picture is, from the geometry that the truth is computed from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.twin.scene import Scene
from models.twin.truth import SENSOR_MM, camera_axes, project, things

FAR_M = 60.0
"""What stands for the sky and for all that is farther off."""


def depth_map(scene: Scene, width: int, height: int) -> NDArray[np.float32]:
    """Metres along the camera's axis, H×W float32, 0 < depth ≤ `FAR_M`.

    Ground and wall are exact; each convex part of bins, waste, people and cars has its mean depth;
    signs, poles and plants count as the wall behind them. Good enough for fog; not for collisions.
    """
    at, axes = camera_axes(scene.camera)
    focal = scene.camera.lens / SENSOR_MM * width
    us = (np.arange(width) + 0.5 - width / 2) / focal
    vs = (height / 2 - np.arange(height) - 0.5) / focal
    across, up = np.meshgrid(us, vs)
    rays = np.stack([across, up, -np.ones_like(across)], axis=-1) @ axes.T
    depth = np.full((height, width), FAR_M)
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = -at[2] / rays[..., 2]
        wall = (scene.backdrop.wall_y - at[1]) / rays[..., 1]
        up_there = at[2] + wall * rays[..., 2]
    hits_wall = (wall > 0) & (up_there >= 0) & (up_there <= scene.backdrop.wall_height)
    depth = np.where((ground > 0) & (ground < depth), ground, depth)
    depth = np.where(hits_wall & (wall < depth), wall, depth).astype(np.float32)
    parts: list[tuple[float, NDArray[np.int32]]] = []
    for _, hulls in things(scene):
        for hull in hulls:
            pixels, away = project(hull, scene.camera, width, height)
            if away.min() > 0.05:
                outline = cv2.convexHull(np.rint(pixels).astype(np.int32))
                parts.append((float(away.mean()), np.asarray(outline, np.int32)))
    for away_m, outline in sorted(parts, key=lambda part: -part[0]):
        cv2.fillConvexPoly(depth, outline, min(away_m, FAR_M))
    return depth
