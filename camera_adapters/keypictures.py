"""Key pictures out of a row of packets; all other packets are dropped here, unread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import av

from camera_adapters.decoding import KeyPicture, VideoFormat
from camera_adapters.source import Clock

_CODECS_IN_PARTS = frozenset({"h264", "hevc"})
_MOST_PARTS = 64
"""H.264 and H.265 allow more slices a picture, no camera sends them; a bound on memory."""


def key_pictures(
    packets: Iterable[av.Packet], form: VideoFormat, clock: Clock
) -> Iterator[KeyPicture]:
    """The key pictures among FFmpeg's ``packets``, each when it is whole.

    A picture may come in several packets: servers that repeat the parameter sets before every slice
    make FFmpeg cut it there, and a part by itself decodes to a picture that is half grey. Key packets
    in a row with one presentation time (the first of a stream may have none) are parts of one picture.
    """
    parts: list[bytes] = []
    pts: int | None = None
    arrived_at: datetime | None = None
    for packet in packets:
        is_key = bool(packet.is_keyframe and packet.size and not packet.is_corrupt)
        goes_on = is_key and (pts is None or packet.pts is None or packet.pts == pts)
        if arrived_at is not None and not (goes_on and len(parts) < _MOST_PARTS):
            yield KeyPicture(form, b"".join(parts), arrived_at)
            parts, pts, arrived_at = [], None, None
        if not is_key:
            continue
        if form.codec not in _CODECS_IN_PARTS:
            yield KeyPicture(form, bytes(packet), clock())
            continue
        arrived_at = arrived_at or clock()
        pts = packet.pts if pts is None else pts
        parts.append(bytes(packet))
    if arrived_at is not None:
        yield KeyPicture(form, b"".join(parts), arrived_at)
