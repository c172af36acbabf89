"""Recorded footage of one camera through the whole decision path, as fast as it goes.

`judge_replay` compares the events with the truth: which episodes were found, how late, and how many
events were false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from camera_adapters.source import CameraSource
from pipeline.domain import Event, EventState, rfc3339
from pipeline.engine.decider import Decider

_DAY_S = 86_400.0


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


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a zone truly overflowed. ``zone_id`` None: any zone of the camera."""

    zone_id: str | None
    since: datetime
    until: datetime


def judge_replay(
    events: Iterable[Event], truth: Sequence[Episode], watched_s: float
) -> Mapping[str, float | int | None]:
    """Event-level figures. ``watched_s``: seconds of footage of this one camera.

    An event is true when it was confirmed during an episode of its zone; an episode is found when at
    least one event is. A second event for the same episode is false: it told the receivers twice.
    """
    confirmed = sorted(
        (
            event
            for event in events
            if event.confirmed_at is not None and event.state is not EventState.DISMISSED
        ),
        key=lambda event: event.suspected_at,
    )
    found: dict[int, Event] = {}
    false = 0
    for event in confirmed:
        index = _episode_of(event, truth)
        if index is None or index in found:
            false += 1
        else:
            found[index] = event
    to_confirm = [
        (event.confirmed_at - truth[index].since).total_seconds() / 60
        for index, event in found.items()
        if event.confirmed_at is not None
    ]
    to_clear = [
        (event.cleared_at - truth[index].until).total_seconds() / 60
        for index, event in found.items()
        if event.cleared_at is not None
    ]
    return {
        "events": len(confirmed),
        "episodes": len(truth),
        "precision": len(found) / len(confirmed) if confirmed else None,
        "recall": len(found) / len(truth) if truth else None,
        "false_events_per_camera_day": false / (watched_s / _DAY_S) if watched_s > 0 else None,
        "minutes_to_confirm": median(to_confirm) if to_confirm else None,
        "minutes_to_clear": median(to_clear) if to_clear else None,
    }


def _episode_of(event: Event, truth: Sequence[Episode]) -> int | None:
    for index, episode in enumerate(truth):
        same_zone = episode.zone_id in (None, event.zone_id)
        if (
            same_zone
            and event.confirmed_at is not None
            and episode.since <= event.confirmed_at <= episode.until
        ):
            return index
    return None
