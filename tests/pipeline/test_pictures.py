"""The trust line for pictures: what comes in is a picture of bearable size, or a clear error."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PictureError
from pipeline.pictures import decode_picture, encode_jpeg, picture_size

STREET = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
JPEG = encode_jpeg(STREET)


def png(image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    done, data = cv2.imencode(".png", image)
    assert done
    return data.tobytes()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has nothing behind it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(JPEG, id="JPEG"),
        pytest.param(png(STREET), id="PNG"),
        pytest.param(png(STREET[:, :, 0]), id="grey"),
        pytest.param(png(cv2.cvtColor(STREET, cv2.COLOR_BGR2BGRA)), id="RGBA"),
        pytest.param(png(STREET.astype(np.uint16) * 257), id="16 bit"),
    ],
)
def test_every_usual_picture_becomes_bgr(data: bytes) -> None:
    image = decode_picture(data)
    assert (image.shape, image.dtype) == ((90, 160, 3), np.uint8)
    assert picture_size(data) == (160, 90)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(JPEG[: len(JPEG) // 2], "truncated JPEG", id="half a JPEG"),
        pytest.param(b"", "neither JPEG nor PNG", id="nothing"),
        pytest.param(b"GIF89a" + bytes(100), "neither JPEG nor PNG", id="another type"),
        pytest.param(png_header(60_000, 60_000), "60000×60000 pixels, at most", id="a bomb"),
        pytest.param(png_header(0, 10), "0×10 pixels has none", id="no width"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x04ab", "without a frame header", id="no header"),
        pytest.param(bytes(33 * 1024 * 1024), "at most 33554432 are taken", id="too many bytes"),
    ],
)
def test_anything_else_is_refused_in_words(data: bytes, complaint: str) -> None:
    with pytest.raises(PictureError, match=complaint):
        decode_picture(data)


@given(st.binary(max_size=300), st.integers(0, 600))
def test_no_damage_brings_down_the_reader(noise: bytes, at: int) -> None:
    for data in (noise, JPEG[:at] + noise + JPEG[at + len(noise) :]):
        try:
            image = decode_picture(data, max_pixels=1_000_000)
        except PictureError:
            continue
        assert image.ndim == 3
