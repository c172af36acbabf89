"""A time-lapse of a simulated point: timed pictures, and the whole truth of each.

The folder: ``YYYYMMDDTHHMMSSZ.jpg`` (what `brimwatch replay` takes), ``truth/`` with a JSON file a
picture, ``truth.json`` (overflow episodes, for ``replay --truth``), ``points.yaml`` (the point, its
camera being this folder), ``timelapse.json`` (what was asked for). Renders are kept in a cache of
their own, so that a scene is rendered once however often it is shown.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from models.twin.caption import SITE_TIME, burn_in
from models.twin.day import day_scene, day_truth
from models.twin.footage import points_config
from models.twin.lens import photograph
from models.twin.scene import CLEAN_LENS, CLEAR, Scene
from models.twin.seeds import TRAINING_SEEDS_FROM
from models.twin.story import DemoPoint
from models.twin.studio import LOOK, Studio
from models.twin.truth import TruthThing, boxes_of, truth_things
from pipeline.domain import Image, rfc3339, utc
from pipeline.errors import ConfigError, StoreError

JPEG_QUALITY = 88

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Timelapse:
    """What to show: ``point`` from ``begins`` to before ``ends`` (aware, whole seconds), a picture
    every ``every_s`` seconds; ``seed`` decides what happens there; size in pixels, rays a pixel.
    """

    point: DemoPoint
    seed: int
    begins: datetime
    ends: datetime
    every_s: int
    width: int
    height: int
    samples: int

    def moments(self) -> list[datetime]:
        """When the pictures are taken. Raises ConfigError when that cannot be."""
        if self.every_s < 1:
            raise ConfigError(f"a picture every {self.every_s} s, expected 1 s or more")
        if self.begins >= self.ends:
            raise ConfigError(
                f"the time-lapse ends at {rfc3339(self.ends)}, not after its beginning at "
                f"{rfc3339(self.begins)}",
                hint="the end is exclusive: nothing is shown at it",
            )
        if self.begins.microsecond:
            raise ConfigError(
                f"the time-lapse begins at {rfc3339(self.begins)}, expected a whole second",
                hint="pictures are named by the second",
            )
        if not 0 <= self.seed < TRAINING_SEEDS_FROM:
            raise ConfigError(
                f"seed {self.seed} is not for time-lapses, expected 0 to {TRAINING_SEEDS_FROM - 1}",
                hint="seeds above are trained on: a measure on them would prove nothing",
            )
        count = -((self.begins - self.ends) // timedelta(seconds=self.every_s))
        return [self.begins + timedelta(seconds=i * self.every_s) for i in range(count)]


@dataclass(frozen=True, slots=True)
class Made:
    """How many pictures the folder has, how many were written and rendered just now."""

    pictures: int
    written: int
    rendered: int


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """A mask as COCO's uncompressed run lengths: column by column, beginning with the zeros.

    >>> run_lengths(np.array([[True, False], [True, True]]))
    {'size': [2, 2], 'counts': [0, 2, 1, 1]}
    """
    flat = mask.ravel(order="F")
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
    counts = [int(b - a) for a, b in itertools.pairwise(edges)]
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def visible_form(scene: Scene) -> Scene:
    """The scene as Blender needs to know it: no weather, no lens, nothing under closed lids."""
    bins = tuple(
        replace(bin_, fill=0.2) if bin_.size.has_lid and bin_.lid == 0 else bin_
        for bin_ in scene.bins
    )
    return replace(scene, bins=bins, weather=CLEAR, lens=CLEAN_LENS)


class Renders:
    """Renders on disk by what they show: the same scene at the same size is rendered once.

    ``open_studio`` is called only if something is not there yet. ``made``: renders made so far.
    """

    def __init__(
        self,
        folder: Path,
        open_studio: Callable[[], Studio],
        *,
        width: int,
        height: int,
        samples: int,
    ) -> None:
        self._folder = folder
        self._studio = functools.lru_cache(maxsize=1)(open_studio)
        self._size = f"{width}x{height} samples {samples} look {LOOK}"
        self.made = 0

    def picture(self, form: Scene) -> Image:
        """The clean render of a `visible_form`. Raises StoreError when it cannot be kept."""
        name = hashlib.sha256(f"{self._size} {form!r}".encode()).hexdigest()[:32]
        path = self._folder / f"{name}.png"
        if path.exists() and (kept := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None:
            return np.asarray(kept, np.uint8)
        picture = self._studio().render(form)
        _write_picture(path, picture, [])
        self.made += 1
        return picture


def _write_picture(path: Path, picture: Image, settings: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part{path.suffix}")
    if not cv2.imwrite(str(part), picture, settings):
        raise StoreError(f"cannot write {path}", hint="is there space left on the device?")
    part.replace(path)


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _seen(thing: TruthThing) -> dict[str, Any]:
    return {
        "visible": round(thing.visible, 4),
        "occlusion": round(thing.occlusion, 4),
        "mask": run_lengths(thing.mask),
    }


def frame_truth(wanted: Timelapse, moment: datetime, scene: Scene) -> dict[str, Any]:
    """All that is true of one picture, as JSON values. Boxes in pixels, masks as `run_lengths`.

    ``fill``: 0 empty, 1 to the rim, whatever the lid hides; ``heap_pieces`` lie above it.
    """
    found = truth_things(visible_form(scene), wanted.width, wanted.height)
    piles = found[len(scene.bins) : len(scene.bins) + len(scene.piles)]
    light, weather = scene.light, scene.weather
    return {
        "captured_at": rfc3339(moment),
        "simulated": True,
        "point_id": wanted.point.point_id,
        "seed": wanted.seed,
        "light": {
            "kind": light.kind.value, "elevation": light.elevation, "azimuth": light.azimuth,
        },
        "weather": {"rain": weather.rain, "fog": weather.fog},
        "lens": {
            "dirt": scene.lens.dirt, "drops": scene.lens.drops, "blur": scene.lens.blur,
            "noise": scene.lens.noise, "gain": round(scene.lens.gain, 4), "crf": scene.lens.crf,
        },
        "boxes": [
            {
                "class": box.class_name,
                "box": [box.x1, box.y1, box.x2, box.y2],
                "visible": round(box.visible, 4),
            }
            for box in boxes_of(found)
        ],
        "bins": [
            {
                "kind": bin_.kind.value, "fill": bin_.fill, "lid": bin_.lid,
                "overflowing": bin_.overflowing, "heap_pieces": len(bin_.heap), **_seen(thing),
            }
            for bin_, thing in zip(scene.bins, found, strict=False)
        ],
        "piles": [_seen(thing) for thing in piles],
        "people": len(scene.people),
        "cars": len(scene.cars),
    }  # fmt: skip


def _asked_before(out: Path, wanted: Timelapse) -> tuple[datetime, datetime]:
    """From when to when the folder reaches once ``wanted`` is there too; checks that both agree."""
    path = out / "timelapse.json"
    now = {
        "simulated": True, "point_id": wanted.point.point_id, "seed": wanted.seed,
        "width": wanted.width, "height": wanted.height, "samples": wanted.samples, "look": LOOK,
    }  # fmt: skip
    begins, ends = wanted.begins, wanted.ends
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        for key, value in now.items():
            if before.get(key) != value:
                raise ConfigError(
                    f"{path}: {key} was {before.get(key)!r}, now {value!r} is asked for",
                    hint="a folder holds one time-lapse: give another one with --out",
                )
        begins, ends = min(begins, utc(before["from"])), max(ends, utc(before["to"]))
    now |= {"from": rfc3339(begins), "to": rfc3339(ends)}
    _write_text(path, json.dumps(now, indent=2) + "\n")
    return begins, ends


def _write_config(out: Path, wanted: Timelapse, begins: datetime, ends: datetime) -> None:
    episodes = [
        {"zone_id": e.zone_id, "from": rfc3339(e.begins), "to": rfc3339(e.ends)}
        for e in day_truth(wanted.point, begins, ends, wanted.seed)
    ]
    _write_text(out / "truth.json", json.dumps(episodes, indent=2) + "\n")
    config = points_config([wanted.point])
    (camera,) = config["points"][0]["cameras"]
    camera["url"], camera["look_every_s"] = ".", wanted.every_s
    head = "# A simulated point. Made by `brimwatch twin render`; everything in it is invented.\n"
    body = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    _write_text(out / "points.yaml", head + body)


def write_timelapse(
    wanted: Timelapse,
    out: Path,
    open_studio: Callable[[], Studio],
    *,
    cache: Path | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Made:
    """Make the time-lapse in ``out``; goes on where a broken run stopped, and may be extended.

    ``cache``: where renders are kept, ``out/renders`` by default. ``progress`` is told (done, total)
    after each picture. Raises ConfigError for times or a seed that cannot be, or when the folder
    holds another time-lapse; StoreError when something cannot be written.
    """
    moments = wanted.moments()
    begins, ends = _asked_before(out, wanted)
    _write_config(out, wanted, begins, ends)
    renders = Renders(
        cache or out / "renders", open_studio,
        width=wanted.width, height=wanted.height, samples=wanted.samples,
    )  # fmt: skip
    written = 0
    for done, moment in enumerate(moments, start=1):
        name = f"{moment:%Y%m%dT%H%M%SZ}"
        picture, truth = out / f"{name}.jpg", out / "truth" / f"{name}.json"
        if not (picture.exists() and truth.exists()):
            scene = day_scene(wanted.point, moment, wanted.seed)
            clean = renders.picture(visible_form(scene))
            today, now = moment.astimezone(SITE_TIME).toordinal(), int(moment.timestamp())
            seen = photograph(
                clean, scene,
                glass=np.random.default_rng((wanted.seed, today)),
                moment=np.random.default_rng((wanted.seed, now)),
            )  # fmt: skip
            text = json.dumps(frame_truth(wanted, moment, scene), separators=(",", ":"))
            _write_text(truth, text + "\n")
            labelled = burn_in(seen, wanted.point.point_id, moment)
            _write_picture(picture, labelled, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            written += 1
        progress(done, len(moments))
    return Made(len(moments), written, renders.made)
