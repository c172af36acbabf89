"""Pictures and videos named on a command line, as frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.dataset import PICTURE_SUFFIXES
from pipeline.domain import Image
from pipeline.errors import PictureError, SourceUnreadable
from pipeline.pictures import MAX_BYTES, MAX_PIXELS, decode_picture

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mkv", ".mov", ".avi", ".ts", ".webm", ".flv", ".h264", ".265"}
)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The paths, folders replaced by the pictures and videos directly in them, by name."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
            files += sorted(file for file in path.iterdir() if file.suffix.lower() in known)
        else:
            files.append(path)
    return files


def frames_of(path: Path) -> Iterator[tuple[str, Image]]:
    """Each frame of a file with its name: a picture as it is, a video's key frames.

    A video's frames are named ``clip.mp4#12.000``, by seconds from its start. Raises PictureError
    for a file that is no usable picture, SourceUnreadable for a video that does not decode.
    """
    if path.suffix.lower() in VIDEO_SUFFIXES:
        for seconds, image in _key_frames(path):
            yield f"{path}#{seconds:.3f}", image
        return
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise PictureError(f"a file of {size} bytes, at most {MAX_BYTES} are taken")
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    yield str(path), decode_picture(data)


def _key_frames(path: Path) -> Iterator[tuple[float, Image]]:
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceUnreadable("a file without a video track")
            stream = container.streams.video[0]
            if stream.width * stream.height > MAX_PIXELS:
                raise SourceUnreadable(
                    f"a video of {stream.width}×{stream.height} pixels, at most {MAX_PIXELS}"
                )
            stream.codec_context.skip_frame = "NONKEY"
            for frame in container.decode(stream):
                yield float(frame.time or 0.0), frame.to_ndarray(format="bgr24").astype(np.uint8)
    except av.FFmpegError as error:
        raise SourceUnreadable(f"a video that does not decode: {error}") from error
