from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.exporting import export
from models.loading import load_detector
from models.manifest import Precision, read_manifest
from models.quantising import Samples
from pipeline.cli import main
from pipeline.domain import CLASSES, Image
from pipeline.errors import ConfigError, ModelError

_MISSING = [
    name
    for name in ("torch", "ultralytics", "nncf", "onnx")
    if importlib.util.find_spec(name) is None
]
needs_extra = pytest.mark.skipif(
    bool(_MISSING), reason=f"{', '.join(_MISSING)} missing: pip install 'brimwatch[models]'"
)
quiet = pytest.mark.filterwarnings("ignore")  # torch, ultralytics and nncf warn of themselves

TINY = {
    "nc": len(CLASSES),
    "depth_multiple": 1.0,
    "width_multiple": 1.0,
    "backbone": [[-1, 1, "Conv", [width, 3, 2]] for width in (8, 8, 16, 16, 16)],
    "head": [[[2, 3, 4], 1, "Detect", ["nc"]]],
}
"""A network of ultralytics' kind that is exported in seconds. It has learnt nothing."""


def noise(height: int, width: int, seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from ultralytics import YOLO
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    model = YOLO("yolov5n.yaml")
    model.model = DetectionModel(TINY, nc=len(CLASSES), verbose=False)
    model.model.names = dict(enumerate(CLASSES))
    path = tmp_path_factory.mktemp("weights") / "tiny.pt"
    model.save(str(path))
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of three pictures of different shapes, in val and train."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "val"):
        (folder / split / "images").mkdir(parents=True)
        for number, size in enumerate([(64, 96), (96, 64), (90, 160)]):
            file = folder / split / "images" / f"{number}.png"
            assert cv2.imwrite(str(file), noise(*size, seed=number))
    return folder


@pytest.fixture(scope="module")
def exported(
    tiny: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[Precision, Path]:
    folder = tmp_path_factory.mktemp("exported")
    for precision in Precision:
        export(
            tiny,
            folder / precision,
            input_size=96,
            precision=precision,
            samples=Samples(pictures) if precision is Precision.INT8 else None,
            with_onnx=precision is Precision.F32,
            trained_on="noise",
            trained_on_data=[pictures],
        )
    return {precision: folder / precision for precision in Precision}


@quiet
@needs_extra
@pytest.mark.slow
def test_the_manifest_says_how_and_from_what_it_was_made(
    exported: dict[Precision, Path], pictures: Path
) -> None:
    for precision, folder in exported.items():
        manifest = read_manifest(folder)
        assert (manifest.precision, manifest.classes) == (precision, CLASSES)
        assert (manifest.input_size, manifest.trained_on) == (96, "noise")
        assert len(manifest.training_data_sha256) == 64
        assert f"--precision {precision}" in manifest.made_by
    int8 = read_manifest(exported[Precision.INT8])
    assert int8.quantised_on == f"{pictures.name}/val, 3 pictures"
    assert read_manifest(exported[Precision.F16]).quantised_on == ""


@quiet
@needs_extra
@pytest.mark.slow
def test_fewer_bits_are_fewer_bytes_and_much_the_same_answer(
    exported: dict[Precision, Path],
) -> None:
    sizes = [(exported[precision] / "model.bin").stat().st_size for precision in Precision]
    assert sizes == sorted(sizes, reverse=True)
    frame = noise(90, 160, seed=9)
    answers = {
        precision: load_detector(folder, threads=1, floor=0.0).detect([frame])[0]
        for precision, folder in exported.items()
    }
    best = {precision: float(found.confidence[0]) for precision, found in answers.items()}
    assert best[Precision.F16] == pytest.approx(best[Precision.F32], rel=0.01)
    assert best[Precision.INT8] == pytest.approx(best[Precision.F32], rel=0.2)


@quiet
@needs_extra
@pytest.mark.slow
def test_the_onnx_beside_it_answers_alike_and_is_in_the_manifest(
    exported: dict[Precision, Path],
) -> None:
    folder = exported[Precision.F32]
    onnx = load_detector(folder / "model.onnx", threads=1, floor=0.0)
    assert (onnx.classes, onnx.model_hash) == (CLASSES, read_manifest(folder).onnx_sha256)
    for size in ((90, 160), (160, 90)):
        frame = noise(*size, seed=4)
        (one,) = onnx.detect([frame])
        (other,) = load_detector(folder, threads=1, floor=0.0).detect([frame])
        np.testing.assert_allclose(one.confidence[:5], other.confidence[:5], rtol=1e-3)
        np.testing.assert_allclose(one.boxes[0], other.boxes[0], atol=0.1)
    assert read_manifest(exported[Precision.F16]).onnx_sha256 == ""
    assert not (exported[Precision.F16] / "model.onnx").exists()


@quiet
@needs_extra
@pytest.mark.slow
def test_an_onnx_that_does_not_match_its_manifest_is_refused(
    exported: dict[Precision, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported[Precision.F32], tmp_path / "spoilt"))
    data = (folder / "model.onnx").read_bytes()
    at = data.index(b"AGPL")
    (folder / "model.onnx").write_bytes(data[:at] + b"BGPL" + data[at + 4 :])
    with pytest.raises(ModelError, match=r"model\.onnx: does not match manifest\.json"):
        load_detector(folder / "model.onnx")


@quiet
@needs_extra
@pytest.mark.slow
def test_no_folder_of_this_machine_is_named_in_what_is_exported(
    exported: dict[Precision, Path], tiny: Path
) -> None:
    for file in (file for folder in exported.values() for file in folder.iterdir()):
        assert str(tiny.parent.parent).encode() not in file.read_bytes(), file


@quiet
@needs_extra
@pytest.mark.slow
def test_a_picture_that_cannot_be_used_is_named_and_nothing_is_written(
    tiny: Path, pictures: Path, tmp_path: Path
) -> None:
    spoilt = Path(shutil.copytree(pictures, tmp_path / "spoilt"))
    (spoilt / "val" / "images" / "1.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"1\.png: neither JPEG nor PNG"):
        export(
            tiny,
            tmp_path / "out",
            input_size=96,
            precision=Precision.INT8,
            samples=Samples(spoilt),
        )
    assert not (tmp_path / "out").exists()


@quiet
@needs_extra
def test_what_is_no_pt_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_text("weights")
    with pytest.raises(ModelError, match=r"notes\.pt: ultralytics cannot load it"):
        export(tmp_path / "notes.pt", tmp_path / "out", input_size=96)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--precision", "int8"], "--precision int8 needs --data"),
        (["--data", "."], "is for --precision int8, got f16"),
        (["--precision", "int4"], "int4"),
    ],
)
def test_precision_and_pictures_go_together(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    complaint: str,
) -> None:
    (tmp_path / "w.pt").write_bytes(b"")
    arguments = ["export", str(tmp_path / "w.pt"), "--out", str(tmp_path / "out"), *more]
    monkeypatch.setattr(sys, "argv", ["brimwatch", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_samples_are_spread_evenly_over_the_split(pictures: Path) -> None:
    assert [path.name for path in Samples(pictures).pictures()] == ["0.png", "1.png", "2.png"]
    assert [path.name for path in Samples(pictures, most=2).pictures()] == ["0.png", "2.png"]


def test_a_manifest_from_before_precisions_is_still_read(bundled: Path, tmp_path: Path) -> None:
    content = json.loads((bundled / "manifest.json").read_text())
    newer = {"precision", "onnx_sha256", "training_data_sha256", "quantised_on"}
    old = {key: value for key, value in content.items() if key not in newer}
    (tmp_path / "manifest.json").write_text(json.dumps(old))
    manifest = read_manifest(tmp_path)
    assert manifest.precision is Precision.F16
    assert (manifest.onnx_sha256, manifest.training_data_sha256) == ("", "")
