from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.domain import CLASSES, Image


@dataclass(frozen=True)
class Result:
    exit_code: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line as a shell calls it: `run("detect", path)`."""

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["brimwatch", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "400")
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Result(int(end.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def odd_pictures(tmp_path: Path, picture: Callable[..., Image]) -> dict[str, Path]:
    """Pictures as they come: grey, with transparency, 16 bits a channel, turned by EXIF."""
    plain = picture(True, (320, 240))
    files = {name: tmp_path / f"{name}.png" for name in ("grey", "alpha", "deep")}
    assert cv2.imwrite(str(files["grey"]), cv2.cvtColor(plain, cv2.COLOR_BGR2GRAY))
    assert cv2.imwrite(str(files["alpha"]), cv2.cvtColor(plain, cv2.COLOR_BGR2BGRA))
    assert cv2.imwrite(str(files["deep"]), plain.astype(np.uint16) * 257)
    _, jpeg = cv2.imencode(".jpg", plain)
    files["turned"] = tmp_path / "turned.jpg"
    files["turned"].write_bytes(with_orientation(jpeg.tobytes(), 6))
    return files


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF block that says how it is turned (TIFF tag 0x0112)."""
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"
    tiff += bytes([orientation, 0, 0, 0]) + b"\x00\x00\x00\x00"
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def test_detect_prints_the_agreed_json(run: Run, odd_pictures: dict[str, Path]) -> None:
    result = run("detect", *odd_pictures.values(), "--json", "--confidence", 0.01)
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [row["path"] for row in rows] == [str(path) for path in odd_pictures.values()]
    sizes = [(row["width"], row["height"]) for row in rows]
    assert sizes == [(320, 240)] * 3 + [(240, 320)]
    for row in rows:
        assert list(row) == ["path", "width", "height", "detections"]
        for found in row["detections"]:
            assert list(found) == ["class", "confidence", "box"]
            assert found["class"] in CLASSES
            assert 0 <= found["confidence"] <= 1
            x1, y1, x2, y2 = found["box"]
            assert 0 <= x1 < x2 <= row["width"]
            assert 0 <= y1 < y2 <= row["height"]


def test_detect_prints_a_line_a_picture(run: Run, odd_pictures: dict[str, Path]) -> None:
    result = run("detect", odd_pictures["grey"], odd_pictures["turned"])
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{odd_pictures['grey']}: 320×240: ")


