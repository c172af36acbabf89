from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from models.clean_dirty import pictures_of
from models.evaluate_command import evaluate
from models.evaluation import Thresholds, judge
from models.measuring import measure
from models.slices import Light, Size
from pipeline.domain import Detector
from pipeline.errors import ConfigError

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.command()(evaluate)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def sorted_pictures(tmp_path: Path, picture: Callable[..., Any]) -> Path:
    for name in ("clean", "dirty"):
        (tmp_path / name).mkdir()
        for number in range(3):
            assert cv2.imwrite(str(tmp_path / name / f"{number}.png"), picture(name == "dirty"))
    return tmp_path


def test_light_and_size_are_reported_apart(squares: Path, square_finder: Detector) -> None:
    report = measure(
        list(judge(square_finder, squares, "test")),
        Thresholds(0.5, 0.5),
        random=np.random.default_rng(0),
        resamples=20,
    )
    assert list(report.by_light) == [Light.DAY]
    assert report.by_light[Light.DAY][0] == report.figures
    boxes, figures = report.by_size[Size.LARGE]["overflow"]
    assert boxes == 3
    assert figures.ap50 == pytest.approx(1)
    assert report.by_size[Size.SMALL]["overflow"][0] == 0
    assert report.intervals["overflow.recall"] == pytest.approx((1, 1))
    assert report.intervals["garbage.ap50"] is None


def test_boxes_are_reported_with_intervals(run: Run, squares: Path) -> None:
    result = run("--data", squares, "--json", "--resamples", 20)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert {"ap50_95", "recall"} <= set(content["classes"]["overflow"])
    assert len(content["intervals"]["map50"]) == 2
    assert content["by_light"]["day"]["images"] == 6
    assert content["by_size"]["large"]["garbage_bin"]["boxes"] == 3


def test_without_draws_there_are_no_intervals(run: Run, squares: Path) -> None:
    content = json.loads(run("--data", squares, "--json", "--resamples", 0).stdout)
    assert "intervals" not in content


def test_clean_and_dirty_pictures_need_no_boxes(run: Run, sorted_pictures: Path) -> None:
    result = run("--data", sorted_pictures, "--json", "--resamples", 20)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert list(content)[:4] == ["images", "classes", "map50", "map50_95"]
    assert (content["images"], content["clean"], content["dirty"]) == (6, 3, 3)
    assert (content["classes"], content["map50"]) == ({}, None)
    assert {"image_f1", "image_precision", "image_recall", "image_roc_auc"} <= set(content)
    assert set(content["intervals"]) == {name for name in content if name.startswith("image_")} - {
        "image_threshold"
    }


def test_the_text_for_clean_and_dirty_says_where_the_threshold_is_from(
    run: Run, sorted_pictures: Path
) -> None:
    result = run("--data", sorted_pictures, "--resamples", 20)
    assert "3 clean and 3 dirty pictures" in result.stdout
    assert "threshold from calibration on" in result.stdout


def test_pictures_of_one_kind_only_are_refused(sorted_pictures: Path) -> None:
    for path in (sorted_pictures / "dirty").iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="dirty: no picture is here"):
        pictures_of(sorted_pictures)


def test_another_input_size_is_measured_but_not_recorded(run: Run, squares: Path) -> None:
    assert run("--data", squares, "--size", 320, "--json", "--resamples", 0).exit_code == 0
    refused = run("--data", squares, "--size", 320, "--record")
    assert isinstance(refused.exception, ConfigError)
    uneven = run("--data", squares, "--size", 333)
    assert isinstance(uneven.exception, ConfigError)


def test_the_worst_mistakes_are_drawn(run: Run, squares: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jpg"
    result = run("--data", squares, "--resamples", 0, "--sheet", sheet)
    assert result.exit_code == 0, result.output
    drawn = cv2.imread(str(sheet))
    assert drawn is not None
    assert drawn.std() > 10, "something is drawn on it"


def test_mistakes_cannot_be_drawn_where_no_boxes_are_known(
    run: Run, sorted_pictures: Path, tmp_path: Path
) -> None:
    refused = run("--data", sorted_pictures, "--sheet", tmp_path / "sheet.jpg")
    assert isinstance(refused.exception, ConfigError)
