"""Pictures as they really come: each gives the answer of its plain twin, or is refused in words."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.domain import Image
from pipeline.pictures import encode_jpeg

Found = list[dict[str, Any]]
Detected = Callable[..., tuple[int, Found, str]]


@pytest.fixture(scope="module")
def street() -> Image:
    """A frame of the twin's footage (its first): bins in front of a wall, 8 bits a channel, BGR."""
    import av

    footage = Path(__file__).parents[2] / "models" / "twin" / "footage" / "twin-01.mp4"
    with av.open(str(footage)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgr24")
    return np.ascontiguousarray(frame, np.uint8)


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Detected:
    """`brimwatch detect --json` on some files: exit code, rows and complaints."""

    def run(*paths: Path) -> tuple[int, Found, str]:
        arguments = ["detect", *map(str, paths), "--json", "--confidence", "0.02", "--threads", "1"]
        monkeypatch.setattr(sys, "argv", ["brimwatch", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), json.loads(said.out), said.err

    return run


def png(path: Path, picture: np.ndarray[Any, Any]) -> Path:
    assert cv2.imwrite(str(path), picture)
    return path


def turned_jpeg(picture: Image, orientation: int) -> bytes:
    """The picture as a JPEG whose EXIF block (TIFF tag 0x0112) says how it is to be turned."""
    jpeg = encode_jpeg(picture, quality=95)
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"
    body = b"Exif\x00\x00" + tiff + bytes([orientation, 0, 0, 0]) + b"\x00\x00\x00\x00"
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def claimed_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and has nothing behind it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def as_grey(picture: Image) -> Image:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)


def test_other_depths_and_channels_are_answered_as_their_plain_twins(
    street: Image,
    tmp_path: Path,
    detected: Detected,
) -> None:
    grey = as_grey(street)
    see_through = np.dstack([street, np.full(grey.shape, 7, np.uint8)])
    pairs = {
        "16 bit": (street.astype(np.uint16) * 257, street),
        "RGBA": (see_through, street),
        "grey": (grey, np.dstack([grey] * 3)),
        "16 bit grey": (grey.astype(np.uint16) * 257, np.dstack([grey] * 3)),
    }
    odd = [png(tmp_path / f"{name}.png", pair[0]) for name, pair in pairs.items()]
    plain = [png(tmp_path / f"{name} plain.png", pair[1]) for name, pair in pairs.items()]
    code, rows, complaints = detected(*odd, *plain)
    assert (code, complaints) == (0, "")
    for name, one, other in zip(pairs, rows[: len(odd)], rows[len(odd) :], strict=True):
        assert one["detections"] == other["detections"], name
        assert one["detections"], name
        height, width = street.shape[:2]
        assert (one["width"], one["height"]) == (width, height), name


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        pytest.param(3, cv2.ROTATE_180, id="upside down"),
        pytest.param(6, cv2.ROTATE_90_CLOCKWISE, id="lying on its left"),
        pytest.param(8, cv2.ROTATE_90_COUNTERCLOCKWISE, id="lying on its right"),
    ],
)
def test_a_picture_turned_by_exif_is_answered_upright(
    street: Image,
    tmp_path: Path,
    detected: Detected,
    orientation: int,
    turn: int,
) -> None:
    lying = cv2.rotate(street, {6: 2, 8: 0, 3: 1}[orientation]).astype(np.uint8)
    (tmp_path / "turned.jpg").write_bytes(turned_jpeg(lying, orientation))
    stored = cv2.imdecode(np.frombuffer(encode_jpeg(lying, quality=95), np.uint8), 1)
    assert stored is not None
    upright = png(tmp_path / "upright.png", cv2.rotate(stored, turn))
    code, rows, _ = detected(tmp_path / "turned.jpg", upright)
    assert code == 0
    assert rows[0]["detections"] == rows[1]["detections"] != []
    assert (rows[0]["width"], rows[0]["height"]) == (street.shape[1], street.shape[0])


def test_8k_is_answered_with_boxes_in_its_own_pixels(
    street: Image,
    tmp_path: Path,
    detected: Detected,
) -> None:
    wide = cv2.resize(street, (7680, 4320), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    (tmp_path / "8k.jpg").write_bytes(encode_jpeg(wide))
    small = png(tmp_path / "small.png", street)
    code, rows, _ = detected(tmp_path / "8k.jpg", small)
    assert code == 0
    assert (rows[0]["width"], rows[0]["height"]) == (7680, 4320)
    one, other = rows[0]["detections"][0], rows[1]["detections"][0]
    assert one["class"] == other["class"]
    scale = [7680 / street.shape[1], 4320 / street.shape[0]] * 2
    expected = np.array(other["box"]) * scale
    assert np.abs(np.array(one["box"]) - expected).max() < 0.02 * 7680


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda _: b"", "neither JPEG nor PNG", id="an empty file"),
        pytest.param(lambda _: claimed_png(0, 0), "0×0 pixels has none", id="no pixels"),
        pytest.param(lambda _: claimed_png(640, 0), "640×0 pixels has none", id="no rows"),
        pytest.param(lambda _: claimed_png(40_000, 40_000), "pixels, at most", id="a bomb"),
        pytest.param(lambda s: encode_jpeg(s)[:-4000], "truncated JPEG", id="half a JPEG"),
        pytest.param(
            lambda s: cv2.imencode(".png", s)[1].tobytes()[:-4000], "damaged", id="half a PNG"
        ),
    ],
)
def test_what_cannot_be_right_is_named_and_the_others_go_on(
    street: Image,
    tmp_path: Path,
    detected: Detected,
    spoil: Callable[[Image], bytes],
    complaint: str,
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(spoil(street))
    good = png(tmp_path / "good.png", street)
    code, rows, complaints = detected(bad, good)
    assert code == 1
    assert f"{bad}: " in complaints
    assert complaint in complaints
    assert [row["path"] for row in rows] == [str(good)]
