"""What a folder of exported weights says of itself, and whether its files agree.

::

    models/weights/<name>/
        model.xml, model.bin     the network (OpenVINO IR)
        manifest.json            this module's `Manifest`
        calibration.json         likelihoods for the belief filter (see `models.calibration`)
        card.md                  how it was made, what it scored, where it fails
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError

GRAPH = "model.xml"
WEIGHTS = "model.bin"
MANIFEST = "manifest.json"
CALIBRATION = "calibration.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """``sha256`` is over the bytes of model.xml followed by those of model.bin, as lower-case hex.

    ``input_size`` is the longer side of the input in pixels; ``made_by`` the command that made it;
    ``metrics`` figures by split; ``calibration`` a file name in the same folder, or "" for none.
    """

    name: str
    sha256: str
    classes: tuple[str, ...]
    input_size: int
    made_by: str = ""
    trained_on: str = ""
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
            made_by=str(content.get("made_by", "")),
            trained_on=str(content.get("trained_on", "")),
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
