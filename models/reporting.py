"""Figures for people, and into the manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models.evaluation import Evaluation, Thresholds
from models.loading import BUNDLED
from models.manifest import read_manifest
from pipeline.errors import ConfigError


def table(figures: Evaluation, thresholds: Thresholds, chosen_on: str) -> str:
    """The figures of one split as text."""
    lines = [f"{'class':<12} {'AP50':>7} {'AP50-95':>8} {'precision':>10} {'recall':>7}"]
    lines += [
        f"{name:<12} {_cell(one.ap50):>7} {_cell(one.ap50_95):>8} "
        f"{_cell(one.precision):>10} {_cell(one.recall):>7}"
        for name, one in figures.classes.items()
    ]
    lines += [
        f"{'mean':<12} {figures.map50:>7.3f} {figures.map50_95:>8.3f}",
        (
            f'{figures.images} pictures; F1 of "overflow or garbage is in the picture" '
            f"{figures.image_f1:.3f}"
        ),
        (
            f"precision and recall at confidence {thresholds.confidence}, picture F1 at "
            f"{thresholds.image} (thresholds from {chosen_on})"
        ),
    ]
    return "\n".join(lines)


def record_metrics(weights: Path | None, split: str, figures: Evaluation) -> None:
    """Write the figures into the manifest of a weights folder. Raises ConfigError for a ``.pt``."""
    folder = weights if weights is not None else BUNDLED
    if not folder.is_dir():
        raise ConfigError(f"{folder}: only a weights folder has a manifest to record in")
    manifest = read_manifest(folder)
    replace(manifest, metrics={**manifest.metrics, split: figures.as_json()}).write(folder)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
