"""Encoded video to pictures: what the file and the stream adapters share of PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import av
import av.error
import numpy as np

from pipeline.domain import Image

QUARTER_TURN = 90


def one_thread(context: av.VideoCodecContext) -> None:
    """Lets ``context`` decode in the calling thread only.

    Cameras run side by side already, and a decoder's own threads hold frames back.
    """
    context.thread_type = "NONE"
    context.thread_count = 1


def bgr(frame: av.VideoFrame) -> Image:
    """A decoded frame as H×W×3 uint8 BGR, turned upright by its display matrix (quarter turns)."""
    image: Image = frame.reformat(format="bgr24", threads=1).to_ndarray()
    turns = round(frame.rotation / QUARTER_TURN) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What it takes to make a decoder: FFmpeg's name of it, and the stream's parameter sets."""

    codec: str
    parameters: bytes | None

    @classmethod
    def of(cls, context: av.VideoCodecContext) -> VideoFormat:
        """That of a stream that is open."""
        return cls(str(context.name), context.extradata)


@dataclass(frozen=True, slots=True)
class KeyPicture:
    """One encoded key picture, whole, and when the first of it arrived (UTC)."""

    form: VideoFormat
    data: bytes
    arrived_at: datetime


def decode_alone(key: KeyPicture) -> Image | None:
    """A key picture as BGR, decoded without what came before or comes after it.

    None when it is not whole: a decoder fills the holes of a damaged one with grey, and grey is not
    what was there. The decoder lives for this one picture: making it takes half a millisecond of
    fifteen, keeping it would hold 10 MB a camera from look to look.
    """
    decoder = av.CodecContext.create(key.form.codec, "r")
    if key.form.parameters:
        decoder.extradata = key.form.parameters
    one_thread(decoder)
    try:
        frames = [*decoder.decode(av.Packet(key.data)), *decoder.decode(None)]
    except av.error.InvalidDataError:
        return None
    whole = [frame for frame in frames if not frame.is_corrupt]
    return bgr(whole[-1]) if whole else None
