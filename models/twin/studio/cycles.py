"""The studio itself: Blender's Cycles on the CPU, no display needed."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Matrix, Vector

from models.twin.scene import Camera, Light, LightKind, Scene
from models.twin.studio import materials, meshes
from models.twin.studio.actors import add_car, add_person
from models.twin.studio.containers import add_bin, add_item
from models.twin.studio.place import add_backdrop
from models.twin.truth import SENSOR_MM, camera_axes
from pipeline.domain import Image
from pipeline.errors import ModelError

SKY = {
    LightKind.SUN: ((0.45, 0.62, 0.95), 0.55),
    LightKind.OVERCAST: ((0.82, 0.88, 0.95), 1.0),
    LightKind.DUSK: ((0.13, 0.18, 0.34), 1.0),
    LightKind.LAMP: ((0.06, 0.065, 0.08), 0.6),
    LightKind.INFRARED: ((0.05, 0.05, 0.05), 0.35),
}
SUN_WATTS = {LightKind.SUN: 4.2, LightKind.OVERCAST: 0.7}
LAMP_WATTS = {LightKind.DUSK: 300.0, LightKind.LAMP: 560.0}
SUN_COLOUR = (1.0, 0.93, 0.82)
LAMP_COLOUR = (1.0, 0.74, 0.45)
INFRARED_WATTS = 900.0
INFRARED_CONE = 82.0
"""Degrees: a little wider than most lenses see, so that the corners fall off."""
EXPOSURE = 0.45


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Blender writes its progress to the C standard output: send that to nowhere for a while."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class CyclesStudio:
    """Keeps meshes and materials from one picture to the next; see `open_studio`."""

    def __init__(self, width: int, height: int, samples: int) -> None:
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        materials.forget()
        meshes.forget()
        settings = bpy.context.scene
        render, cycles = settings.render, settings.cycles
        render.engine = "CYCLES"
        render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
        render.image_settings.file_format = "BMP"
        render.image_settings.color_mode = "RGB"
        render.use_persistent_data = True
        cycles.device, cycles.samples, cycles.use_denoising = "CPU", samples, True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_prefilter = cycles.denoising_quality = "FAST"
        cycles.use_adaptive_sampling = False
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
        cycles.caustics_reflective = cycles.caustics_refractive = False
        settings.view_settings.view_transform = "AgX"
        settings.view_settings.exposure = EXPOSURE
        settings.view_settings.look = "AgX - Medium High Contrast"

    def render(self, scene: Scene) -> Image:
        """The scene as an H×W×3 uint8 BGR picture."""
        for thing in list(bpy.data.objects):
            bpy.data.objects.remove(thing)
        add_backdrop(scene.backdrop)
        for bin_ in scene.bins:
            add_bin(bin_)
        for pile in scene.piles:
            for item in pile.items:
                add_item(item)
        for person in scene.people:
            add_person(person)
        for car in scene.cars:
            add_car(car)
        self._light(scene.light, scene.camera)
        self._camera(scene.camera)
        bpy.context.scene.cycles.seed = scene.seed % 2**31
        with tempfile.TemporaryDirectory(prefix="brimwatch-twin-") as folder:
            target = Path(folder) / "picture.bmp"
            bpy.context.scene.render.filepath = str(target)
            with _quiet():
                bpy.ops.render.render(write_still=True)
            picture = cv2.imread(str(target), cv2.IMREAD_COLOR)
        if picture is None:
            raise ModelError(
                f"Blender wrote no picture to {target}",
                hint="is there space left in the temp folder?",
            )
        return np.asarray(picture, np.uint8)

    def _camera(self, camera: Camera) -> None:
        data = bpy.data.cameras.new("camera")
        data.sensor_width, data.lens, data.sensor_fit = SENSOR_MM, camera.lens, "HORIZONTAL"
        thing = bpy.data.objects.new("camera", data)
        bpy.context.scene.collection.objects.link(thing)
        at, axes = camera_axes(camera)
        turn = Matrix([list(map(float, row)) for row in axes]).to_4x4()
        thing.matrix_world = Matrix.Translation(Vector(map(float, at))) @ turn
        bpy.context.scene.camera = thing

    def _light(self, light: Light, camera: Camera) -> None:
        world = bpy.data.worlds.get("sky") or bpy.data.worlds.new("sky")
        world.use_nodes = True
        colour, strength = SKY[light.kind]
        background = world.node_tree.nodes["Background"]
        background.inputs["Color"].default_value = (*colour, 1.0)
        background.inputs["Strength"].default_value = strength * light.strength
        bpy.context.scene.world = world
        if light.kind in SUN_WATTS:
            sun = bpy.data.lights.new("sun", "SUN")
            sun.energy = SUN_WATTS[light.kind] * light.strength
            sun.color = SUN_COLOUR
            sun.angle = math.radians(1.0 if light.kind is LightKind.SUN else 70.0)
            up, side = math.radians(light.elevation), math.radians(light.azimuth)
            towards = Vector(
                (math.cos(up) * math.sin(side), -math.cos(up) * math.cos(side), math.sin(up))
            )
            thing = bpy.data.objects.new("sun", sun)
            thing.matrix_world = towards.to_track_quat("Z", "Y").to_matrix().to_4x4()
            bpy.context.scene.collection.objects.link(thing)
        if light.kind in LAMP_WATTS:
            lamp = bpy.data.lights.new("lamp", "POINT")
            lamp.energy = LAMP_WATTS[light.kind] * light.strength
            lamp.color, lamp.shadow_soft_size = LAMP_COLOUR, 0.12
            thing = bpy.data.objects.new("lamp", lamp)
            thing.matrix_world = Matrix.Translation(light.lamp)
            bpy.context.scene.collection.objects.link(thing)
        if light.kind is LightKind.INFRARED:
            lamp = bpy.data.lights.new("infrared", "SPOT")
            lamp.energy, lamp.shadow_soft_size = INFRARED_WATTS * light.strength, 0.03
            lamp.spot_size, lamp.spot_blend = math.radians(INFRARED_CONE), 0.8
            thing = bpy.data.objects.new("infrared", lamp)
            at, axes = camera_axes(camera)
            turn = Matrix([list(map(float, row)) for row in axes]).to_4x4()
            beside = Vector(map(float, at + axes @ (0.06, 0.04, 0.0)))
            thing.matrix_world = Matrix.Translation(beside) @ turn
            bpy.context.scene.collection.objects.link(thing)
