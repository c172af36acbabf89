"""The default detector on a CPU: an OpenVINO network, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.boxes import FLOOR, MAX_BOXES, OVERLAP, letterbox, read_boxes
from models.manifest import GRAPH, read_manifest, verify
from pipeline.domain import Detections, Image
from pipeline.errors import ModelError


class OpenVinoDetector:
    """Boxes of ``classes`` on BGR frames of any size; see `pipeline.domain.Detector`.

    ``folder`` is a weights folder (see `models.manifest`). ``threads``: cores that one call may
    use, all of them by default; set it lower when decoding shares the machine. ``floor``: lowest
    confidence reported. ``model_hash`` is the manifest's SHA-256. Not for use by two threads at
    once.

    Raises ModelError when the folder is incomplete, damaged, or not a network of that shape.
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int | None = None,
        floor: float = FLOOR,
        overlap: float = OVERLAP,
        max_boxes: int = MAX_BOXES,
    ) -> None:
        manifest = read_manifest(folder)
        verify(folder, manifest)
        self.name = manifest.name
        self.classes = manifest.classes
        self.model_hash = manifest.sha256
        self.input_size = manifest.input_size
        self._floor = floor
        self._overlap = overlap
        self._max_boxes = max_boxes
        self._request = _compile(folder / GRAPH, threads).create_infer_request()

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One `Detections` a frame, in order, boxes in the frame's pixels and inside it."""
        # One picture a call: measured no slower on a CPU than a batch, and memory stays flat.
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Image) -> Detections:
        square, fit = letterbox(frame, self.input_size)
        (raw,) = self._request.infer([square[np.newaxis]]).values()
        rows = 4 + len(self.classes)
        if raw.ndim != 3 or raw.shape[1] != rows:  # noqa: PLR2004 - batch, rows, anchors
            raise ModelError(
                f"{self.name}: the network answers with shape {raw.shape}, expected (1, {rows}, n)",
                hint="was it exported with suppression inside? use brimwatch export",
            )
        return read_boxes(
            raw[0],
            fit,
            self.classes,
            floor=self._floor,
            overlap=self._overlap,
            max_boxes=self._max_boxes,
        )


def _compile(graph: Path, threads: int | None):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """The network, ready to take N×size×size×3 uint8 BGR: conversion happens inside it."""
    import openvino as ov
    from openvino.preprocess import ColorFormat, PrePostProcessor

    core = ov.Core()
    try:
        model = core.read_model(graph)
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(
            ov.Layout("NHWC")
        ).set_color_format(ColorFormat.BGR)
        steps.input().preprocess().convert_element_type(ov.Type.f32).convert_color(
            ColorFormat.RGB
        ).scale(255.0)
        steps.input().model().set_layout(ov.Layout("NCHW"))
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            # f32 whatever the processor offers: bf16 would change scores from machine to machine.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        return core.compile_model(steps.build(), "CPU", options)
    except RuntimeError as error:
        raise ModelError(f"{graph}: OpenVINO cannot load it: {error}") from error
