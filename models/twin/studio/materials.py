"""Blender materials of the twin, made once and kept: a key of plain values names each."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from models.twin.scene import Rgb

_made: dict[tuple[object, ...], bpy.types.Material] = {}


def forget() -> None:
    """Drop the cache: to be called whenever Blender's data is reset."""
    _made.clear()


def _kept(
    key: tuple[object, ...], make: Callable[[bpy.types.NodeTree, bpy.types.Node], None]
) -> bpy.types.Material:
    if key not in _made:
        material = bpy.data.materials.new("-".join(map(str, key))[:60])
        material.use_nodes = True
        make(material.node_tree, material.node_tree.nodes["Principled BSDF"])
        _made[key] = material
    return _made[key]


def _noise(tree: bpy.types.NodeTree, scale: float, detail: float = 2.0) -> bpy.types.Node:
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    tree.links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
    return noise


def _ramp(
    tree: bpy.types.NodeTree, noise: bpy.types.Node, low: float, high: float
) -> bpy.types.NodeSocket:
    ramp = tree.nodes.new("ShaderNodeMapRange")
    ramp.inputs["From Min"].default_value = low
    ramp.inputs["From Max"].default_value = high
    tree.links.new(noise.outputs["Fac"], ramp.inputs["Value"])
    return ramp.outputs["Result"]


def _mix(
    tree: bpy.types.NodeTree,
    factor: bpy.types.NodeSocket,
    first: bpy.types.NodeSocket | Rgb,
    second: bpy.types.NodeSocket | Rgb,
) -> bpy.types.NodeSocket:
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    tree.links.new(factor, mix.inputs[0])
    for socket, value in ((mix.inputs[6], first), (mix.inputs[7], second)):
        if isinstance(value, tuple):
            socket.default_value = (*value, 1.0)
        else:
            tree.links.new(value, socket)
    return mix.outputs[2]


def _bump(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, height: bpy.types.NodeSocket, strength: float
) -> None:
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = 0.02
    tree.links.new(height, bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def _scaled(colour: Rgb, factor: float) -> Rgb:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def plain(colour: Rgb, roughness: float = 0.6, metallic: float = 0.0) -> bpy.types.Material:
    """One even colour."""

    def make(_: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        shader.inputs["Base Color"].default_value = (*colour, 1.0)
        shader.inputs["Roughness"].default_value = roughness
        shader.inputs["Metallic"].default_value = metallic

    return _kept(("plain", colour, roughness, metallic), make)


def worn(colour: Rgb, roughness: float = 0.45, metallic: float = 0.0) -> bpy.types.Material:
    """Plastic or painted metal with dirt on it: containers."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        dirt = _ramp(tree, _noise(tree, 2.6, 4.0), 0.48, 0.72)
        dusty = tuple(0.72 * c + 0.28 * d for c, d in zip(colour, (0.22, 0.19, 0.15), strict=True))
        mixed = _mix(tree, dirt, colour, (dusty[0] * 0.75, dusty[1] * 0.75, dusty[2] * 0.75))
        tree.links.new(mixed, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = roughness
        shader.inputs["Metallic"].default_value = metallic
        _bump(tree, shader, _noise(tree, 14.0).outputs["Fac"], 0.12)

    return _kept(("worn", colour, roughness, metallic), make)


def film(colour: Rgb) -> bpy.types.Material:
    """Thin plastic of bags: glossy, wrinkled."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        tone = _ramp(tree, _noise(tree, 4.0, 3.0), 0.3, 0.75)
        mixed = _mix(tree, tone, _scaled(colour, 0.72), colour)
        tree.links.new(mixed, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.24
        _bump(tree, shader, _noise(tree, 9.0).outputs["Fac"], 0.9)

    return _kept(("film", colour), make)


def print_(colour: Rgb) -> bpy.types.Material:
    """Paper, wrappers and cardboard with something printed on them."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        spots = _ramp(tree, _noise(tree, 11.0, 1.0), 0.56, 0.6)
        other = (colour[2] * 0.8 + 0.05, colour[0] * 0.6 + 0.05, colour[1] * 0.5 + 0.03)
        tree.links.new(_mix(tree, spots, colour, other), shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.65

    return _kept(("print", colour), make)


def rough_ground(colour: Rgb) -> bpy.types.Material:
    """Asphalt or concrete: stained in the large, grained in the small."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        stains = _ramp(tree, _noise(tree, 0.7, 5.0), 0.35, 0.7)
        grain = _ramp(tree, _noise(tree, 55.0), 0.3, 0.75)
        base = _mix(tree, stains, _scaled(colour, 0.62), colour)
        grained = _mix(tree, grain, base, _scaled(colour, 1.15))
        tree.links.new(grained, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.85
        _bump(tree, shader, _noise(tree, 70.0).outputs["Fac"], 0.25)

    return _kept(("ground", colour), make)


def laid(colour: Rgb, width: float, height: float, joint: float) -> bpy.types.Material:
    """Bricks, tiles or pavers of ``width``×``height`` metres in the object's own x and y."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        coordinates = tree.nodes.new("ShaderNodeTexCoord")
        brick = tree.nodes.new("ShaderNodeTexBrick")
        brick.inputs["Scale"].default_value = 1.0
        brick.inputs["Brick Width"].default_value = width
        brick.inputs["Row Height"].default_value = height
        brick.inputs["Mortar Size"].default_value = joint
        brick.inputs["Color1"].default_value = (*colour, 1.0)
        brick.inputs["Color2"].default_value = (*_scaled(colour, 0.8), 1.0)
        brick.inputs["Mortar"].default_value = (*_scaled(colour, 0.42), 1.0)
        tree.links.new(coordinates.outputs["Object"], brick.inputs["Vector"])
        stains = _ramp(tree, _noise(tree, 1.1, 4.0), 0.42, 0.75)
        dirty = _mix(tree, stains, brick.outputs["Color"], _scaled(colour, 0.45))
        tree.links.new(dirty, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.7
        _bump(tree, shader, brick.outputs["Fac"], -0.4)

    return _kept(("laid", colour, width, height, joint), make)


def leaf(colour: Rgb) -> bpy.types.Material:
    """Foliage; each plant in a slightly other green."""

    def make(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> None:
        tone = _ramp(tree, _noise(tree, 6.0, 2.0), 0.3, 0.7)
        mixed = _mix(tree, tone, _scaled(colour, 0.45), _scaled(colour, 1.25))
        tree.links.new(mixed, shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.55

    return _kept(("leaf", colour), make)
