from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from models.boxes import overlaps
from models.exporting import export
from models.openvino_runtime import OpenVinoDetector
from models.training import TrainingPlan, train
from models.ultralytics_runtime import UltralyticsDetector
from pipeline.domain import CLASSES
from pipeline.errors import ModelError

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("ultralytics") is None or importlib.util.find_spec("torch") is None,
    reason="torch and ultralytics are not installed: pip install 'brimwatch[models]'",
)
quiet = pytest.mark.filterwarnings("ignore")  # torch and ultralytics warn of themselves


@pytest.fixture(scope="module")
def trained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of one short epoch on 16 real pictures: bad, but of the right shape."""
    start = shared_data / "weights" / "yolov5n-coco-backbone.pt"
    if not start.is_file():
        pytest.skip("no start weights here: weights/yolov5n-coco-backbone.pt")
    work = tmp_path_factory.mktemp("training")
    few = work / "few"
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            source = shared_data / "datasets" / "bin-overflow-cn" / split / kind
            (few / split / kind).mkdir(parents=True)
            for file in sorted(source.iterdir())[:16]:
                (few / split / kind / file.name).symlink_to(file)
    before = {path for path in shared_data.rglob("*") if path.suffix == ".cache"}
    best = train(
        TrainingPlan(
            data=(few,),
            start=start,
            work=work / "run",
            epochs=1,
            input_size=128,
            batch=8,
            plain_epochs=0,
            threads=1,
            workers=0,
            publish=work / "best.pt",
        )
    )
    assert best.is_file()
    assert {path for path in shared_data.rglob("*") if path.suffix == ".cache"} == before
    return work / "best.pt"


@quiet
@needs_torch
@pytest.mark.slow
def test_the_export_answers_as_the_weights_do(
    trained: Path, shared_data: Path, tmp_path: Path
) -> None:
    from pipeline.pictures import decode_picture

    manifest = export(trained, tmp_path / "exported", input_size=128, trained_on="16 pictures")
    assert manifest.classes == CLASSES
    original = UltralyticsDetector(trained, threads=1, floor=1e-5, input_size=128)
    exported = OpenVinoDetector(tmp_path / "exported", threads=1, floor=1e-5)
    pictures = sorted((shared_data / "datasets/bin-overflow-cn/val/images").iterdir())[:4]
    frames = [decode_picture(picture.read_bytes()) for picture in pictures]
    frames[0] = np.ascontiguousarray(frames[0][:360])  # another shape, in the same batch
    for one, other in zip(original.detect(frames), exported.detect(frames), strict=True):
        assert len(one) > 0
        np.testing.assert_allclose(one.confidence[:10], other.confidence[:10], rtol=0.05, atol=1e-3)
        assert overlaps(one.boxes[:1], other.boxes[:3]).max() > 0.9


def test_missing_start_weights_are_named(tmp_path: Path) -> None:
    plan = TrainingPlan(data=(tmp_path,), start=tmp_path / "absent.pt", work=tmp_path)
    with pytest.raises(ModelError, match=r"absent\.pt: no start weights"):
        train(plan)


def test_exporting_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.pt"):
        export(tmp_path / "absent.pt", tmp_path / "out", input_size=416)


@quiet
@needs_torch
@pytest.mark.slow
def test_a_file_that_is_no_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "fake.pt").write_bytes(b"not a pickle")
    with pytest.raises(ModelError, match=r"fake\.pt"):
        UltralyticsDetector(tmp_path / "fake.pt")
