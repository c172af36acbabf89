"""How a training went, as a picture: losses and average precision by epoch.

Read from the ``results.csv`` that ultralytics writes: a header, then a row an epoch.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.svg import Panel, document, round_scale, text
from pipeline.errors import ModelError

Columns = Mapping[str, Sequence[float]]

_COLOURS: tuple[str, ...] = ("#c0392b", "#2471a3", "#1e8449")
_LOSSES: tuple[tuple[str, str], ...] = (
    ("box", "box_loss"),
    ("class", "cls_loss"),
    ("dfl", "dfl_loss"),
)
_PRECISIONS: tuple[tuple[str, str], ...] = (
    ("mAP50", "metrics/mAP50(B)"),
    ("mAP50-95", "metrics/mAP50-95(B)"),
)


def read_results(path: Path) -> dict[str, list[float]]:
    """The columns of a ``results.csv`` by name, a value an epoch.

    Raises ModelError, with file and line, when it is missing or a row is not all numbers.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    rows = csv.reader(lines)
    names = [name.strip() for name in next(rows, [])]
    columns: dict[str, list[float]] = {name: [] for name in names}
    for number, row in enumerate(rows, start=2):
        try:
            values = [float(value) for value in row]
        except ValueError as error:
            raise ModelError(f"{path}:{number}: {error}, expected numbers") from error
        if len(values) != len(names):
            raise ModelError(f"{path}:{number}: {len(values)} values, expected {len(names)}")
        for name, value in zip(names, values, strict=True):
            columns[name].append(value)
    return columns


def draw_curves(columns: Columns) -> str:
    """SVG: losses on the left (whole line on ``train``, dashed on ``val``), mAP on the right.

    Raises ModelError when there is no epoch, or a column that ultralytics writes is missing.
    """
    try:
        epochs = columns["epoch"]
        losses = [
            (name, kind, columns[f"{kind}/{column}"])
            for name, column in _LOSSES
            for kind in ("train", "val")
        ]
        precisions = [(name, columns[column]) for name, column in _PRECISIONS]
    except KeyError as error:
        raise ModelError(f"results without a column {error}, not a detector's training") from error
    if not epochs:
        raise ModelError("results without an epoch: nothing was trained yet")
    known = [value for *_, values in losses for value in values if math.isfinite(value)]
    last, x_steps = round_scale(max(epochs))
    most, y_steps = round_scale(max(known, default=0.0) or 1.0)
    left = Panel(70, 50, 380, 280, (0.0, last), (0.0, most))
    right = Panel(540, 50, 380, 280, (0.0, last), (0.0, 1.0))
    title = "losses: whole line train, dashed val"
    parts = left.axes(title, "epoch", "loss", x_steps=x_steps, y_steps=y_steps)
    parts += right.axes("average precision on val", "epoch", "mAP", x_steps=x_steps)
    for number, (name, kind, values) in enumerate(losses):
        colour = _COLOURS[number // 2]
        parts += _curve(left, epochs, values, colour, dashed=kind == "val")
        if kind == "train":
            parts.append(text(70 + 40 * number, 395, name, colour=colour, bold=True))
    for number, (name, values) in enumerate(precisions):
        parts += _curve(right, epochs, values, _COLOURS[number])
        figures = f"{name} {values[-1]:.3f}, best {max(values):.3f}"
        place = 540 + 190 * number
        parts.append(text(place, 395, figures, colour=_COLOURS[number], bold=True))
    return document(960, 415, parts)


def _curve(
    panel: Panel,
    epochs: Sequence[float],
    values: Sequence[float],
    colour: str,
    *,
    dashed: bool = False,
) -> list[str]:
    """The curve; an epoch whose value is not finite (a loss that blew up) is left out."""
    points = [pair for pair in zip(epochs, values, strict=True) if math.isfinite(pair[1])]
    return [
        panel.line(points, colour, dashed=dashed),
        *(panel.dot(x, y, 2.5, colour, f"epoch {x:.0f}: {y:.4g}") for x, y in points),
    ]
