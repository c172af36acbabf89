"""From a camera's URL to its adapter: the one place that knows them all."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from camera_adapters.failures import redact
from camera_adapters.folder import FolderCamera
from camera_adapters.push import PushCamera
from camera_adapters.source import CameraSource, Clock, OnFault, Opener
from pipeline.domain import Camera
from pipeline.errors import ConfigError

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".ts"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
"""At least two letters: a single one is a Windows drive."""


def open_folder(
    camera: Camera, *, base: Path, after: datetime | None, clock: Clock, on_fault: OnFault
) -> CameraSource:
    """``folder:PATH``, or a path that is no video file. Recorded: the clock is not asked."""
    _ = clock
    path = base / camera.url.removeprefix("folder:")
    return FolderCamera(camera, path, after=after, on_fault=on_fault)


def open_path(
    camera: Camera, *, base: Path, after: datetime | None, clock: Clock, on_fault: OnFault
) -> CameraSource:
    """A path without a scheme: a video by its suffix (or because it is a file), else a folder."""
    path = base / camera.url
    if path.suffix.lower() in VIDEO_SUFFIXES or path.is_file():
        from camera_adapters.video import VideoFileCamera

        return VideoFileCamera(camera, path, after=after, on_fault=on_fault)
    return open_folder(camera, base=base, after=after, clock=clock, on_fault=on_fault)


def open_stream(
    camera: Camera, *, base: Path, after: datetime | None, clock: Clock, on_fault: OnFault
) -> CameraSource:
    """A live stream. It can't be resumed: what was missed is gone."""
    _ = base, after
    from camera_adapters.stream import StreamCamera

    return StreamCamera(camera, clock=clock, on_fault=on_fault)


def open_push(
    camera: Camera, *, base: Path, after: datetime | None, clock: Clock, on_fault: OnFault
) -> CameraSource:
    """``push:``: frames are handed in with `PushCamera.offer`, which keeps the sender's times."""
    _ = base, clock, on_fault
    return PushCamera(camera, after=after)


OPENERS: dict[str, Opener] = {
    "folder": open_folder,
    "http": open_stream,
    "https": open_stream,
    "push": open_push,
    "rtmp": open_stream,
    "rtsp": open_stream,
    "rtsps": open_stream,
}
"""URL scheme → opener. Add to it to bring a kind of camera of your own."""


def open_camera(
    camera: Camera,
    *,
    base: Path,
    after: datetime | None = None,
    clock: Clock,
    on_fault: OnFault,
) -> CameraSource:
    """The source for a camera's URL. Connects nothing yet: `CameraSource.frames` does.

    ``base``: the folder that relative paths start from (the config file's); ``after``: recorded and
    pushed frames at or before it are skipped; ``clock``: the present in UTC, for live frames;
    ``on_fault``: is told of what is skipped while the source goes on.

    Raises ConfigError for an empty URL or a scheme that nothing here reads.
    """
    url = camera.url.strip()
    if not url:
        raise ConfigError(
            f"camera {camera.camera_id}: its url is empty", hint="give a path or an rtsp:// address"
        )
    scheme = _SCHEME.match(url)
    if scheme is None:
        return open_path(camera, base=base, after=after, clock=clock, on_fault=on_fault)
    opener = OPENERS.get(scheme[1].lower())
    if opener is None:
        raise ConfigError(
            f"camera {camera.camera_id}: nothing reads {scheme[1]}: in {redact(url)}",
            hint=f"known are a path, {', '.join(f'{name}:' for name in sorted(OPENERS))}",
        )
    return opener(camera, base=base, after=after, clock=clock, on_fault=on_fault)
