"""Blender meshes of the twin: simple solids, and waste with wrinkles, made once and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector, noise

from models.twin.scene import Vec3

_made: dict[tuple[object, ...], bpy.types.Mesh] = {}


def forget() -> None:
    """Drop the cache: to be called whenever Blender's data is reset."""
    _made.clear()


def _smooth(mesh: bpy.types.Mesh) -> None:
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))


def place(
    mesh: bpy.types.Mesh,
    material: bpy.types.Material,
    matrix: Matrix | None = None,
    *,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """An object of the mesh in the current scene, with its own material."""
    thing = bpy.data.objects.new(mesh.name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if not mesh.materials:
        mesh.materials.append(None)
    thing.material_slots[0].link = "OBJECT"
    thing.material_slots[0].material = material
    if matrix is not None:
        thing.matrix_world = matrix
    if bevel:
        modifier = thing.modifiers.new("bevel", "BEVEL")
        modifier.width, modifier.segments = bevel, 2
    return thing


def solid(
    key: tuple[object, ...], verts: Sequence[Vec3], faces: Sequence[Sequence[int]]
) -> bpy.types.Mesh:
    """A mesh from corners and faces, kept under ``key``; normals are made to point out."""
    if key not in _made:
        mesh = bpy.data.meshes.new(str(key[0]))
        mesh.from_pydata(list(verts), [], [list(face) for face in faces])
        work = bmesh.new()
        work.from_mesh(mesh)
        bmesh.ops.recalc_face_normals(work, faces=work.faces)
        work.to_mesh(mesh)
        work.free()
        _made[key] = mesh
    return _made[key]


_BOX_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def box() -> bpy.types.Mesh:
    """A cube from -1 to 1."""
    corners = [(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
    return solid(("box",), corners, _BOX_FACES)


def slab(low: Vec3, high: Vec3) -> Matrix:
    """The matrix that makes `box` reach from ``low`` to ``high``."""
    centre = Vector([(a + b) / 2 for a, b in zip(low, high, strict=True)])
    half = [(b - a) / 2 for a, b in zip(low, high, strict=True)]
    return Matrix.Translation(centre) @ Matrix.Diagonal((*half, 1.0))


def ball() -> bpy.types.Mesh:
    """A unit sphere."""
    if ("ball",) not in _made:
        mesh = bpy.data.meshes.new("ball")
        work = bmesh.new()
        bmesh.ops.create_uvsphere(work, u_segments=20, v_segments=12, radius=1.0)
        work.to_mesh(mesh)
        work.free()
        _smooth(mesh)
        _made[("ball",)] = mesh
    return _made[("ball",)]


def rod(taper: float = 1.0) -> bpy.types.Mesh:
    """A cylinder of radius 1 from z = -1 to 1; ``taper``: radius at the upper end."""
    key = ("rod", taper)
    if key not in _made:
        mesh = bpy.data.meshes.new("rod")
        work = bmesh.new()
        bmesh.ops.create_cone(
            work, cap_ends=True, segments=20, radius1=1.0, radius2=taper, depth=2.0
        )
        work.to_mesh(mesh)
        work.free()
        _made[key] = mesh
    return _made[key]


def between(a: Vector, b: Vector, radius: float) -> Matrix:
    """The matrix that makes `rod` reach from ``a`` to ``b``."""
    axis = b - a
    turn = axis.to_track_quat("Z", "Y").to_matrix().to_4x4()
    size = Matrix.Diagonal((radius, radius, axis.length / 2, 1.0))
    return Matrix.Translation((a + b) / 2) @ turn @ size


def bag(variant: int) -> bpy.types.Mesh:
    """A tied rubbish bag of radius about 1: lumps, creases that run to the knot, ears."""
    key = ("bag", variant)
    if key not in _made:
        mesh = bpy.data.meshes.new(f"bag{variant}")
        work = bmesh.new()
        bmesh.ops.create_icosphere(work, subdivisions=4, radius=1.0)
        shift = Vector((variant * 7.3, variant * 3.1, 0.0))
        for vert in work.verts:
            p = vert.co.copy()
            lump = 0.30 * noise.noise(p * 1.3 + shift)
            crease = (
                0.34 * abs(noise.noise(Vector((p.x * 2.8, p.y * 2.8, p.z * 1.1)) + shift)) - 0.1
            )
            fine = 0.12 * abs(noise.noise(p * 6.0 + shift)) - 0.03
            p *= 1.0 + lump + crease + fine
            if p.z > 0.62:  # drawn together towards the knot, which opens into ears again
                pull = min((p.z - 0.62) / 0.3, 1.0)
                ears = 0.35 + 0.65 * abs(noise.noise(p * 5.0 + shift))
                p.x *= 1.0 - 0.75 * pull * ears
                p.y *= 1.0 - 0.75 * pull * ears
                p.z += 0.22 * pull
            if p.z < -0.55:
                p.z = -0.55 + 0.3 * (p.z + 0.55)
            vert.co = p
        work.to_mesh(mesh)
        work.free()
        _smooth(mesh)
        _made[key] = mesh
    return _made[key]


def sheet(variant: int) -> bpy.types.Mesh:
    """A crumpled sheet (paper, wrapper, film) about 2×2×1."""
    n = 9
    axis = np.linspace(-1, 1, n)
    shift = Vector((variant * 5.7, 2.0, variant * 1.9))
    verts: list[Vec3] = []
    for x in axis:
        for y in axis:
            p = Vector((float(x), float(y), 0.0))
            z = 0.9 * noise.noise(p * 1.4 + shift) + 0.45 * noise.noise(p * 3.1 + shift)
            wobble = 0.25 * noise.noise(p * 2.3 - shift)
            verts.append((float(x) * (0.85 + wobble), float(y) * (0.85 - wobble), z))
    faces = [
        (i * n + j, i * n + j + 1, (i + 1) * n + j + 1, (i + 1) * n + j)
        for i in range(n - 1)
        for j in range(n - 1)
    ]
    return solid(("sheet", variant), verts, faces)


def foliage(variant: int) -> bpy.types.Mesh:
    """About 1,400 leaves filling a unit ball, denser at its skin."""
    rng = np.random.default_rng(1_000 + variant)
    verts: list[Vec3] = []
    faces: list[tuple[int, int, int, int]] = []
    for _ in range(1_400):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        lump = 0.78 + 0.3 * float(noise.noise(Vector(direction * 2.2) + Vector((variant, 0, 0))))
        centre = direction * lump * float(rng.uniform(0.55, 1.0)) ** 0.4
        a, b = rng.normal(size=3), rng.normal(size=3)
        a *= 0.085 / np.linalg.norm(a)
        b *= 0.05 / np.linalg.norm(b)
        start = len(verts)
        corners = np.stack([centre - a, centre + b, centre + a, centre - b])
        verts.extend((x, y, z) for x, y, z in corners.tolist())
        faces.append((start, start + 1, start + 2, start + 3))
    return solid(("foliage", variant), verts, faces)


def prism(key: str, outline: Sequence[tuple[float, float]], half_width: float) -> bpy.types.Mesh:
    """An outline in x and z drawn out to both sides along y."""
    n = len(outline)
    verts = [(x, s * half_width, z) for s in (-1.0, 1.0) for x, z in outline]
    faces: list[tuple[int, ...]] = [tuple(range(n)), tuple(range(n, 2 * n))]
    faces += [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)]
    return solid(("prism", key, half_width), verts, faces)


def trough(
    bottom: tuple[float, float],
    top: tuple[float, float],
    *,
    low: float,
    high: float,
    floor: float,
    sides: int,
) -> bpy.types.Mesh:
    """An open vessel with walls 2.5 cm thick; ``sides`` 4 is a box, more is round.

    ``low``/``high``: z of its foot and rim, ``floor``: z of the surface inside.
    """
    wall = 0.025
    share = (floor - low) / (high - low)

    def ring(width: float, depth: float, z: float) -> list[Vec3]:
        if sides == 4:
            w, d = width / 2, depth / 2
            return [(-w, -d, z), (w, -d, z), (w, d, z), (-w, d, z)]
        angles = [2 * math.pi * i / sides for i in range(sides)]
        return [(width / 2 * math.cos(a), depth / 2 * math.sin(a), z) for a in angles]

    inner = [b + (t - b) * share - 2 * wall for b, t in zip(bottom, top, strict=True)]
    rings = [
        ring(bottom[0], bottom[1], low),
        ring(top[0], top[1], high),
        ring(top[0] - 2 * wall, top[1] - 2 * wall, high),
        ring(inner[0], inner[1], floor),
    ]
    verts = [corner for one in rings for corner in one]
    faces: list[tuple[int, ...]] = [tuple(range(sides)), tuple(range(3 * sides, 4 * sides))]
    for level in range(3):
        for i in range(sides):
            j = (i + 1) % sides
            a, b = level * sides, (level + 1) * sides
            faces.append((a + i, a + j, b + j, b + i))
    return solid(("trough", bottom, top, low, high, round(floor, 3), sides), verts, faces)
