"""Recorded footage of one camera through the whole decision path, as fast as it goes.

`pipeline.engine.replay_figures` compares the events with the truth.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from camera_adapters.source import CameraSource
from pipeline.domain import Event, rfc3339
from pipeline.engine.decider import Decider


def replay(source: CameraSource, decider: Decider) -> tuple[datetime, datetime] | None:
    """Decide every frame of ``source``. Returns the first and the last frame's time, None if none."""
    first = last = None
    try:
        for frame in source.frames():
            decider.decide([frame])
            first = first or frame.captured_at
            last = frame.captured_at
    finally:
        source.close()
    return (first, last) if first is not None and last is not None else None


def summary(event: Event) -> dict[str, Any]:
    """One event as `brimwatch replay --json` prints it."""
    return {
        "event_id": event.event_id,
        "point_id": event.point_id,
        "camera_id": event.camera_id,
        "zone_id": event.zone_id,
        "suspected_at": rfc3339(event.suspected_at),
        "confirmed_at": rfc3339(event.confirmed_at) if event.confirmed_at else None,
        "cleared_at": rfc3339(event.cleared_at) if event.cleared_at else None,
        "severity": event.severity.value,
        "peak_belief": round(event.peak_belief, 6),
    }
