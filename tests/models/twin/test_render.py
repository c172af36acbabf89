import builtins
import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from flat_studio import FlatStudio
from typer.testing import CliRunner

from models.twin.commands import twin_app
from models.twin.demo_points import demo_point
from models.twin.footage import frames, write_point
from models.twin.seeds import TRAINING_SEEDS_FROM
from models.twin.sensor import add_noise, expose
from models.twin.story import scene_at
from models.twin.studio import open_studio
from models.twin.training import render_training_set
from pipeline.errors import ConfigError

needs_blender = pytest.mark.skipif(
    importlib.util.find_spec("bpy") is None,
    reason="Blender's module (bpy) is not installed: pip install 'brimwatch[twin]', Python 3.11",
)


def test_a_scene_that_returns_is_rendered_once() -> None:
    studio = FlatStudio()
    point = demo_point("twin-01")
    pictures = list(frames(studio, point, 60))
    assert len(pictures) == 60
    assert studio.renders == len({scene_at(point, second) for second in range(0, 600, 10)})


def test_no_two_frames_are_the_same_for_a_sensor_is_never_still() -> None:
    pictures = list(frames(FlatStudio(), demo_point("twin-07"), 5))
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_the_same_point_gives_the_same_frames() -> None:
    first = list(frames(FlatStudio(), demo_point("twin-03"), 4))
    again = list(frames(FlatStudio(), demo_point("twin-03"), 4))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_cut_footage_has_only_the_truth_that_it_shows(tmp_path: Path) -> None:
    point = demo_point("twin-01")  # overflows from second 240 on
    video = write_point(FlatStudio(), point, tmp_path, count=10)
    assert (tmp_path / "twin-01.truth.json").read_text().strip() == "[]"
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10
    write_point(FlatStudio(), point, tmp_path, count=30)
    assert '"to": "2026-06-01T00:05:00Z"' in (tmp_path / "twin-01.truth.json").read_text()


def test_training_pictures_come_with_labels_and_a_broken_run_goes_on(tmp_path: Path) -> None:
    studio = FlatStudio()
    seeds = range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 5)
    assert render_training_set(studio, seeds, tmp_path) == 5
    pictures = sorted(tmp_path.glob("images/*/*.jpg"))
    assert len(pictures) == 5
    for picture in pictures:
        label = tmp_path / "labels" / picture.parent.name / f"{picture.stem}.txt"
        assert all(len(line.split()) == 5 for line in label.read_text().splitlines())
    pictures[0].unlink()
    assert render_training_set(studio, seeds, tmp_path) == 1


def test_the_sensor_keeps_size_type_and_brightness() -> None:
    grey = np.full((36, 64, 3), 120, np.uint8)
    seen = add_noise(expose(grey, gain=1.0, blur=0.5, vignette=0.0), 2.0, np.random.default_rng(1))
    assert seen.shape == grey.shape
    assert seen.dtype == np.uint8
    assert abs(float(seen.mean()) - 120) < 1


def test_without_blender_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def no_blender(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".", maxsplit=1)[0] in {"bpy", "bmesh", "mathutils"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.startswith("models.twin.studio.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", no_blender)
    with pytest.raises(ConfigError, match="Blender") as caught:
        open_studio(64, 36, 1)
    assert "brimwatch[twin]" in caught.value.hint


def test_the_commands_are_there() -> None:
    result = CliRunner().invoke(twin_app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in ("render", "footage", "training"))


@needs_blender
def test_blender_renders_a_point(tmp_path: Path) -> None:
    studio = open_studio(64, 36, 1)
    clean = studio.render(scene_at(demo_point("twin-01"), 0))
    heaped = studio.render(scene_at(demo_point("twin-01"), 900))
    assert clean.shape == (36, 64, 3)
    assert clean.std() > 10
    difference = cv2.absdiff(clean, heaped).max(axis=2)
    assert (difference > 25).mean() > 0.03
