"""``brimwatch train``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from models.options import Threads


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
    start: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Start weights (.pt).")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Work folder: logs and weights.")],
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
    """Fine-tune the detector. Needs the `models` extra."""
    from models.training import TrainingPlan
    from models.training import train as run

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
    )
    typer.echo(str(run(plan)))
