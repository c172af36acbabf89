"""Options that several of the model's commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        exists=True,
        help="Weights folder, .pt or .onnx file; the bundled ones by default.",
    ),
]
Data = Annotated[
    Path,
    typer.Option("--data", exists=True, file_okay=False, help="Data set in YOLO layout."),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Cores to use; all by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
