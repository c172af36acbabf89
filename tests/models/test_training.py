from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.boxes import overlaps
from models.curves import read_results
from models.exporting import export
from models.openvino_runtime import OpenVinoDetector
from models.training import TrainingPlan, train
from models.ultralytics_runtime import UltralyticsDetector
from pipeline.domain import CLASSES
from pipeline.errors import ConfigError, ModelError

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


@quiet
@needs_torch
@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_where_it_was(
    squares: Path, shared_data: Path, tmp_path: Path
) -> None:
    start = shared_data / "weights" / "yolov5n-coco-backbone.pt"
    if not start.is_file():
        pytest.skip("no start weights here: weights/yolov5n-coco-backbone.pt")
    (squares / "test").rename(squares / "train")
    (tmp_path / "file").write_text("in the way of the folder to publish to")
    plan = TrainingPlan(
        data=(squares,),
        start=start,
        work=tmp_path / "run",
        epochs=2,
        input_size=64,
        batch=3,
        plain_epochs=0,
        threads=1,
        workers=0,
        publish=tmp_path / "file" / "best.pt",
    )
    with pytest.raises(OSError, match="file"):  # after the first epoch
        train(plan)
    results = tmp_path / "run" / "run" / "results.csv"
    first = results.read_text()
    assert read_results(results)["epoch"] == [1]

    published = tmp_path / "best.pt"
    again = replace(plan, start=None, resume=True, publish=published)
    best = train(replace(again, epochs=9, input_size=128))  # the run keeps what it began with
    assert best.parent == plan.last.parent
    assert published.read_bytes() == best.read_bytes()
    assert results.read_text().startswith(first)
    assert read_results(results)["epoch"] == [1, 2]
    assert "<svg" in results.with_name("curves.svg").read_text(encoding="utf-8")

    with pytest.raises(ModelError, match=r"last\.pt: this run is finished"):
        train(again)


def test_resuming_where_nothing_was_trained_is_an_error(tmp_path: Path) -> None:
    plan = TrainingPlan(data=(tmp_path,), start=None, work=tmp_path, resume=True)
    with pytest.raises(ModelError, match=r"last\.pt: nothing to resume"):
        train(plan)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_bad_label_ends_training_before_it_begins(
    squares: Path, tmp_path: Path, split: str
) -> None:
    (squares / "test").rename(squares / "train")
    (squares / split / "labels" / "05.txt").write_text("1 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n")
    (tmp_path / "start.pt").write_bytes(b"never looked at")
    plan = TrainingPlan(data=(squares,), start=tmp_path / "start.pt", work=tmp_path / "run")
    with pytest.raises(ConfigError, match=rf"{split}.*05\.txt:2: class 7"):
        train(plan)
    assert not (tmp_path / "run").exists()


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
