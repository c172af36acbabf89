"""``brimwatch calibrate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from models.options import Data, Threads, Weights
from pipeline.errors import ConfigError


def calibrate(
    *,
    data: Data,
    out: Annotated[Path, typer.Option(dir_okay=False, help="JSON file to write.")],
    split: Annotated[str, typer.Option(help="Never the one you report on.")] = "val",
    twin: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Twin data whose clean scenes also count."),
    ] = None,
    check_on: Annotated[
        str | None,
        typer.Option(
            "--check-on", help="Another split of the data, to measure the reliability on too."
        ),
    ] = None,
    diagram: Annotated[
        Path | None,
        typer.Option("--diagram", dir_okay=False, help="Draw the reliability here, as SVG."),
    ] = None,
    weights: Weights = None,
    threads: Threads = None,
) -> None:
    """Measure what the detector's scores are worth, for the belief filter.

    The reliability of the probabilities that come of it is measured by cross-validation, each
    picture judged by a calibration on the others, and with --check-on on a split of its own.
    """
    import numpy as np

    from models.calibration import calibrate as likelihoods_of
    from models.calibration import check, cross_validate
    from models.evaluation import judge
    from models.loading import load_detector
    from models.reliability import diagram as drawn

    if check_on == split:
        raise ConfigError(
            f"--check-on {check_on}: these pictures are calibrated on, need another split",
            hint="leave --check-on away: cross-validation measures on --split",
        )
    random = np.random.default_rng(0)
    detector = load_detector(weights, threads=threads)
    judged = list(judge(detector, data, split))
    more = list(judge(detector, twin, split)) if twin is not None else []
    name = data.resolve().name
    source = f"{name}/{split}" + (f" + twin/{split}" if twin else "")
    calibration = likelihoods_of(
        judged, weights_sha256=detector.model_hash, source=source, more_clear=more
    )
    reliability = [cross_validate(judged, source=source, more_clear=more, random=random)]
    if check_on is not None:
        unseen = list(judge(detector, data, check_on))
        reliability.append(check(calibration, unseen, source=f"{name}/{check_on}", random=random))
    replace(calibration, reliability=tuple(reliability)).write(out)
    typer.echo(
        f"{out}: from {calibration.counts['overflowing']} overflowing and "
        f"{calibration.counts['clear']} clear pictures; box threshold {calibration.confidence}, "
        f"picture threshold {calibration.image_threshold}"
    )
    for one in reliability:
        typer.echo(
            f"{one.measured_on} ({one.pictures} pictures, {one.method}): expected calibration error "
            f"{one.before.ece:.3f} as raw confidence, {one.after.ece:.3f} calibrated "
            f"(perfect probabilities: {one.after.chance:.3f})"
        )
    if diagram is not None:
        diagram.write_text(drawn(reliability), encoding="utf-8")
        typer.echo(str(diagram))
