"""People and cars in Blender: simple figures, dressed and glazed enough to be seen as such."""

from __future__ import annotations

import math

from mathutils import Matrix, Vector

from models.twin.scene import Car, Person, Rgb
from models.twin.studio import materials, meshes

SKIN: Rgb = (0.50, 0.29, 0.19)
HAIR: Rgb = (0.012, 0.01, 0.009)
SHOE: Rgb = (0.03, 0.03, 0.035)
GLASS: Rgb = (0.015, 0.02, 0.025)
ORANGE: Rgb = (0.85, 0.22, 0.02)
REFLECTOR: Rgb = (0.75, 0.8, 0.7)


def _ball(world: Matrix, at: Vector, radii: tuple[float, float, float], colour: Rgb) -> None:
    matrix = world @ Matrix.Translation(at) @ Matrix.Diagonal((*radii, 1.0))
    meshes.place(meshes.ball(), materials.plain(colour, 0.75), matrix)


def _limb(world: Matrix, a: Vector, b: Vector, radius: float, colour: Rgb) -> None:
    meshes.place(
        meshes.rod(0.8), materials.plain(colour, 0.75), world @ meshes.between(a, b, radius)
    )
    for end, r in ((a, radius), (b, radius * 0.82)):
        _ball(world, end, (r, r, r), colour)


def add_person(person: Person) -> None:
    """A standing or walking figure."""
    world = (
        Matrix.Translation((person.x, person.y, 0.0))
        @ Matrix.Rotation(math.radians(person.yaw), 4, "Z")
        @ Matrix.Scale(person.height, 4)
    )
    shirt = ORANGE if person.vest else person.shirt
    swing = math.radians(person.stride)
    for side in (-1, 1):
        hip = Vector((side * 0.052, 0.0, 0.50))
        step = math.sin(swing) * side
        knee = hip + Vector((0.0, -0.25 * step, -0.24))
        foot = knee + Vector((0.0, 0.12 * step, -0.22))
        _limb(world, hip, knee, 0.056, person.trousers)
        _limb(world, knee, foot, 0.044, person.trousers)
        _ball(world, foot + Vector((0.0, -0.04, -0.02)), (0.03, 0.075, 0.022), SHOE)
        shoulder = Vector((side * 0.118, 0.0, 0.79))
        elbow = shoulder + Vector((side * 0.03, 0.12 * step, -0.17))
        hand = elbow + Vector((0.0, -0.06 - 0.05 * step, -0.14))
        _limb(world, shoulder, elbow, 0.038, shirt)
        _limb(world, elbow, hand, 0.029, SKIN)
    _ball(world, Vector((0.0, 0.0, 0.68)), (0.105, 0.072, 0.165), shirt)
    _ball(world, Vector((0.0, 0.0, 0.78)), (0.125, 0.065, 0.055), shirt)
    _ball(world, Vector((0.0, 0.0, 0.53)), (0.098, 0.075, 0.07), person.trousers)
    if person.vest:
        _ball(world, Vector((0.0, 0.0, 0.66)), (0.108, 0.075, 0.018), REFLECTOR)
        _ball(world, Vector((0.0, 0.0, 0.73)), (0.112, 0.074, 0.018), REFLECTOR)
    _limb(world, Vector((0.0, 0.0, 0.82)), Vector((0.0, 0.0, 0.88)), 0.03, SKIN)
    _ball(world, Vector((0.0, -0.005, 0.925)), (0.05, 0.058, 0.068), SKIN)
    _ball(world, Vector((0.0, 0.010, 0.945)), (0.054, 0.058, 0.060), HAIR)


SEDAN = (
    (-2.2, 0.28),
    (-2.22, 0.78),
    (-2.0, 0.93),
    (1.05, 0.95),
    (2.05, 0.78),
    (2.22, 0.5),
    (2.2, 0.28),
)
SEDAN_GLASS = ((-1.75, 0.9), (-1.1, 1.38), (0.35, 1.40), (1.15, 0.92))
SEDAN_ROOF = ((-1.2, 1.35), (-1.05, 1.44), (0.3, 1.46), (0.5, 1.36))
VAN = ((-2.2, 0.3), (-2.2, 1.1), (-2.15, 1.12), (1.5, 1.12), (2.1, 0.9), (2.2, 0.6), (2.2, 0.3))
VAN_GLASS = ((-2.15, 1.1), (-2.05, 1.78), (0.9, 1.80), (1.6, 1.1))
VAN_ROOF = ((-2.12, 1.72), (-2.0, 1.9), (0.8, 1.92), (1.0, 1.74))


def add_car(car: Car) -> None:
    """A sedan or a van."""
    world = Matrix.Translation((car.x, car.y, 0.0)) @ Matrix.Rotation(math.radians(car.yaw), 4, "Z")
    name = "van" if car.tall else "sedan"
    body, glass, roof = (VAN, VAN_GLASS, VAN_ROOF) if car.tall else (SEDAN, SEDAN_GLASS, SEDAN_ROOF)
    paint = materials.plain(car.colour, 0.22)
    meshes.place(meshes.prism(name, body, 0.88), paint, world, bevel=0.06)
    meshes.place(meshes.prism(name + "glass", glass, 0.76), materials.plain(GLASS, 0.08), world)
    meshes.place(meshes.prism(name + "roof", roof, 0.74), paint, world, bevel=0.04)
    for x in (-0.55, 0.35):
        for side in (-1, 1):
            a = Vector((x, side * 0.765, 0.93))
            b = Vector((x, side * 0.74, 1.74 if car.tall else 1.38))
            meshes.place(meshes.rod(), paint, world @ meshes.between(a, b, 0.035))
    for x in (-1.35, 1.4):
        for side in (-1, 1):
            out = Vector((0.0, side * 0.1, 0.0))
            hub = Vector((x, side * 0.80, 0.32))
            tyre = meshes.between(hub - out, hub + out, 0.32)
            meshes.place(meshes.rod(), materials.plain(SHOE, 0.8), world @ tyre)
            rim = meshes.between(hub, hub + out * 1.06, 0.2)
            meshes.place(meshes.rod(), materials.plain((0.5, 0.5, 0.52), 0.3, 0.9), world @ rim)
    for x, colour in ((2.2, (0.8, 0.8, 0.75)), (-2.2, (0.5, 0.01, 0.01))):
        for side in (-1, 1):
            lamp = meshes.slab(
                (x - 0.06, side * 0.62 - 0.16, 0.62), (x + 0.04, side * 0.62 + 0.16, 0.74)
            )
            meshes.place(meshes.box(), materials.plain(colour, 0.15), world @ lamp)
