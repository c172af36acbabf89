"""Wall, ground and what stands around, in Blender."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

from models.twin.scene import Backdrop, Prop, Rgb
from models.twin.studio import furniture, materials, meshes

FAR = 14.0
"""Half width of wall and ground in metres: beyond what a camera at 6 m sees."""


def _panel(low: tuple[float, float, float], high: tuple[float, float, float], colour: Rgb) -> None:
    meshes.place(meshes.box(), materials.plain(colour, 0.55), meshes.slab(low, high))


def _sign(p: Prop) -> None:
    w, h = p.width, p.height
    _panel((p.x - w / 2, p.y - 0.03, p.z), (p.x + w / 2, p.y, p.z + h), (0.75, 0.76, 0.74))
    top = p.z + h
    _panel((p.x - w / 2, p.y - 0.035, top - h * 0.25), (p.x + w / 2, p.y, top), p.colour)
    for i, colour in enumerate(((0.05, 0.2, 0.5), (0.5, 0.04, 0.04), (0.05, 0.3, 0.1))):
        left = p.x - w / 2 + w * (0.08 + 0.3 * i)
        low, high = (left, p.y - 0.036, p.z + h * 0.12), (left + w * 0.24, p.y, p.z + h * 0.62)
        _panel(low, high, colour)


def _window(p: Prop) -> None:
    w, h = p.width, p.height
    frame: Rgb = (0.6, 0.6, 0.58)
    _panel((p.x - w / 2, p.y - 0.05, p.z), (p.x + w / 2, p.y, p.z + h), frame)
    glass = meshes.slab(
        (p.x - w / 2 + 0.05, p.y - 0.055, p.z + 0.05), (p.x + w / 2 - 0.05, p.y, p.z + h - 0.05)
    )
    meshes.place(meshes.box(), materials.plain((0.03, 0.04, 0.05), 0.08), glass)
    for i in range(1, 7):
        x = p.x - w / 2 + w * i / 7
        a, b = Vector((x, p.y - 0.09, p.z)), Vector((x, p.y - 0.09, p.z + h))
        bar = meshes.between(a, b, 0.009)
        meshes.place(meshes.rod(), materials.plain((0.3, 0.3, 0.3), 0.4, 0.8), bar)


def _shutter(p: Prop) -> None:
    slats = max(int(p.height / 0.12), 1)
    for i in range(slats):
        z = p.z + i * 0.12
        low, high = (p.x - p.width / 2, p.y - 0.04, z), (p.x + p.width / 2, p.y, z + 0.11)
        matrix = meshes.slab(low, high)
        meshes.place(meshes.box(), materials.worn(p.colour, 0.4, 0.3), matrix, bevel=0.012)


def _pole(p: Prop) -> None:
    a, b = Vector((p.x, p.y, 0.0)), Vector((p.x, p.y, p.height))
    meshes.place(meshes.rod(0.85), materials.worn(p.colour), meshes.between(a, b, p.width / 2))


def _bush(p: Prop) -> None:
    size = Matrix.Diagonal((p.width / 2, p.width / 2.4, p.height / 2, 1.0))
    turn = Matrix.Rotation(p.x * 3.0, 4, "Z")
    matrix = Matrix.Translation((p.x, p.y, p.z + p.height / 2)) @ turn @ size
    meshes.place(meshes.foliage(int(abs(p.x) * 10) % 3), materials.leaf(p.colour), matrix)


def _pot(p: Prop) -> None:
    pot = meshes.trough(
        (p.width * 0.5, p.width * 0.5),
        (p.width * 0.7, p.width * 0.7),
        low=0.0,
        high=0.35,
        floor=0.3,
        sides=16,
    )
    meshes.place(pot, materials.worn((0.35, 0.14, 0.08)), Matrix.Translation((p.x, p.y, 0.0)))
    _bush(Prop("bush", p.x, p.y, 0.25, p.width, p.height, p.colour))


def _tree(p: Prop) -> None:
    _pole(Prop("pole", p.x, p.y, 0.0, p.width, p.height, (0.12, 0.085, 0.06)))
    for i in range(3):
        crown = Prop("bush", p.x + 0.5 * (i - 1), p.y - 0.3 * i, p.height - 0.5, 2.0, 1.8, p.colour)
        _bush(crown)


def _aircon(p: Prop) -> None:
    body: Rgb = (0.62, 0.61, 0.57)
    _panel((p.x - 0.42, p.y - 0.3, p.z), (p.x + 0.42, p.y, p.z + 0.55), body)
    a, b = Vector((p.x - 0.1, p.y - 0.33, p.z + 0.27)), Vector((p.x - 0.1, p.y - 0.29, p.z + 0.27))
    meshes.place(meshes.rod(), materials.plain((0.08, 0.08, 0.08)), meshes.between(a, b, 0.22))


def _post(p: Prop) -> None:
    _pole(Prop("pole", p.x, p.y, 0.0, 0.12, 0.75, (0.75, 0.55, 0.03)))


PROPS: dict[str, Callable[[Prop], None]] = {
    "sign": _sign, "window": _window, "shutter": _shutter, "pole": _pole, "bush": _bush,
    "pot": _pot, "tree": _tree, "aircon": _aircon, "post": _post,
    "cabinet": furniture.cabinet, "bench": furniture.bench, "cone": furniture.cone,
    "mailbox": furniture.mailbox, "scooter": furniture.scooter,
}  # fmt: skip
"""The kinds of `Prop`."""


def _wall_material(backdrop: Backdrop) -> bpy.types.Material:
    colour = backdrop.wall_colour
    if backdrop.wall == "brick":
        return materials.laid(colour, 0.24, 0.065, 0.008)
    if backdrop.wall == "tiles":
        return materials.laid(colour, 0.30, 0.15, 0.006)
    if backdrop.wall == "metal":
        return materials.worn(colour, 0.4, 0.3)
    return materials.rough_ground(colour)


def _ground_material(backdrop: Backdrop) -> bpy.types.Material:
    colour = backdrop.ground_colour
    if backdrop.ground == "pavers":
        return materials.laid(colour, 0.40, 0.20, 0.008)
    if backdrop.ground == "slabs":
        return materials.laid(colour, 0.60, 0.60, 0.010)
    return materials.rough_ground(colour)


def _wall(backdrop: Backdrop) -> None:
    square = [(-1.0, -1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 1.0, 0.0), (-1.0, 1.0, 0.0)]
    high = backdrop.wall_height
    verts = [(x * FAR, (y + 1) / 2 * high, z) for x, y, z in square]
    mesh = meshes.solid(("wall", high), verts, ((0, 1, 2, 3),))
    upright = Matrix.Translation((0.0, backdrop.wall_y, 0.0)) @ Matrix.Rotation(math.pi / 2, 4, "X")
    meshes.place(mesh, _wall_material(backdrop), upright)
    if backdrop.wall == "hedge":
        for i in range(16):
            x = (i - 7.5) * 0.75
            _bush(Prop("bush", x, backdrop.wall_y - 0.15, -0.1, 1.3, high, backdrop.wall_colour))
    elif backdrop.wall == "metal":
        for i in range(90):
            x = (i - 45) * 0.16
            a = Vector((x, backdrop.wall_y - 0.01, 0.0))
            b = Vector((x, backdrop.wall_y - 0.01, high))
            meshes.place(meshes.rod(), _wall_material(backdrop), meshes.between(a, b, 0.025))
    else:
        skirt = tuple(c * 0.5 for c in backdrop.wall_colour)
        low, top = (-FAR, backdrop.wall_y - 0.02, 0.0), (FAR, backdrop.wall_y + 0.01, 0.16)
        matrix = meshes.slab(low, top)
        material = materials.rough_ground((skirt[0], skirt[1], skirt[2]))
        meshes.place(meshes.box(), material, matrix)


def _stains(backdrop: Backdrop) -> None:
    """Flat specks and leaves on the ground: no street is clean."""
    rng = np.random.default_rng(backdrop.stains)
    for _ in range(70):
        x, y = float(rng.uniform(-4, 4)), float(rng.uniform(-3.5, backdrop.wall_y))
        r = float(rng.uniform(0.006, 0.022))
        turn = Euler((0.2, 0.1, float(rng.uniform(0, 6)))).to_matrix().to_4x4()
        colour: Rgb = ((0.25, 0.2, 0.1), (0.12, 0.14, 0.05), (0.4, 0.4, 0.38))[int(rng.integers(3))]
        speck = Matrix.Translation((x, y, 0.01)) @ turn @ Matrix.Diagonal((r * 2, r, 0.01, 1.0))
        meshes.place(meshes.sheet(int(rng.integers(6))), materials.plain(colour), speck)


def add_backdrop(backdrop: Backdrop) -> None:
    """Ground, wall, kerb and props."""
    corners = [(-FAR, -FAR, 0.0), (FAR, -FAR, 0.0), (FAR, FAR, 0.0), (-FAR, FAR, 0.0)]
    meshes.place(meshes.solid(("ground",), corners, ((0, 1, 2, 3),)), _ground_material(backdrop))
    if backdrop.kerb_y is not None:
        road = meshes.slab((-FAR, -FAR, -0.05), (FAR, backdrop.kerb_y, 0.004))
        meshes.place(meshes.box(), materials.rough_ground((0.09, 0.09, 0.095)), road)
        low, high = (-FAR, backdrop.kerb_y, 0.0), (FAR, backdrop.kerb_y + 0.14, 0.012)
        kerb = materials.laid((0.42, 0.41, 0.39), 1.0, 0.5, 0.012)
        meshes.place(meshes.box(), kerb, meshes.slab(low, high))
    _wall(backdrop)
    _stains(backdrop)
    for prop in backdrop.props:
        PROPS[prop.kind](prop)
