"""Simulated training pictures with labels in the form that the detector's trainer reads.

The folder looks like the real data set: ``images/{train,val}/SEED.jpg`` and
``labels/{train,val}/SEED.txt`` (YOLO text; an empty file where there is nothing to find).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from models.twin.layout import training_scene
from models.twin.lens import photograph
from models.twin.seeds import require_training_seed
from models.twin.studio import Studio
from models.twin.truth import truth_boxes
from pipeline.errors import StoreError

VALIDATION_EVERY = 10
"""One scene in so many goes to ``val``."""


def render_training_set(
    studio: Studio,
    seeds: Sequence[int],
    out: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Render the scenes of ``seeds`` into ``out``; returns how many were made now.

    Pictures that are there already are kept, so that a broken run can go on. ``progress`` is told
    (done, total) after each. Raises ConfigError for a seed that must not be trained on (before
    anything is rendered) and StoreError when a picture cannot be written.
    """
    for seed in seeds:
        require_training_seed(seed)
    made = 0
    for done, seed in enumerate(seeds, start=1):
        split = "val" if seed % VALIDATION_EVERY == 0 else "train"
        picture = out / "images" / split / f"{seed}.jpg"
        label = out / "labels" / split / f"{seed}.txt"
        if not (picture.exists() and label.exists()):
            _render_one(studio, seed, picture, label)
            made += 1
        progress(done, len(seeds))
    return made


def _render_one(studio: Studio, seed: int, picture: Path, label: Path) -> None:
    rng = np.random.default_rng((seed, 3))
    scene = training_scene(seed)
    clean = studio.render(scene)
    seen = photograph(clean, scene, glass=np.random.default_rng((seed, 4)), moment=rng)
    height, width = seen.shape[:2]
    lines = [box.yolo(width, height) for box in truth_boxes(scene, width, height)]
    label.parent.mkdir(parents=True, exist_ok=True)
    picture.parent.mkdir(parents=True, exist_ok=True)
    label.write_text("".join(line + "\n" for line in lines), encoding="ascii")
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 93))]
    if not cv2.imwrite(str(picture), seen, quality):
        raise StoreError(f"cannot write {picture}", hint="is there space left on the device?")
