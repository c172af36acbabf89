"""From a path to a detector: one place that knows which runtime reads what."""

from __future__ import annotations

from pathlib import Path

from models.boxes import FLOOR
from models.calibration import Calibration, read_calibration
from models.manifest import read_manifest
from pipeline.domain import Detector
from pipeline.errors import ModelError

BUNDLED = Path(__file__).parent / "weights" / "bin-overflow-v5n-416"
"""The weights that come with Brimwatch."""


def load_detector(
    path: Path | None = None, *, threads: int | None = None, floor: float = FLOOR
) -> Detector:
    """The detector whose weights lie at ``path``: a weights folder, an ``.onnx`` or a ``.pt`` file.

    None takes the bundled weights. ``threads``: cores that one call may use, all by default.
    ``floor``: lowest confidence that is reported. Raises ModelError.
    """
    place = path if path is not None else BUNDLED
    if place.is_dir() or (place.suffix.lower() == ".onnx" and place.is_file()):
        from models.openvino_runtime import OpenVinoDetector

        return OpenVinoDetector(place, threads=threads, floor=floor)
    if place.suffix == ".pt":
        from models.ultralytics_runtime import UltralyticsDetector

        return UltralyticsDetector(place, threads=threads, floor=floor)
    raise ModelError(
        f"{place}: "
        + (
            "neither a weights folder nor an .onnx or a .pt file"
            if place.exists()
            else "nothing is here"
        ),
        hint="give a folder made by brimwatch export, an .onnx file, or a .pt file",
    )


def load_calibration(path: Path | None = None) -> Calibration:
    """The calibration of a weights folder (None: of the bundled weights), or of a JSON file.

    Raises ModelError when there is none, or when it was measured on other weights than the folder's.
    """
    place = path if path is not None else BUNDLED
    calibration = read_calibration(place) if place.suffix == ".json" else find_calibration(place)
    if calibration is None:
        raise ModelError(
            f"{place}: these weights have no calibration",
            hint="make one: brimwatch calibrate --data DIR --split val --out FILE",
        )
    return calibration


def find_calibration(path: Path | None = None) -> Calibration | None:
    """As `load_calibration`, but None for weights that bring none (a ``.pt``, an ``.onnx``)."""
    place = path if path is not None else BUNDLED
    if not place.is_dir():
        return None
    manifest = read_manifest(place)
    if not manifest.calibration or not (place / manifest.calibration).is_file():
        return None
    calibration = read_calibration(place / manifest.calibration)
    if calibration.weights_sha256 != manifest.sha256:
        raise ModelError(
            f"{place / manifest.calibration}: measured on weights "
            f"{calibration.weights_sha256[:12]}…, these are {manifest.sha256[:12]}…",
            hint="measure again: brimwatch calibrate --weights FOLDER --out FOLDER/calibration.json",
        )
    return calibration
