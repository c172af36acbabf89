"""What an ONNX file says of itself. OpenVINO reads the format: nothing more has to be installed."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Any

from models.manifest import MANIFEST, ONNX, Manifest, Precision, read_manifest
from pipeline.errors import ModelError

_HINT = "make one with: brimwatch export WEIGHTS.pt --out FOLDER --onnx"


def read_onnx(path: Path) -> Manifest:
    """The file as a manifest; its ``sha256`` and ``onnx_sha256`` are both the file's.

    Classes and input size come from the metadata that ultralytics writes: ``names``, a dictionary of
    class names by index, and ``imgsz``, height and width in pixels (the longer one counts). A
    ``model.onnx`` beside a manifest that speaks of it has to match it.

    Raises ModelError when the file cannot be read, when the metadata are missing or not of that
    form, when the network takes one size of picture only, and when it does not match its manifest.
    """
    import openvino as ov

    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        network = ov.Core().read_model(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except RuntimeError as error:
        raise ModelError(f"{path}: not a usable ONNX file: {error}") from error
    _match_manifest(path, digest)
    names = _metadata(path, network, "names", dict)
    sides = _metadata(path, network, "imgsz", list)
    if not names or not sides or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ModelError(
            f"{path}: names {names} and imgsz {sides} in its metadata, expected at least one class "
            "and sizes above 0",
            hint=_HINT,
        )
    if network.inputs and network.input(0).partial_shape.is_static:
        raise ModelError(
            f"{path}: it takes pictures of {network.input(0).partial_shape} only, expected any size",
            hint=_HINT,
        )
    return Manifest(
        name=path.stem,
        sha256=digest,
        classes=tuple(str(names[key]) for key in sorted(names)),
        input_size=max(sides),
        precision=Precision.F32,
        onnx_sha256=digest,
    )


def _match_manifest(path: Path, digest: str) -> None:
    if path.name != ONNX or not (path.parent / MANIFEST).is_file():
        return
    expected = read_manifest(path.parent).onnx_sha256
    if expected and expected != digest:
        raise ModelError(
            f"{path}: does not match {MANIFEST}: SHA-256 {digest[:12]}…, expected {expected[:12]}…",
            hint="the file is damaged or of other weights: export it again",
        )


def _metadata(path: Path, network: Any, key: str, kind: type) -> Any:  # noqa: ANN401
    """A value of the file's metadata, which are all text in Python's notation."""
    place = ["framework", key]
    if not network.has_rt_info(place):
        raise ModelError(
            f"{path}: its metadata have no {key!r}, so what it finds is unknown", hint=_HINT
        )
    text = str(network.get_rt_info(place).value)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise ModelError(f"{path}: {key} {text!r} in its metadata is not readable") from error
    if not isinstance(value, kind):
        raise ModelError(f"{path}: {key} {text!r} in its metadata, expected a {kind.__name__}")
    return value
