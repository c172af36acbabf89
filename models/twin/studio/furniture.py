"""Street furniture that is no bin and may be taken for one: what a detector must leave alone."""

from __future__ import annotations

from mathutils import Matrix, Vector

from models.twin.scene import Prop, Rgb
from models.twin.studio import materials, meshes

DARK: Rgb = (0.03, 0.03, 0.032)
WOOD: Rgb = (0.22, 0.11, 0.05)
WHITE: Rgb = (0.78, 0.78, 0.76)


def _block(
    p: Prop, low: tuple[float, float, float], high: tuple[float, float, float], colour: Rgb
) -> None:
    at = Matrix.Translation((p.x, p.y, 0.0))
    meshes.place(meshes.box(), materials.worn(colour), at @ meshes.slab(low, high), bevel=0.012)


def _tube(p: Prop, a: tuple[float, float, float], b: tuple[float, float, float], r: float,
          colour: Rgb = DARK) -> None:  # fmt: skip
    at = Matrix.Translation((p.x, p.y, 0.0))
    tube = meshes.between(Vector(a), Vector(b), r)
    meshes.place(meshes.rod(), materials.plain(colour, 0.5), at @ tube)


def cabinet(p: Prop) -> None:
    """A switch cabinet on a plinth, about as large as a container."""
    w, h = p.width / 2, p.height
    _block(p, (-w - 0.03, -0.24, 0.0), (w + 0.03, 0.24, 0.12), (0.3, 0.3, 0.29))
    _block(p, (-w, -0.21, 0.12), (w, 0.21, h), p.colour)
    _block(p, (-w - 0.03, -0.25, h), (w + 0.03, 0.25, h + 0.05), p.colour)
    _block(p, (-0.006, -0.214, 0.16), (0.006, -0.2, h - 0.04), DARK)
    for i in range(4):
        z = h - 0.16 - 0.05 * i
        _block(p, (-w + 0.06, -0.216, z), (-0.06, -0.2, z + 0.02), DARK)
    _block(p, (0.07, -0.214, h * 0.55), (w * 0.7, -0.2, h * 0.75), (0.75, 0.6, 0.05))


def bench(p: Prop) -> None:
    """A wooden bench."""
    w = p.width / 2
    for i in range(4):
        _block(p, (-w, -0.2 + 0.1 * i, 0.42), (w, -0.12 + 0.1 * i, 0.45), WOOD)
    for i in range(3):
        _block(p, (-w, 0.2, 0.55 + 0.11 * i), (w, 0.23, 0.63 + 0.11 * i), WOOD)
    for side in (-0.8, 0.8):
        _block(p, (side * w - 0.03, -0.18, 0.0), (side * w + 0.03, 0.2, 0.42), DARK)
        _block(p, (side * w - 0.02, 0.2, 0.0), (side * w + 0.02, 0.24, 0.88), DARK)


def cone(p: Prop) -> None:
    """A traffic cone."""
    _block(p, (-0.19, -0.19, 0.0), (0.19, 0.19, 0.035), DARK)
    at = Matrix.Translation((p.x, p.y, 0.035))
    for low, high, wide, colour in (
        (0.0, 0.3, 0.14, (0.75, 0.11, 0.015)), (0.3, 0.45, 0.095, WHITE),
        (0.45, 0.68, 0.068, (0.75, 0.11, 0.015)),
    ):  # fmt: skip
        part = meshes.between(Vector((0, 0, low)), Vector((0, 0, high)), wide)
        meshes.place(meshes.rod(0.7), materials.plain(colour, 0.5), at @ part)


def mailbox(p: Prop) -> None:
    """A letter box on a foot: of a bin's colour and height."""
    _block(p, (-0.14, -0.12, 0.0), (0.14, 0.12, 0.35), DARK)
    _block(p, (-0.27, -0.21, 0.35), (0.27, 0.21, 1.15), p.colour)
    _block(p, (-0.29, -0.24, 1.15), (0.29, 0.23, 1.24), p.colour)
    _block(p, (-0.17, -0.215, 0.98), (0.17, -0.2, 1.02), DARK)
    _block(p, (-0.15, -0.214, 0.62), (0.15, -0.2, 0.86), WHITE)


def scooter(p: Prop) -> None:
    """An electric scooter seen from its side."""
    for x in (-0.62, 0.62):
        _tube(p, (x, -0.05, 0.22), (x, 0.05, 0.22), 0.22)
        _tube(p, (x, -0.055, 0.22), (x, 0.055, 0.22), 0.1, (0.4, 0.4, 0.42))
    _block(p, (-0.42, -0.13, 0.25), (0.35, 0.13, 0.34), p.colour)
    _block(p, (-0.75, -0.15, 0.38), (-0.1, 0.15, 0.68), p.colour)
    _block(p, (-0.72, -0.14, 0.68), (-0.05, 0.14, 0.77), DARK)
    _block(p, (0.34, -0.17, 0.3), (0.44, 0.17, 0.88), p.colour)
    _tube(p, (0.6, 0.0, 0.22), (0.38, 0.0, 1.05), 0.03)
    _tube(p, (0.38, -0.3, 1.05), (0.38, 0.3, 1.05), 0.02)
