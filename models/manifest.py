"""What a folder of exported weights says of itself, and whether its files agree.

::

    models/weights/<name>/
        model.xml, model.bin     the network (OpenVINO IR)
        model.onnx               the same network for other runtimes, in 32 bits (may be absent)
        manifest.json            this module's `Manifest`
        calibration.json         likelihoods for the belief filter (see `models.calibration`)
        card.md                  how it was made, what it scored, where it fails
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError

GRAPH = "model.xml"
WEIGHTS = "model.bin"
ONNX = "model.onnx"
MANIFEST = "manifest.json"
CALIBRATION = "calibration.json"


class Precision(StrEnum):
    """How the network's numbers are kept.

    ``f32`` as trained; ``f16`` stored in 16 bits and computed in 32; ``int8`` most of it computed in
    8 bits, which is quicker and half the size again, and may cost accuracy: measure it.
    """

    F32 = "f32"
    F16 = "f16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one set of weights says of itself. Digests are SHA-256 as lower-case hex, "" for unknown.

    ``sha256`` is over the bytes of model.xml followed by those of model.bin; ``onnx_sha256`` over
    those of model.onnx, "" when there is none. ``input_size`` is the longer side of the input in
    pixels; ``made_by`` the command that made it; ``trained_on`` the data in words and
    ``training_data_sha256`` as a digest (see `models.training_data`); ``quantised_on`` the pictures
    that int8's scales were measured on. ``metrics``: figures by split; ``calibration``: a file name
    in the same folder, or "" for none.
    """

    name: str
    sha256: str
    classes: tuple[str, ...]
    input_size: int
    precision: Precision = Precision.F16
    onnx_sha256: str = ""
    made_by: str = ""
    trained_on: str = ""
    training_data_sha256: str = ""
    quantised_on: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    calibration: str = ""

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into the folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The folder's manifest. Raises ModelError when it is missing, not JSON or incomplete."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{path}: no manifest is here, so this is no weights folder",
            hint="make one with: brimwatch export WEIGHTS.pt --out FOLDER",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: a {type(content).__name__}, expected an object")
    try:
        manifest = Manifest(
            name=str(content["name"]),
            sha256=str(content["sha256"]),
            classes=tuple(str(name) for name in content["classes"]),
            input_size=int(content["input_size"]),
            # The first manifests did not say: every network was kept in 16 bits then.
            precision=Precision(content.get("precision", Precision.F16)),
            onnx_sha256=str(content.get("onnx_sha256", "")),
            made_by=str(content.get("made_by", "")),
            trained_on=str(content.get("trained_on", "")),
            training_data_sha256=str(content.get("training_data_sha256", "")),
            quantised_on=str(content.get("quantised_on", "")),
            metrics=dict(content.get("metrics", {})),
            calibration=str(content.get("calibration", "")),
        )
    except KeyError as error:
        raise ModelError(f"{path}: the field {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path}: a field is of the wrong kind: {error}") from error
    if manifest.input_size <= 0 or not manifest.classes:
        raise ModelError(
            f"{path}: input_size {manifest.input_size} and {len(manifest.classes)} classes, "
            "expected both above 0"
        )
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Raise ModelError unless the folder's files are those that the manifest speaks of."""
    found = digest(folder)
    if found != manifest.sha256:
        raise ModelError(
            f"{folder}: the weights do not match {MANIFEST}: SHA-256 {found[:12]}…, "
            f"expected {manifest.sha256[:12]}…",
            hint="the folder is damaged or half replaced: fetch it again, or export it again",
        )


def digest(folder: Path) -> str:
    """SHA-256 over model.xml, then model.bin. Raises ModelError when one is missing."""
    sum_ = hashlib.sha256()
    for name in (GRAPH, WEIGHTS):
        try:
            sum_.update((folder / name).read_bytes())
        except OSError as error:
            raise ModelError(
                f"{folder / name}: cannot be read: {error.strerror}",
                hint="a weights folder needs model.xml, model.bin and manifest.json",
            ) from error
    return sum_.hexdigest()
