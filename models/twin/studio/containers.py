"""Containers and waste in Blender."""

from __future__ import annotations

import math

import bpy
from mathutils import Euler, Matrix, Vector

from models.twin.scene import Bin, BinKind, Item, ItemShape, Rgb
from models.twin.studio import materials, meshes, street

WHITE: Rgb = (0.78, 0.78, 0.76)
RUBBER: Rgb = (0.02, 0.02, 0.02)
INSIDE: Rgb = (0.012, 0.012, 0.012)
LID_HEIGHT = 0.05
TAPE: Rgb = (0.55, 0.42, 0.22)


def is_steel(bin_: Bin) -> bool:
    """Whether the container is of bare metal: a pedal or street bin without a coloured coat."""
    return bin_.kind in (BinKind.PEDAL, BinKind.STREET) and min(bin_.colour) > 0.3


def add_item(item: Item) -> None:
    """One piece of waste."""
    turn = Euler((math.radians(item.tilt), 0.0, math.radians(item.yaw))).to_matrix().to_4x4()
    matrix = Matrix.Translation(item.at) @ turn @ Matrix.Diagonal((*item.radii, 1.0))
    if item.shape is ItemShape.BAG:
        meshes.place(meshes.bag(item.variant), materials.film(item.colour), matrix)
    elif item.shape is ItemShape.BOX:
        meshes.place(meshes.box(), materials.print_(item.colour), matrix)
    elif item.shape is ItemShape.CARTON:
        meshes.place(meshes.box(), materials.rough_ground(item.colour), matrix)
        for low, high in (
            ((-1.003, -0.12, -0.4), (1.003, 0.12, 1.006)),
            ((-1.006, -0.01, 0.5), (1.006, 0.01, 1.008)),
        ):
            colour = TAPE if low[1] < -0.1 else INSIDE
            meshes.place(
                meshes.box(), materials.plain(colour, 0.3), matrix @ meshes.slab(low, high)
            )
    elif item.shape is ItemShape.BOTTLE:
        lie = Matrix.Rotation(math.pi / 2, 4, "Y")
        size = Matrix.Diagonal((item.radii[1], item.radii[1], item.radii[0], 1.0))
        upright = Matrix.Translation(item.at) @ turn @ lie @ size
        meshes.place(meshes.rod(0.55), materials.plain(item.colour, 0.2), upright)
    else:
        meshes.place(meshes.sheet(item.variant), materials.print_(item.colour), matrix)


def _front(bin_: Bin, share: float) -> Matrix:
    """A frame on the front face at ``share`` of its height: x right, y up, z outwards."""
    size = bin_.size
    lean = (size.top[1] - size.bottom[1]) / 2
    y = -(size.bottom[1] / 2 + lean * share) - 0.006
    tilt = math.atan2(lean, size.height)
    return Matrix.Translation((0.0, y, size.height * share)) @ Matrix.Rotation(
        math.pi / 2 + tilt, 4, "X"
    )


def _decals(bin_: Bin, world: Matrix) -> None:
    scale = 0.10 if bin_.kind is not BinKind.CONTAINER else 0.14
    mark = world @ _front(bin_, 0.55)
    disc = Matrix.Diagonal((scale, scale, 0.002, 1.0))
    meshes.place(meshes.rod(), materials.plain(WHITE), mark @ disc)
    inner = Matrix.Diagonal((scale * 0.86, scale * 0.86, 0.003, 1.0))
    meshes.place(meshes.rod(), materials.worn(bin_.colour), mark @ inner)
    figure = Matrix.Diagonal((scale * 0.22, scale * 0.42, 0.004, 1.0))
    meshes.place(meshes.box(), materials.plain(WHITE), mark @ figure)
    label = world @ _front(bin_, 0.30)
    plate = Matrix.Diagonal((scale * 1.15, scale * 0.62, 0.002, 1.0))
    meshes.place(meshes.box(), materials.print_(WHITE), label @ plate)


def _lid(bin_: Bin, world: Matrix) -> None:
    w, d = bin_.size.top[0] + 0.05, bin_.size.top[1] + 0.06
    t = 0.09 if bin_.kind is BinKind.CONTAINER else 0.06
    low = [(sx * w / 2, y, 0.0) for sx in (-1, 1) for y in (0.02, -d)]
    high = [(sx * w * 0.43, y, t) for sx in (-1, 1) for y in (-0.06, -d + 0.09)]
    mesh = meshes.solid(
        ("lid", w, d, t),
        low + high,
        ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)),
    )
    hinge = Matrix.Translation((0.0, bin_.size.top[1] / 2, bin_.size.height + 0.004))
    turn = world @ hinge @ Matrix.Rotation(math.radians(-bin_.lid), 4, "X")
    material = materials.worn(bin_.lid_colour, 0.4, 0.9 if is_steel(bin_) else 0.0)
    meshes.place(mesh, material, turn, bevel=0.02)
    grip = meshes.slab((-w * 0.25, -d - 0.03, 0.0), (w * 0.25, -d + 0.02, 0.03))
    meshes.place(meshes.box(), material, turn @ grip)


