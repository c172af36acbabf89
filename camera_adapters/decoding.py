"""Encoded video to pictures: what the file and the stream adapters share of PyAV."""

from __future__ import annotations

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


def lone_decoder(context: av.VideoCodecContext) -> av.VideoCodecContext:
    """A decoder like ``context`` that outlives the connection it came from."""
    decoder = av.CodecContext.create(context.name, "r")
    if context.extradata:
        decoder.extradata = context.extradata
    one_thread(decoder)
    return decoder


def bgr(frame: av.VideoFrame) -> Image:
    """A decoded frame as H×W×3 uint8 BGR, turned upright by its display matrix (quarter turns)."""
    image: Image = frame.reformat(format="bgr24", threads=1).to_ndarray()
    turns = round(frame.rotation / QUARTER_TURN) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def decode_alone(context: av.VideoCodecContext, data: bytes) -> av.VideoFrame | None:
    """The picture that is in ``data`` by itself, without what came before or comes after.

    None when it holds no whole picture: a decoder fills the holes of a damaged one with grey, and
    grey is not what was there. Leaves ``context`` ready for the next key picture.
    """
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except av.error.InvalidDataError:
        return None
    finally:
        context.flush_buffers()
    whole = [frame for frame in frames if not frame.is_corrupt]
    return whole[-1] if whole else None