def test_detect_saves_drawn_pictures_under_names_of_their_own(
    run: Run, odd_pictures: dict[str, Path], tmp_path: Path, picture: Callable[..., Image]
) -> None:
    (tmp_path / "more").mkdir()
    twin = tmp_path / "more" / "grey.png"
    assert cv2.imwrite(str(twin), picture(False, (100, 80)))
    result = run("detect", odd_pictures["grey"], twin, "--save", tmp_path / "drawn")
    assert result.exit_code == 0, result.stderr
    saved = sorted((tmp_path / "drawn").iterdir())
    assert [path.name for path in saved] == ["grey-2.jpg", "grey.jpg"]
    assert cv2.imread(str(saved[0])).shape == (80, 100, 3)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "neither JPEG nor PNG"),
        (b"GIF89a, as they say", "neither JPEG nor PNG"),
        (None, "truncated"),
    ],
)
def test_a_bad_file_is_named_and_the_others_go_on(
    run: Run, odd_pictures: dict[str, Path], tmp_path: Path, data: bytes, complaint: str
) -> None:
    whole = odd_pictures["turned"].read_bytes()
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(whole[: len(whole) // 2] if data is None else data)
    result = run("detect", bad, odd_pictures["grey"], "--json")
    assert result.exit_code == 1
    assert f"{bad}: " in result.stderr
    assert complaint in result.stderr
    assert [row["path"] for row in json.loads(result.stdout)] == [str(odd_pictures["grey"])]


def test_a_missing_path_is_bad_usage(run: Run, tmp_path: Path) -> None:
    result = run("detect", tmp_path / "absent.jpg")
    assert result.exit_code == 2
    assert "absent.jpg" in result.stderr


def test_a_folder_is_taken_file_by_file(
    run: Run, odd_pictures: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    result = run("detect", tmp_path, "--json")
    assert len(json.loads(result.stdout)) == len(odd_pictures)


def test_an_empty_folder_is_bad_usage(run: Run, tmp_path: Path) -> None:
    result = run("detect", tmp_path)
    assert result.exit_code == 2
    assert "no picture or video" in result.stderr


def test_a_video_is_read_by_its_key_frames(
    run: Run, tmp_path: Path, picture: Callable[..., Image]
) -> None:
    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.codec_context.gop_size = 160, 120, 5
        for number in range(11):
            frame = av.VideoFrame.from_ndarray(picture(number > 5, (160, 120)), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    rows = json.loads(run("detect", path, "--json").stdout)
    assert [row["path"].rsplit("#")[1] for row in rows] == ["0.000", "1.000", "2.000"]


def test_a_video_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video at all" * 100)
    result = run("detect", tmp_path / "clip.mp4")
    assert result.exit_code == 1
    assert "clip.mp4: a video that does not decode" in result.stderr


def test_evaluate_prints_the_agreed_json(run: Run, squares: Path) -> None:
    result = run("evaluate", "--data", squares, "--split", "test", "--json")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert list(content)[:5] == ["images", "classes", "map50", "map50_95", "image_f1"]
    assert content["images"] == 6


def test_evaluate_says_where_its_thresholds_come_from(run: Run, squares: Path) -> None:
    result = run("evaluate", "--data", squares)
    assert "thresholds from calibration on bin-overflow-cn/val" in result.stdout
    assert "overflow" in result.stdout


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_bad_data_is_named_with_its_line(
    run: Run, squares: Path, tmp_path: Path, command: str
) -> None:
    (squares / "val" / "labels" / "03.txt").write_text("1 0.5 0.5 0.2 0.2\n9 0 0 0 0\n")
    more = ("--out", tmp_path / "c.json") if command == "calibrate" else ()
    result = run(command, "--data", squares, "--split", "val", *more)
    assert result.exit_code == 2
    assert "03.txt:2: class 9" in result.stderr


def test_evaluate_on_a_missing_split_is_bad_usage(run: Run, squares: Path) -> None:
    result = run("evaluate", "--data", squares, "--split", "exam")
    assert result.exit_code == 2
    assert "'exam'" in result.stderr


def test_calibrate_writes_what_the_filter_reads(run: Run, squares: Path, tmp_path: Path) -> None:
    out = tmp_path / "calibration.json"
    result = run("calibrate", "--data", squares, "--twin", squares, "--out", out)
    assert result.exit_code == 0, result.stderr
    content = json.loads(out.read_text())
    assert {"edges", "overflowing", "clear", "seen_confidence", "weights_sha256"} <= set(content)
    assert content["counts"] == {"overflowing": 3, "clear": 6}


def test_calibrate_says_what_the_probabilities_are_worth(
    run: Run, squares: Path, tmp_path: Path
) -> None:
    out, drawing = tmp_path / "calibration.json", tmp_path / "reliability.svg"
    result = run(
        "calibrate", "--data", squares, "--out", out, "--check-on", "test", "--diagram", drawing
    )
    assert result.exit_code == 0, result.stderr
    validated, checked = json.loads(out.read_text())["reliability"]
    assert validated["method"] == "5-fold cross-validation"
    assert checked["measured_on"].endswith("/test")
    assert f"{validated['before']['ece']:.3f} as raw confidence" in result.stdout
    assert "<svg" in drawing.read_text(encoding="utf-8")


def test_calibrate_refuses_to_be_checked_on_what_it_learnt_from(
    run: Run, squares: Path, tmp_path: Path
) -> None:
    result = run("calibrate", "--data", squares, "--out", tmp_path / "c.json", "--check-on", "val")
    assert result.exit_code == 2
    assert "--check-on val" in result.stderr


def test_damaged_weights_end_with_a_message(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    result = run("detect", tmp_path / "a.png", "--weights", tmp_path / "empty")
    assert result.exit_code == 1
    assert "manifest.json" in result.stderr


def test_train_refuses_an_unknown_precision(run: Run, squares: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.pt"
    start.write_bytes(b"")
    result = run(
        "train", "--data", squares, "--start", start, "--out", tmp_path, "--precision", "f8"
    )
    assert result.exit_code == 2


@pytest.mark.parametrize("more", [(), ("--resume", "--start")])
def test_train_begins_from_weights_or_resumes_but_not_both(
    run: Run, squares: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    start = tmp_path / "start.pt"
    start.write_bytes(b"")
    result = run("train", "--data", squares, "--out", tmp_path, *more, *([start] if more else []))
    assert result.exit_code == 2
    assert "--start" in result.stderr


def test_train_names_the_file_and_line_of_a_bad_label(
    run: Run, squares: Path, tmp_path: Path
) -> None:
    (squares / "test").rename(squares / "train")
    (squares / "train" / "labels" / "01.txt").write_text("2 0.5 0.5 nan 0.5\n")
    start = tmp_path / "start.pt"
    start.write_bytes(b"")
    result = run("train", "--data", squares, "--start", start, "--out", tmp_path / "work")
    assert result.exit_code == 2
    assert "01.txt:1: box" in result.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch and ultralytics warn of themselves
def test_train_draws_what_the_weights_get_wrong(
    run: Run, squares: Path, shared_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ultralytics", reason="pip install 'brimwatch[models]'")
    start = shared_data / "weights" / "yolov5n-coco-backbone.pt"
    if not start.is_file():
        pytest.skip("no start weights here: weights/yolov5n-coco-backbone.pt")
    (squares / "test").rename(squares / "train")
    sheet, work = tmp_path / "wrong.jpg", tmp_path / "work"
    small = ("--epochs", 1, "--size", 64, "--batch", 6, "--workers", 0, "--threads", 1)
    result = run(
        *("train", "--data", squares, "--start", start, "--out", work, "--sheet", sheet), *small
    )
    assert result.exit_code == 0, result.stderr
    assert f"{sheet}: " in result.stdout
    assert cv2.imread(str(sheet)) is not None
    assert (work / "run" / "curves.svg").is_file()
