"""The twin (数字孪生): simulated sanitation points, rendered with exact ground truth.

Everything made here is simulated and says so. `scene` holds what a scene is (values), `layout`,
`heap` and `story` make scenes out of seeds, `truth` computes the boxes, `studio` renders with
Blender (the only part that needs `bpy`), `footage` turns pictures into time-lapse video.
"""

from __future__ import annotations

from pathlib import Path


def footage_dir() -> Path:
    """Folder of the committed demo footage: ``points.yaml`` and, per point, video and truth."""
    return Path(__file__).parent / "footage"
