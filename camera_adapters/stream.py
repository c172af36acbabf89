"""A live stream (RTSP, HTTP, RTMP) through FFmpeg: only key frames, and of those only the looks.

Packets that are not key frames are dropped before the decoder. A reader thread empties the socket, so
that a slow consumer neither delays the camera nor gets pictures that are long past: the newest key
frame wins. It is decoded when a look is due, by whoever iterates.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from urllib.parse import urlsplit

import av
import av.error
from av.container import InputContainer

from camera_adapters.decoding import VideoFormat, decode_alone
from camera_adapters.failures import redact, stream_failure
from camera_adapters.keypictures import key_pictures
from camera_adapters.newest import NewestKeyPicture
from camera_adapters.source import Clock, OnFault
from pipeline.domain import Camera, Frame
from pipeline.errors import PictureError, SourceError, SourceUnreadable

OPEN_TIMEOUT_S = 10.0
"""For connecting, and again for learning what the stream holds. Cameras that wake up take 3 to 5 s."""

READ_TIMEOUT_S = 10.0
"""Silence on an open connection that counts as lost. Must exceed any pause the camera makes."""

KEY_TIMEOUT_S = 60.0
"""Time without any key frame that counts as failed. Cameras with a dynamic key frame interval
(H.264+, Smart Codec) pause up to 20 s; one that never sends key frames can't be watched this way."""

_MAX_DAMAGED_IN_A_ROW = 10
"""Key frames in a row that do not decode before the stream is given up: one is a glitch, ten are not."""


class StreamCamera:
    """A live camera by its URL. Does not reconnect: it raises, and whoever uses it opens it anew.

    ``captured_at`` is the clock at the arrival of the key frame. Looks lie on a grid of
    ``look_every_s``: at each the newest key frame that was not given yet is decoded; if none has come
    since the last look, the next one is given as it arrives. Silence, a stream without key frames and
    a peer that hangs each end in a SourceError within the timeouts above.
    """

    live = True

    def __init__(
        self,
        camera: Camera,
        *,
        clock: Clock,
        on_fault: OnFault,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        key_timeout_s: float = KEY_TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._on_fault = on_fault
        self._open_timeout_s = open_timeout_s
        self._read_timeout_s = read_timeout_s
        self._monotonic = monotonic
        self._newest = NewestKeyPicture(monotonic=monotonic, patience_s=key_timeout_s)
        self._name = f"camera {camera.camera_id} ({redact(camera.url)})"
        self._due = monotonic()
        self._sequence = 0
        self._damaged_in_a_row = 0

    def frames(self) -> Iterator[Frame]:
        """One frame a look until `close`.

        Raises SourceMissing (nothing there, wrong path), SourceUnreadable (no video, or none that can
        be decoded) or SourceError (refused, lost, silent, ended). No message carries a password.
        """
        threading.Thread(
            target=self._read, name=f"reader of {self._camera.camera_id}", daemon=True
        ).start()
        try:
            yield from iter(self._next_frame, None)
        finally:
            self.close()

    def close(self) -> None:
        """Makes `frames` end at once. The connection closes with its next packet or timeout."""
        self._newest.close()

    def _next_frame(self) -> Frame | None:
        """The next look, None once closed. Keeps no picture: 6 MB a camera from look to look."""
        while (key := self._newest.take(due=self._due, name=self._name)) is not None:
            image = decode_alone(key)
            if image is None:
                self._count_damage()
                continue
            self._damaged_in_a_row = 0
            self._due = next_look(self._due, self._monotonic(), self._camera.look_every_s)
            self._sequence += 1
            return Frame(self._camera.camera_id, key.arrived_at, self._sequence, image)
        return None

    def _count_damage(self) -> None:
        self._damaged_in_a_row += 1
        if self._damaged_in_a_row == 1:
            self._on_fault(PictureError(f"{self._name}: a damaged key frame was left out"))
        if self._damaged_in_a_row >= _MAX_DAMAGED_IN_A_ROW:
            raise SourceUnreadable(
                f"{self._name}: {self._damaged_in_a_row} key frames in a row can't be decoded",
                hint="set the camera to H.264 or H.265 without intra refresh",
            )

    def _read(self) -> None:
        """The reader thread: opens, reads until closed or failed, and says why it ended."""
        failure = SourceError(f"{self._name}: its reader broke", hint="the log has the reason")
        doing, limit_s = "opening", self._open_timeout_s
        began = self._monotonic()
        try:
            with self._open() as container:
                doing, limit_s = "reading", self._read_timeout_s
                self._pump(container)
            failure = SourceError(
                f"{self._name}: the stream ended",
                hint="it is opened again; for a recording give the path of a file",
            )
        except av.error.FFmpegError as error:
            silent = doing == "opening" and self._monotonic() - began >= limit_s
            failure = stream_failure(error, self._name, doing, limit_s, silent=silent)
        except SourceError as error:
            failure = error
        finally:
            self._newest.fail(failure)

    def _open(self) -> InputContainer:
        container: InputContainer = av.open(
            self._camera.url,
            options=_options(self._camera.url),
            timeout=(self._open_timeout_s, self._read_timeout_s),
        )
        return container

    def _pump(self, container: InputContainer) -> None:
        stream = next(iter(container.streams.video), None)
        if stream is None or stream.codec_context is None:
            raise SourceUnreadable(
                f"{self._name}: no video that can be decoded among its {len(container.streams)} streams",
                hint="H.264, H.265 and MJPEG are read",
            )
        form = VideoFormat.of(stream.codec_context)
        packets = takewhile(lambda _: not self._newest.closed, container.demux(stream))
        for picture in key_pictures(packets, form, self._clock):
            self._newest.put(picture)


def next_look(due: float, now: float, every_s: float) -> float:
    """The first instant of the grid ``due + n × every_s`` that lies after ``now``.

    A grid, and not "so long after the last": a key frame that comes every 5.0 s give or take would
    else be too early half of the time, and each such look would come a whole interval late.

    >>> next_look(100.0, 100.2, 5.0), next_look(100.0, 112.0, 5.0)
    (105.0, 115.0)
    """
    if every_s <= 0:
        return now
    return due + every_s * max(1, math.floor((now - due) / every_s) + 1)


def _options(url: str) -> dict[str, str]:
    """FFmpeg's options: one TCP connection, video only, and no long look at the frame rate.

    Not its own ``timeout``: PyAV's holds for all protocols.
    """
    if urlsplit(url).scheme.lower() in {"rtsp", "rtsps"}:
        return {"fpsprobesize": "0", "rtsp_transport": "tcp", "allowed_media_types": "video"}
    return {"fpsprobesize": "0"}
