"""A camera's state as JSON, so that open events and beliefs are taken up again after a restart.

Only what decisions rest on is kept: beliefs and lives. Pictures (the change gate's reference) are
not: the first look after a restart asks the detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pipeline.domain import (
    Belief,
    Event,
    EventKind,
    EventState,
    Severity,
    rfc3339,
    utc,
)
from pipeline.engine.watch import CameraState
from pipeline.events import Phase, ZoneLife
from pipeline.store import Checkpoint


def to_checkpoint(camera_id: str, state: CameraState) -> Checkpoint:
    """What to keep of a camera. ``state`` must have seen a frame."""
    assert state.as_of is not None, "a checkpoint is of a frame"
    lives = {zone_id: _life_to_json(life) for zone_id, life in state.lives.items()}
    return Checkpoint(camera_id, state.as_of, {"lives": lives})


def from_checkpoint(checkpoint: Checkpoint) -> CameraState:
    """The state to go on from."""
    lives: Mapping[str, Any] = checkpoint.state["lives"]
    return CameraState(
        lives=MappingProxyType({zone: _life_from_json(life) for zone, life in lives.items()}),
        as_of=checkpoint.as_of,
    )


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as plain JSON values; times RFC 3339 in UTC."""
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "point_id": event.point_id,
        "camera_id": event.camera_id,
        "zone_id": event.zone_id,
        "state": event.state.value,
        "severity": event.severity.value,
        "suspected_at": rfc3339(event.suspected_at),
        "confirmed_at": _text(event.confirmed_at),
        "cleared_at": _text(event.cleared_at),
        "ended_at": _text(event.ended_at),
        "peak_belief": event.peak_belief,
        "confidence": event.confidence,
        "model_hash": event.model_hash,
    }


def event_from_json(data: Mapping[str, Any]) -> Event:
    """The event that `event_to_json` wrote."""
    return Event(
        event_id=data["event_id"],
        kind=EventKind(data["kind"]),
        point_id=data["point_id"],
        camera_id=data["camera_id"],
        zone_id=data["zone_id"],
        state=EventState(data["state"]),
        severity=Severity(data["severity"]),
        suspected_at=utc(data["suspected_at"]),
        confirmed_at=_time(data["confirmed_at"]),
        cleared_at=_time(data["cleared_at"]),
        ended_at=_time(data["ended_at"]),
        peak_belief=data["peak_belief"],
        confidence=data["confidence"],
        model_hash=data["model_hash"],
    )


def _life_to_json(life: ZoneLife) -> dict[str, Any]:
    return {
        "belief": life.belief.overflowing,
        "as_of": rfc3339(life.belief.as_of),
        "seen_at": _text(life.belief.seen_at),
        "phase": life.phase.value,
        "event": event_to_json(life.event) if life.event is not None else None,
        "dwell_s": life.dwell.total_seconds() if life.dwell is not None else None,
        "looked_at": _text(life.looked_at),
        "was_seen": life.was_seen,
        "told": life.told,
    }


def _life_from_json(data: Mapping[str, Any]) -> ZoneLife:
    dwell = data["dwell_s"]
    return ZoneLife(
        belief=Belief(data["belief"], utc(data["as_of"]), _time(data["seen_at"])),
        phase=Phase(data["phase"]),
        event=event_from_json(data["event"]) if data["event"] is not None else None,
        dwell=timedelta(seconds=dwell) if dwell is not None else None,
        looked_at=_time(data["looked_at"]),
        was_seen=data["was_seen"],
        told=data["told"],
    )


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None


def _time(text: str | None) -> datetime | None:
    return utc(text) if text is not None else None
