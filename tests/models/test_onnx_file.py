from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.loading import load_detector
from pipeline.errors import ModelError


def write(path: Path, shape: list[int | str], metadata: dict[str, str]) -> Path:
    """An ONNX network that hands its input through, with these metadata."""
    onnx: Any = pytest.importorskip("onnx", reason="onnx missing: pip install 'brimwatch[models]'")
    make = onnx.helper
    sides = [
        make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("in", "out")
    ]
    node = make.make_node("Identity", ["in"], ["out"])
    model = make.make_model(
        make.make_graph([node], "hand-through", [sides[0]], [sides[1]]),
        opset_imports=[make.make_opsetid("", 17)],
        ir_version=8,
    )
    make.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


ANY_SIZE: list[int | str] = ["batch", 3, "height", "width"]
GOOD = {"names": "{0: 'garbage', 1: 'garbage_bin', 2: 'overflow'}", "imgsz": "[416, 416]"}


@pytest.mark.parametrize(
    ("shape", "metadata", "complaint"),
    [
        pytest.param(ANY_SIZE, {}, "its metadata have no 'names'", id="no metadata"),
        pytest.param(
            ANY_SIZE, {"names": GOOD["names"]}, "its metadata have no 'imgsz'", id="no size"
        ),
        pytest.param(
            ANY_SIZE, GOOD | {"names": "garbage, bin"}, "is not readable", id="names in words"
        ),
        pytest.param(
            ANY_SIZE, GOOD | {"names": "['bin']"}, "expected a dict", id="names as a list"
        ),
        pytest.param(ANY_SIZE, GOOD | {"names": "{}"}, "at least one class", id="no names"),
        pytest.param(ANY_SIZE, GOOD | {"imgsz": "[0, 0]"}, "sizes above 0", id="no pixels"),
        pytest.param([1, 3, 416, 416], GOOD, "only, expected any size", id="one size only"),
    ],
)
def test_a_file_that_does_not_say_what_it_finds_is_explained(
    tmp_path: Path, shape: list[int | str], metadata: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ModelError, match=complaint):
        load_detector(write(tmp_path / "w.onnx", shape, metadata))


def test_a_network_that_is_no_detector_is_explained(tmp_path: Path) -> None:
    import numpy as np

    detector = load_detector(write(tmp_path / "w.onnx", ANY_SIZE, GOOD), threads=1)
    with pytest.raises(ModelError, match="answers with shape"):
        detector.detect([np.zeros((90, 160, 3), np.uint8)])


def test_a_file_that_is_no_onnx_is_explained(tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="not a usable ONNX file"):
        load_detector(tmp_path / "w.onnx")


def test_a_file_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing is here"):
        load_detector(tmp_path / "absent.onnx")
