"""The detector straight from ultralytics' weights (``.pt``), for a GPU or before an export.

torch is imported when a detector is made, not before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.boxes import FLOOR, MAX_BOXES, OVERLAP, letterbox, read_boxes
from pipeline.domain import Detections, Image
from pipeline.errors import ModelError


class UltralyticsDetector:
    """Boxes on BGR frames of any size; see `pipeline.domain.Detector`.

    Same fitting and suppression as `OpenVinoDetector`, so that both give the same boxes.
    ``input_size`` 0 takes the size the weights were trained at. ``device``: as torch names them.
    ``model_hash`` is the SHA-256 of the file. A ``.pt`` is a pickle: load only files you trust.

    Raises ModelError when the file is missing or no detector, or torch is not installed.
    """

    def __init__(
        self,
        weights: Path,
        *,
        threads: int | None = None,
        device: str = "cpu",
        input_size: int = 0,
        floor: float = FLOOR,
        overlap: float = OVERLAP,
        max_boxes: int = MAX_BOXES,
    ) -> None:
        try:
            self.model_hash = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{weights}: cannot be read: {error.strerror}") from error
        try:
            import torch
            from ultralytics import YOLO
        except ImportError as error:
            raise ModelError(
                f"{weights}: needs ultralytics and torch: {error}",
                hint="pip install 'brimwatch[models]', or use exported weights",
            ) from error
        try:
            model = YOLO(str(weights), task="detect")
        except (RuntimeError, ValueError, TypeError, KeyError, EOFError) as error:
            raise ModelError(f"{weights}: ultralytics cannot load it: {error}") from error
        self._torch = torch
        self._network = model.model.float().eval().fuse(verbose=False).to(device)
        self._device = device
        self.name = weights.stem
        self.classes: tuple[str, ...] = tuple(model.names[key] for key in sorted(model.names))
        self.input_size = input_size or int(model.overrides.get("imgsz", 640))
        self._floor = floor
        self._overlap = overlap
        self._max_boxes = max_boxes
        if threads is not None:
            torch.set_num_threads(threads)

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One `Detections` a frame, in order, boxes in the frame's pixels and inside it."""
        fitted = [letterbox(frame, self.input_size) for frame in frames]
        answers: dict[int, Detections] = {}
        for shape in {padded.shape for padded, _ in fitted}:
            members = [row for row, (padded, _) in enumerate(fitted) if padded.shape == shape]
            raw = self._forward(np.stack([fitted[row][0] for row in members]))
            for row, one in zip(members, raw, strict=True):
                answers[row] = read_boxes(
                    one,
                    fitted[row][1],
                    self.classes,
                    floor=self._floor,
                    overlap=self._overlap,
                    max_boxes=self._max_boxes,
                )
        return [answers[row] for row in range(len(frames))]

    def _forward(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        tensor = self._torch.from_numpy(pictures).to(self._device)
        # BGR to RGB, height×width×channel to channel first, 0..255 to 0..1
        tensor = tensor.flip(-1).permute(0, 3, 1, 2).float() / 255
        with self._torch.inference_mode():
            answer = self._network(tensor)
        raw = answer[0] if isinstance(answer, list | tuple) else answer
        numbers: NDArray[np.float32] = raw.float().cpu().numpy()
        return numbers
