"""``brimwatch train``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from models.options import Threads

_SHOWN_MISTAKES = 24
"""Tiles on the contact sheet: eight rows of three, as much as one looks at."""


def train(
    *,
    data: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            file_okay=False,
            help="Data set; give it again to train on more. The first one's val split chooses.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Work folder: logs, curves and weights.")
    ],
    start: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Start weights (.pt); not for --resume."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on after the last whole epoch in --out, as that run began."
        ),
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            dir_okay=False,
            help="Draw the worst mistakes of the chosen weights on val here, as JPEG.",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 8,
    size: Annotated[int, typer.Option(min=32, help="Input side in pixels, times 32.")] = 416,
    batch: Annotated[int, typer.Option(min=1)] = 16,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = 0.0012,
    plain_epochs: Annotated[int, typer.Option(min=0, help="Last epochs without mosaic.")] = 3,
    precision: Annotated[
        str, typer.Option(help="f32, or bf16 on a CPU that is fast at it.")
    ] = "f32",
    publish: Annotated[
        Path | None, typer.Option(help="File that always holds the best weights so far.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that load pictures.")] = 1,
    seed: int = 0,
    threads: Threads = None,
) -> None:
    """Fine-tune the detector. Needs the `models` extra.

    The data is read whole before anything is trained: a picture or a label line that cannot be used
    is named.
    """
    from models.training import TrainingPlan
    from models.training import train as run

    if resume == (start is not None):
        raise typer.BadParameter(
            "give it to begin, leave it away to --resume"
            if resume
            else "needed to begin; or go on with --resume",
            param_hint="--start",
        )
    if precision not in ("f32", "bf16"):
        raise typer.BadParameter(f"{precision!r}, expected f32 or bf16", param_hint="--precision")
    plan = TrainingPlan(
        data=tuple(data),
        start=start,
        work=out,
        epochs=epochs,
        input_size=size,
        batch=batch,
        learning_rate=learning_rate,
        plain_epochs=plain_epochs,
        threads=threads or os.cpu_count() or 1,
        workers=workers,
        precision="bf16" if precision == "bf16" else "f32",
        seed=seed,
        publish=publish,
        resume=resume,
    )
    best = run(plan)
    typer.echo(str(best))
    if sheet is not None:
        _draw_mistakes(best, data[0], sheet, threads)


def _draw_mistakes(weights: Path, data: Path, sheet: Path, threads: int | None) -> None:
    from models.contact_sheet import draw_sheet, worst_mistakes
    from models.evaluation import choose_thresholds, judge
    from models.loading import load_detector
    from pipeline.pictures import encode_jpeg

    judged = list(judge(load_detector(weights, threads=threads), data, "val"))
    confidence = choose_thresholds(judged).confidence
    found = worst_mistakes(judged, confidence, _SHOWN_MISTAKES)
    sheet.write_bytes(encode_jpeg(draw_sheet(found, confidence)))
    typer.echo(f"{sheet}: {len(found)} of the worst mistakes at confidence {confidence}")
