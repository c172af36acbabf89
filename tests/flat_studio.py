"""A studio for tests: the renderer's interface without Blender."""

from __future__ import annotations

import numpy as np

from models.twin.scene import Scene
from pipeline.domain import Image


class FlatStudio:
    """Renders grey pictures of 160×90, lighter where there is more waste. Counts them."""

    def __init__(self) -> None:
        self.renders = 0

    def render(self, scene: Scene) -> Image:
        self.renders += 1
        waste = sum(len(bin_.heap) for bin_ in scene.bins)
        return np.full((90, 160, 3), 60 + min(waste, 100), np.uint8)
