"""From a path to a detector: one place that knows which runtime reads what."""

from __future__ import annotations

from pathlib import Path

from models.boxes import FLOOR
from models.manifest import read_manifest
from pipeline.domain import Detector
from pipeline.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "bin-overflow-v5n-416"


def load_detector(
    path: Path | None = None, *, threads: int | None = None, floor: float = FLOOR
) -> Detector:
    """The detector whose weights lie at ``path``: a weights folder, or a ``.pt`` file.

    None takes the bundled weights. ``threads``: cores that one call may use, all by default.
    ``floor``: lowest confidence that is reported. Raises ModelError.
    """
    place = path if path is not None else WEIGHTS / DEFAULT
    if place.is_dir():
        from models.openvino_runtime import OpenVinoDetector

        return OpenVinoDetector(place, threads=threads, floor=floor)
    if place.suffix == ".pt":
        from models.ultralytics_runtime import UltralyticsDetector

        return UltralyticsDetector(place, threads=threads, floor=floor)
    raise ModelError(
        f"{place}: "
        + ("neither a weights folder nor a .pt file" if place.exists() else "nothing is here"),
        hint="give a folder made by brimwatch export, or a .pt file",
    )


def calibration_path(path: Path | None = None) -> Path:
    """The calibration file of a weights folder (None: of the bundled weights).

    A path to a file is taken as it is. Raises ModelError when the folder has none.
    """
    place = path if path is not None else WEIGHTS / DEFAULT
    if place.is_file() and place.suffix == ".json":
        return place
    name = read_manifest(place).calibration
    if not name or not (place / name).is_file():
        raise ModelError(
            f"{place}: these weights have no calibration",
            hint="make one: brimwatch calibrate --data DIR --split val --out FILE",
        )
    return place / name
