from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.boxes import letterbox, read_boxes
from models.loading import load_detector
from models.manifest import read_manifest
from models.openvino_runtime import OpenVinoDetector, network_input
from pipeline.domain import CLASSES, Detector, Image
from pipeline.errors import ModelError


def noise(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def street(height: int = 540, width: int = 960) -> Image:
    """Grey ground, a dark green box with a lid and a heap of bright blobs on it."""
    picture = np.full((height, width, 3), (120, 125, 130), np.uint8)
    picture[height // 3 : height * 2 // 3, width // 3 : width // 2] = (50, 90, 30)
    random = np.random.default_rng(3)
    for _ in range(60):
        y = random.integers(height // 4, height // 3)
        x = random.integers(width // 3, width // 2)
        picture[y : y + 18, x : x + 22] = random.integers(0, 256, 3)
    return picture


def test_no_frames_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_a_black_frame_is_answered(detector: Detector) -> None:
    (found,) = detector.detect([np.zeros((1080, 1920, 3), np.uint8)])
    assert len(found) == 0 or found.confidence.max() < 0.5


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (415, 417), (2160, 3840)])
def test_every_size_is_answered_with_boxes_inside_the_frame(
    bundled: Path, size: tuple[int, int]
) -> None:
    height, width = size
    low = OpenVinoDetector(bundled, threads=1, floor=0.0005)
    (found,) = low.detect([noise(height, width)])
    assert len(found) <= 100
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert (found.boxes[:, 0::2] <= width).all()
    assert (found.boxes[:, 1::2] <= height).all()


def test_a_batch_of_mixed_sizes_gives_each_frame_its_own_answer(bundled: Path) -> None:
    detector = OpenVinoDetector(bundled, threads=1, floor=0.001)
    frames = [street(), street(640, 640), noise(300, 500), street(1080, 1920)]
    together = detector.detect(frames)
    for frame, answer in zip(frames, together, strict=True):
        (alone,) = detector.detect([frame])
        np.testing.assert_array_equal(alone.boxes, answer.boxes)
        np.testing.assert_array_equal(alone.confidence, answer.confidence)


def test_answers_are_sorted_arrays_of_the_agreed_types(bundled: Path) -> None:
    (found,) = OpenVinoDetector(bundled, threads=1, floor=0.001).detect([street()])
    assert len(found) > 0
    assert (found.boxes.dtype, found.confidence.dtype) == (np.float32, np.float32)
    assert found.class_index.dtype == np.int64
    assert (np.diff(found.confidence) <= 0).all()
    assert found.classes == CLASSES


def test_nothing_is_reported_under_the_floor(bundled: Path) -> None:
    (found,) = OpenVinoDetector(bundled, threads=1, floor=0.2).detect([street()])
    assert (found.confidence > 0.2).all()


def test_the_frame_is_not_changed(detector: Detector) -> None:
    frame = noise(416, 416)
    before = frame.copy()
    detector.detect([frame])
    np.testing.assert_array_equal(frame, before)


def test_a_frame_may_be_a_view_and_read_only(detector: Detector) -> None:
    frame = noise(600, 900)[::2, ::-1]
    frame.setflags(write=False)
    assert len(detector.detect([frame])) == 1


def test_the_default_runtime_needs_no_torch(bundled: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from models.loading import load_detector;"
        f"load_detector(Path({str(bundled)!r}), threads=1);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'ultralytics')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_hash_is_the_manifests(detector: Detector, bundled: Path) -> None:
    assert detector.model_hash == read_manifest(bundled).sha256


@pytest.fixture
def weights(bundled: Path, tmp_path: Path) -> Path:
    """A copy of the bundled weights that a test may spoil."""
    return Path(shutil.copytree(bundled, tmp_path / "weights"))


def test_a_changed_network_is_refused(weights: Path) -> None:
    data = bytearray((weights / "model.bin").read_bytes())
    data[1000] ^= 1
    (weights / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match=r"do not match manifest\.json"):
        load_detector(weights)


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "manifest.json"])
def test_a_missing_file_is_named(weights: Path, name: str) -> None:
    (weights / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_detector(weights)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not readable as JSON"),
        ("[]", "a list, expected an object"),
        ('{"name": "x"}', "'sha256' is missing"),
        ('{"name": "x", "sha256": "", "classes": [], "input_size": 416}', "0 classes"),
        ('{"name": "x", "sha256": "", "classes": ["a"], "input_size": "wide"}', "wrong kind"),
    ],
)
def test_a_broken_manifest_is_explained(weights: Path, content: str, complaint: str) -> None:
    (weights / "manifest.json").write_text(content)
    with pytest.raises(ModelError, match=complaint):
        load_detector(weights)


def test_a_manifest_with_other_classes_than_the_network_is_refused(weights: Path) -> None:
    replace(read_manifest(weights), classes=("bin",)).write(weights)
    with pytest.raises(ModelError, match="answers with shape"):
        load_detector(weights).detect([street()])


def test_a_path_that_is_no_weights_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing is here"):
        load_detector(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("weights")
    with pytest.raises(ModelError, match="neither a weights folder nor"):
        load_detector(tmp_path / "notes.txt")


def test_the_manifest_says_what_it_scored(bundled: Path) -> None:
    metrics = json.loads((bundled / "manifest.json").read_text())["metrics"]
    assert metrics["test"]["images"] == 335
    assert 0.5 < metrics["test"]["map50"] <= 1


def test_the_bare_network_gets_what_the_detector_gives_it(bundled: Path) -> None:
    import openvino as ov

    detector = OpenVinoDetector(bundled, threads=1, floor=0.001)
    frame = street(300, 500)
    core = ov.Core()
    network = core.read_model(bundled / "model.xml")
    given = network_input(frame, detector.input_size)
    network.reshape(list(given.shape))
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    (raw,) = (
        core.compile_model(network, "CPU", options).create_infer_request().infer([given]).values()
    )
    found = read_boxes(
        raw[0], letterbox(frame, detector.input_size)[1], detector.classes, floor=0.001
    )
    (expected,) = detector.detect([frame])
    assert len(expected) == len(found) > 0
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.05)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)
