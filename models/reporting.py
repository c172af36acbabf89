"""Figures for people, and into the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.bootstrap import Interval
from models.evaluation import Evaluation, Thresholds
from models.loading import BUNDLED
from models.manifest import read_manifest
from models.measuring import BoxReport, ImageReport
from pipeline.errors import ConfigError

_FIGURES = ("ap50", "ap50_95", "precision", "recall")
_IMAGE_FIGURES = {
    "image_f1": "F1",
    "image_precision": "precision",
    "image_recall": "recall",
    "image_roc_auc": "ROC AUC",
}
_QUESTION = '"overflow or garbage is in the picture"'


def table(report: BoxReport, thresholds: Thresholds, chosen_on: str) -> str:
    """The figures of pictures with boxes as text, a 95 % interval beside each where there is one."""
    figures, around = report.figures, report.intervals
    lines = [_row("class", ("AP50", "AP50-95", "precision", "recall"))]
    for name, one in figures.classes.items():
        values = (one.ap50, one.ap50_95, one.precision, one.recall)
        cells = [
            _cell(value, around.get(f"{name}.{figure}"))
            for figure, value in zip(_FIGURES, values, strict=True)
        ]
        lines.append(_row(name, cells))
    means = (
        _cell(figures.map50, around.get("map50")),
        _cell(figures.map50_95, around.get("map50_95")),
    )
    lines += [
        _row("mean", means),
        "",
        f"{figures.images} pictures: {_QUESTION}",
        *_image_lines(_image_values(figures), around),
        "",
        _row("light", ("pictures", "mean AP50", "mean AP50-95", "picture F1")),
        *(
            _row(
                light,
                (
                    str(one.images),
                    _cell(one.map50, limits.get("map50")),
                    _cell(one.map50_95, limits.get("map50_95")),
                    _cell(one.image_f1, limits.get("image_f1")),
                ),
            )
            for light, (one, limits) in report.by_light.items()
        ),
        "",
        _row("size of box", ("boxes", "AP50", "precision", "recall")),
        *(
            _row(
                f"{size} {name}",
                (str(boxes), _cell(one.ap50), _cell(one.precision), _cell(one.recall)),
            )
            for size, classes in report.by_size.items()
            for name, (boxes, one) in classes.items()
        ),
        "",
        (
            f"precision and recall at confidence {thresholds.confidence}, picture figures at "
            f"{thresholds.image} (thresholds from {chosen_on})"
        ),
    ]
    if around:
        lines.append("in brackets: 95 % intervals, by drawing pictures anew")
    return "\n".join(line.rstrip() for line in lines)


def image_table(report: ImageReport, chosen_on: str) -> str:
    """The figures of pictures known to be clean or dirty as text."""
    return "\n".join(
        [
            f"{report.clean} clean and {report.dirty} dirty pictures: {_QUESTION}",
            *_image_lines(report.figures, report.intervals),
            f"yes from confidence {report.threshold} on (threshold from {chosen_on})",
        ]
    )


def record_metrics(weights: Path | None, name: str, content: Mapping[str, Any]) -> None:
    """Write figures, in the form of `evaluate --json`, into the manifest of a weights folder.

    ``name``: of the split or the set. Raises ConfigError for weights that are no folder.
    """
    folder = weights if weights is not None else BUNDLED
    if not folder.is_dir():
        raise ConfigError(f"{folder}: only a weights folder has a manifest to record in")
    manifest = read_manifest(folder)
    replace(manifest, metrics={**manifest.metrics, name: dict(content)}).write(folder)


def _image_values(figures: Evaluation) -> dict[str, float | None]:
    return {
        "image_f1": figures.image_f1,
        "image_precision": figures.image_precision,
        "image_recall": figures.image_recall,
        "image_roc_auc": figures.image_roc_auc,
    }


def _image_lines(
    values: Mapping[str, float | None], around: Mapping[str, Interval | None]
) -> list[str]:
    return [
        f"  {label:<10} {_cell(values[name], around.get(name))}"
        for name, label in _IMAGE_FIGURES.items()
    ]


def _row(name: str, cells: tuple[str, ...] | list[str]) -> str:
    return f"{name:<20}" + "".join(f"{cell:<22}" for cell in cells)


def _cell(value: float | None, limits: Interval | None = None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" ({limits[0]:.3f}-{limits[1]:.3f})" if limits is not None else "")
