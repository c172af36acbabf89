"""``brimwatch calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.options import Data, Threads, Weights


def calibrate(
    *,
    data: Data,
    out: Annotated[Path, typer.Option(dir_okay=False, help="JSON file to write.")],
    split: Annotated[str, typer.Option(help="Never the one you report on.")] = "val",
    twin: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Twin data whose clean scenes also count."),
    ] = None,
    weights: Weights = None,
    threads: Threads = None,
) -> None:
    """Measure what the detector's scores are worth, for the belief filter."""
    from models.calibration import calibrate as measure
    from models.evaluation import judge
    from models.loading import load_detector

    detector = load_detector(weights, threads=threads)
    judged = list(judge(detector, data, split))
    more = list(judge(detector, twin, split)) if twin is not None else []
    source = f"{data.resolve().name}/{split}" + (f" + twin/{split}" if twin else "")
    calibration = measure(
        judged, weights_sha256=detector.model_hash, source=source, more_clear=more
    )
    calibration.write(out)
    typer.echo(
        f"{out}: from {calibration.counts['overflowing']} overflowing and "
        f"{calibration.counts['clear']} clear pictures; box threshold {calibration.confidence}, "
        f"picture threshold {calibration.image_threshold}"
    )
