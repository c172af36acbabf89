"""Footage whose pictures say which one they are, also after lossy coding."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

from pipeline.domain import Image

_BITS = 12
_DARK, _LIGHT, _MIDDLE = 40, 210, 125


def numbered_picture(number: int, *, width: int = 192, height: int = 96) -> Image:
    """A BGR picture (H×W×3 uint8) of twelve upright bars, dark or light: the bits of ``number``."""
    bars = [_LIGHT if number >> bit & 1 else _DARK for bit in range(_BITS)]
    edges = np.linspace(0, width, _BITS + 1).astype(int)
    row = np.repeat(np.array(bars, np.uint8), np.diff(edges))
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, width, 3)))


def number_of(image: Image) -> int:
    """The number that `numbered_picture` drew. Raises ValueError for a picture that has none."""
    edges = np.linspace(0, image.shape[1], _BITS + 1)
    middles = ((edges[:-1] + edges[1:]) / 2).astype(int)
    levels = [float(image[:, middle].mean()) for middle in middles]
    spread = [min(abs(level - _DARK), abs(level - _LIGHT)) for level in levels]
    if max(spread) > (_LIGHT - _DARK) / 4:
        raise ValueError(f"not a numbered picture: bar levels {[round(level) for level in levels]}")
    return sum(1 << bit for bit, level in enumerate(levels) if level > _MIDDLE)


def write_video(
    path: Path,
    images: Iterable[Image],
    *,
    fps: int = 25,
    key_every: int = 25,
    codec: str = "libx264",
    bit_rate: int | None = None,
    slices: int = 1,
    b_frames: int = 0,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Encodes BGR pictures of one size to ``path`` (kind of file by its suffix) and gives it back.

    ``key_every``: frames from key frame to key frame, exactly. ``slices``: parts a picture is coded
    in. ``options`` go to the container (``{"movflags": "faststart"}``).
    """
    pictures = iter(images)
    first = next(pictures)
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = first.shape[1], first.shape[0]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.thread_type = "NONE"
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        stream.options = _codec_options(codec, key_every, slices, b_frames)
        for index, image in enumerate(_chain(first, pictures)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _codec_options(codec: str, key_every: int, slices: int, b_frames: int) -> dict[str, str]:
    gop = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes={b_frames}"
    if codec == "libx264":
        return {"preset": "veryfast", "x264-params": f"{gop}:slices={slices}:threads=1"}
    if codec == "libx265":
        return {"preset": "ultrafast", "x265-params": f"{gop}:log-level=none:pools=none"}
    return {}


def _chain(first: Image, rest: Iterable[Image]) -> Iterable[Image]:
    yield first
    yield from rest
