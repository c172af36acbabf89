"""A video file: a time-lapse with its times in a sidecar, or an ordinary recording."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from camera_adapters.decoding import bgr, one_thread
from camera_adapters.recording import TimeLapse, read_sidecar, start_of
from camera_adapters.source import OnFault, is_due
from pipeline.domain import Camera, Frame
from pipeline.errors import PictureError, SourceMissing, SourceUnreadable

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
"""Only formats that hold the pictures themselves: a playlist could name other files and hosts."""

_CUT_SHORT_S = 1.0
_CUT_SHORT_SHARE = 0.02
"""Sound may run on after the last frame by about this much; what is missing beyond was cut off."""


_Look = tuple[datetime, av.VideoFrame]
"""When a frame was taken (UTC), and the frame, decoded but not yet converted."""


class VideoFileCamera:
    """Plays a recorded video (.mp4, .mkv, .avi, .mov, .ts), as fast as it is taken.

    With ``<stem>.json`` beside it (``{"start", "seconds_per_frame"}``) it is a time-lapse: frame i is
    of ``start + i × seconds_per_frame``. Without, ``start`` is in its name or its metadata, its own
    timestamps count from there, and of frames only key frames are decoded where those lie at most two
    looks apart; elsewhere all are decoded. Either way at most one frame per ``look_every_s`` becomes
    a picture, and what is at or before ``after`` is not decoded where that can be helped. A damaged
    frame is told to ``on_fault`` and left out.
    """

    live = False

    def __init__(
        self, camera: Camera, path: Path, *, after: datetime | None, on_fault: OnFault
    ) -> None:
        self._camera = camera
        self._path = path
        self._last = after
        self._on_fault = on_fault
        self._closed = threading.Event()
        self._told_damaged = False

    def frames(self) -> Iterator[Frame]:
        """The recording's looks in the order of their times.

        Raises SourceMissing when there is no such file; SourceUnreadable when it is not a video, when
        nothing tells its start, or when it ends before its header says (after the frames before).
        """
        if not self._path.exists():
            raise SourceMissing(
                f"{self._path}: there is no such file",
                hint="correct the camera's url; it is relative to the config file's folder",
            )
        lapse = read_sidecar(self._path)
        sequence = 0
        try:
            with av.open(
                str(self._path.absolute()),
                options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
            ) as container:
                stream = self._video_of(container)
                looks = (
                    self._ordinary(container, stream)
                    if lapse is None
                    else self._lapse(container, stream, lapse)
                )
                for at, picture in looks:
                    self._last = at
                    sequence += 1
                    yield Frame(self._camera.camera_id, at, sequence, bgr(picture))
        except av.error.FFmpegError as error:
            raise SourceUnreadable(
                f"{self._path}: damaged or not a video: {error.strerror}",
                hint="copy the file again, whole; .mp4 .mkv .avi .mov and .ts are read",
            ) from error

    def close(self) -> None:
        """Makes `frames` end before its next packet."""
        self._closed.set()

    def _video_of(self, container: InputContainer) -> av.VideoStream:
        stream = next(iter(container.streams.video), None)
        if stream is None or stream.codec_context is None:
            raise SourceUnreadable(
                f"{self._path}: no video in it that can be decoded",
                hint="H.264, H.265 and MJPEG are read",
            )
        one_thread(stream.codec_context)
        return stream

    def _packets(self, container: InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
        """The video's packets until `close`; the last one is empty and empties the decoder."""
        return takewhile(lambda _: not self._closed.is_set(), container.demux(stream))

    def _is_due(self, at: datetime) -> bool:
        return is_due(at, self._last, self._camera.look_every_s)

    def _lapse(
        self, container: InputContainer, stream: av.VideoStream, lapse: TimeLapse
    ) -> Iterator[_Look]:
        """Every frame counts, in the order of presentation; only looks are given on.

        A first pass over the packets, without decoding, numbers the frames: so a damaged one does not
        shift the times of those after it, and a resumed recording starts near where it was left.
        """
        order = sorted(
            packet.pts
            for packet in self._packets(container, stream)
            if packet.size and packet.pts is not None
        )
        number = {pts: index for index, pts in enumerate(order)}
        first = next((i for i in range(len(order)) if self._is_due(lapse.time_of(i))), None)
        if first is not None:
            container.seek(order[first], stream=stream)
            for packet in self._packets(container, stream):
                for picture in self._decoded(stream.codec_context, packet):
                    index = number.get(picture.pts)
                    if index is not None and self._is_due(at := lapse.time_of(index)):
                        yield at, picture
        if not self._closed.is_set():
            self._check_length(container, stream, max(order, default=None))

    def _ordinary(self, container: InputContainer, stream: av.VideoStream) -> Iterator[_Look]:
        """One group of pictures (a key frame and what builds on it) after another.

        A group is held back undecoded until its length is known; it is seconds of compressed video.
        """
        times = _Times(start_of(self._path, container.metadata), stream)
        self._skip_to_after(container, stream, times)
        longest = timedelta(seconds=2 * self._camera.look_every_s)
        group: list[av.Packet] = []
        decoding = False
        latest: int | None = None
        for packet in self._packets(container, stream):
            pts = packet.pts
            if not packet.size or packet.is_keyframe:
                yield from self._end_of_group(stream, times, group, decoding=decoding)
                group, decoding = [packet], False
            elif decoding:
                yield from self._due_of_group(stream, times, group[0], [packet])
            elif group:
                group.append(packet)
                decoding = pts is not None and times.at(pts) - times.of(group[0]) > longest
                if decoding:
                    yield from self._due_of_group(stream, times, group[0], group)
                    del group[1:]
            if pts is not None:
                latest = pts if latest is None else max(latest, pts)
        if not self._closed.is_set():
            self._check_length(container, stream, latest)

    def _end_of_group(
        self, stream: av.VideoStream, times: _Times, group: list[av.Packet], *, decoding: bool
    ) -> Iterator[_Look]:
        """The rest of a group that is being decoded, or the key frame of one that was short."""
        if group and (decoding or self._is_due(times.of(group[0]))):
            packets = [None] if decoding else [group[0], None]
            yield from self._due_of_group(stream, times, group[0], packets)
            stream.codec_context.flush_buffers()

    def _due_of_group(
        self, stream: av.VideoStream, times: _Times, key: av.Packet, packets: list[av.Packet]
    ) -> Iterator[_Look]:
        """Decodes ``packets``; what is shown before the group's key frame leans on the group before
        and is left out.
        """
        for packet in packets:
            for picture in self._decoded(stream.codec_context, packet):
                at = None if picture.pts is None else times.at(picture.pts)
                if at is not None and at >= times.of(key) and self._is_due(at):
                    yield at, picture

    def _decoded(
        self, context: av.VideoCodecContext, packet: av.Packet | None
    ) -> Iterator[av.VideoFrame]:
        """What the decoder gives for a packet (None: what it still holds), without damaged frames."""
        try:
            pictures = context.decode(packet)
        except av.error.InvalidDataError:
            self._tell_damaged()
            return
        for picture in pictures:
            if picture.is_corrupt:
                self._tell_damaged()
            else:
                yield picture

    def _tell_damaged(self) -> None:
        """Once a run: a scratch in a recording damages every frame up to the next key frame."""
        if not self._told_damaged:
            self._told_damaged = True
            self._on_fault(
                PictureError(
                    f"{self._path}: damaged frames are left out, the first near {self._last}"
                )
            )

    def _skip_to_after(
        self, container: InputContainer, stream: av.VideoStream, times: _Times
    ) -> None:
        """Seeks to the key frame before the time to resume after, when there is one."""
        if self._last is not None and self._last > times.start:
            container.seek(times.pts(self._last), stream=stream)

    def _check_length(
        self, container: InputContainer, stream: av.VideoStream, latest: int | None
    ) -> None:
        """Raises SourceUnreadable when the footage ends well before the header's duration."""
        if container.duration is None or latest is None:
            return
        shown_s = float((latest - (stream.start_time or 0)) * stream.time_base)
        promised_s = container.duration / av.time_base
        frame_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
        if promised_s - shown_s > _CUT_SHORT_S + _CUT_SHORT_SHARE * promised_s + 2 * frame_s:
            raise SourceUnreadable(
                f"{self._path}: cut short: it ends after {shown_s:.1f} s of {promised_s:.1f} s",
                hint="copy the file again, whole; what there is was played",
            )


class _Times:
    """Wall-clock times of an ordinary recording's timestamps."""

    def __init__(self, start: datetime, stream: av.VideoStream) -> None:
        self.start = start
        self._zero: int = stream.start_time or 0
        self._base: Fraction = stream.time_base

    def at(self, pts: int) -> datetime:
        """When the frame with this presentation timestamp was taken, to the microsecond."""
        return self.start + timedelta(
            microseconds=round((pts - self._zero) * self._base * 1_000_000)
        )

    def of(self, packet: av.Packet) -> datetime:
        """When a packet's frame was taken. Without one: of its decoding, a frame or two off."""
        return self.at(packet.pts if packet.pts is not None else packet.dts or 0)

    def pts(self, moment: datetime) -> int:
        """The presentation timestamp of a moment."""
        seconds = Fraction((moment - self.start) // timedelta(microseconds=1), 1_000_000)
        return self._zero + int(seconds / self._base)