def _wheels(bin_: Bin, world: Matrix) -> None:
    size = bin_.size
    rubber = materials.plain(RUBBER, 0.7)
    if bin_.kind is BinKind.WHEELIE:
        spots = [(sx * size.bottom[0] / 2 * 1.08, size.bottom[1] / 2, 0.1, 0.1) for sx in (-1, 1)]
    elif bin_.kind is BinKind.CONTAINER:
        spots = [
            (sx * size.bottom[0] * 0.4, sy * size.bottom[1] * 0.4, 0.08, 0.08)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    else:
        return
    for x, y, z, radius in spots:
        half = Vector((0.025, 0.0, 0.0))
        centre = Vector((x, y, z))
        matrix = world @ meshes.between(centre - half, centre + half, radius)
        meshes.place(meshes.rod(), rubber, matrix)


def _rim(bin_: Bin, world: Matrix, material: bpy.types.Material) -> None:
    size = bin_.size
    w, d, h = size.top[0] / 2, size.top[1] / 2, size.height
    out, deep = 0.03, 0.07
    for low, high in (
        ((-w - out, -d - out, h - deep), (w + out, -d + 0.01, h)),
        ((-w - out, d - 0.01, h - deep), (w + out, d + out, h)),
        ((-w - out, -d, h - deep), (-w + 0.01, d, h)),
        ((w - 0.01, -d, h - deep), (w + out, d, h)),
    ):
        meshes.place(meshes.box(), material, world @ meshes.slab(low, high), bevel=0.012)


def _ribs(bin_: Bin, world: Matrix, material: bpy.types.Material) -> None:
    size = bin_.size
    count = {BinKind.CONTAINER: 4, BinKind.SKIP: 7}.get(bin_.kind, 0)
    for i in range(count):
        x = (i / max(count - 1, 1) - 0.5) * size.bottom[0] * 0.9
        lean = (size.top[1] - size.bottom[1]) / 2
        a = Vector((x, -size.bottom[1] / 2 - 0.005, size.clearance))
        b = Vector((x, -size.bottom[1] / 2 - lean - 0.005, size.height - 0.05))
        meshes.place(meshes.rod(), material, world @ meshes.between(a, b, 0.02))


def add_bin(bin_: Bin) -> None:
    """One container with its lid, wheels, labels and heap."""
    size = bin_.size
    world = Matrix.Translation((bin_.x, bin_.y, 0.0)) @ Matrix.Rotation(
        math.radians(bin_.yaw), 4, "Z"
    )
    steel = is_steel(bin_)
    body = materials.worn(bin_.colour, 0.35 if steel else 0.45, 0.9 if steel else 0.0)
    floor = size.clearance + 0.1
    if bin_.fill > 0.1:
        floor = min(size.clearance + 0.1 + bin_.fill * size.height, size.height - 0.08)
    sides = 24 if size.is_round else 4
    mesh = meshes.trough(
        size.bottom, size.top, low=size.clearance, high=size.height, floor=floor, sides=sides
    )
    meshes.place(mesh, body, world, bevel=0.0 if size.is_round else 0.02)
    shade = Matrix.Translation((0.0, 0.0, floor + 0.012)) @ Matrix.Diagonal(
        (size.bottom[0] * 0.46, size.bottom[1] * 0.46, 0.01, 1.0)
    )
    meshes.place(meshes.box(), materials.plain(INSIDE), world @ shade)
    if not size.is_round:
        _rim(bin_, world, body)
        _ribs(bin_, world, body)
    if bin_.kind in (BinKind.WHEELIE, BinKind.CONTAINER):
        _decals(bin_, world)
    if size.has_lid:
        _lid(bin_, world)
    _wheels(bin_, world)
    if bin_.kind is BinKind.STREET:
        street.add_chambers(bin_, world, body)
    elif bin_.kind is BinKind.WOODEN:
        street.add_slats(bin_, world)
    for item in bin_.heap:
        add_item(item)
