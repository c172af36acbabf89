"""From training weights (``.pt``) to a weights folder that runs without torch."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.manifest import CALIBRATION, GRAPH, ONNX, Manifest, Precision, digest
from models.quantising import Samples, quantise
from models.training_data import training_data_sha256
from pipeline.errors import ModelError


def export(
    weights: Path,
    out: Path,
    *,
    input_size: int,
    precision: Precision = Precision.F16,
    samples: Samples | None = None,
    with_onnx: bool = False,
    trained_on: str = "",
    trained_on_data: Sequence[Path] = (),
) -> Manifest:
    """Write ``weights`` as a weights folder ``out`` for OpenVINO, with a manifest.

    ``input_size``: longer side of the input in pixels. ``precision``: see `Precision`; f16 is half
    of f32's size and gives the same boxes to a fraction of a pixel. int8 needs ``samples``, the
    pictures that its ranges are measured on. ``with_onnx`` puts a model.onnx (always f32) beside it.
    ``trained_on``: the training data in words; ``trained_on_data``: its folders, for their digest.

    Nothing is written before all is made. An existing folder's network, ONNX and manifest are
    replaced, its other files stay. An old calibration.json is refused by the loader until
    `brimwatch calibrate` has measured it again.

    Raises ModelError when the weights cannot be read, int8 has no samples, or torch (for int8 nncf,
    for ONNX onnx) is not installed; ConfigError when a data set is not what it should be.
    """
    if not weights.is_file():
        raise ModelError(f"{weights}: no weights are here", hint="give a .pt file")
    if precision is Precision.INT8 and samples is None:
        raise ModelError(
            "int8 needs pictures to measure the network's ranges on",
            hint="give a data set with --data, and its split with --split",
        )
    pictures = samples.pictures() if precision is Precision.INT8 and samples else []
    data_digest = training_data_sha256(trained_on_data) if trained_on_data else ""
    try:
        import openvino as ov
        from ultralytics import YOLO

        if with_onnx:
            import onnx  # noqa: F401  (asked for now: ultralytics would try to install it)
    except ImportError as error:
        raise ModelError(
            f"exporting needs ultralytics and torch, for ONNX also onnx: {error}",
            hint="pip install 'brimwatch[models]'",
        ) from error
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copy(weights, Path(scratch) / weights.name))
        try:
            model = YOLO(str(copy), task="detect")
        except (RuntimeError, ValueError, TypeError, KeyError, EOFError) as error:
            raise ModelError(f"{weights}: ultralytics cannot load it: {error}") from error
        onnx_file = _as_onnx(model, input_size) if with_onnx else None
        exported = Path(model.export(format="openvino", imgsz=input_size, dynamic=True))
        network = ov.Core().read_model(next(exported.glob("*.xml")))
        if precision is Precision.INT8:
            head = f"__module.model.{len(model.model.model) - 1}"
            network = quantise(network, pictures, input_size=input_size, head=head)
        out.mkdir(parents=True, exist_ok=True)
        ov.save_model(network, out / GRAPH, compress_to_fp16=precision is Precision.F16)
        (out / ONNX).unlink(missing_ok=True)
        if onnx_file is not None:
            shutil.copyfile(onnx_file, out / ONNX)
    manifest = Manifest(
        name=out.name,
        sha256=digest(out),
        classes=tuple(model.names[key] for key in sorted(model.names)),
        input_size=input_size,
        precision=precision,
        onnx_sha256=hashlib.sha256((out / ONNX).read_bytes()).hexdigest() if with_onnx else "",
        made_by=_command(weights, out, input_size, precision, samples, with_onnx=with_onnx),
        trained_on=trained_on,
        training_data_sha256=data_digest,
        quantised_on=_described(samples, len(pictures)) if pictures and samples else "",
        calibration=CALIBRATION,
    )
    manifest.write(out)
    return manifest


def _as_onnx(model: Any, input_size: int) -> Path:  # noqa: ANN401  (ultralytics ships no types)
    """ONNX for any size of picture. Not simplified: that would want one more package.

    Of ultralytics' metadata two are left out: the description names a folder of the machine that
    trained it, and the date would make two exports of the same weights differ.
    """
    import onnx

    path = Path(model.export(format="onnx", imgsz=input_size, dynamic=True, simplify=False))
    network = onnx.load(path)
    metadata = {entry.key: entry.value for entry in network.metadata_props}
    kept = {key: metadata[key] for key in metadata if key not in {"description", "date"}}
    network.ClearField("doc_string")
    network.graph.ClearField("doc_string")
    onnx.helper.set_model_props(network, kept)
    onnx.save(network, path)
    return path


def _described(samples: Samples, count: int) -> str:
    return f"{samples.data.resolve().name}/{samples.split}, {count} pictures"


def _command(
    weights: Path,
    out: Path,
    input_size: int,
    precision: Precision,
    samples: Samples | None,
    *,
    with_onnx: bool,
) -> str:
    """The command that makes the same again, paths by their names only."""
    command = f"brimwatch export {weights.name} --size {input_size} --precision {precision}"
    if precision is Precision.INT8 and samples is not None:
        command += f" --data {samples.data.resolve().name} --split {samples.split}"
    if with_onnx:
        command += " --onnx"
    return f"{command} --out {out.name}"
