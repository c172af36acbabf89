"""``brimwatch evaluate``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar, cast

import typer

from models.options import AsJson, Threads, Weights
from pipeline.domain import Detector
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from models.evaluation import Judged, Thresholds
    from models.image_level import ImageScores
    from models.measuring import BoxReport, ImageReport

T = TypeVar("T")
SHEET_TILES = 12
"""Tiles on the sheet of mistakes: four rows of three."""
_STRIDE = 32
"""What YOLO's input sides are multiples of."""


class _Resizable(Detector, Protocol):
    input_size: int


def evaluate(
    *,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            exists=True,
            file_okay=False,
            help="Data set in YOLO layout, or a folder with clean/ and dirty/ in it.",
        ),
    ],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    weights: Weights = None,
    size: Annotated[
        int | None,
        typer.Option(min=_STRIDE, help="Longer input side in pixels; the weights' own by default."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Take the thresholds from here: a calibration.json."
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Draws for the 95 % intervals; 0 for none.")
    ] = 500,
    as_json: AsJson = False,
    record: Annotated[
        bool, typer.Option("--record", help="Write the figures into the weights' manifest.")
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", dir_okay=False, help="Draw the worst mistakes here (JPEG)."),
    ] = None,
    threads: Threads = None,
) -> None:
    """Measure the detector on labelled pictures: by class, by light, by size, with intervals.

    Precision, recall and image F1 are at thresholds chosen on validation pictures: those of the
    weights' calibration, or, without one, those that do best on the data's val split.
    """
    import numpy as np

    from models.clean_dirty import is_clean_dirty
    from models.contact_sheet import draw_sheet, worst_mistakes
    from models.evaluation import EVALUATION_FLOOR
    from models.loading import load_detector
    from models.measuring import measure, measure_images
    from models.reporting import image_table, record_metrics, table
    from pipeline.pictures import encode_jpeg

    if sheet is not None and is_clean_dirty(data):
        raise ConfigError("--sheet needs boxes: clean/dirty pictures have none to draw")
    if record and size is not None:
        raise ConfigError("--record with --size: the manifest is for the weights' own size")
    detector = _at_size(load_detector(weights, threads=threads, floor=EVALUATION_FLOOR), size)
    random = np.random.default_rng(0)
    report: BoxReport | ImageReport
    if is_clean_dirty(data):
        thresholds, chosen_on = _thresholds(detector, weights, calibration, None)
        report = measure_images(
            _scores(detector, data), thresholds.image, random=random, resamples=resamples
        )
        name, text = data.resolve().name, image_table(report, chosen_on)
    else:
        thresholds, chosen_on = _thresholds(detector, weights, calibration, data)
        judged = _judged(detector, data, split)
        report = measure(judged, thresholds, random=random, resamples=resamples)
        name, text = split, table(report, thresholds, chosen_on)
        if sheet is not None:
            found = worst_mistakes(judged, thresholds.confidence, SHEET_TILES)
            sheet.write_bytes(encode_jpeg(draw_sheet(found, thresholds.confidence)))
    if record:
        record_metrics(weights, name, report.as_json())
    typer.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else text)


def _at_size(detector: Detector, size: int | None) -> Detector:
    """The detector, with another input side: both runtimes build their network when a shape comes."""
    if size is None:
        return detector
    if size % _STRIDE:
        raise ConfigError(f"--size {size}: must be a multiple of {_STRIDE}")
    resizable = cast("_Resizable", detector)
    resizable.input_size = size
    return resizable


def _thresholds(
    detector: Detector, weights: Path | None, file: Path | None, data: Path | None
) -> tuple[Thresholds, str]:
    """Thresholds and where they come from; ``data`` has a val split for weights without any."""
    from models.evaluation import Thresholds, choose_thresholds
    from models.loading import find_calibration, load_calibration

    calibration = find_calibration(weights) if file is None else load_calibration(file)
    if calibration is not None:
        thresholds = Thresholds(calibration.confidence, calibration.image_threshold)
        return thresholds, f"calibration on {calibration.source}"
    if data is None:
        raise ConfigError(
            f"{weights}: these weights have no calibration, and clean/dirty pictures no val split",
            hint="give one with --calibration FILE: brimwatch calibrate makes it",
        )
    return choose_thresholds(_judged(detector, data, "val")), "this data's val split"


def _judged(detector: Detector, data: Path, split: str) -> list[Judged]:
    from models.dataset import read_truths
    from models.evaluation import judge

    total = sum(1 for _ in read_truths(data, split))
    return list(_shown(judge(detector, data, split), total, split))


def _scores(detector: Detector, data: Path) -> ImageScores:
    import numpy as np

    from models.clean_dirty import pictures_of
    from models.evaluation import DIRTY_CLASSES, best_of, check_classes, look
    from models.image_level import ImageScores

    check_classes(detector)
    pictures = pictures_of(data)
    found = [
        best_of(look(detector, path)[0], DIRTY_CLASSES)
        for path, _ in _shown(pictures, len(pictures), "pictures")
    ]
    return ImageScores(np.array([dirty for _, dirty in pictures]), np.array(found))


def _shown(items: Iterable[T], total: int, name: str) -> Iterator[T]:
    """The same items, their count told on stderr where that is a terminal."""
    told = sys.stderr.isatty()
    for done, item in enumerate(items, start=1):
        if told:
            end = "\n" if done == total else ""
            typer.echo(f"\r{name}: {done} of {total}{end}", err=True, nl=False)
        yield item
