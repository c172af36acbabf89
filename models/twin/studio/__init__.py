"""Renders scenes with Blender. The only package that imports ``bpy``: import it late.

Use `open_studio`, which says what to install when Blender's module is missing.
"""

from __future__ import annotations

import importlib
from typing import Protocol

from models.twin.scene import Scene
from pipeline.domain import Image
from pipeline.errors import ConfigError

LOOK = 2
"""Of what the pictures look like; raise it with any change to a material, a mesh or the lights, so
that renders kept on disk are made anew."""


class Studio(Protocol):
    """What takes pictures of scenes."""

    def render(self, scene: Scene) -> Image:
        """The scene as an H×W×3 uint8 BGR picture, before the camera's own flaws."""
        ...


def open_studio(width: int, height: int, samples: int) -> Studio:
    """A studio for pictures of ``width``×``height`` at ``samples`` rays a pixel.

    Fewer samples are quicker and smear detail (the denoiser fills in); 8 is a draft, 16 is good,
    above 32 nothing more is seen. Raises ConfigError when ``bpy`` cannot be imported.
    """
    try:
        module = importlib.import_module("models.twin.studio.cycles")
    except ModuleNotFoundError as missing:
        if missing.name not in ("bpy", "bmesh", "mathutils"):
            raise
        raise ConfigError(
            f"rendering needs Blender's Python module, but {missing.name!r} is not installed",
            hint="pip install 'brimwatch[twin]' under Python 3.11 (bpy 4.2 exists for no other)",
        ) from missing
    studio: Studio = module.CyclesStudio(width, height, samples)
    return studio
