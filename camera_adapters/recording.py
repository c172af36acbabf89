"""When a recorded video began, and how much time lies between its frames."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from camera_adapters.source import time_at_start
from pipeline.domain import utc
from pipeline.errors import SourceUnreadable

SIDECAR_HINT = (
    'put a {stem}.json beside it: {{"start": "2026-06-01T08:00:00+08:00", "seconds_per_frame": 30}}'
)


@dataclass(frozen=True, slots=True)
class TimeLapse:
    """Frame ``i`` was taken ``i × seconds_per_frame`` after ``start``, however the video plays."""

    start: datetime
    seconds_per_frame: float

    def time_of(self, index: int) -> datetime:
        """When frame ``index`` (from 0) was taken."""
        return self.start + timedelta(seconds=index * self.seconds_per_frame)


def read_sidecar(video: Path) -> TimeLapse | None:
    """The time-lapse that ``<stem>.json`` beside the video describes; None if there is no such file.

    Raises SourceUnreadable, naming file and field, for one that can't be understood.
    """
    path = video.with_suffix(".json")
    hint = SIDECAR_HINT.format(stem=video.stem)
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"{path}: not readable as JSON: {error}", hint=hint) from error
    if not isinstance(written, dict):
        raise SourceUnreadable(f"{path}: expected an object, got {written!r:.80}", hint=hint)
    start = written.get("start")
    each = written.get("seconds_per_frame")
    if isinstance(each, bool) or not isinstance(each, int | float) or not _usable(each):
        raise SourceUnreadable(
            f"{path}: seconds_per_frame must be a number over 0, got {each!r}", hint=hint
        )
    try:
        return TimeLapse(utc(str(start)), float(each))
    except ValueError as error:
        raise SourceUnreadable(f"{path}: start: {error}", hint=hint) from error


def start_of(video: Path, metadata: Mapping[str, Any]) -> datetime:
    """When an ordinary video began: by its name, else by the ``creation_time`` inside.

    The name comes first because recorders fill ``creation_time`` with the time of export. Raises
    SourceUnreadable when neither says.
    """
    named = time_at_start(video.name)
    if named is not None:
        return named[0]
    inside = metadata.get("creation_time")
    try:
        if inside:
            return utc(str(inside))
    except ValueError as error:
        raise SourceUnreadable(
            f"{video}: creation_time: {error}", hint=SIDECAR_HINT.format(stem=video.stem)
        ) from error
    raise SourceUnreadable(
        f"{video}: nothing says when it was recorded",
        hint=f"name it by its start, such as 20260601T000000Z-{video.name}, or "
        + SIDECAR_HINT.format(stem=video.stem),
    )


def _usable(number: float) -> bool:
    return math.isfinite(number) and number > 0
