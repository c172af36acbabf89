"""A folder of pictures named by their time: a camera that was recorded as stills."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from camera_adapters.source import OnFault, is_due, time_at_start
from pipeline.domain import Camera, Frame, Image
from pipeline.errors import BrimwatchError, PictureError, SourceMissing, SourceUnreadable
from pipeline.pictures import decode_picture

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_NAMING = "name pictures by their time in UTC, such as 20260601T080000Z.jpg"
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Still:
    at: datetime
    path: Path


class FolderCamera:
    """Plays ``YYYYMMDDTHHMMSS[.f]Z.jpg`` (.jpeg, .png) in the order of their times.

    Frames closer than the camera's ``look_every_s`` to the last one are skipped unread. Frames at or
    before ``after`` are skipped unread too, and the thinning goes on from there, so that a resumed
    folder gives exactly what was left. A picture that can't be decoded is told to ``on_fault`` and
    left out; pictures with other names are told once, together. Files of other types are ignored.
    """

    live = False

    def __init__(
        self, camera: Camera, folder: Path, *, after: datetime | None, on_fault: OnFault
    ) -> None:
        self._camera = camera
        self._folder = folder
        self._after = after
        self._on_fault = on_fault
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """The folder's pictures, one a look.

        Raises SourceMissing when there is no such folder, SourceUnreadable when it holds no picture
        named by its time, or when of all that were tried not one could be decoded.
        """
        last = self._after
        sequence = 0
        damaged = 0
        for still in self._stills():
            if self._closed.is_set():
                return
            if not is_due(still.at, last, self._camera.look_every_s):
                continue
            image = self._picture(still.path)
            if image is None:
                damaged += 1
                continue
            last = still.at
            sequence += 1
            yield Frame(self._camera.camera_id, still.at, sequence, image)
        if damaged and not sequence:
            raise SourceUnreadable(
                f"{self._folder}: none of its {damaged} pictures can be decoded",
                hint="copy the pictures again",
            )

    def close(self) -> None:
        """Makes `frames` end before its next picture."""
        self._closed.set()

    def _stills(self) -> list[_Still]:
        stills: list[_Still] = []
        misnamed: list[str] = []
        for path in self._pictures():
            named = time_at_start(path.name)
            if named is not None and named[1] == path.suffix:
                stills.append(_Still(named[0], path))
            else:
                misnamed.append(path.name)
        if not stills:
            raise SourceUnreadable(
                f"{self._folder}: no picture named by its time"
                + (f" among {len(misnamed)} pictures, such as {min(misnamed)}" if misnamed else ""),
                hint=_NAMING,
            )
        if misnamed:
            self._on_fault(_misnamed(self._folder, sorted(misnamed)))
        return sorted(stills, key=lambda still: (still.at, still.path.name))

    def _pictures(self) -> list[Path]:
        try:
            return [
                path
                for path in self._folder.iterdir()
                if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
            ]
        except FileNotFoundError as error:
            raise SourceMissing(
                f"{self._folder}: there is no such folder",
                hint="correct the camera's url; it is relative to the config file's folder",
            ) from error
        except OSError as error:
            raise SourceUnreadable(
                f"{self._folder}: can't be listed: {error.strerror}",
                hint="the camera's url must be a folder that this user may read",
            ) from error

    def _picture(self, path: Path) -> Image | None:
        try:
            return decode_picture(path.read_bytes())
        except PictureError as error:
            self._on_fault(PictureError(f"{path}: {error.args[0]}", hint=error.hint))
        except OSError as error:
            self._on_fault(PictureError(f"{path}: can't be read: {error.strerror}"))
        return None


def _misnamed(folder: Path, names: list[str]) -> BrimwatchError:
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    return SourceUnreadable(
        f"{folder}: {len(names)} pictures are ignored, their names are not times: {shown}",
        hint=_NAMING,
    )
