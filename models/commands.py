"""The model's commands: detect, evaluate, calibrate, train, export, and the twin's."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.calibrate_command import calibrate
from models.evaluate_command import evaluate
from models.export_command import export
from models.options import AsJson, Threads, Weights
from models.train_command import train
from pipeline.domain import Detections, Image
from pipeline.errors import BrimwatchError, ConfigError

_DEFAULT_CONFIDENCE = 0.25
"""For weights that bring no calibration, which knows better: ultralytics' own default."""


def register(app: typer.Typer) -> None:
    """Add the commands to the root command."""
    for command in (detect, evaluate, calibrate, train, export):
        app.command()(command)
    if importlib.util.find_spec("models.twin.commands") is not None:
        from models.twin.commands import twin_app

        app.add_typer(twin_app, name="twin")


def detect(
    paths: Annotated[
        list[Path], typer.Argument(exists=True, help="Pictures, videos (key frames) or folders.")
    ],
    *,
    save: Annotated[
        Path | None, typer.Option("--save", file_okay=False, help="Put drawn pictures here.")
    ] = None,
    as_json: AsJson = False,
    weights: Weights = None,
    confidence: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Lowest confidence shown; the calibrated by default."),
    ] = None,
    threads: Threads = None,
) -> None:
    """Find bins, garbage and overflow on pictures and videos.

    A file that cannot be read is named and the others go on; the exit code is then 1.
    """
    from models.inputs import files_of, frames_of
    from models.loading import load_detector

    files = files_of(paths)
    if not files:
        raise ConfigError(f"{paths[0]}: no picture or video is in there")
    threshold = _shown_confidence(weights) if confidence is None else confidence
    detector = load_detector(weights, threads=threads, floor=min(threshold, 0.05))
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    failed = False
    taken: set[str] = set()
    for file in files:
        try:
            for name, frame in frames_of(file):
                found = detector.detect([frame])[0]
                found = found.where(found.confidence >= threshold)
                rows.append(_row(name, frame, found))
                if not as_json:
                    typer.echo(_line(name, frame, found))
                if save is not None:
                    _save(save, name, frame, found, taken)
        except BrimwatchError as error:
            failed = True
            typer.echo(f"{file}: {error}", err=True)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(1)


def _shown_confidence(weights: Path | None) -> float:
    from models.loading import find_calibration

    calibration = find_calibration(weights)
    return _DEFAULT_CONFIDENCE if calibration is None else calibration.confidence


def _row(name: str, frame: Image, found: Detections) -> dict[str, Any]:
    height, width = frame.shape[:2]
    return {
        "path": name,
        "width": width,
        "height": height,
        "detections": [
            {
                "class": found.classes[int(index)],
                "confidence": round(float(confidence), 4),
                "box": [round(float(value), 1) for value in box],
            }
            for box, confidence, index in zip(
                found.boxes, found.confidence, found.class_index, strict=True
            )
        ],
    }


def _line(name: str, frame: Image, found: Detections) -> str:
    height, width = frame.shape[:2]
    named = ", ".join(
        f"{found.classes[int(index)]} {confidence:.2f}"
        for index, confidence in zip(found.class_index, found.confidence, strict=True)
    )
    return f"{name}: {width}×{height}: {named or 'nothing'}"


def _save(folder: Path, name: str, frame: Image, found: Detections, taken: set[str]) -> None:
    from models.drawing import draw
    from pipeline.pictures import encode_jpeg

    base = Path(name).stem if "#" not in name else Path(name).name.replace("#", "-")
    stem, number = base, 1
    while stem in taken:
        number += 1
        stem = f"{base}-{number}"
    taken.add(stem)
    (folder / f"{stem}.jpg").write_bytes(encode_jpeg(draw(frame, found)))
