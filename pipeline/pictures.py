"""Bytes from outside to pictures, and back: the trust line for every picture that comes in.

Type and pixel count are read from the header before anything is decoded, so that a small file cannot
unfold into gigabytes.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from pipeline.domain import Image
from pipeline.errors import PictureError

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 64_000_000
"""8K (7680×4320) is 33 million pixels: twice that passes, an image bomb does not."""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKERS_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height from a JPEG's or PNG's header, without decoding. Raises PictureError."""
    if data.startswith(_PNG_MAGIC):
        if len(data) < 24 or data[12:16] != b"IHDR":
            raise PictureError("a PNG without a header", hint="send the file whole")
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if data.startswith(_JPEG_MAGIC):
        return _jpeg_size(data)
    raise PictureError(
        f"neither JPEG nor PNG: it starts with {data[:8].hex(' ') or 'nothing'}",
        hint="send a JPEG or a PNG",
    )


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the JPEG's segments to its frame header (ITU-T T.81, annex B.2.2)."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
            continue
        if marker in _SIZE_MARKERS and at + 9 <= len(data):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise PictureError("a JPEG without a frame header", hint="send the file whole")


def decode_picture(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """A JPEG or PNG as H×W×3 uint8 BGR, turned upright by its EXIF orientation.

    Grey, RGBA and 16-bit pictures become 8-bit BGR (transparency is dropped). Raises PictureError for
    another type, a truncated file, no pixels, over ``max_pixels`` pixels or over 32 MiB.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"a picture of {len(data)} bytes, at most {MAX_BYTES} are taken")
    width, height = picture_size(data)
    if width == 0 or height == 0:
        raise PictureError(f"a picture of {width}×{height} pixels has none")
    if width * height > max_pixels:
        raise PictureError(
            f"a picture of {width}×{height} pixels, at most {max_pixels} are taken",
            hint="send a smaller picture",
        )
    if data.startswith(_JPEG_MAGIC) and b"\xff\xd9" not in data[-1024:]:
        # A decoder fills what is missing with grey and says nothing; grey is not what was there.
        raise PictureError(
            "a truncated JPEG: its end marker is missing", hint="send the file whole"
        )
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"a picture that cannot be decoded: {error.err}") from error
    if image is None:
        raise PictureError("a damaged picture: it cannot be decoded", hint="send the file whole")
    return image.astype(np.uint8, copy=False)


def encode_jpeg(image: Image, *, quality: int = 88) -> bytes:
    """A BGR picture as JPEG bytes. The same picture gives the same bytes."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PictureError(f"a picture of shape {image.shape} could not be written as JPEG")
    return data.tobytes()
