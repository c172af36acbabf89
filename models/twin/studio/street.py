"""What street bins have that wheeled ones have not: chambers under a roof, wooden slats."""

from __future__ import annotations

import bpy
from mathutils import Matrix, Vector

from models.twin.scene import Bin, Rgb
from models.twin.studio import materials, meshes
from models.twin.truth import ROOF_M

WOOD: tuple[Rgb, ...] = ((0.20, 0.10, 0.045), (0.24, 0.125, 0.055), (0.17, 0.085, 0.04))
FRAME: Rgb = (0.05, 0.05, 0.052)
SLATS = 6


def add_chambers(bin_: Bin, world: Matrix, body: bpy.types.Material) -> None:
    """The wall between the two chambers, their coloured doors, the roof and its posts."""
    (w, d), h = bin_.size.top, bin_.size.height
    top = h + bin_.size.roof
    wall = meshes.slab((-0.02, -d / 2, 0.1), (0.02, d / 2, h))
    meshes.place(meshes.box(), body, world @ wall)
    roof = meshes.slab(
        (-w / 2 - 0.03, -d / 2 - 0.03, top), (w / 2 + 0.03, d / 2 + 0.03, top + ROOF_M)
    )
    meshes.place(meshes.box(), body, world @ roof, bevel=0.02)
    for side in (-1, 1):
        foot, head = (
            Vector((side * (w / 2 - 0.02), 0.0, h - 0.1)),
            Vector((side * (w / 2 - 0.02), 0, top)),
        )
        meshes.place(meshes.rod(), body, world @ meshes.between(foot, head, 0.02))
        door = meshes.slab(
            (side * w / 4 - w * 0.19, -d / 2 - 0.012, 0.16),
            (side * w / 4 + w * 0.19, -d / 2 + 0.01, h - 0.16),
        )
        colour = bin_.lid_colour if side < 0 else FRAME
        meshes.place(meshes.box(), materials.worn(colour, 0.4), world @ door, bevel=0.008)


def add_slats(bin_: Bin, world: Matrix) -> None:
    """Upright slats on all four sides of a wooden bin, in a dark steel frame."""
    (bw, bd), (tw, td), h = bin_.size.bottom, bin_.size.top, bin_.size.height
    low = bin_.size.clearance
    for i in range(SLATS):
        share = (i + 0.5) / SLATS - 0.5
        wood = materials.worn(WOOD[i % len(WOOD)], 0.7)
        for side in (-1, 1):
            for foot, head in (
                ((share * bw, side * bd / 2), (share * tw, side * td / 2)),
                ((side * bw / 2, share * bd), (side * tw / 2, share * td)),
            ):
                a, b = Vector((*foot, low)), Vector((*head, h - 0.08))
                out = Vector((0.0, side * 0.012, 0.0))
                if abs(foot[0]) == bw / 2:
                    out = Vector((side * 0.012, 0.0, 0.0))
                slat = meshes.between(a + out, b + out, 0.75 * tw / SLATS / 1.5)
                meshes.place(meshes.rod(), wood, world @ slat)
    for z, w, d in ((h * 0.3, bw + 0.02, bd + 0.02), (h * 0.75, tw, td)):
        for side in (-1, 1):
            band = meshes.slab((-w / 2 - 0.03, side * (d / 2 + 0.045) - 0.004, z - 0.02),
                               (w / 2 + 0.03, side * (d / 2 + 0.045) + 0.004, z + 0.02))  # fmt: skip
            meshes.place(meshes.box(), materials.plain(FRAME, 0.4, 0.6), world @ band)
