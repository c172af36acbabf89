"""From Blender's clean picture to what the camera sends: weather, glass, sensor, compression."""

from __future__ import annotations

import av
import cv2
import numpy as np

from models.twin.depth import depth_map
from models.twin.scene import LightKind, Scene
from models.twin.sensor import add_noise, expose, monochrome
from models.twin.weather import RAIN_MIST, add_fog, add_rain
from pipeline.domain import Image

DIRT_ALPHA = 0.75
"""How much of the picture the thickest dirt hides at ``dirt`` 1."""
DIRT_COLOUR = (88.0, 98.0, 106.0)  # BGR: dust is a warm grey
GRAIN = 24  # cells of the dirt pattern across the picture


def add_dirt(picture: Image, dirt: float, rng: np.random.Generator) -> Image:
    """The picture (BGR uint8) through dust and smears; ``dirt`` 0..1, 0 changes nothing."""
    if dirt <= 0:
        return picture
    height, width = picture.shape[:2]
    cloud = np.zeros((height, width), np.float32)
    for cells, weight in ((GRAIN // 6, 0.6), (GRAIN, 0.4)):
        coarse = rng.random((max(cells * height // width, 2), cells)).astype(np.float32)
        cloud += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cut = 1.0 - 0.65 * dirt
    alpha = np.clip((cloud - cut * 0.72) / 0.35, 0, 1)
    for _ in range(int(40 * dirt)):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(alpha, centre, int(rng.integers(1, 4) * height / 360) + 1, 0.9, -1, cv2.LINE_AA)
    veil = (DIRT_ALPHA * dirt * cv2.GaussianBlur(alpha, (0, 0), 2.2 * height / 360))[..., None]
    smeared = cv2.GaussianBlur(picture, (0, 0), 5.0 * height / 360).astype(np.float32)
    glow = 0.55 * smeared + 0.45 * np.array(DIRT_COLOUR) * (smeared.mean() / 110)
    return np.asarray(np.clip(picture * (1 - veil) + glow * veil, 0, 255), np.uint8)


def add_drops(picture: Image, count: int, rng: np.random.Generator) -> Image:
    """The picture (BGR uint8) with ``count`` drops on the glass, each showing it upside down."""
    height, width = picture.shape[:2]
    soft = cv2.GaussianBlur(picture, (0, 0), 2.0 * height / 360)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    seen = picture.astype(np.float32)
    for _ in range(count):
        cx, cy = float(rng.uniform(0, width)), float(rng.uniform(0, height))
        radius = float(rng.uniform(5, 20)) * height / 360
        tall = float(rng.uniform(1.0, 1.35))
        reach = np.hypot(xs - cx, (ys - cy) / tall) / radius
        alpha = np.clip((1.1 - reach) / 0.3, 0, 1)[..., None] * 0.9
        bend = 3.5
        shown = cv2.remap(soft, cx - bend * (xs - cx), cy - bend * (ys - cy), cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REFLECT)  # fmt: skip
        rim = 1.0 - 0.35 * np.clip(reach - 0.55, 0, 0.45)[..., None] / 0.45
        seen = seen * (1 - alpha) + shown * rim * alpha
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def compress(picture: Image, crf: int) -> Image:
    """The picture (BGR uint8) after H.264 at this constant rate factor; 0 changes nothing.

    A single key frame of libx264: blocks and smeared colour as in a recorder's stream.
    """
    if crf <= 0:
        return picture
    height, width = picture.shape[:2]
    even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = even.shape[1], even.shape[0]
    encoder.pix_fmt, encoder.framerate = "yuv420p", 1
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    frame = av.VideoFrame.from_ndarray(even, format="bgr24")
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoded = [shown for packet in packets for shown in decoder.decode(packet)]
    decoded += decoder.decode(None)
    return np.asarray(decoded[0].to_ndarray(format="bgr24")[:height, :width], np.uint8)


def photograph(
    clean: Image, scene: Scene, *, glass: np.random.Generator, moment: np.random.Generator
) -> Image:
    """What the camera sends of a scene. ``clean`` is the render of it, BGR uint8; so is the result.

    ``glass``: chance for what stays on the lens from frame to frame (start it anew from the same
    seed for the same dirt); ``moment``: for what is new in each frame, rain and noise.
    """
    height, width = clean.shape[:2]
    weather, lens, light = scene.weather, scene.lens, scene.light.kind
    seen = monochrome(clean) if light is LightKind.INFRARED else clean
    extinction = weather.fog + RAIN_MIST * weather.rain
    if extinction > 0:
        seen = add_fog(seen, depth_map(scene, width, height), extinction, light)
    seen = add_rain(seen, weather.rain, light, moment)
    seen = add_drops(add_dirt(seen, lens.dirt, glass), lens.drops, glass)
    seen = expose(seen, gain=lens.gain, blur=lens.blur, vignette=lens.vignette)
    colour = 0.0 if light is LightKind.INFRARED else 0.4
    seen = add_noise(seen, lens.noise, moment, colour=colour)
    sent = compress(seen, lens.crf)
    return monochrome(sent) if light is LightKind.INFRARED else sent
