"""The default detector on a CPU: an OpenVINO network, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.boxes import FLOOR, MAX_BOXES, OVERLAP, letterbox, read_boxes
from models.manifest import GRAPH, Manifest, read_manifest, verify
from models.onnx_file import read_onnx
from pipeline.domain import Detections, Image
from pipeline.errors import ModelError

Arithmetic = Literal["f32", "bf16"]

_USUAL: Image = np.zeros((1080, 1920, 3), np.uint8)
"""The shape that most cameras send: its network is built at start, not at the first look."""

_MOST_SHAPES = 4
"""Networks kept, each about 35 MB: cameras of one site come in one or two shapes."""


class OpenVinoDetector:
    """Boxes of ``classes`` on BGR frames of any size; see `pipeline.domain.Detector`.

    ``place`` is a weights folder (see `models.manifest`) or an ``.onnx`` file (see
    `models.onnx_file`). ``threads``: cores that one call may use, all of them by default; set it
    lower when decoding shares the machine. ``floor``: lowest confidence reported. ``arithmetic``:
    what is not in 8 bits is computed in ``f32``, the same on every machine; ``bf16`` changes scores
    where a processor has it, so it is for measuring. ``model_hash`` is the manifest's SHA-256, for
    ONNX that of the file. Not for use by two threads at once.

    Raises ModelError when the weights are incomplete, damaged, or not a detector of that kind.
    """

    def __init__(
        self,
        place: Path,
        *,
        threads: int | None = None,
        floor: float = FLOOR,
        overlap: float = OVERLAP,
        max_boxes: int = MAX_BOXES,
        arithmetic: Arithmetic = "f32",
    ) -> None:
        self._graph, manifest = _described(place)
        self.name = manifest.name
        self.classes = manifest.classes
        self.model_hash = manifest.sha256
        self.input_size = manifest.input_size
        self._floor = floor
        self._overlap = overlap
        self._max_boxes = max_boxes
        self._threads = threads
        self._arithmetic = arithmetic
        self._requests: dict[tuple[int, int], Any] = {}
        self._request_for(letterbox(_USUAL, self.input_size)[0])

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One `Detections` a frame, in order, boxes in the frame's pixels and inside it.

        The first frame of a new shape costs about half a second: the network is built for it.
        """
        # One picture a call: a batch was measured to cost the same CPU a picture, and more memory.
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Image) -> Detections:
        padded, fit = letterbox(frame, self.input_size)
        (raw,) = self._request_for(padded).infer([padded[np.newaxis]]).values()
        rows = 4 + len(self.classes)
        if raw.ndim != 3 or raw.shape[1] != rows:
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

    def _request_for(self, padded: Image) -> Any:  # noqa: ANN401  (OpenVINO ships no types)
        shape = padded.shape[:2]
        if shape not in self._requests:
            while len(self._requests) >= _MOST_SHAPES:
                del self._requests[next(iter(self._requests))]
            self._requests[shape] = _compile(self._graph, shape, self._threads, self._arithmetic)
        return self._requests[shape]


def network_input(frame: Image, size: int) -> NDArray[np.float32]:
    """What the bare network takes of a frame: 1×3×height×width float32, RGB, 0..1.

    The same numbers as the detector makes inside its compiled network, for those who work with the
    network itself, as quantisation does.
    """
    padded, _ = letterbox(frame, size)
    channels_first = padded[np.newaxis, :, :, ::-1].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(channels_first, np.float32) / np.float32(255)


def _described(place: Path) -> tuple[Path, Manifest]:
    """The file with the network, and what is said of it."""
    if place.suffix.lower() == ".onnx":
        return place, read_onnx(place)
    manifest = read_manifest(place)
    verify(place, manifest)
    return place / GRAPH, manifest


def _compile(
    graph: Path, shape: tuple[int, int], threads: int | None, arithmetic: Arithmetic
) -> Any:  # noqa: ANN401
    """A request that takes 1×height×width×3 uint8 BGR: conversion happens inside the network."""
    import openvino as ov
    from openvino.preprocess import ColorFormat, PrePostProcessor

    core = ov.Core()
    try:
        model = core.read_model(graph)
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ModelError(
                f"{graph}: a network with {len(model.inputs)} inputs and {len(model.outputs)} "
                "outputs, a detector has one of each",
                hint="make one with: brimwatch export WEIGHTS.pt --out FOLDER",
            )
        model.reshape([1, 3, *shape])
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
            # Said, whatever the processor offers: bf16 would change scores from machine to machine.
            "INFERENCE_PRECISION_HINT": arithmetic,
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        return core.compile_model(steps.build(), "CPU", options).create_infer_request()
    except RuntimeError as error:
        raise ModelError(f"{graph}: OpenVINO cannot load it: {error}") from error
