"""Time-lapse footage of a simulated point: video, its start, its ground truth, its config.

``POINT.mp4`` (H.264, one frame is `SECONDS_PER_FRAME` s of recorded time), ``POINT.json`` (start and
pace), ``POINT.truth.json`` (overflow episodes), and ``points.yaml`` over all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from models.twin.caption import burn_in
from models.twin.scene import Scene
from models.twin.sensor import add_noise, expose
from models.twin.story import (
    LENGTH_S,
    SECONDS_PER_FRAME,
    START,
    DemoPoint,
    scene_at,
    story_truth,
)
from models.twin.studio import Studio
from models.twin.truth import truth_boxes
from pipeline.domain import Image, rfc3339

WIDTH, HEIGHT = 640, 360
FRAMES = LENGTH_S // SECONDS_PER_FRAME
PLAYBACK_FPS = 10
KEY_FRAME_EVERY = 60
CONSTANT_QUALITY = "26"
"""x264's CRF: lower is finer and larger; 26 keeps the eight clips well under 5.5 MB."""
NOISE = 1.6
"""Sensor noise in grey levels: more costs bytes, none looks frozen."""
LIGHT_SWING = 0.025
ZONE_MARGIN = 0.02
ZONE_HEADROOM = 0.06

Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    return


def frames(
    studio: Studio, point: DemoPoint, count: int = FRAMES, progress: Progress = _silent
) -> Iterator[Image]:
    """The first ``count`` frames: each distinct scene is rendered once, then seen with fresh noise."""
    rendered: dict[Scene, Image] = {}
    for index in range(count):
        second = index * SECONDS_PER_FRAME
        scene = scene_at(point, second)
        if scene not in rendered:
            rendered[scene] = studio.render(scene)
        gain = 1 + LIGHT_SWING * math.sin(2 * math.pi * second / 1_500 + point.seed)
        seen = expose(rendered[scene], gain=gain, blur=0.5, vignette=0.15)
        noisy = add_noise(seen, NOISE, np.random.default_rng((point.seed, index)))
        yield burn_in(noisy, point.point_id, START + timedelta(seconds=second))
        progress(index + 1, count)


def write_video(path: Path, pictures: Iterator[Image]) -> int:
    """Encode BGR pictures of one size as H.264; returns how many there were."""
    count = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=PLAYBACK_FPS)
        stream.pix_fmt = "yuv420p"
        stream.options = {
            "crf": CONSTANT_QUALITY, "preset": "slow", "g": str(KEY_FRAME_EVERY), "bf": "2",
        }  # fmt: skip
        for picture in pictures:
            if count == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            count += 1
        container.mux(stream.encode(None))
    return count


def zone_polygon(point: DemoPoint) -> list[list[float]]:
    """Corners of the bin zone: around every box the bins ever have, with headroom for a heap."""
    scenes = {
        replace(scene_at(point, second), people=(), cars=(), piles=())
        for second in range(0, LENGTH_S, SECONDS_PER_FRAME)
    }
    boxes = [box for scene in scenes for box in truth_boxes(scene, WIDTH, HEIGHT)]
    left = min(box.x1 for box in boxes) / WIDTH - ZONE_MARGIN
    right = max(box.x2 for box in boxes) / WIDTH + ZONE_MARGIN
    top = min(box.y1 for box in boxes) / HEIGHT - ZONE_HEADROOM
    bottom = max(box.y2 for box in boxes) / HEIGHT + ZONE_MARGIN
    x1, y1, x2, y2 = (round(min(max(v, 0.0), 1.0), 3) for v in (left, top, right, bottom))
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def write_point(
    studio: Studio, point: DemoPoint, out: Path, count: int = FRAMES, progress: Progress = _silent
) -> Path:
    """Render one point's video, sidecar and truth into ``out``; returns the video's path."""
    out.mkdir(parents=True, exist_ok=True)
    video = out / f"{point.point_id}.mp4"
    write_video(video, frames(studio, point, count, progress))
    sidecar = {
        "start": rfc3339(START),
        "seconds_per_frame": SECONDS_PER_FRAME,
        "simulated": True,
        "seed": point.seed,
    }
    _write_json(out / f"{point.point_id}.json", sidecar)
    end = START + timedelta(seconds=count * SECONDS_PER_FRAME)
    truth = [
        {"zone_id": e.zone_id, "from": rfc3339(e.begins), "to": rfc3339(min(e.ends, end))}
        for e in story_truth(point)
        if e.begins < end
    ]
    _write_json(out / f"{point.point_id}.truth.json", truth)
    return video


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def points_config(points: Sequence[DemoPoint]) -> dict[str, list[dict[str, Any]]]:
    """The points as configuration: one camera with one zone each, video files relative to it."""
    return {
        "points": [
            {
                "point_id": point.point_id,
                "name": point.name,
                "community": point.community,
                "grid_code": point.grid_code,
                "longitude": point.longitude,
                "latitude": point.latitude,
                "cameras": [
                    {
                        "camera_id": point.camera_id,
                        "url": f"{point.point_id}.mp4",
                        "look_every_s": SECONDS_PER_FRAME,
                        "zones": [
                            {
                                "zone_id": point.zone_id,
                                "kind": "bin",
                                "polygon": zone_polygon(point),
                            }
                        ],
                    }
                ],
            }
            for point in points
        ]
    }


def write_points(points: Sequence[DemoPoint], out: Path) -> Path:
    """Write ``points.yaml`` into ``out``; returns its path."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "points.yaml"
    head = "# Simulated points. Made by `brimwatch twin footage`; everything in it is invented.\n"
    body = yaml.safe_dump(points_config(points), allow_unicode=True, sort_keys=False)
    path.write_text(head + body, encoding="utf-8")
    return path
