"""What the twin's commands do, free of the command line: arguments in, files out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from models.twin.demo_points import demo_point, demo_points
from models.twin.footage import FRAMES, HEIGHT, WIDTH, write_point, write_points
from models.twin.studio import open_studio
from models.twin.timelapse import Made, Timelapse, write_timelapse
from models.twin.training import render_training_set

DEMO_SAMPLES = 6
TRAINING_SAMPLES = 6
TRAINING_WIDTH, TRAINING_HEIGHT = 448, 336

Report = Callable[[str, int, int], None]
"""Is told what is being made, how much of it is done, and of how much."""


def render(
    *, point_id: str, seed: int | None, out: Path, frames: int, samples: int, report: Report
) -> Path:
    """Footage of one simulated point with its truth and ``points.yaml``; returns the video's path.

    ``seed``: heaps and spill fall as this number says; None is the point's own, as committed. A
    view of 640×360; ``frames`` at `SECONDS_PER_FRAME` recorded seconds each. Raises ConfigError for
    an unknown point, or when Blender's module is missing.
    """
    point = demo_point(point_id)
    if seed is not None:
        point = replace(point, seed=seed)
    studio = open_studio(WIDTH, HEIGHT, samples)
    video = write_point(studio, point, out, frames, functools.partial(report, point_id))
    write_points([point], out)
    return video


def timelapse(
    *,
    point_id: str,
    seed: int | None,
    out: Path,
    cache: Path | None,
    begins: datetime,
    ends: datetime,
    every_s: int,
    samples: int,
    report: Report,
) -> Made:
    """Timed pictures of one point with the truth of each; see `timelapse.write_timelapse`.

    ``seed`` decides what happens on which day; None is the point's own. Raises what that raises,
    and ConfigError for an unknown point, or when Blender's module is missing and needed.
    """
    point = demo_point(point_id)
    wanted = Timelapse(
        point=point,
        seed=point.seed if seed is None else seed,
        begins=begins.astimezone(UTC),
        ends=ends.astimezone(UTC),
        every_s=every_s,
        width=WIDTH,
        height=HEIGHT,
        samples=samples,
    )
    studio = functools.partial(open_studio, WIDTH, HEIGHT, samples)
    progress = functools.partial(report, point_id)
    return write_timelapse(wanted, out, studio, cache=cache, progress=progress)


def footage(*, out: Path, samples: int, report: Report) -> Path:
    """The demo's footage, all eight points; returns the folder's ``points.yaml``."""
    studio = open_studio(WIDTH, HEIGHT, samples)
    points = demo_points()
    for point in points:
        write_point(studio, point, out, FRAMES, functools.partial(report, point.point_id))
    return write_points(points, out)


def training(*, out: Path, first_seed: int, count: int, samples: int, report: Report) -> int:
    """Labelled training pictures of ``count`` seeds; returns how many were made now.

    Raises ConfigError when a seed is not one that may be trained on.
    """
    seeds = range(first_seed, first_seed + count)
    studio = open_studio(TRAINING_WIDTH, TRAINING_HEIGHT, samples)
    return render_training_set(studio, seeds, out, progress=functools.partial(report, "training"))
