"""``brimwatch export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.manifest import Precision
from pipeline.errors import ConfigError


def export(
    weights: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .pt file.")],
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Weights folder to write.")],
    size: Annotated[int, typer.Option(min=32, help="Input side in pixels, times 32.")] = 416,
    precision: Annotated[
        Precision, typer.Option(help="How numbers are kept; int8 needs --data.")
    ] = Precision.F16,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="For int8: data set to measure its ranges on."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="For int8: never the one you report on.")] = "val",
    onnx: Annotated[bool, typer.Option("--onnx", help="Put a model.onnx beside it.")] = False,
    trained_on: Annotated[str, typer.Option(help="Data, in words, for the manifest.")] = "",
    trained_on_data: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Data set whose train split it learnt from, for its digest. May be repeated.",
        ),
    ] = None,
) -> None:
    """Turn a .pt into a weights folder that runs without torch. Needs the `models` extra."""
    from models.exporting import export as run
    from models.quantising import Samples

    if (precision is Precision.INT8) != (data is not None):
        raise ConfigError(
            "--precision int8 needs --data"
            if data is None
            else f"--data {data} is for --precision int8, got {precision}",
            hint="int8's ranges are measured on pictures, the other precisions need none",
        )
    manifest = run(
        weights,
        out,
        input_size=size,
        precision=precision,
        samples=None if data is None else Samples(data, split),
        with_onnx=onnx,
        trained_on=trained_on,
        trained_on_data=trained_on_data or (),
    )
    typer.echo(f"{out}: {precision}, SHA-256 {manifest.sha256}")
    if manifest.onnx_sha256:
        typer.echo(f"{out / 'model.onnx'}: SHA-256 {manifest.onnx_sha256}")
