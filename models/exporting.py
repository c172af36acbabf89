"""From training weights (``.pt``) to a weights folder that runs without torch."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from models.manifest import CALIBRATION, GRAPH, WEIGHTS, Manifest, digest
from pipeline.errors import ModelError


def export(weights: Path, out: Path, *, input_size: int, trained_on: str = "") -> Manifest:
    """Write ``weights`` as a weights folder ``out`` (OpenVINO, weights kept in 16 bits).

    The network computes in 32 bits from weights rounded to 16: half the size, the same boxes to a
    fraction of a pixel. ``input_size``: longer side of the input in pixels. An existing folder's
    network and manifest are replaced, its other files stay. An old calibration.json is refused by
    the loader until `brimwatch calibrate` has measured it again.

    Raises ModelError when the weights cannot be read or torch is not installed.
    """
    if not weights.is_file():
        raise ModelError(f"{weights}: no weights are here", hint="give a .pt file")
    try:
        import openvino as ov
        from ultralytics import YOLO
    except ImportError as error:
        raise ModelError(
            f"exporting needs ultralytics and torch: {error}",
            hint="pip install 'brimwatch[models]'",
        ) from error
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copy(weights, Path(scratch) / weights.name))
        model = YOLO(str(copy))
        exported = Path(model.export(format="openvino", imgsz=input_size, dynamic=True))
        network = ov.Core().read_model(next(exported.glob("*.xml")))
        out.mkdir(parents=True, exist_ok=True)
        ov.save_model(network, out / GRAPH, compress_to_fp16=True)
    assert (out / WEIGHTS).is_file()
    manifest = Manifest(
        name=out.name,
        sha256=digest(out),
        classes=tuple(model.names[key] for key in sorted(model.names)),
        input_size=input_size,
        made_by=f"brimwatch export {weights.name} --size {input_size} --out {out.name}",
        trained_on=trained_on,
        calibration=CALIBRATION,
    )
    manifest.write(out)
    return manifest
