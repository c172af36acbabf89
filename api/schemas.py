"""What the API answers, as pydantic models with an example each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from api.links import EvidenceLinks
from api.standing import DeliveryState, PointState, delivery_state, newest_frame_at
from pipeline.domain import (
    EventKind,
    EventState,
    EvidenceForm,
    EvidenceRole,
    Message,
    MessageState,
    MessageType,
    Point,
    Quality,
    Severity,
    rfc3339,
)
from pipeline.engine.status import CameraStatus
from pipeline.store import EventRecord

_EVENT_EXAMPLE: dict[str, Any] = {
    "event_id": "019e80a0-3c00-7000-8000-000000000000",
    "kind": "overflow",
    "state": "confirmed",
    "severity": "minor",
    "point_id": "p1",
    "point_name": "东门垃圾收集点",
    "community": "和平社区",
    "grid_code": "330106001001",
    "camera_id": "p1-c1",
    "zone_id": "bins",
    "suspected_at": "2026-06-01T00:10:00Z",
    "confirmed_at": "2026-06-01T00:13:00Z",
    "cleared_at": None,
    "ended_at": None,
    "peak_belief": 0.997,
    "confidence": 0.91,
    "delivery": "delivered",
}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class EventSummary(BaseModel):
    """One event in a list. Times are RFC 3339 in UTC."""

    model_config = ConfigDict(json_schema_extra={"example": _EVENT_EXAMPLE})

    event_id: str
    kind: EventKind
    state: EventState
    severity: Severity
    point_id: str
    point_name: str
    community: str
    grid_code: str
    camera_id: str
    zone_id: str
    suspected_at: str
    confirmed_at: str | None
    cleared_at: str | None
    ended_at: str | None
    peak_belief: float
    confidence: float
    delivery: DeliveryState


class EventList(BaseModel):
    """A page of events, newest suspicion first; ``next_cursor`` is None on the last."""

    events: list[EventSummary]
    next_cursor: str | None
    simulated: bool


class EvidenceLink(BaseModel):
    """One picture; ``url`` works for some hours, ``sha256`` for ever."""

    role: EvidenceRole
    form: EvidenceForm
    url: str
    sha256: str
    size: int
    media_type: str
    captured_at: str


class MessageStanding(BaseModel):
    """One message of the event and where it stands."""

    message_id: str
    receiver: str
    type: MessageType
    state: MessageState
    attempts: int
    created_at: str
    next_attempt_at: str | None
    delivered_at: str | None
    last_error: str


class EventDetail(EventSummary):
    """One event whole."""

    longitude: float | None
    latitude: float | None
    model_hash: str
    simulated: bool
    evidence: list[EvidenceLink]
    messages: list[MessageStanding]


class CameraStanding(BaseModel):
    """One camera as of its last look. Its URL is not shown: it may hold a password."""

    camera_id: str
    last_frame_at: str | None
    quality: Quality | None
    fault: str
    belief: dict[str, float]


class PointStanding(BaseModel):
    """One point and how it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "point_id": "p1",
                "name": "东门垃圾收集点",
                "community": "和平社区",
                "grid_code": "330106001001",
                "longitude": 120.13,
                "latitude": 30.27,
                "state": "ok",
                "last_frame_at": "2026-06-01T00:20:00Z",
                "cameras": [
                    {
                        "camera_id": "p1-c1",
                        "last_frame_at": "2026-06-01T00:20:00Z",
                        "quality": "ok",
                        "fault": "",
                        "belief": {"bins": 0.02},
                    }
                ],
            }
        }
    )

    point_id: str
    name: str
    community: str
    grid_code: str
    longitude: float | None
    latitude: float | None
    state: PointState
    last_frame_at: str | None
    cameras: list[CameraStanding]


class PointList(BaseModel):
    """All points, in the order of the configuration."""

    points: list[PointStanding]
    simulated: bool


def _summary(record: EventRecord, point: Point | None) -> dict[str, Any]:
    event = record.event
    return {
        "event_id": event.event_id,
        "kind": event.kind,
        "state": event.state,
        "severity": event.severity,
        "point_id": event.point_id,
        "point_name": point.name if point else event.point_id,
        "community": point.community if point else "",
        "grid_code": point.grid_code if point else "",
        "camera_id": event.camera_id,
        "zone_id": event.zone_id,
        "suspected_at": rfc3339(event.suspected_at),
        "confirmed_at": _time(event.confirmed_at),
        "cleared_at": _time(event.cleared_at),
        "ended_at": _time(event.ended_at),
        "peak_belief": event.peak_belief,
        "confidence": event.confidence,
        "delivery": delivery_state(record.messages),
    }


def event_summary(record: EventRecord, point: Point | None) -> EventSummary:
    """``point`` is None for an event of a point that is no longer configured."""
    return EventSummary(**_summary(record, point))


def event_detail(
    record: EventRecord, point: Point | None, links: EvidenceLinks, *, simulated: bool
) -> EventDetail:
    """As `event_summary`, with links to the evidence and where each message stands."""
    return EventDetail(
        **_summary(record, point),
        longitude=point.longitude if point else None,
        latitude=point.latitude if point else None,
        model_hash=record.event.model_hash,
        simulated=simulated,
        evidence=[
            EvidenceLink(
                role=picture.role,
                form=picture.form,
                url=links.link(picture.key),
                sha256=picture.sha256,
                size=picture.size,
                media_type=picture.media_type,
                captured_at=rfc3339(picture.captured_at),
            )
            for picture in record.evidence
        ],
        messages=[_message(message) for message in record.messages],
    )


def _message(message: Message) -> MessageStanding:
    return MessageStanding(
        message_id=message.message_id,
        receiver=message.receiver,
        type=message.type,
        state=message.state,
        attempts=message.attempts,
        created_at=rfc3339(message.created_at),
        next_attempt_at=_time(message.next_attempt_at),
        delivered_at=_time(message.delivered_at),
        last_error=message.last_error,
    )


def point_standing(
    point: Point, statuses: dict[str, CameraStatus], state: PointState
) -> PointStanding:
    """A point with its cameras; one that never reported has no quality."""
    return PointStanding(
        point_id=point.point_id,
        name=point.name,
        community=point.community,
        grid_code=point.grid_code,
        longitude=point.longitude,
        latitude=point.latitude,
        state=state,
        last_frame_at=_time(newest_frame_at(point, statuses)),
        cameras=[_camera(camera.camera_id, statuses) for camera in point.cameras],
    )


def _camera(camera_id: str, statuses: dict[str, CameraStatus]) -> CameraStanding:
    status = statuses.get(camera_id)
    return CameraStanding(
        camera_id=camera_id,
        last_frame_at=_time(status.last_frame_at) if status else None,
        quality=status.quality if status and status.last_frame_at else None,
        fault=status.fault if status else "",
        belief=dict(status.belief) if status else {},
    )
