"""The engine in one process: a thread a camera that reads, one thread that decides.

A reading thread only opens its source, waits and hands frames over; whatever goes wrong in it stays in
it. Of a live camera only the latest frame waits to be decided (an old one is of no use to anyone); of a
recording every frame counts, so its reader waits until the one before is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from pipeline.domain import Camera, Frame
from pipeline.engine.decider import Decider
from pipeline.errors import BrimwatchError, SourceError
from pipeline.metrics import Metrics

log = structlog.get_logger(__name__)

REOPEN_AFTER_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Pauses before a live source is opened again; the last one repeats."""
_TICK_S = 60.0
_BATCH = 8


class Source(Protocol):
    """What the engine wants of a camera: see `camera_adapters.CameraSource`."""

    live: bool

    def frames(self) -> "Iterator[Frame]":
        """Frames as they come, at most one a look. Raises SourceError."""
        ...

    def close(self) -> None:
        """Make `frames` end soon; may be called from another thread."""
        ...
